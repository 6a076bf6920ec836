//! A client that carries the messages of one queue to another: consume, publish as mandatory, await the confirm, acknowledge.
//! What it has in hand when it ends early goes back to its queue; a copy of it may stand in the other one.
//! Never acknowledges what is not confirmed.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{
    ChannelId, Client, Command, Confirmation, ConnectionId, Delivery, DeliveryTag, Event, Ids, Method, PublishId,
    Refusal, Reply, RequestId, Scope, Settlement, code,
};
use crate::model::{Message, Millis, Moment, Name, Properties, Table};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many messages are in hand at once: so many may stand twice when the program is killed.
pub const IN_HAND_MAX: u16 = 100;

/// Between two looks at a queue that delivers nothing.
const LOOK_EVERY: Millis = Millis(20);
/// How many looks may find ready messages and bring none.
const LOOKS_IN_VAIN_MAX: u32 = 1_000;
/// How many messages more than stood there may come before a transfer is given up.
const MORE_THAN_READY_MAX: u64 = 10_000_000;

/// The headers that a quorum queue adds of its own.
const COUNTERS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// From where to where, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOrder {
    pub vhost: Name,
    pub from: Name,
    /// Leads to the other queue alone, whatever the routing key.
    pub exchange: Name,
    /// Ends after so many at the soonest; absent: when the queue is empty.
    pub enough: Option<u64>,
    /// The source is a quorum queue: its counters are no headers of the message.
    pub without_counters: bool,
}

/// Why a transfer ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferEnd {
    Refused(Refusal),
    Unroutable { text: String },
    NotTaken,
    Stalled { ready: u64 },
    Endless,
}

/// What a transfer came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransferOutcome {
    /// Messages that were confirmed and acknowledged.
    pub moved: u64,
    /// Those among all deliveries that somebody had had before.
    pub redelivered: u64,
    /// Ready messages in the source at the end.
    pub left: u64,
    /// Ends it early.
    pub end: Option<TransferEnd>,
}

/// Carries messages.
#[derive(Debug)]
pub struct Transfer {
    ids: Ids,
    order: TransferOrder,
    connection: ConnectionId,
    channel: ChannelId,
    state: TransferState,
    /// Deliveries in their order.
    in_hand: VecDeque<CarriedMessage>,
    to_publish: VecDeque<Command>,
    /// What may be carried at most.
    moved_max: u64,
    looks_in_vain: u32,
    look_at: Option<Moment>,
    outcome: TransferOutcome,
}

#[derive(Debug)]
struct CarriedMessage {
    tag: DeliveryTag,
    publish: PublishId,
    is_confirmed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferState {
    Begin,
    Connecting(RequestId),
    Connected,
    Opening(RequestId),
    Ready,
    Counting(RequestId),
    Counted,
    Limiting(RequestId),
    Limited,
    Subscribing(RequestId),
    Carrying,
    Looking(RequestId),
    Enough,
    Cancelling(RequestId),
    /// No more deliveries come; the last confirms do.
    Finishing,
    /// Answered once the last acknowledgement has gone out.
    Fencing(RequestId),
    Leave,
    Leaving(RequestId),
    Over,
}

impl Transfer {
    /// Prepares to carry.
    pub fn new(order: TransferOrder, mut ids: Ids) -> Self {
        let (connection, channel) = (ids.connection(), ids.channel());
        Self {
            ids,
            order,
            connection,
            channel,
            state: TransferState::Begin,
            in_hand: VecDeque::new(),
            to_publish: VecDeque::new(),
            moved_max: 0,
            looks_in_vain: 0,
            look_at: None,
            outcome: TransferOutcome::default(),
        }
    }

    /// Returns how many messages were carried so far.
    pub fn moved(&self) -> u64 {
        self.outcome.moved
    }

    /// Returns what it came to, and the counters.
    pub fn finish(self) -> (TransferOutcome, Ids) {
        (self.outcome, self.ids)
    }

    /// Ends it early: what is in hand goes back when the connection closes.
    fn end(&mut self, end: TransferEnd, is_connected: bool) {
        self.outcome.end.get_or_insert(end);
        self.to_publish.clear();
        self.in_hand.clear();
        self.look_at = None;
        self.state = if is_connected { TransferState::Leave } else { TransferState::Over };
    }

