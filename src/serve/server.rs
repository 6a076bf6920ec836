//! All outside clients as one client of the simulator: who is asked next, whose an event is, and which sockets have
//! something to send.

use crate::broker::{ChannelId, Client, Command, Confirmation, ConnectionId, Event, Ids, PublishId, RequestId};
use crate::clock::Debt;
use crate::model::{Moment, Profile};
use crate::rules::{Edition, differences_of};
use crate::serve::accounts::Accounts;
use crate::serve::client_view::ServedClient;
use crate::serve::connection::{ConnectionPhase, ConnectionStep, PublishUnderWay, ReadingContext, ServedConnection};
use crate::serve::sasl::CertificateUser;
use crate::sim::{ConnectionLabel, UnsettledDelivery};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Names a socket of the server; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// What is to become of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketFate {
    /// It stays.
    Open,
    /// It is closed once all is sent.
    CloseWhenSent,
}

/// What the command that the simulator has at hand is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandAtHand {
    pub socket: SocketId,
    /// Class and method.
    pub ids: (u16, u16),
}

/// The command at hand settles.
#[derive(Debug, Clone, Copy)]
pub(super) struct SettledLast {
    pub socket: SocketId,
    /// The number of the channel.
    pub number: u16,
}

/// The method that publishes, by class and method.
const PUBLISH_IDS: (u16, u16) = (60, 40);

/// The outside clients.
///
/// Sockets are accepted, fed with bytes and asked for bytes; in between the server is polled for commands and told events as
/// any other client of the simulator. Its ids lie beyond those that a player hands out.
#[derive(Debug, Clone)]
pub struct Server {
    profile: Profile,
    body_bytes_max: usize,
    /// Who may log in.
    pub accounts: Accounts,
    ids: Ids,
    pub(super) sockets: BTreeMap<SocketId, ServedConnection>,
    accepted: u32,
    pub(super) connections: BTreeMap<ConnectionId, SocketId>,
    pub(super) channels: IndexMap<ChannelId, (SocketId, u16), FxBuildHasher>,
    pub(super) publishes: IndexMap<PublishId, (SocketId, PublishUnderWay), FxBuildHasher>,
    requests: IndexMap<RequestId, SocketId, FxBuildHasher>,
    /// Those that may have something to ask, each once.
    pub(super) ready: VecDeque<SocketId>,
    is_ready: BTreeSet<SocketId>,
    /// What is still to be said of sockets that are gone.
    farewells: VecDeque<Command>,
    pub(super) at_hand: Option<CommandAtHand>,
    pub(super) settled: Option<SettledLast>,
    /// Sockets that may have something to send, or are to be closed.
    pub(super) touched: BTreeSet<SocketId>,
    /// When a socket is to be looked at, in real milliseconds.
    looks: BTreeSet<(u64, SocketId)>,
    pub(super) now_ms: u64,
    /// The resources that are low.
    pub(super) alarms: BTreeSet<&'static str>,
    /// Nobody gets in: the broker is down.
    pub(super) is_down: bool,
    /// Somebody was connected once.
    has_met: bool,
    /// When bytes last came or went.
    stirred_ms: u64,
}

impl Server {
    /// Makes a server without clients that says it is of the edition.
    pub fn new(edition: Edition, accounts: Accounts) -> Self {
        Self {
            profile: edition.profile,
            body_bytes_max: differences_of(edition).message_size_max,
            accounts,
            ids: Ids::of_outside(),
            sockets: BTreeMap::new(),
            accepted: 0,
            connections: BTreeMap::new(),
            channels: IndexMap::default(),
            publishes: IndexMap::default(),
            requests: IndexMap::default(),
            ready: VecDeque::new(),
            is_ready: BTreeSet::new(),
            farewells: VecDeque::new(),
            at_hand: None,
            settled: None,
            touched: BTreeSet::new(),
            looks: BTreeSet::new(),
            now_ms: 0,
            alarms: BTreeSet::new(),
            is_down: false,
            has_met: false,
            stirred_ms: 0,
        }
    }

    /// Takes a new socket of a client, `127.0.0.1:50123`, at a moment of real time in milliseconds.
    pub fn accept(&mut self, peer: impl Into<String>, now_ms: u64) -> SocketId {
        self.now_ms = now_ms;
        self.accepted += 1;
        let socket = SocketId(self.accepted);
        let connection = ServedConnection::new(self.ids.connection(), peer.into(), now_ms);
        self.connections.insert(connection.id, socket);
        self.sockets.insert(socket, connection);
        self.looks.insert((now_ms, socket));
        socket
    }

