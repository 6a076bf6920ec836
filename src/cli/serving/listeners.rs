//! The ports at which `serve` listens for AMQP, in plain and by TLS, and what is wrong with them.

use crate::cli::ExitCode;
use crate::cli::options::ServeOptions;
use crate::cli::terminal::Terminal;
use crate::io::serve::{AmqpListener, ListenAddress, ListenFailure, ServerTls, ServerTlsFiles, bind};
use std::net::TcpListener;

/// The port of AMQP.
const AMQP_PORT: u16 = 5_672;

/// The port of AMQP by TLS.
const AMQPS_PORT: u16 = 5_671;

/// Listens where the flags say.
pub(crate) fn listeners(command: &ServeOptions, terminal: &Terminal) -> Result<Vec<TcpListener>, ExitCode> {
    let port = if command.command.is_empty() { AMQP_PORT } else { 0 };
    let usual = [ListenAddress { host: "127.0.0.1".to_owned(), port }];
    let addresses = if command.listen.is_empty() { &usual } else { command.listen.as_slice() };
    let mut listeners = Vec::new();
    for address in addresses {
        match bind(address, command.allow_remote) {
            Ok(listener) => listeners.push(listener),
            Err(failure) => return Err(unheard(&failure, terminal)),
        }
    }
    if listeners.iter().any(is_remote) {
        warn_of_remote(terminal);
    }
    Ok(listeners)
}

/// Returns the addresses at which sockets listen.
pub(crate) fn places_of<'a>(sockets: impl Iterator<Item = &'a TcpListener>) -> Vec<String> {
    sockets.filter_map(|socket| Some(socket.local_addr().ok()?.to_string())).collect()
}

/// Returns whether other machines can reach a socket.
fn is_remote(socket: &TcpListener) -> bool {
    socket.local_addr().is_ok_and(|address| !address.ip().is_loopback())
}

/// Says that other machines can connect.
fn warn_of_remote(terminal: &Terminal) {
    terminal.warning("other machines can reach this broker; it is meant for tests");
}

/// Tells why nothing listens at an address.
pub(crate) fn unheard(failure: &ListenFailure, terminal: &Terminal) -> ExitCode {
    terminal.error(&format!("error: {failure}\n  help: {}", failure.help()));
    match failure {
        ListenFailure::Remote(_) => ExitCode::Usage,
        ListenFailure::Taken(..) | ListenFailure::Other(..) => ExitCode::Environment,
    }
}

/// Listens for TLS where the flags say; nowhere without a certificate.
pub(crate) fn tls_listeners(command: &ServeOptions, terminal: &Terminal) -> Result<Vec<AmqpListener>, ExitCode> {
    let (Some(cert), Some(key)) = (&command.tls_cert, &command.tls_key) else { return Ok(Vec::new()) };
    let (cert, key, ca) = (cert.clone(), key.clone(), command.tls_ca.clone());
    let files = ServerTlsFiles { cert, key, ca, login_from: command.tls_login_from };
    let tls = ServerTls::read(&files).map_err(|fault| {
        terminal.error(&format!("error: {}\n  help: {}", fault.why, fault.hint));
        ExitCode::BadFile
    })?;
    if let Some(warning) = &tls.warning {
        terminal.warning(warning);
    }
    let port = if command.command.is_empty() { AMQPS_PORT } else { 0 };
    let usual = [ListenAddress { host: "127.0.0.1".to_owned(), port }];
    let addresses = if command.listen_tls.is_empty() { &usual } else { command.listen_tls.as_slice() };
    let mut listeners = Vec::new();
    for address in addresses {
        let socket = bind(address, command.allow_remote).map_err(|failure| unheard(&failure, terminal))?;
        listeners.push(AmqpListener { socket, tls: Some(tls.clone()) });
    }
    if listeners.iter().any(|listener| is_remote(&listener.socket)) {
        warn_of_remote(terminal);
    }
    Ok(listeners)
}
