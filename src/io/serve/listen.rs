//! Addresses to listen at, and the sockets behind them. Beyond this machine only where that is allowed.

use crate::io::tls::server::ServerTls;
use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;

/// A host and a port, 0 for one that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name or an IP address; 127.0.0.1 where none is given.
    pub host: String,
    /// 0 has the system choose.
    pub port: u16,
}

impl FromStr for ListenAddress {
    type Err = String;

    /// Reads `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let bad = || {
            format!("`{text}` is no address to listen at: give HOST:PORT, as 127.0.0.1:5672; port 0 takes a free one")
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.contains(['/', '@']) {
            return Err(bad());
        }
        let port = port.parse().map_err(|_| bad())?;
        Ok(Self { host: if host.is_empty() { "127.0.0.1".to_owned() } else { host.to_owned() }, port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A socket that listens for AMQP, in plain or by TLS.
#[derive(Debug)]
pub struct AmqpListener {
    /// The socket, which never waits.
    pub socket: TcpListener,
    /// How TLS is spoken there.
    pub tls: Option<ServerTls>,
}

impl From<TcpListener> for AmqpListener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }
}

/// Why nothing listens at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenFailure {
    /// Other machines could connect, and nobody allowed it.
    Remote(String),
    /// Something else listens there.
    Taken(String, u16),
    /// The system's own words.
    Other(String, String),
}

impl fmt::Display for ListenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenFailure::Remote(address) => write!(f, "{address} can be reached from other machines"),
            ListenFailure::Taken(address, _) => write!(f, "something else listens at {address}"),
            ListenFailure::Other(address, why) => write!(f, "cannot listen at {address}: {why}"),
        }
    }
}

impl ListenFailure {
    /// Returns what to do about it.
    pub fn help(&self) -> String {
        match self {
            ListenFailure::Remote(_) => {
                "a simulated broker is for tests: listen at 127.0.0.1, or say --allow-remote".to_owned()
            }
            ListenFailure::Taken(_, port) => {
                format!("`ss -ltnp 'sport = :{port}'` tells what; --listen 127.0.0.1:0 takes a free port")
            }
            ListenFailure::Other(..) => "give another address with --listen".to_owned(),
        }
    }
}

/// Listens at an address.
///
/// # Errors
/// The address is taken, not this machine's, or one that others can reach where that is not allowed.
pub fn bind(address: &ListenAddress, allows_remote: bool) -> Result<TcpListener, ListenFailure> {
    let shown = address.to_string();
    let other = |error: std::io::Error| ListenFailure::Other(shown.clone(), error.to_string());
    let addresses: Vec<SocketAddr> = (address.host.as_str(), address.port).to_socket_addrs().map_err(other)?.collect();
    if !allows_remote && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Err(ListenFailure::Remote(shown));
    }
    let listener = TcpListener::bind(addresses.as_slice()).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => ListenFailure::Taken(shown.clone(), address.port),
        _ => other(error),
    })?;
    listener.set_nonblocking(true).map_err(other)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_host() {
        let read = |text: &str| text.parse::<ListenAddress>().map(|address| address.to_string());
        assert_eq!(read("127.0.0.1:5672").as_deref(), Ok("127.0.0.1:5672"));
        assert_eq!(read(":0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(read("5673").as_deref(), Ok("127.0.0.1:5673"));
        assert_eq!(read("[::1]:5672").as_deref(), Ok("[::1]:5672"));
        assert!(read("amqp://localhost").is_err() && read("localhost").is_err());
    }

    #[test]
    fn what_others_can_reach_needs_consent_and_what_is_taken_says_so() {
        let any = ListenAddress { host: "0.0.0.0".to_owned(), port: 0 };
        assert!(matches!(bind(&any, false), Err(ListenFailure::Remote(_))));
        let listener = bind(&ListenAddress { host: "127.0.0.1".to_owned(), port: 0 }, false).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let again = bind(&ListenAddress { host: "127.0.0.1".to_owned(), port }, false);
        assert_eq!(again.err(), Some(ListenFailure::Taken(format!("127.0.0.1:{port}"), port)));
    }
}
