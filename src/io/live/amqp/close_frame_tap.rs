//! Hears a broker's last words. RabbitMQ resets the sockets of a deleted vhost right behind its goodbye (CO-27), and lapin
//! forgets what it has read once a socket fails: so the last bytes are kept here, and a connection.close read out of
//! them, behind TLS too. Also where cancels become deliveries on their way to lapin (`cancel_frames`).

use crate::broker::{Refusal, Scope};
use crate::io::live::amqp::cancel_frames::CancelFrames;
use crate::io::live::amqp::greeting::mechanisms_of;
use async_rs::Tokio;
use async_rs::traits::Reactor;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use lapin::tcp::AsyncTcpStream;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// More than a connection.close can have.
const KEPT: usize = 512;

/// More than a broker's greeting has.
const GREETING_MAX: usize = 16_384;

/// Keeps the last bytes that came over a connection, and the first; can be shut to both sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct CloseFrameTap {
    heard: Arc<Mutex<Heard>>,
    is_shut: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Heard {
    last: Vec<u8>,
    /// The bytes of the greeting, until it is whole.
    first: Vec<u8>,
    /// The mechanisms that the greeting offers; `None`: it is not whole.
    offered: Option<Vec<String>>,
}

impl CloseFrameTap {
    /// From now on nothing goes through, as when the network lost the connection: what is written goes nowhere.
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::Relaxed);
    }

    fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Relaxed)
    }

    pub(crate) fn note(&self, read: &[u8]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.offered.is_none() && heard.first.len() < GREETING_MAX {
            heard.first.extend_from_slice(read);
            heard.offered = mechanisms_of(&heard.first);
        }
        let read = &read[read.len().saturating_sub(KEPT)..];
        let kept = &mut heard.last;
        let over = (kept.len() + read.len()).saturating_sub(KEPT);
        kept.drain(..over);
        kept.extend_from_slice(read);
    }

    /// Returns the mechanisms that the broker offers; none where its greeting did not come or cannot be read.
    pub(crate) fn offered(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).offered.clone().unwrap_or_default()
    }

    /// Returns the connection.close that came last, if one did.
    pub(crate) fn goodbye(&self) -> Option<Refusal> {
        let kept = &self.heard.lock().unwrap_or_else(PoisonError::into_inner).last;
        (0..kept.len()).find_map(|from| close_of(&kept[from..]))
    }
}

/// Reads one frame, the last: a method on channel 0, its length, connection.close, code and text, the frame's end.
fn close_of(bytes: &[u8]) -> Option<Refusal> {
    let (length, rest) = bytes.strip_prefix(&[1, 0, 0])?.split_first_chunk::<4>()?;
    let (payload, end) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    if end != [0xce] {
        return None;
    }
    let (code, payload) = payload.strip_prefix(&[0, 10, 0, 50])?.split_first_chunk::<2>()?;
    let (length, payload) = payload.split_first()?;
    let text = String::from_utf8_lossy(payload.get(..usize::from(*length))?).into_owned();
    Some(Refusal::new(Scope::Connection, u16::from_be_bytes(*code), text))
}

/// Tokio's reactor, with an ear at each connection.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    pub(crate) tokio: Tokio,
    pub(crate) ear: CloseFrameTap,
}

impl Reactor for Listening {
    type TcpStream = TappedClose;
    type Sleep = <Tokio as Reactor>::Sleep;

    #[cfg(unix)]
    fn register<H: Read + Write + std::os::fd::AsFd + std::os::fd::AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    #[cfg(windows)]
    fn register<
        H: Read + Write + std::os::windows::io::AsSocket + std::os::windows::io::AsRawSocket + Send + 'static,
    >(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, length: Duration) -> Self::Sleep {
        self.tokio.sleep(length)
    }

    fn interval(&self, length: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(length)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (connecting, ear) = (self.tokio.tcp_connect_addr(address), self.ear.clone());
        async move { Ok(TappedClose::new(AsyncTcpStream::Plain(connecting.await?), ear)) }
    }
}

/// A connection that is listened to: outside of its TLS, if it has any.
pub(crate) struct TappedClose {
    stream: AsyncTcpStream<<Tokio as Reactor>::TcpStream>,
    ear: CloseFrameTap,
    cancels: CancelFrames,
}

impl TappedClose {
    pub(crate) fn new(stream: AsyncTcpStream<<Tokio as Reactor>::TcpStream>, ear: CloseFrameTap) -> Self {
        Self { stream, ear, cancels: CancelFrames::default() }
    }
}

impl AsyncRead for TappedClose {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.ear.is_shut() {
            return Poll::Pending;
        }
        loop {
            let waited = self.cancels.take_ready(into);
            if waited > 0 {
                context.waker().wake_by_ref();
                return Poll::Ready(Ok(waited));
            }
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
            self.ear.note(&into[..read]);
            let passed = self.cancels.pass(&into[..read]);
            // What waits goes along at once: lapin reads again only when the socket has more.
            let passed = passed + self.cancels.take_ready(&mut into[passed..]);
            if self.cancels.has_ready() {
                context.waker().wake_by_ref();
            }
            if passed > 0 || read == 0 {
                return Poll::Ready(Ok(passed));
            }
        }
    }
}

impl AsyncWrite for TappedClose {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.ear.is_shut() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.ear.is_shut() {
            return Poll::Ready(Ok(bytes.iter().map(|part| part.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ear.is_shut() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ear.is_shut() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goodbye_is_heard_at_the_end_only() {
        let text = b"CONNECTION_FORCED - vhost 'v' is deleted";
        let mut close = vec![1, 0, 0, 0, 0, 0, 11 + text.len() as u8, 0, 10, 0, 50, 1, 64, text.len() as u8];
        close.extend_from_slice(text);
        close.extend_from_slice(&[0, 0, 0, 0, 0xce]);
        let ear = CloseFrameTap::default();
        ear.note(&[7; 2_000]);
        assert_eq!(ear.goodbye(), None);
        let (front, back) = close.split_at(20);
        ear.note(front);
        assert_eq!(ear.goodbye(), None, "half of it");
        ear.note(back);
        let heard = ear.goodbye().expect("all of it");
        assert_eq!((heard.code, heard.text.as_bytes()), (320, &text[..]));
        ear.note(&[8, 0, 0, 0, 0, 0, 0, 0xce]);
        assert_eq!(ear.goodbye(), None, "something came after it");
    }
}
