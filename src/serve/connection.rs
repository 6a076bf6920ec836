//! One connection of an outside client: its bytes to commands, events to its bytes, and how it ends.
//! Takes one frame after another; asks for one thing at a time, and reads on when that is answered.

use crate::broker::{ChannelId, Command, ConnectionId, DeliveryTag, Ids, Method, RequestId, code};
use crate::model::{Message, Millis, Name, Profile};
use crate::serve::accounts::Accounts;
use crate::serve::calls::{WireAnswer, WireRequest, asked};
use crate::serve::content::ReceivedMethod;
use crate::serve::handshake::{Agreement, log_in, start, tune};
use crate::serve::hard_error::HardError;
use crate::serve::inbox::ReceiveBuffer;
use crate::serve::outbox::SendBuffer;
use crate::serve::sasl::CertificateUser;
use crate::serve::served_channel::{ChannelState, PublishMode, ServedChannel};
use crate::wire::{AmqpMethod, FrameKind, ProtocolHeader, WireFrame, decode_method, split_frame};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// How long the handshake may take, in real milliseconds.
const HANDSHAKE_MS: u64 = 10_000;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionPhase {
    /// The protocol header comes first.
    Header,
    Starting,
    Tuning,
    Opening,
    Running,
    /// The server said close and waits for close-ok; nothing else is heard.
    Closed,
    /// Nothing is heard any more; the socket closes when its time has come.
    Lingering,
    /// The socket closes once all is sent.
    Over,
}

/// What the simulator was asked and has not answered.
#[derive(Debug, Clone)]
pub(crate) enum AwaitedReply {
    Open,
    ChannelOpen {
        number: u16,
    },
    ChannelClosed {
        number: u16,
    },
    Call {
        number: u16,
        answer: Option<WireAnswer>,
    },
    Closed,
    /// Whatever is said, nobody hears it.
    Nothing,
}

/// A publish on its way, to find who made it.
#[derive(Debug, Clone)]
pub(crate) struct PublishUnderWay {
    pub number: u16,
    pub channel: ChannelId,
    /// Its number in confirm mode.
    pub confirm: Option<u64>,
    /// To send it back, if that was asked.
    pub mandatory: Option<(Name, Name, Arc<Message>)>,
}

/// What reading on came to.
#[derive(Debug)]
pub(crate) enum ConnectionStep {
    Command(Command, (u16, u16)),
    /// A publish, and what to remember of it.
    Publish(Command, PublishUnderWay),
    /// All that came is read, or nothing more is read for now.
    Rest,
}

/// What a connection needs of its server while it reads.
pub(crate) struct ReadingContext<'a> {
    pub ids: &'a mut Ids,
    pub accounts: &'a Accounts,
    pub profile: Profile,
    pub body_bytes_max: usize,
    pub now_ms: u64,
    /// What a client that publishes is blocked for.
    pub alarm: Option<&'a str>,
}

/// The connection of an outside client.
#[derive(Debug, Clone)]
pub(crate) struct ServedConnection {
    pub id: ConnectionId,
    /// The client's address.
    pub peer: String,
    /// The address that it came to.
    pub local: String,
    pub phase: ConnectionPhase,
    /// Who the client is by its certificate, where one is asked for.
    pub certificate: Option<CertificateUser>,
    pub agreement: Agreement,
    pub vhost: Name,
    pub channels: BTreeMap<u16, ServedChannel>,
    pub outbox: SendBuffer,
    pub inbox: ReceiveBuffer,
    pub awaited: Option<(RequestId, AwaitedReply)>,
    /// The simulator knows it.
    pub is_open: bool,
    /// Nothing is read: it publishes, and a resource is low.
    pub is_blocked: bool,
    /// When the socket is closed, whatever comes.
    pub deadline_ms: Option<u64>,
    pub received_ms: u64,
    pub sent_ms: u64,
}

impl ServedConnection {
    pub(crate) fn new(id: ConnectionId, peer: String, now_ms: u64) -> Self {
        Self {
            id,
            peer,
            local: String::new(),
            phase: ConnectionPhase::Header,
            certificate: None,
            agreement: Agreement::default(),
            vhost: Name::default(),
            channels: BTreeMap::new(),
            outbox: SendBuffer::default(),
            inbox: ReceiveBuffer::default(),
            awaited: None,
            is_open: false,
            is_blocked: false,
            deadline_ms: Some(now_ms + HANDSHAKE_MS),
            received_ms: now_ms,
            sent_ms: now_ms,
        }
    }

    /// Takes bytes that came.
    pub(crate) fn receive(&mut self, bytes: &[u8], now_ms: u64) {
        self.received_ms = now_ms;
        if !matches!(self.phase, ConnectionPhase::Lingering | ConnectionPhase::Over) {
            self.inbox.receive(bytes);
        }
    }

