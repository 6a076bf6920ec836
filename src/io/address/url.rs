//! Where a broker is and who logs in: takes an AMQP URL, gives its parts and the management URL derived from them.
//! Never shows the password, never connects.

use crate::io::address::options::{LoginMechanism, TlsOptions};
use crate::model::{Millis, Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use std::fmt;

/// The distance between RabbitMQ's AMQP port and its management port (5672 and 15672, 5671 and 15671).
const MANAGEMENT_OFFSET: u16 = 10_000;

/// A broker's place and the runner's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `amqps`.
    pub tls: bool,
    /// Who logs in.
    pub user: String,
    /// Shown nowhere.
    pub password: Secret,
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// Of AMQP.
    pub port: u16,
    /// `None` when the URL names none, which differs from the empty name.
    pub vhost: Option<String>,
    /// Seconds; 0 turns heartbeats off.
    pub heartbeat: Option<u16>,
    /// The longest wait for a connection, from its first packet to the login.
    pub connection_timeout: Option<Millis>,
    /// The most channels of a connection; 0 or `None`: as many as the broker allows.
    pub channel_max: Option<u16>,
    /// How the runner logs in, in the order of preference; none: by user and password.
    pub mechanisms: Vec<LoginMechanism>,
    /// Certificates and names for `amqps`.
    pub tls_options: TlsOptions,
    /// The management URL when it is not the derived one, without a slash at its end.
    pub management: Option<String>,
    /// The shell command that stops and starts the broker; `None`: it must not be restarted.
    pub restart: Option<String>,
    /// The shell command to which `stop NODE` and `start NODE` are added; `None`: no node may be stopped.
    pub node: Option<String>,
    /// Its name in `rmqplay.yaml`.
    pub name: Option<String>,
}

/// What is wrong with a URL and what to write instead; never repeats a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress {
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl std::str::FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let url = Url::parse(text.trim()).map_err(|error| bad(format!("not an AMQP URL: {error}"), SHAPE))?;
        let tls = match url.scheme() {
            "amqp" => false,
            "amqps" => true,
            other => return Err(bad(format!("`{other}://` is not an AMQP URL"), SHAPE)),
        };
        if url.cannot_be_a_base() {
            return Err(bad("the URL has no `//` before the host", SHAPE));
        }
        if url.fragment().is_some() {
            return Err(bad("`#` ends a URL early", "write a `#` in a password or a name as %23"));
        }
        let host = match url.host_str() {
            None | Some("") => "localhost".to_owned(),
            Some(host) => decoded(host.trim_start_matches('[').trim_end_matches(']'), "host")?,
        };
        let user = if url.username().is_empty() { "guest".into() } else { decoded(url.username(), "user")? };
        let password = url.password().map_or(Ok("guest".to_owned()), |password| decoded(password, "password"))?;
        if url.query().is_some_and(|query| query.contains('@')) {
            return Err(bad(
                "an `@` stands behind a `?`",
                "write a `?` in a password as %3F, an `@` in a parameter as %40",
            ));
        }
        if url.username().is_empty() && url.path().contains('@') {
            return Err(bad(
                "an `@` stands behind a `/`",
                "write a `/` in a password as %2F, an `@` in a vhost as %40",
            ));
        }
        let mut address = Address { tls, user, password: Secret::new(password), host, ..Address::default() };
        address.port = url.port().unwrap_or(if tls { 5671 } else { 5672 });
        address.vhost = vhost_of(&url)?;
        address.set_all(url.query_pairs())?;
        Ok(address)
    }
}

impl Default for Address {
    /// Returns the local broker, as it is after its installation.
    fn default() -> Self {
        Self {
            tls: false,
            user: "guest".to_owned(),
            password: Secret::new("guest"),
            host: "localhost".to_owned(),
            port: 5672,
            vhost: None,
            heartbeat: None,
            connection_timeout: None,
            channel_max: None,
            mechanisms: Vec::new(),
            tls_options: TlsOptions::default(),
            management: None,
            restart: None,
            node: None,
            name: None,
        }
    }
}

/// The help for a URL that is none.
const SHAPE: &str = "write amqp://USER:PASSWORD@HOST:PORT/VHOST, the vhost `/` as %2F (amqps:// for TLS)";