    fn refused(&mut self, refusal: Refusal) {
        let is_connected = refusal.scope != Scope::Connection;
        self.end(TransferEnd::Refused(refusal), is_connected);
    }

    fn call(&mut self, method: Method, state: fn(RequestId) -> TransferState) -> Option<Command> {
        let request = self.ids.request();
        self.state = state(request);
        Some(Command::Call { request, channel: self.channel, method })
    }

    fn count(&mut self, state: fn(RequestId) -> TransferState) -> Option<Command> {
        self.call(Method::CheckQueue { queue: self.order.from.clone() }, state)
    }

    /// Acknowledges what is confirmed, as far as it is without a gap.
    fn settle(&mut self) -> Option<Command> {
        let mut last = None;
        while let Some(first) = self.in_hand.front().filter(|first| first.is_confirmed) {
            last = Some(first.tag);
            self.outcome.moved += 1;
            self.in_hand.pop_front();
        }
        last.map(|tag| Command::Settle { channel: self.channel, tag, multiple: true, settlement: Settlement::Ack })
    }

    fn is_enough(&self) -> bool {
        self.order.enough.is_some_and(|enough| self.outcome.moved + self.in_hand.len() as u64 >= enough)
    }

    fn take(&mut self, delivery: &Delivery) {
        self.outcome.redelivered += u64::from(delivery.redelivered);
        self.looks_in_vain = 0;
        if self.outcome.moved > self.moved_max {
            return self.end(TransferEnd::Endless, true);
        }
        let publish = self.ids.publish();
        let message = if self.order.without_counters {
            without_counters(&delivery.message)
        } else {
            Arc::clone(&delivery.message)
        };
        self.to_publish.push_back(Command::Publish {
            channel: self.channel,
            publish,
            exchange: self.order.exchange.clone(),
            routing_key: delivery.routing_key.clone(),
            mandatory: true,
            message,
        });
        self.in_hand.push_back(CarriedMessage { tag: delivery.tag, publish, is_confirmed: false });
    }

    fn counted(&mut self, now: Moment, ready: u64) {
        self.outcome.left = ready;
        match self.state {
            TransferState::Counting(_) => {
                self.moved_max = ready.saturating_add(MORE_THAN_READY_MAX);
                self.state = TransferState::Counted;
            }
            TransferState::Looking(_) if ready == 0 && self.in_hand.is_empty() => self.state = TransferState::Enough,
            TransferState::Looking(_) => {
                self.state = TransferState::Carrying;
                self.looks_in_vain += 1;
                if self.looks_in_vain > LOOKS_IN_VAIN_MAX {
                    return self.end(TransferEnd::Stalled { ready }, true);
                }
                self.look_at = Some(now + LOOK_EVERY);
            }
            TransferState::Fencing(_) => self.state = TransferState::Leave,
            _ => {}
        }
    }