    /// Takes note of who a client is by its certificate; before its first bytes.
    pub fn identify(&mut self, socket: SocketId, user: CertificateUser) {
        if let Some(connection) = self.sockets.get_mut(&socket) {
            connection.certificate = Some(user);
        }
    }

    /// Takes bytes that came over a socket.
    pub fn receive(&mut self, socket: SocketId, bytes: &[u8], now_ms: u64) {
        self.now_ms = now_ms;
        if bytes.is_empty() {
            return;
        }
        self.stirred_ms = now_ms;
        if let Some(connection) = self.sockets.get_mut(&socket) {
            if self.is_down {
                connection.drop_now();
                self.touched.insert(socket);
                return;
            }
            connection.receive(bytes, now_ms);
            self.wake(socket);
        }
    }

    /// Takes note that a socket is gone: its client closed it, or it broke.
    pub fn lose(&mut self, socket: SocketId) {
        let Some(mut connection) = self.sockets.remove(&socket) else { return };
        self.connections.remove(&connection.id);
        self.forget_channels(socket);
        self.farewells.extend(connection.lost(&mut self.ids));
    }

    /// Takes note that all sockets are gone.
    pub fn lose_all(&mut self) {
        for socket in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.lose(socket);
        }
    }

    /// Returns whether more may be read from a socket.
    pub fn wants_input(&self, socket: SocketId) -> bool {
        self.sockets.get(&socket).is_some_and(ServedConnection::wants_input)
    }

    /// Returns what is to be sent over a socket next.
    pub fn output(&self, socket: SocketId) -> &[u8] {
        self.sockets.get(&socket).map_or(&[], |connection| connection.outbox.unsent())
    }

    /// Takes note that so many bytes of the output are sent.
    pub fn sent(&mut self, socket: SocketId, count: usize, now_ms: u64) {
        self.now_ms = now_ms;
        let Some(connection) = self.sockets.get_mut(&socket) else { return };
        if count > 0 {
            connection.sent_ms = now_ms;
            self.stirred_ms = now_ms;
        }
        let was_full = connection.outbox.is_full();
        connection.outbox.took(count);
        if was_full && !connection.outbox.is_full() {
            self.wake(socket);
        }
    }

    /// Returns what is to become of a socket; one that nobody knows is closed.
    pub fn fate(&self, socket: SocketId) -> SocketFate {
        match self.sockets.get(&socket) {
            Some(connection) if connection.phase != ConnectionPhase::Over => SocketFate::Open,
            _ => SocketFate::CloseWhenSent,
        }
    }

    /// Takes the sockets that may have something to send, or are to be closed.
    pub fn take_touched(&mut self) -> BTreeSet<SocketId> {
        std::mem::take(&mut self.touched)
    }

    /// Lets real time pass: heartbeats are sent and missed, and waits for an answer end.
    pub fn tick(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        while let Some(&(at, socket)) = self.looks.first().filter(|(at, _)| *at <= now_ms) {
            self.looks.remove(&(at, socket));
            let Some(connection) = self.sockets.get_mut(&socket) else { continue };
            if connection.is_overdue(now_ms) {
                connection.drop_now();
                self.touched.insert(socket);
                continue;
            }
            connection.give_room_back();
            if connection.owes_heartbeat(now_ms) {
                connection.outbox.heartbeat();
                connection.sent_ms = now_ms;
                self.touched.insert(socket);
            }
            self.looks.insert((connection.next_look_ms(now_ms), socket));
        }
    }

    /// Returns when real time makes something happen, in milliseconds.
    pub fn next_tick_ms(&self) -> Option<u64> {
        self.looks.first().map(|(at, _)| *at)
    }

    /// Closes all connections as a broker that goes down does (320).
    pub fn shut_down(&mut self, text: &str, now_ms: u64) {
        self.now_ms = now_ms;
        for (socket, connection) in &mut self.sockets {
            connection.force_out(text, now_ms);
            self.touched.insert(*socket);
        }
    }

    /// Returns whether an event is for one of these clients.
    pub fn owns(event: &Event) -> bool {
        match event {
            Event::Reply { request, .. } => Ids::is_outside_request(*request),
            Event::Delivered { channel, .. }
            | Event::ChannelClosed { channel, .. }
            | Event::Cancelled { channel, .. } => Ids::is_outside_channel(*channel),
            Event::Returned { publish, .. } | Event::Confirmed { publish, .. } => Ids::is_outside_publish(*publish),
            Event::ConnectionClosed { connection, .. } => Ids::is_outside_connection(*connection),
            Event::Counted { .. } | Event::Told(_) => false,
        }
    }

    /// Returns whether there is something to ask of the simulator.
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.farewells.is_empty()
    }

    /// Returns whether a client was connected at any time.
    pub fn has_met_a_client(&self) -> bool {
        self.has_met
    }

    /// Returns when bytes last came from a client or went to one, in real milliseconds.
    pub fn stirred_ms(&self) -> u64 {
        self.stirred_ms
    }

    /// Returns what a client has not done yet: bytes that wait for it, a message of which a part is missing.
    pub fn debt_of_bytes(&self) -> Option<Debt> {
        self.sockets.values().find_map(|connection| {
            let what = match connection {
                connection if !connection.outbox.is_empty() => "has not read what was sent to it",
                connection if connection.is_amid_content() => "has sent a part of a message",
                connection if !connection.inbox.unread().is_empty() => "has sent a part of a frame",
                _ => return None,
            };
            Some(Debt { connection: connection.peer.clone(), what: what.to_owned() })
        })
    }

    /// Returns what a delivery that is not settled is called, with its client.
    pub fn debt_of(&self, delivery: &UnsettledDelivery) -> Option<Debt> {
        let (socket, number) = self.channels.get(&delivery.channel)?;
        let connection = self.sockets.get(socket)?.peer.clone();
        let (tag, queue) = (delivery.tag.0, &delivery.queue);
        Some(Debt { connection, what: format!("delivery {tag} of {queue} on channel {number} is not settled") })
    }

    /// Tells where a socket was accepted, `127.0.0.1:5672`.
    pub fn accepted_at(&mut self, socket: SocketId, local: impl Into<String>) {
        if let Some(connection) = self.sockets.get_mut(&socket) {
            connection.local = local.into();
        }
    }

    /// Lists the clients whose connections are open.
    pub(crate) fn clients(&self) -> Vec<ServedClient> {
        let open = self.sockets.values().filter(|connection| connection.phase == ConnectionPhase::Running);
        open.map(ServedClient::of).collect()
    }

    /// Returns what a connection is called, be it open yet or not.
    pub(crate) fn label_of(&self, id: ConnectionId) -> Option<ConnectionLabel> {
        let connection = self.sockets.get(self.connections.get(&id)?)?;
        Some(ServedClient::of(connection).label())
    }

    /// Closes a connection with a reason that the client hears (320).
    pub(crate) fn close_by_force(&mut self, id: ConnectionId, reason: &str, now_ms: u64) {
        let Some(&socket) = self.connections.get(&id) else { return };
        let Some(connection) = self.sockets.get_mut(&socket) else { return };
        connection.force_out(reason, now_ms);
        if std::mem::take(&mut connection.is_open) {
            self.farewells.push_back(Command::Disconnect { request: self.ids.request(), connection: id });
        }
        self.forget_channels(socket);
        self.touched.insert(socket);
        self.looks.insert((now_ms, socket));
    }

    /// Returns how many sockets there are.
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    pub(super) fn wake(&mut self, socket: SocketId) {
        if self.is_ready.insert(socket) {
            self.ready.push_back(socket);
        }
    }

    fn forget_channels(&mut self, socket: SocketId) {
        self.channels.retain(|_, (owner, _)| *owner != socket);
        self.publishes.retain(|_, (owner, _)| *owner != socket);
    }

    /// Remembers what a command opens or asks, and what it is about.
    fn note(&mut self, socket: SocketId, command: &Command, ids: (u16, u16)) {
        self.at_hand = Some(CommandAtHand { socket, ids });
        match command {
            Command::Connect { request, .. } => {
                self.has_met = true;
                self.requests.insert(*request, socket);
            }
            Command::Call { request, .. } => {
                self.requests.insert(*request, socket);
            }
            Command::Disconnect { request, .. } => {
                self.requests.insert(*request, socket);
                self.forget_channels(socket);
            }
            Command::CloseChannel { request, channel } => {
                self.requests.insert(*request, socket);
                self.channels.swap_remove(channel);
            }
            Command::OpenChannel { request, channel, .. } => {
                self.requests.insert(*request, socket);
                let number = self.sockets.get(&socket).and_then(|connection| connection.number_of(*channel));
                self.channels.extend(number.map(|number| (*channel, (socket, number))));
            }
            _ => {}
        }
    }

    /// Returns the method that the socket's command at hand is about.
    fn ids_at_hand(&self, socket: SocketId) -> (u16, u16) {
        self.at_hand.filter(|at_hand| at_hand.socket == socket).map_or((0, 0), |at_hand| at_hand.ids)
    }

    /// Finds the connection that has a channel, and the channel's number.
    fn channel(&mut self, channel: ChannelId) -> Option<(SocketId, u16, &mut ServedConnection)> {
        let (socket, number) = *self.channels.get(&channel)?;
        let connection = self.sockets.get_mut(&socket)?;
        self.touched.insert(socket);
        Some((socket, number, connection))
    }
}