    /// Returns whether more may be read from the socket: nobody is kept waiting, and the client reads too.
    pub(crate) fn wants_input(&self) -> bool {
        let unread = self.inbox.unread().len();
        !self.is_blocked && !self.outbox.is_full() && unread <= self.agreement.frame_max.max(65_536) as usize
    }

    /// Returns the number of the channel that has this id.
    pub(crate) fn number_of(&self, id: ChannelId) -> Option<u16> {
        self.channels.iter().find(|(_, channel)| channel.id == id).map(|(number, _)| *number)
    }

    /// Returns whether the client is amid something that it has not sent in full.
    pub(crate) fn is_amid_content(&self) -> bool {
        self.channels.values().any(|channel| channel.assembler.is_amid_content())
    }

    /// Reads on until something is to be asked of the simulator.
    pub(crate) fn next(&mut self, around: &mut ReadingContext<'_>) -> ConnectionStep {
        loop {
            if self.awaited.is_some() || self.is_blocked || self.outbox.is_full() {
                return ConnectionStep::Rest;
            }
            if self.phase == ConnectionPhase::Header && !self.read_header(around) {
                return ConnectionStep::Rest;
            }
            if matches!(self.phase, ConnectionPhase::Lingering | ConnectionPhase::Over) {
                self.inbox = ReceiveBuffer::default();
                return ConnectionStep::Rest;
            }
            let mut inbox = std::mem::take(&mut self.inbox);
            let (step, count) = match split_frame(inbox.unread(), self.agreement.frame_max) {
                Ok(None) => (Ok(None), 0),
                Ok(Some((frame, count))) => (self.frame(&frame, around).map(Some), count),
                Err(fault) => (Err(HardError::of_wire(fault)), 0),
            };
            inbox.took(count);
            self.inbox = inbox;
            match step {
                Ok(None) => return ConnectionStep::Rest,
                Ok(Some(ConnectionStep::Rest)) => {}
                Ok(Some(step)) => return step,
                Err(error) => match self.fail(error, around) {
                    ConnectionStep::Rest => {}
                    step => return step,
                },
            }
        }
    }

    /// Frees the room of a burst that is over.
    pub(crate) fn give_room_back(&mut self) {
        self.inbox.give_room_back();
        self.outbox.give_room_back();
    }

    /// Reads the protocol header; returns whether it is there and fits.
    fn read_header(&mut self, around: &ReadingContext<'_>) -> bool {
        let Some(header) = self.inbox.unread().first_chunk::<8>() else { return false };
        let header = ProtocolHeader::read(header);
        self.inbox.took(8);
        match header {
            ProtocolHeader::Amqp091 | ProtocolHeader::Amqp09 => {
                self.outbox
                    .method(0, start(around.profile, header == ProtocolHeader::Amqp09, self.certificate.is_some()));
                self.phase = ConnectionPhase::Starting;
            }
            ProtocolHeader::Other { answer } => {
                self.outbox.raw(&answer);
                self.phase = ConnectionPhase::Over;
            }
        }
        true
    }

    fn frame(&mut self, frame: &WireFrame<'_>, around: &mut ReadingContext<'_>) -> Result<ConnectionStep, HardError> {
        if self.phase == ConnectionPhase::Closed {
            if frame.channel == 0 && frame.kind() == Ok(FrameKind::Method) {
                self.heard_while_closed(frame.payload);
            }
            return Ok(ConnectionStep::Rest);
        }
        if frame.channel == 0 {
            return match frame.kind().map_err(HardError::of_wire)? {
                FrameKind::Heartbeat => Ok(ConnectionStep::Rest),
                FrameKind::Method => {
                    let method = decode_method(frame.payload)
                        .map_err(|fault| HardError::of_method_frame(fault, frame.payload))?;
                    let ids = method.ids();
                    let with_ids =
                        |error: HardError| if error.ids == (0, 0) { HardError { ids, ..error } } else { error };
                    self.of_connection(method, around).map_err(with_ids)
                }
                FrameKind::Header | FrameKind::Body => Err(HardError::unexpected_frame(frame)),
            };
        }
        if self.phase != ConnectionPhase::Running {
            return Err(HardError::unexpected_frame(frame));
        }
        self.of_channel(frame, around)
    }

    /// Hears the end of the handshake by which the server closes.
    fn heard_while_closed(&mut self, payload: &[u8]) {
        match decode_method(payload) {
            Ok(AmqpMethod::ConnectionCloseOk {}) => self.phase = ConnectionPhase::Over,
            Ok(AmqpMethod::ConnectionClose { .. }) => self.outbox.method(0, AmqpMethod::ConnectionCloseOk {}),
            _ => {}
        }
    }