    fn replied(&mut self, now: Moment, request: RequestId, reply: Result<Reply, Refusal>) {
        let asked = match self.state {
            TransferState::Connecting(asked)
            | TransferState::Opening(asked)
            | TransferState::Counting(asked)
            | TransferState::Limiting(asked)
            | TransferState::Subscribing(asked)
            | TransferState::Looking(asked)
            | TransferState::Cancelling(asked)
            | TransferState::Fencing(asked)
            | TransferState::Leaving(asked) => asked,
            _ => return,
        };
        if asked != request {
            return;
        }
        let reply = match (reply, self.state) {
            (_, TransferState::Leaving(_)) => {
                self.state = TransferState::Over;
                return;
            }
            (Err(refusal), TransferState::Connecting(_)) => {
                return self.refused(Refusal { scope: Scope::Connection, ..refusal });
            }
            (Err(refusal), _) => return self.refused(refusal),
            (Ok(reply), _) => reply,
        };
        match (self.state, reply) {
            (TransferState::Connecting(_), _) => self.state = TransferState::Connected,
            (TransferState::Opening(_), _) => self.state = TransferState::Ready,
            (TransferState::Limiting(_), _) => self.state = TransferState::Limited,
            (TransferState::Subscribing(_), _) => {
                self.state = TransferState::Carrying;
                self.look_at = Some(now + LOOK_EVERY);
            }
            (TransferState::Cancelling(_), _) => self.state = TransferState::Finishing,
            (_, Reply::Declared { ready, .. }) => self.counted(now, ready),
            _ => {}
        }
    }
}

/// Leaves out the headers that a quorum queue added.
fn without_counters(message: &Arc<Message>) -> Arc<Message> {
    if COUNTERS.iter().all(|name| message.header(name).is_none()) {
        return Arc::clone(message);
    }
    let headers = message.properties.headers.as_ref().map(|headers| {
        let kept = headers.iter().filter(|(name, _)| !COUNTERS.contains(&&***name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Table>()
    });
    let properties = Properties { headers, ..message.properties.clone() };
    Arc::new(Message { properties, body: Arc::clone(&message.body) })
}

/// The tag of its subscription.
const CONSUMER: &str = "rmqplay-move";

impl Client for Transfer {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        if let Some(command) = self.to_publish.pop_front() {
            return Some(command);
        }
        if let Some(command) = self.settle() {
            return Some(command);
        }
        match self.state {
            TransferState::Begin => {
                let request = self.ids.request();
                self.state = TransferState::Connecting(request);
                let (connection, vhost) = (self.connection, self.order.vhost.clone());
                Some(Command::Connect { request, connection, user: None, vhost, heartbeat: None })
            }
            TransferState::Connected => {
                let request = self.ids.request();
                self.state = TransferState::Opening(request);
                Some(Command::OpenChannel {
                    request,
                    channel: self.channel,
                    connection: self.connection,
                    confirms: true,
                })
            }
            TransferState::Ready => self.count(TransferState::Counting),
            TransferState::Counted => {
                self.call(Method::Qos { prefetch: IN_HAND_MAX, global: false }, TransferState::Limiting)
            }
            TransferState::Limited => {
                let queue = self.order.from.clone();
                let consumer = CONSUMER.into();
                let method =
                    Method::Consume { queue, consumer, no_ack: false, exclusive: false, arguments: Table::default() };
                self.call(method, TransferState::Subscribing)
            }
            TransferState::Carrying if self.is_enough() => {
                self.call(Method::Cancel { consumer: CONSUMER.into() }, TransferState::Cancelling)
            }
            TransferState::Carrying if self.in_hand.is_empty() && self.look_at.is_some_and(|at| at <= now) => {
                self.look_at = None;
                self.count(TransferState::Looking)
            }
            TransferState::Enough => self.call(Method::Cancel { consumer: CONSUMER.into() }, TransferState::Cancelling),
            TransferState::Finishing if self.in_hand.is_empty() => self.count(TransferState::Fencing),
            TransferState::Leave => {
                let request = self.ids.request();
                self.state = TransferState::Leaving(request);
                Some(Command::Disconnect { request, connection: self.connection })
            }
            _ => None,
        }
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        let is_ending = self.outcome.end.is_some();
        match event {
            Event::Reply { request, reply } => self.replied(now, request, reply),
            Event::Delivered { delivery, .. } if !is_ending => {
                self.take(&delivery);
                if matches!(self.state, TransferState::Carrying) {
                    self.look_at = Some(now + LOOK_EVERY);
                }
            }
            Event::Returned { text, .. } if !is_ending => self.end(TransferEnd::Unroutable { text }, true),
            Event::Confirmed { publish, confirmation: Confirmation::Ack } => {
                if let Some(one) = self.in_hand.iter_mut().find(|one| one.publish == publish) {
                    one.is_confirmed = true;
                }
            }
            Event::Confirmed { confirmation: Confirmation::Nack, .. } if !is_ending => {
                self.end(TransferEnd::NotTaken, true);
            }
            Event::ChannelClosed { channel, cause } if channel == self.channel && !is_ending => {
                self.refused(Refusal { scope: Scope::Channel, ..cause });
            }
            Event::Cancelled { .. } if !is_ending => {
                let text = "the broker cancelled the consumer: the queue is gone".to_owned();
                self.refused(Refusal::new(Scope::Channel, code::NOT_FOUND, text));
            }
            Event::ConnectionClosed { connection, cause } if connection == self.connection => {
                if matches!(self.state, TransferState::Leaving(_)) {
                    self.state = TransferState::Over;
                } else if self.state != TransferState::Over {
                    self.end(TransferEnd::Refused(cause), false);
                }
            }
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        self.look_at.filter(|_| self.state == TransferState::Carrying && self.in_hand.is_empty())
    }

    fn is_done(&self) -> bool {
        self.state == TransferState::Over
    }
}