impl Client for Server {
    fn poll_command(&mut self, _now: Moment) -> Option<Command> {
        self.put_leaving_first();
        (self.at_hand, self.settled) = (None, None);
        if let Some(command) = self.farewells.pop_front() {
            return Some(command);
        }
        let alarm = (!self.alarms.is_empty())
            .then(|| format!("low on {}", self.alarms.iter().copied().rev().collect::<Vec<_>>().join(" & ")));
        while let Some(&socket) = self.ready.front() {
            let around = &mut ReadingContext {
                ids: &mut self.ids,
                accounts: &self.accounts,
                profile: self.profile,
                body_bytes_max: self.body_bytes_max,
                now_ms: self.now_ms,
                alarm: alarm.as_deref(),
            };
            let step = self.sockets.get_mut(&socket).map_or(ConnectionStep::Rest, |connection| connection.next(around));
            self.touched.insert(socket);
            match step {
                ConnectionStep::Rest => {
                    self.ready.pop_front();
                    self.is_ready.remove(&socket);
                }
                ConnectionStep::Command(command, ids) => {
                    self.ready.rotate_left(1);
                    self.note_settled(&command);
                    self.note(socket, &command, ids);
                    return Some(command);
                }
                ConnectionStep::Publish(command, under_way) => {
                    self.ready.rotate_left(1);
                    self.at_hand = Some(CommandAtHand { socket, ids: PUBLISH_IDS });
                    if let Command::Publish { publish, .. } = &command {
                        self.publishes.insert(*publish, (socket, under_way));
                    }
                    return Some(command);
                }
            }
        }
        None
    }

