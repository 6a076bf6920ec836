//! A request as it came, and its path, query, login and body as values.

use crate::serve::management::answer::ApiAnswer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

/// A request as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiRequest {
    /// `GET`, `PUT`, …
    pub method: String,
    /// As it came, encoded, without the query: `/api/queues/%2F/orders`.
    pub path: String,
    /// As it came, without the question mark.
    pub query: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `X-Reason`.
    pub reason: Option<String>,
    /// As it came.
    pub body: Vec<u8>,
}

impl ApiRequest {
    /// Returns the parts of the path below `/api`, decoded.
    pub(crate) fn parts(&self) -> Option<Vec<String>> {
        let below = self.path.strip_prefix("/api/")?;
        let below = below.strip_suffix('/').unwrap_or(below);
        Some(below.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect())
    }

    /// Returns a parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
        })
    }

    /// Returns user and password, where the client gave any.
    pub(crate) fn login(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.authorization.as_ref()?.split_once(' ')?;
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
        let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// Reads the body as a map; nothing and null are an empty one (MG-1).
    pub(crate) fn map(&self) -> Result<Map<String, Json>, ApiAnswer> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Json::Object(map)) => Ok(map),
            Ok(Json::Null) => Ok(Map::new()),
            _ => Err(ApiAnswer::bad_request("not_json")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_queries_and_logins_are_decoded() {
        let request = ApiRequest {
            path: "/api/queues/%2F/a%20b/".to_owned(),
            query: "name=a+b&use_regex".to_owned(),
            authorization: Some("Basic Z3Vlc3Q6Z3U6ZXN0".to_owned()),
            ..ApiRequest::default()
        };
        assert_eq!(request.parts(), Some(vec!["queues".to_owned(), "/".to_owned(), "a b".to_owned()]));
        assert_eq!(request.parameter("name").as_deref(), Some("a b"));
        assert_eq!(request.parameter("use_regex").as_deref(), Some(""));
        assert_eq!(request.login(), Some(("guest".to_owned(), "gu:est".to_owned())));
    }
}
