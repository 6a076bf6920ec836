//! Where the URI of a shovel or of an upstream leads.
//! Takes the text of a URI; gives host and vhost, and never the account.

use crate::model::Name;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

/// Returns the first of the URIs that a parameter lists, which may be one text.
pub fn first_text(value: &Json) -> Option<&str> {
    value.as_str().or_else(|| value.as_array()?.first()?.as_str())
}

/// Where a URI leads.
pub struct UriPlace {
    /// `None` is the broker itself.
    pub host: Option<String>,
    pub vhost: Name,
}

impl UriPlace {
    /// Reads host and vhost; the account, which stands before an `@`, is passed over.
    pub fn of(uri: &str) -> Self {
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let vhost = path.filter(|path| !path.is_empty());
        let vhost = vhost.map_or("/".into(), |path| percent_decode_str(path).decode_utf8_lossy());
        Self { host: (!host.is_empty()).then(|| host.to_owned()), vhost: vhost.as_ref().into() }
    }

    /// Returns the place in words.
    pub fn words(&self) -> String {
        match (&self.host, &*self.vhost) {
            (Some(host), "/") => format!("at {host}"),
            (Some(host), vhost) => format!("at {host}, vhost {vhost}"),
            (None, vhost) => format!("in vhost {vhost}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UriPlace;

    #[test]
    fn a_uri_is_shown_without_its_account() {
        let words = |uri: &str| UriPlace::of(uri).words();
        assert_eq!(
            words("amqps://shop:p%40ss@rabbit.north:5671/orders%2Feu?cacertfile=/a"),
            "at rabbit.north:5671, vhost orders/eu"
        );
        assert_eq!(words("amqp://u:p@@host"), "at host");
        assert_eq!(words("amqp:///a"), "in vhost a");
        assert_eq!(words("amqp://"), "in vhost /");
    }
}