    fn handle_event(&mut self, _now: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } => {
                let Some(socket) = self.requests.swap_remove(&request) else { return };
                let now_ms = self.now_ms;
                if let Some(connection) = self.sockets.get_mut(&socket) {
                    connection.replied(request, reply, now_ms);
                    self.touched.insert(socket);
                    self.wake(socket);
                }
            }
            Event::Delivered { channel, consumer, delivery } => {
                if let Some((_, number, connection)) = self.channel(channel) {
                    connection.delivered(number, consumer, delivery);
                }
            }
            Event::Returned { publish, code, text } => {
                if let Some((socket, under_way)) = self.publishes.get_mut(&publish)
                    && let Some(connection) = self.sockets.get_mut(socket)
                {
                    connection.returned(under_way, code, &text);
                }
            }
            Event::Confirmed { publish, confirmation } => {
                if let Some((socket, under_way)) = self.publishes.swap_remove(&publish)
                    && let Some(connection) = self.sockets.get_mut(&socket)
                {
                    // What a transaction did is said by its commit or rollback; no publish of one has a number.
                    connection.confirmed(&under_way, confirmation == Confirmation::Ack);
                    self.touched.insert(socket);
                }
            }
            Event::ChannelClosed { channel, cause } => {
                let Some((socket, _, _)) = self.channel(channel) else { return };
                let ids = self.ids_at_hand(socket);
                if let Some((_, number, connection)) = self.channel(channel) {
                    connection.channel_closed(number, &cause, ids);
                }
                self.channels.swap_remove(&channel);
                self.publishes.retain(|_, (_, publish)| publish.channel != channel);
            }
            Event::ConnectionClosed { connection, cause } => {
                let Some(&socket) = self.connections.get(&connection) else { return };
                let (ids, now_ms) = (self.ids_at_hand(socket), self.now_ms);
                if let Some(connection) = self.sockets.get_mut(&socket) {
                    connection.connection_closed(&cause, ids, now_ms);
                }
                self.forget_channels(socket);
                self.touched.insert(socket);
                self.wake(socket);
            }
            Event::Cancelled { channel, consumer } => {
                if let Some((_, number, connection)) = self.channel(channel) {
                    connection.cancelled(number, consumer);
                }
            }
            Event::Counted { .. } | Event::Told(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn is_leaving(&self) -> bool {
        self.leaves_after_settling()
    }

    fn is_done(&self) -> bool {
        self.sockets.is_empty() && self.farewells.is_empty()
    }
}
