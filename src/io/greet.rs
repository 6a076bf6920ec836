//! The first bytes from a port: does it speak AMQP, HTTP, TLS, or nothing at all?
//! Sends the greeting of an AMQP client and reads what comes back; never logs in.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::model::Millis;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a port answers to the greeting of an AMQP client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    /// Plain AMQP.
    Amqp,
    /// A web server, most likely the management API.
    Http,
    /// It wants TLS first.
    Tls,
    /// It took the connection and closed it without a word.
    Nothing,
    /// There is no connection, and why.
    Closed(String),
}

/// How soon a broker answers a greeting.
const PROMPT: Duration = Duration::from_millis(250);

/// Asks a port what it speaks.
pub async fn ask(address: &Address, limit: Duration) -> Speaks {
    let hello = async {
        let mut socket = match TcpStream::connect((&*address.host, address.port)).await {
            Ok(socket) => socket,
            Err(error) => return Speaks::Closed(error.to_string()),
        };
        let mut first = [0; 1];
        let read = async {
            socket.write_all(b"AMQP\x00\x00\x09\x01").await?;
            if let Ok(read) = timeout(PROMPT, socket.read(&mut first)).await {
                return read;
            }
            // A broker answers at once; a web server waits for the end of what it takes for a request.
            socket.write_all(b"\r\n\r\n").await?;
            socket.read(&mut first).await
        };
        match read.await {
            Ok(0) => Speaks::Nothing,
            Err(error) => Speaks::Closed(error.to_string()),
            Ok(_) => match first[0] {
                b'H' => Speaks::Http,
                // A TLS alert.
                0x15 => Speaks::Tls,
                _ => Speaks::Amqp,
            },
        }
    };
    let late = || Speaks::Closed(format!("no answer within {}", Millis(limit.as_millis() as u64)));
    timeout(limit, hello).await.unwrap_or_else(|_| late())
}

/// Says hello as an AMQP client does; `Ok` when a broker says something back.
pub async fn greet(address: &Address, limit: Duration) -> Result<(), String> {
    match ask(address, limit).await {
        Speaks::Nothing if !address.tls => Err("it closes new connections at once".to_owned()),
        Speaks::Closed(why) => Err(why),
        _ => Ok(()),
    }
}

/// Makes a failure of a port that speaks something else than the URL says.
pub(crate) fn misdirected(address: &Address, speaks: &Speaks) -> Option<BrokerFailure> {
    let host = &address.host;
    let (why, hint) = match (speaks, address.tls) {
        (Speaks::Http, _) => {
            let amqp = address.port.checked_sub(10_000).filter(|port| *port > 0).unwrap_or(5672);
            let why = "a web server answers there, and no AMQP: it may be the management API".to_owned();
            (
                why,
                format!(
                    "give the AMQP port, often 10,000 less: amqp://…@{host}:{amqp}; a management URL goes to --management"
                ),
            )
        }
        (Speaks::Amqp, true) => {
            let why = "the port speaks AMQP without TLS, and the URL says amqps://".to_owned();
            (
                why,
                format!(
                    "write amqp://…@{}, or give the port for TLS (5671 unless configured otherwise)",
                    address.place()
                ),
            )
        }
        (Speaks::Tls, false) => {
            let why = "the port speaks TLS, and the URL says amqp://".to_owned();
            (
                why,
                format!(
                    "write amqps://…@{}, or give the port without TLS (5672 unless configured otherwise)",
                    address.place()
                ),
            )
        }
        _ => return None,
    };
    Some(BrokerFailure::new(BrokerFailureKind::Unreachable { why }, address).hint(hint))
}