    /// Takes a method of channel 0.
    fn of_connection(
        &mut self,
        method: AmqpMethod,
        around: &mut ReadingContext<'_>,
    ) -> Result<ConnectionStep, HardError> {
        match (self.phase, method) {
            (
                ConnectionPhase::Starting,
                AmqpMethod::ConnectionStartOk { client_properties, mechanism, response, .. },
            ) => {
                let said = (client_properties, mechanism, response);
                match log_in(&mut self.agreement, around.accounts, self.certificate.as_ref(), around.profile, said) {
                    Ok(tune) => {
                        self.outbox.method(0, tune);
                        self.phase = ConnectionPhase::Tuning;
                    }
                    Err(stopped) => self.stop(stopped, around),
                }
                Ok(ConnectionStep::Rest)
            }
            (ConnectionPhase::Tuning, AmqpMethod::ConnectionTuneOk { channel_max, frame_max, heartbeat }) => {
                match tune(&mut self.agreement, (channel_max, frame_max, heartbeat), around.profile) {
                    Ok(()) => {
                        self.outbox.frame_max = frame_max;
                        self.phase = ConnectionPhase::Opening;
                    }
                    Err(stopped) => self.stop(stopped, around),
                }
                Ok(ConnectionStep::Rest)
            }
            (ConnectionPhase::Opening, method @ AmqpMethod::ConnectionOpen { .. }) => {
                let ids = method.ids();
                let AmqpMethod::ConnectionOpen { virtual_host, .. } = method else { return Ok(ConnectionStep::Rest) };
                self.vhost = virtual_host.clone();
                let request = self.await_reply(around, AwaitedReply::Open);
                let heartbeat = Some(Millis(u64::from(self.agreement.heartbeat_s) * 1_000));
                let user = Some(self.agreement.user.clone());
                let command = Command::Connect { request, connection: self.id, user, vhost: virtual_host, heartbeat };
                Ok(ConnectionStep::Command(command, ids))
            }
            (ConnectionPhase::Running, method @ AmqpMethod::ConnectionClose { .. }) => {
                let request = self.await_reply(around, AwaitedReply::Closed);
                Ok(ConnectionStep::Command(Command::Disconnect { request, connection: self.id }, method.ids()))
            }
            (ConnectionPhase::Running, AmqpMethod::ConnectionUpdateSecret { .. }) => {
                self.outbox.method(0, AmqpMethod::ConnectionUpdateSecretOk {});
                Ok(ConnectionStep::Rest)
            }
            (phase, method) => {
                let text = format!("unexpected method in connection state {}", phase.as_str());
                Err(HardError::plain(code::CHANNEL_ERROR, text).by(&method))
            }
        }
    }

