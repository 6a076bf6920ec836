//! The socket of one client, plain or by TLS, read and written without waiting.
//! With TLS a read may have to write and the other way round: both go through rustls, which holds what is under way.

use crate::io::tls::server::ServerTls;
use crate::serve::CertificateUser;
use rustls::ServerConnection;
use std::cell::RefCell;
use std::io::{ErrorKind, Read, Result, Write};
use tokio::io::{AsyncWriteExt, Interest, Ready};
use tokio::net::TcpStream;

/// A client's socket.
pub(crate) struct PeerStream {
    tcp: TcpStream,
    tls: Option<RefCell<Box<TlsSide>>>,
}

struct TlsSide {
    connection: ServerConnection,
    settings: ServerTls,
    is_told: bool,
}

impl PeerStream {
    /// Takes a socket; with settings it speaks TLS. `None` where no session can begin.
    pub(crate) fn new(tcp: TcpStream, settings: Option<&ServerTls>) -> Option<Self> {
        let tls = match settings {
            None => None,
            Some(settings) => {
                let connection = ServerConnection::new(settings.config.clone()).ok()?;
                let side = TlsSide { connection, settings: settings.clone(), is_told: false };
                Some(RefCell::new(Box::new(side)))
            }
        };
        Some(Self { tcp, tls })
    }

    pub(crate) async fn ready(&self, interest: Interest) -> Result<Ready> {
        self.tcp.ready(interest).await
    }

    /// Returns whether bytes wait in the session that the client has not got.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.borrow().connection.wants_write())
    }

    /// Returns whether all that came is read once a read brings fewer bytes than it has place for.
    pub(crate) fn ends_short(&self) -> bool {
        self.tls.is_none()
    }

    /// Reads what is there; 0 when the client closed.
    pub(crate) fn try_read(&self, into: &mut [u8]) -> Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_read(into) };
        let connection = &mut tls.borrow_mut().connection;
        loop {
            match connection.reader().read(into) {
                // A client that ends without saying so is gone all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if connection.read_tls(&mut Plain(&self.tcp))? == 0 {
                return Ok(0);
            }
            let processed = connection.process_new_packets();
            // Answers of the handshake, or the alert that says what is wrong.
            let _ = flush(connection, &self.tcp);
            processed.map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Writes as much as is taken.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_write(bytes) };
        let connection = &mut tls.borrow_mut().connection;
        flush(connection, &self.tcp)?;
        let taken = connection.writer().write(bytes)?;
        match flush(connection, &self.tcp) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// Writes what waits in the session.
    pub(crate) fn try_flush(&self) -> Result<()> {
        match &self.tls {
            None => Ok(()),
            Some(tls) => flush(&mut tls.borrow_mut().connection, &self.tcp),
        }
    }

    /// Returns, once, who the client is by its certificate; `None` where certificates are not asked for.
    pub(crate) fn take_identity(&self) -> Option<CertificateUser> {
        let side = &mut *self.tls.as_ref()?.borrow_mut();
        if std::mem::replace(&mut side.is_told, true) || !side.settings.knows_clients {
            return None;
        }
        let first = side.connection.peer_certificates().and_then(|chain| chain.first());
        let user = first.and_then(|certificate| side.settings.user_of(certificate));
        Some(user.map_or(CertificateUser::Nobody, |user| CertificateUser::Named(user.into())))
    }

    /// Says that nothing more comes.
    pub(crate) async fn shut_down(&mut self) {
        if let Some(tls) = &self.tls {
            let connection = &mut tls.borrow_mut().connection;
            connection.send_close_notify();
            let _ = flush(connection, &self.tcp);
        }
        let _ = self.tcp.shutdown().await;
    }

    /// Waits until the client closes, and throws away what comes.
    pub(crate) async fn read_to_end(&self) {
        let mut rest = [0; 512];
        while self.tcp.readable().await.is_ok() {
            match self.tcp.try_read(&mut rest) {
                Ok(0) => return,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }
}

fn flush(connection: &mut ServerConnection, tcp: &TcpStream) -> Result<()> {
    while connection.wants_write() {
        connection.write_tls(&mut Plain(tcp))?;
    }
    Ok(())
}

/// A socket as rustls reads and writes it.
struct Plain<'a>(&'a TcpStream);

impl Read for Plain<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.0.try_read(into)
    }
}

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
