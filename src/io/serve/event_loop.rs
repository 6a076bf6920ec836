//! The thread that owns a served broker: sockets in, sockets out, and the time between.
//! A task a socket waits for it; whatever wakes first steps the broker and writes all that came of it.

use crate::io::serve::listen::AmqpListener;
use crate::io::serve::peer::PeerStream;
use crate::serve::{ServedBroker, SocketFate, SocketId};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::sync::{Notify, mpsc};

/// How many bytes are read from a socket at once.
const READ_BYTES: usize = 64 * 1_024;

/// How often a socket is read before others have their turn.
const READS_OF_A_TURN_MAX: usize = 8;

/// How often the broker is stepped before sockets are looked at again, and how long it may take for it.
const STEPS_OF_A_TURN_MAX: usize = 64;
const MS_OF_A_TURN_MAX: u64 = 5;

/// How long the end of a wait is waited for awake, where it matters.
const AWAKE: Duration = Duration::from_millis(2);

/// How long a socket that is closed waits for its client to close it too.
const DRAIN: Duration = Duration::from_millis(500);

/// One thing that the owner is asked to do with the broker, at a real millisecond since it began.
pub(crate) type Ask = Box<dyn FnOnce(&mut ServedBroker, u64) + Send>;

/// Real time since the broker began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall(Instant);

impl Wall {
    /// Begins now.
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    fn elapsed_ms(self) -> u64 {
        self.0.elapsed().as_millis() as u64
    }

    fn at(self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }
}

/// What reading from a socket came to.
enum ReadOutcome {
    /// It is closed or broken.
    Gone,
    Nothing,
    Came,
}

/// A socket with the bell that wakes its task.
struct Peer {
    stream: PeerStream,
    bell: Notify,
}

/// What the tasks of the thread share; none holds it over a wait.
struct Shared {
    host: RefCell<ServedBroker>,
    peers: RefCell<BTreeMap<SocketId, Rc<Peer>>>,
    wall: Wall,
    /// Rings when the broker is to be woken earlier than it is.
    timer: Notify,
    armed_ms: Cell<u64>,
    scratch: RefCell<Vec<u8>>,
}

/// Serves until no handle is left.
pub(crate) async fn own(
    host: ServedBroker,
    listeners: Vec<AmqpListener>,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    wall: Wall,
) {
    let shared = Rc::new(Shared {
        host: RefCell::new(host),
        peers: RefCell::default(),
        wall,
        timer: Notify::new(),
        armed_ms: Cell::new(0),
        scratch: RefCell::new(vec![0; READ_BYTES]),
    });
    for listener in listeners {
        tokio::task::spawn_local(accept(shared.clone(), listener));
    }
    tokio::task::spawn_local(keep_time(shared.clone()));
    while let Some(ask) = asks.recv().await {
        let now = shared.wall.elapsed_ms();
        ask(&mut shared.host.borrow_mut(), now);
        shared.step();
    }
}

async fn accept(shared: Rc<Shared>, listener: AmqpListener) {
    let tls = listener.tls;
    let Ok(listener) = tokio::net::TcpListener::from_std(listener.socket) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                let local = stream.local_addr();
                let Some(stream) = PeerStream::new(stream, tls.as_ref()) else { continue };
                let socket = shared.host.borrow_mut().server.accept(peer.to_string(), shared.wall.elapsed_ms());
                if let Ok(local) = local {
                    shared.host.borrow_mut().server.accepted_at(socket, local.to_string());
                }
                let peer = Rc::new(Peer { stream, bell: Notify::new() });
                shared.peers.borrow_mut().insert(socket, peer.clone());
                tokio::task::spawn_local(attend(shared.clone(), socket, peer));
            }
            // Out of descriptors, or a client that was gone at once: others may still come.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Waits for one socket until it is closed.
async fn attend(shared: Rc<Shared>, socket: SocketId, peer: Rc<Peer>) {
    loop {
        let (reads, writes, ends) = {
            let server = &shared.host.borrow().server;
            let writes = !server.output(socket).is_empty() || peer.stream.wants_write();
            (server.wants_input(socket), writes, server.fate(socket) == SocketFate::CloseWhenSent && !writes)
        };
        if ends {
            break;
        }
        let interest = match (reads, writes) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        };
        let Some(interest) = interest else {
            peer.bell.notified().await;
            continue;
        };
        tokio::select! {
            ready = peer.stream.ready(interest) => {
                let Ok(ready) = ready else { break };
                if ready.is_readable() && reads {
                    match shared.read(socket, &peer.stream) {
                        ReadOutcome::Gone => break,
                        ReadOutcome::Nothing => {}
                        ReadOutcome::Came => shared.step(),
                    }
                }
                if ready.is_writable() && writes {
                    shared.write(socket);
                    shared.step();
                }
            }
            () = peer.bell.notified() => {}
        }
    }
    shared.peers.borrow_mut().remove(&socket);
    shared.host.borrow_mut().server.lose(socket);
    shared.step();
    drain(peer).await;
}

