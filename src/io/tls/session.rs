//! The handshake with a broker's AMQP port: a socket that speaks TLS from then on.
//! Takes an open socket; gives the secured one, or why there is none.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::management::install_crypto;
use crate::io::tls::certificate::facts_of;
use crate::io::tls::config::client_config;
use crate::io::tls::fault::{TlsFault, explain, tls_error_in};
use crate::model::Millis;
use crate::report::TlsSession;
use async_rs::traits::Reactor;
use lapin::tcp::{AsyncTcpStream, RustlsConnector};
use std::time::Duration;
use tokio::time::timeout;

/// A socket of the runtime.
pub(crate) type PlainSocket = <async_rs::Tokio as Reactor>::TcpStream;

/// Why a handshake came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandshakeError {
    /// It will not be otherwise the next time.
    Fault(TlsFault),
    /// The other side went away meanwhile.
    Broken(String),
}

/// Makes a socket speak TLS.
///
/// # Errors
/// The certificate or a file is not good, what answers does not speak TLS, or goes away.
pub(crate) async fn secure(
    socket: AsyncTcpStream<PlainSocket>,
    address: &Address,
) -> Result<AsyncTcpStream<PlainSocket>, HandshakeError> {
    let options = &address.tls_options;
    let connector = RustlsConnector::from(client_config(options, None).map_err(HandshakeError::Fault)?);
    let name = options.server_name.as_deref().unwrap_or(&address.host);
    let secured = socket.into_rustls(&connector, name).await;
    secured.map_err(|error| match tls_error_in(&error) {
        Some(error) => HandshakeError::Fault(explain(error, &address.host, options)),
        None => HandshakeError::Broken(format!("the TLS handshake broke off: {error}")),
    })
}

/// Connects by TLS, and returns what was agreed.
///
/// # Errors
/// Nobody answers, or no TLS comes about.
pub(crate) async fn greet_by_tls(address: &Address, limit: Duration) -> Result<TlsSession, BrokerFailure> {
    install_crypto();
    let runtime = async_rs::Runtime::new(async_rs::Tokio::current());
    let unreachable = |why: String| BrokerFailure::new(BrokerFailureKind::Unreachable { why }, address);
    let greeting = async {
        let place = runtime.to_socket_addrs((address.host.clone(), address.port));
        let socket = AsyncTcpStream::connect(&runtime, place).await;
        let secured = secure(socket.map_err(|error| unreachable(error.to_string()))?, address).await;
        secured.map_err(|error| match error {
            HandshakeError::Fault(fault) => fault.at(address),
            HandshakeError::Broken(why) => unreachable(why),
        })
    };
    let late = |_| unreachable(format!("no answer within {}", Millis(limit.as_millis() as u64)));
    let socket = timeout(limit, greeting).await.map_err(late)??;
    agreed(&socket).ok_or_else(|| unreachable("nothing was agreed".to_owned()))
}

/// Returns what was agreed on a socket that speaks TLS.
fn agreed(socket: &AsyncTcpStream<PlainSocket>) -> Option<TlsSession> {
    let AsyncTcpStream::Rustls(secured) = socket else { return None };
    let (_, connection) = secured.get_ref();
    let protocol = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    Some(TlsSession {
        protocol,
        cipher: cipher.unwrap_or_default(),
        certificate: shown.and_then(|certificate| facts_of(certificate)),
    })
}