impl Address {
    /// Uses another management URL than the derived one.
    ///
    /// # Errors
    /// When it is no http URL or carries a login (that of the AMQP URL is used).
    pub fn with_management(mut self, text: &str) -> Result<Self, BadAddress> {
        const HELP: &str = "write http://HOST:15672, or https:// for TLS";
        let url = Url::parse(text.trim()).map_err(|error| bad(format!("not a management URL: {error}"), HELP))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(bad("not a management URL", HELP));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("the management URL carries a login", "leave it out: the AMQP URL's login is used"));
        }
        let text = url.as_str().trim_end_matches('/');
        self.management = Some(text.strip_suffix("/api").unwrap_or(text).to_owned());
        Ok(self)
    }

    /// Returns the management URL without a slash at its end: the one that was set, or the same host at the AMQP port
    /// and 10,000 more, as RabbitMQ's defaults lie.
    ///
    /// # Errors
    /// When there is no such port.
    pub fn management_url(&self) -> Result<String, BadAddress> {
        if let Some(url) = &self.management {
            return Ok(url.clone());
        }
        let Some(port) = self.port.checked_add(MANAGEMENT_OFFSET) else {
            let message = format!("no management port belongs to AMQP port {}", self.port);
            return Err(bad(message, "give the management URL: --management http://HOST:PORT"));
        };
        let scheme = if self.tls { "https" } else { "http" };
        Ok(format!("{scheme}://{}:{port}", self.shown_host()))
    }

    /// Returns whether the management API is spoken to over TLS.
    pub fn has_management_tls(&self) -> bool {
        self.management.as_ref().map_or(self.tls, |url| url.starts_with("https:"))
    }

    /// Returns the URL with its parameters and without its password, as `--broker` takes it.
    pub fn argument(&self) -> String {
        let parameters: Vec<String> = self.parameters().collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{self}{mark}{}", parameters.join("&"))
    }

    /// Returns `HOST:PORT` as one writes it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.shown_host(), self.port)
    }

    /// Returns the host as it stands in a URL.
    pub(crate) fn shown_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for Address {
    /// Writes the URL without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "amqps" } else { "amqp" };
        write!(f, "{scheme}://{}@{}", encoded(&self.user), self.place())?;
        match &self.vhost {
            Some(vhost) => write!(f, "/{}", encoded(vhost)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for BadAddress {}

pub(crate) fn bad(message: impl Into<String>, help: impl Into<String>) -> BadAddress {
    BadAddress { message: message.into(), help: help.into() }
}

/// Reads the path: nothing is no vhost, a lone slash is the empty one.
fn vhost_of(url: &Url) -> Result<Option<String>, BadAddress> {
    match url.path().strip_prefix('/') {
        None => Ok(None),
        Some(name) if name.contains('/') => {
            Err(bad("a vhost is one part of the path", "write each `/` of its name as %2F: amqp://localhost/%2F"))
        }
        Some(name) => decoded(name, "vhost").map(Some),
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str, what: &str) -> Result<String, BadAddress> {
    let is_digits = |two: Option<&str>| two.is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !text.match_indices('%').all(|(at, _)| is_digits(text.get(at + 1..at + 3))) {
        return Err(bad(format!("a `%` in the {what} is not followed by two digits"), "write `%` as %25"));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| bad(format!("the {what} is not UTF-8"), "encode it as UTF-8, then as %XX"))
}

/// What RFC 3986 does not reserve stands for itself.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes all but unreserved characters, as one segment of a path needs it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn parts_and_defaults() {
        let plain = read("amqp://");
        assert_eq!(
            (&*plain.user, plain.password.expose(), &*plain.host, plain.port),
            ("guest", "guest", "localhost", 5672)
        );
        assert_eq!(plain.vhost, None);
        assert_eq!(read("amqp://localhost/").vhost.as_deref(), Some(""));
        assert_eq!(read("amqp://localhost/%2F").vhost.as_deref(), Some("/"));
        assert_eq!(read("amqps://h").port, 5671);
        let full = read("amqp://al%40ice:p%2Fw%23@[::1]:5310/caf%C3%A9%2Fx?heartbeat=7");
        assert_eq!((&*full.user, full.password.expose(), &*full.host), ("al@ice", "p/w#", "::1"));
        assert_eq!((full.vhost.as_deref(), full.heartbeat), (Some("café/x"), Some(7)));
        assert_eq!(full.to_string(), "amqp://al%40ice@[::1]:5310/caf%C3%A9%2Fx");
        assert!(!format!("{full:?}").contains("p/w#"));
    }

    #[test]
    fn management_is_ten_thousand_ports_further() {
        assert_eq!(read("amqp://h").management_url().as_deref(), Ok("http://h:15672"));
        assert_eq!(read("amqps://h").management_url().as_deref(), Ok("https://h:15671"));
        assert_eq!(read("amqp://[::1]:5400/x").management_url().as_deref(), Ok("http://[::1]:15400"));
        let set = read("amqp://h").with_management("https://m.example/rabbit/api/").expect("a URL");
        assert_eq!(set.management_url().as_deref(), Ok("https://m.example/rabbit"));
        assert!(read("amqp://h:60000").management_url().is_err());
    }

    #[test]
    fn bad_ones_say_what_to_write() {
        for text in [
            "",
            "localhost",
            "http://h",
            "amqp:h",
            "amqp://h/a/b",
            "amqp://h//",
            "amqp://u:p#x@h",
            "amqp://h:99999",
            "amqp://h?heartbeat=x",
            "amqp://h?verify=none",
            "amqp://u:1?secret@h",
            "amqp://u:1/secret@h",
            "amqp://u:%zz@h",
            "amqp://h/%ff",
            "amqp://h/100%",
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert!(!error.help.is_empty() && !error.message.is_empty(), "{text}: {error}");
        }
        for leaky in ["amqp://u:secret@h:x", "amqp://u:1?secret@h", "amqp://u:1/secret@h", "amqp://h?password=secret"] {
            let told = leaky.parse::<Address>().expect_err(leaky).to_string();
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
