//! The handshake with a broker's AMQP port: a socket that speaks TLS from then on.
//! Takes an open socket; gives the secured one, or why there is none.

use crate::io::address::Address;
use crate::io::tls::config::client_config;
use crate::io::tls::fault::{TlsFault, explain, tls_error_in};
use async_rs::traits::Reactor;
use lapin::tcp::{AsyncTcpStream, RustlsConnector};

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