    /// Takes a frame of a channel.
    fn of_channel(
        &mut self,
        frame: &WireFrame<'_>,
        around: &mut ReadingContext<'_>,
    ) -> Result<ConnectionStep, HardError> {
        let number = frame.channel;
        let open = self.channels.len();
        let max = self.agreement.channel_max;
        let channel = match self.channels.entry(number) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(_) if open >= usize::from(max) => {
                let text = format!("number of channels opened ({open}) has reached the negotiated channel_max ({max})");
                return Err(HardError::plain(code::NOT_ALLOWED, text));
            }
            Entry::Vacant(place) => place.insert(ServedChannel::new(around.ids.channel())),
        };
        let received = channel.assembler.take(frame, around.body_bytes_max)?;
        if let (Some(alarm), Ok(FrameKind::Header | FrameKind::Body)) = (around.alarm, frame.kind()) {
            self.block(alarm);
        }
        let Some(channel) = self.channels.get(&number) else { return Ok(ConnectionStep::Rest) };
        let Some(received) = received else {
            return Ok(ConnectionStep::Rest);
        };
        let method = match &received {
            ReceivedMethod::Method(method)
            | ReceivedMethod::Content(method, _)
            | ReceivedMethod::TooLarge(method, _) => method,
        };
        match (channel.state, method) {
            (ChannelState::Starting, AmqpMethod::ChannelOpen { .. }) => {
                let (channel, ids) = (channel.id, method.ids());
                let request = self.await_reply(around, AwaitedReply::ChannelOpen { number });
                Ok(ConnectionStep::Command(
                    Command::OpenChannel { request, channel, connection: self.id, confirms: false },
                    ids,
                ))
            }
            (ChannelState::Starting, method) => {
                Err(HardError::plain(code::CHANNEL_ERROR, "expected 'channel.open'").by(method))
            }
            (_, method @ AmqpMethod::ChannelOpen { .. }) if channel.state == ChannelState::Open => {
                Err(HardError::plain(code::CHANNEL_ERROR, "second 'channel.open' seen").by(method))
            }
            (ChannelState::Closing, AmqpMethod::ChannelCloseOk {}) => {
                self.channels.remove(&number);
                Ok(ConnectionStep::Rest)
            }
            (ChannelState::Closing, AmqpMethod::ChannelClose { .. }) => {
                self.outbox.method(number, AmqpMethod::ChannelCloseOk {});
                Ok(ConnectionStep::Rest)
            }
            (ChannelState::Closing, _) => Ok(ConnectionStep::Rest),
            (ChannelState::Open, AmqpMethod::ChannelClose { .. }) => {
                let (channel, ids) = (channel.id, method.ids());
                let request = self.await_reply(around, AwaitedReply::ChannelClosed { number });
                Ok(ConnectionStep::Command(Command::CloseChannel { request, channel }, ids))
            }
            (ChannelState::Open, _) => self.on_open_channel(number, received, around),
        }
    }

    fn on_open_channel(
        &mut self,
        number: u16,
        received: ReceivedMethod,
        around: &mut ReadingContext<'_>,
    ) -> Result<ConnectionStep, HardError> {
        match received {
            ReceivedMethod::Content(method, message) => self.publish(number, method, message, around),
            ReceivedMethod::TooLarge(method, size) => {
                let max = around.body_bytes_max;
                let text = format!("message size {size} is larger than configured max size {max}");
                Ok(self.close_channel(number, code::PRECONDITION_FAILED, &text, method.ids(), around))
            }
            ReceivedMethod::Method(method) => {
                let ids = method.ids();
                let ChannelId(id) = self.channels.get(&number).map_or(ChannelId(0), |channel| channel.id);
                let RequestId(count) = around.ids.request();
                let asked = asked(method, || format!("amq.ctag-{id:x}-{count:x}").into());
                self.ask(number, asked, ids, around)
            }
        }
    }

    fn ask(
        &mut self,
        number: u16,
        asked: WireRequest,
        ids: (u16, u16),
        around: &mut ReadingContext<'_>,
    ) -> Result<ConnectionStep, HardError> {
        let Some(channel) = self.channels.get_mut(&number) else { return Ok(ConnectionStep::Rest) };
        let id = channel.id;
        match asked {
            WireRequest::Call(method, answer) => {
                let request = self.await_reply(around, AwaitedReply::Call { number, answer });
                Ok(ConnectionStep::Command(Command::Call { request, channel: id, method }, ids))
            }
            WireRequest::Settle { tag, multiple, settlement } => {
                let tag = DeliveryTag(tag);
                Ok(ConnectionStep::Command(Command::Settle { channel: id, tag, multiple, settlement }, ids))
            }
            WireRequest::Answered(method) => {
                self.outbox.method(number, method);
                Ok(ConnectionStep::Rest)
            }
            WireRequest::Confirms { nowait } => {
                if channel.mode == PublishMode::Plain {
                    channel.mode = PublishMode::Confirm { last: 0 };
                }
                let answer = (!nowait).then_some(WireAnswer::Plain(AmqpMethod::ConfirmSelectOk {}));
                let request = self.await_reply(around, AwaitedReply::Call { number, answer });
                Ok(ConnectionStep::Command(Command::Call { request, channel: id, method: Method::ConfirmSelect }, ids))
            }
            WireRequest::Refused(error) => Err(error),
        }
    }

    fn publish(
        &mut self,
        number: u16,
        method: AmqpMethod,
        message: Arc<Message>,
        around: &mut ReadingContext<'_>,
    ) -> Result<ConnectionStep, HardError> {
        let unimplemented = || HardError::plain(code::COMMAND_INVALID, "unimplemented method").by(&method);
        let AmqpMethod::BasicPublish { exchange, routing_key, mandatory, immediate, .. } = &method else {
            return Err(unimplemented());
        };
        if *immediate {
            return Err(HardError::plain(code::NOT_IMPLEMENTED, "immediate=true").by(&method));
        }
        let Some(channel) = self.channels.get_mut(&number) else { return Ok(ConnectionStep::Rest) };
        let under_way = PublishUnderWay {
            number,
            channel: channel.id,
            confirm: channel.count_publish(),
            mandatory: mandatory.then(|| (exchange.clone(), routing_key.clone(), message.clone())),
        };
        let command = Command::Publish {
            channel: channel.id,
            publish: around.ids.publish(),
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
            mandatory: *mandatory,
            message,
        };
        Ok(ConnectionStep::Publish(command, under_way))
    }

    pub(crate) fn await_reply(&mut self, around: &mut ReadingContext<'_>, awaited: AwaitedReply) -> RequestId {
        let request = around.ids.request();
        self.awaited = Some((request, awaited));
        request
    }
}