/// Says that nothing more comes, and lets the client close: a socket with unread bytes would take back what it sent last.
async fn drain(peer: Rc<Peer>) {
    let Ok(Peer { mut stream, .. }) = Rc::try_unwrap(peer) else { return };
    let waits = async {
        stream.shut_down().await;
        stream.read_to_end().await;
    };
    // A client that stays gets no longer.
    let _ = tokio::time::timeout(DRAIN, waits).await;
}

/// Wakes the broker when something is due.
async fn keep_time(shared: Rc<Shared>) {
    loop {
        let next = shared.next_ms();
        shared.armed_ms.set(next.unwrap_or(u64::MAX));
        match next {
            None => shared.timer.notified().await,
            Some(at) => tokio::select! {
                () = shared.wait_until(shared.wall.at(at)) => {}
                () = shared.timer.notified() => {}
            },
        }
        let now = shared.wall.elapsed_ms();
        shared.host.borrow_mut().server.tick(now);
        shared.step();
    }
}

impl Shared {
    /// Waits for a moment of real time. While somebody waits for the clock to be advanced, the last bit is waited for awake:
    /// timers come up to a millisecond late, which a week of jumps would feel.
    async fn wait_until(&self, due: Instant) {
        if !self.host.borrow().is_advancing() {
            return tokio::time::sleep_until(due.into()).await;
        }
        if let Some(asleep) = due.checked_sub(AWAKE).filter(|until| *until > Instant::now()) {
            tokio::time::sleep_until(asleep.into()).await;
        }
        while Instant::now() < due {
            tokio::task::yield_now().await;
        }
    }

    /// Returns when something happens by itself, in real milliseconds.
    fn next_ms(&self) -> Option<u64> {
        self.host.borrow_mut().next_ms(self.wall.elapsed_ms())
    }

    /// Reads what came.
    fn read(&self, socket: SocketId, stream: &PeerStream) -> ReadOutcome {
        let scratch = &mut *self.scratch.borrow_mut();
        let mut outcome = ReadOutcome::Nothing;
        for _ in 0..READS_OF_A_TURN_MAX {
            match stream.try_read(scratch) {
                Ok(0) => return ReadOutcome::Gone,
                Ok(count) => {
                    outcome = ReadOutcome::Came;
                    let server = &mut self.host.borrow_mut().server;
                    if let Some(user) = stream.take_identity() {
                        server.identify(socket, user);
                    }
                    server.receive(socket, &scratch[..count], self.wall.elapsed_ms());
                    if count < scratch.len() && stream.ends_short() || !server.wants_input(socket) {
                        return outcome;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return outcome,
                Err(_) => return ReadOutcome::Gone,
            }
        }
        outcome
    }

    /// Steps the broker as long as there is something to do, and writes what comes of it.
    fn step(&self) {
        let until_ms = self.wall.elapsed_ms() + MS_OF_A_TURN_MAX;
        for _ in 0..STEPS_OF_A_TURN_MAX {
            let now_ms = self.wall.elapsed_ms();
            if now_ms > until_ms {
                break;
            }
            let more = self.host.borrow_mut().turn(now_ms);
            let touched = self.host.borrow_mut().server.take_touched();
            let wrote = touched.into_iter().filter(|socket| self.write(*socket)).count() > 0;
            let host = self.host.borrow();
            // What was written lets a clock that jumps go on.
            let goes_on = more || host.server.has_work() || wrote && host.jumps();
            if !goes_on {
                break;
            }
        }
        if self.host.borrow().server.has_work() || self.next_ms().is_some_and(|next| next < self.armed_ms.get()) {
            self.timer.notify_one();
        }
    }

    /// Writes as much as the socket takes; its task goes on from there. Returns whether anything went.
    fn write(&self, socket: SocketId) -> bool {
        let Some(peer) = self.peers.borrow().get(&socket).cloned() else { return false };
        let server = &mut self.host.borrow_mut().server;
        let was_deaf = !server.wants_input(socket);
        let mut wrote = false;
        loop {
            let output = server.output(socket);
            if output.is_empty() {
                // What TLS holds back goes when the socket takes it.
                if matches!(peer.stream.try_flush(), Err(error) if error.kind() == ErrorKind::WouldBlock) {
                    peer.bell.notify_one();
                    return wrote;
                }
                break;
            }
            match peer.stream.try_write(output) {
                Ok(count) => {
                    wrote = true;
                    server.sent(socket, count, self.wall.elapsed_ms());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    peer.bell.notify_one();
                    return wrote;
                }
                Err(_) => {
                    server.lose(socket);
                    break;
                }
            }
        }
        if server.fate(socket) == SocketFate::CloseWhenSent || was_deaf && server.wants_input(socket) {
            peer.bell.notify_one();
        }
        wrote
    }
}
