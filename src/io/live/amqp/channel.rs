//! One channel of the client: what waits for its turn, what is under way, what was delivered and not settled.
//! Decides what may be started now: one method at a time, several declares, and none before earlier publishes are written.

use crate::broker::{ConnectionId, DeliveryTag, Method, PublishId, Refusal, RequestId, Settlement};
use crate::io::live::amqp::calls::REPLY_TO;
use crate::model::{Message, Name};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How many declares of one channel may wait for their answers at once.
const DECLARES_IN_FLIGHT_MAX: usize = 8;

/// A prefetch from which on a consumer has enough to do for a millisecond.
const WIDE: u16 = 100;

/// A channel.
pub(crate) struct LiveChannel {
    pub(crate) connection: ConnectionId,
    pub(crate) state: LiveChannelState,
    pub(crate) channel: Option<lapin::Channel>,
    pub(crate) feeds: BTreeMap<Name, ConsumerStream>,
    /// Streams whose tag has a new consumer. lapin cancels the tag when one is dropped, and so the new one: they stay.
    pub(crate) replaced: Vec<ConsumerStream>,
    /// As last set by the client; 0 is no limit.
    pub(crate) prefetch: u16,
    pub(crate) backlog: VecDeque<Item>,
    /// The methods that are under way, in the order in which the broker answers them.
    pub(crate) calling: VecDeque<Calling>,
    /// Publishes that lapin has not written yet.
    pub(crate) unwritten: Arc<AtomicUsize>,
    /// Publishes that lapin was given and the broker has not settled.
    pub(crate) unsettled: BTreeMap<PublishId, Option<Box<Mandatory>>>,
    /// When the broker last settled one, or the first was given.
    pub(crate) progress: Instant,
    /// Delivered tags that wait to be settled.
    pub(crate) outstanding: BTreeSet<u64>,
    /// Something was sent that has no answer of its own since the last method.
    pub(crate) dirty: bool,
    /// Something said that the channel is closed, but not why.
    pub(crate) suspect: Option<Instant>,
    /// Its connection has told of its end.
    pub(crate) told: bool,
    pub(crate) serial: u64,
    pub(crate) mode: LiveMode,
    /// Publishes of the open transaction.
    pub(crate) held: BTreeMap<PublishId, Option<Box<Mandatory>>>,
    /// Tags that the open transaction settled.
    pub(crate) held_tags: BTreeSet<u64>,
}

/// What publishes of a channel are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveMode {
    Plain,
    Confirms,
    /// Nothing before the commit.
    Transactions,
}

/// Where a channel stands.
pub(crate) enum LiveChannelState {
    Opening { request: RequestId },
    Open,
    Closing,
    Dead(Refusal),
}

/// A consumer of the channel.
pub(crate) struct ConsumerStream {
    pub(crate) stream: Box<lapin::Consumer>,
    pub(crate) no_ack: bool,
    /// We asked for its end ourselves.
    pub(crate) cancelled: bool,
    /// The broker cancelled it; it may still be sent messages (CO-26).
    pub(crate) dismissed: bool,
    pub(crate) ended: bool,
}

/// A method under way.
pub(crate) struct Calling {
    pub(crate) serial: u64,
    pub(crate) purpose: Purpose,
    pub(crate) since: Instant,
    pub(crate) what: String,
    /// It declares or looks, so others of its kind may follow before its answer.
    pub(crate) is_declare: bool,
    /// It heard of its channel's end instead of an answer.
    pub(crate) failed: bool,
}

/// Says for whom a method is called.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// The client's; a consumer's name and no_ack when it consumes, the one to cancel when it cancels.
    Client {
        request: RequestId,
        consume: Option<(Name, bool)>,
        get_no_ack: Option<bool>,
    },
    Fence,
}

/// What a returned message is found by.
pub(crate) struct Mandatory {
    pub(crate) exchange: Name,
    pub(crate) routing_key: Name,
    pub(crate) message: Arc<Message>,
}

/// Waits for its turn.
pub(crate) enum Item {
    Call { request: RequestId, method: Method },
    Publish(Box<Publishing>),
    Settle { tag: DeliveryTag, multiple: bool, settlement: Settlement },
    Fence,
    Close { request: RequestId },
}

/// A publish before it is sent; the message has the broker's user name.
pub(crate) struct Publishing {
    pub(crate) publish: PublishId,
    pub(crate) exchange: Name,
    pub(crate) routing_key: Name,
    pub(crate) mandatory: bool,
    pub(crate) message: Arc<Message>,
}

impl ConsumerStream {
    pub(crate) fn new(stream: Box<lapin::Consumer>, no_ack: bool) -> Self {
        Self { stream, no_ack, cancelled: false, dismissed: false, ended: false }
    }

    /// Returns whether the broker takes it for a consumer of its queue, a late one (CO-26) apart.
    pub(crate) fn is_subscribed(&self) -> bool {
        !self.cancelled && !self.dismissed && !self.ended
    }
}

impl LiveChannel {
    pub(crate) fn new(connection: ConnectionId, request: RequestId, confirms: bool) -> Self {
        Self {
            connection,
            state: LiveChannelState::Opening { request },
            channel: None,
            feeds: BTreeMap::new(),
            replaced: Vec::new(),
            prefetch: 0,
            backlog: VecDeque::new(),
            calling: VecDeque::new(),
            unwritten: Arc::default(),
            unsettled: BTreeMap::new(),
            progress: Instant::now(),
            outstanding: BTreeSet::new(),
            dirty: false,
            suspect: None,
            told: false,
            serial: 0,
            mode: if confirms { LiveMode::Confirms } else { LiveMode::Plain },
            held: BTreeMap::new(),
            held_tags: BTreeSet::new(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, LiveChannelState::Open)
    }

    /// Returns whether its consumers get so little at a time that they wait for each settlement.
    pub(crate) fn is_narrow(&self) -> bool {
        (1..WIDE).contains(&self.prefetch) && !self.feeds.is_empty()
    }

    /// Returns whether lapin has closed the channel while the client takes it for open.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_open() && self.channel.as_ref().is_some_and(|channel| !channel.status().connected())
    }

    /// Returns whether something is under way that will hear of the channel's end by itself.
    pub(crate) fn will_hear(&self) -> bool {
        !self.calling.is_empty() || !self.unsettled.is_empty() || !self.feeds.is_empty()
    }

    /// Takes the next item that may be started.
    pub(crate) fn next_item(&mut self, window: usize) -> Option<Item> {
        if !self.is_open() || self.suspect.is_some() {
            return None;
        }
        // RabbitMQ bears nothing between a commit and its answer.
        if self.mode == LiveMode::Transactions && !self.calling.is_empty() {
            return None;
        }
        let written = || self.unwritten.load(Ordering::Relaxed) == 0;
        let may = match self.backlog.front()? {
            Item::Publish(_) => self.unsettled.len() < window,
            // lapin writes these before the publishes that wait.
            Item::Settle { .. } => written(),
            Item::Call { method, .. } => (self.calling.is_empty() || self.may_follow(method)) && written(),
            Item::Fence | Item::Close { .. } => self.calling.is_empty() && written(),
        };
        if may { self.backlog.pop_front() } else { None }
    }

    /// Returns whether a method may be sent before those under way are answered.
    fn may_follow(&self, method: &Method) -> bool {
        let has_room = self.calling.len() < DECLARES_IN_FLIGHT_MAX;
        has_room && is_declare(method) && self.calling.iter().all(|calling| calling.is_declare && !calling.failed)
    }

    /// Returns whether of several methods under way one has not heard of the channel's end yet: it may have been answered
    /// before, and then it is not what ended the channel.
    pub(crate) fn may_be_answered(&self) -> bool {
        self.calling.len() > 1 && self.calling.iter().any(|calling| !calling.failed)
    }

    /// Returns whether all that was asked of it is done, settled publishes aside.
    pub(crate) fn is_written_out(&self) -> bool {
        let settled = self.backlog.is_empty() && self.calling.is_empty();
        !self.is_open() || settled && self.unwritten.load(Ordering::Relaxed) == 0
    }

    /// Returns whether nothing is unanswered and nothing unsettled.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_open() || self.is_written_out() && self.unsettled.is_empty()
    }

    /// Returns the tag for "all": the highest that was delivered and not settled (lapin would drop deliveries at 0).
    pub(crate) fn real_tag(&self, tag: DeliveryTag, multiple: bool) -> Option<u64> {
        if tag.0 == 0 && multiple { self.outstanding.last().copied() } else { Some(tag.0) }
    }

    pub(crate) fn note_settled(&mut self, tag: u64, multiple: bool) {
        let settled = if multiple {
            let later = self.outstanding.split_off(&(tag + 1));
            std::mem::replace(&mut self.outstanding, later)
        } else {
            self.outstanding.take(&tag).into_iter().collect()
        };
        if self.mode == LiveMode::Transactions {
            self.held_tags.extend(settled);
        }
    }

    /// Changes what publishes are answered with, as a method asks; where it is refused, the channel ends.
    pub(crate) fn note_mode(&mut self, method: &Method) {
        match (self.mode, method) {
            (LiveMode::Plain, Method::TxSelect) => self.mode = LiveMode::Transactions,
            (LiveMode::Plain, Method::ConfirmSelect) => self.mode = LiveMode::Confirms,
            _ => {}
        }
    }

    /// Ends the open transaction; returns its publishes, which are settled now.
    pub(crate) fn end_transaction(&mut self, rolled_back: bool) -> Vec<PublishId> {
        let tags = std::mem::take(&mut self.held_tags);
        if rolled_back {
            self.outstanding.extend(tags);
        }
        let published: Vec<PublishId> = self.held.keys().copied().collect();
        self.unsettled.append(&mut self.held);
        published
    }

    /// Takes the client's requests that will never be answered by the channel itself.
    pub(crate) fn take_requests(&mut self) -> (Vec<RequestId>, Option<RequestId>) {
        let mut refused = Vec::new();
        let mut closing = None;
        if let LiveChannelState::Opening { request } = self.state {
            refused.push(request);
        }
        for calling in self.calling.drain(..) {
            if let Purpose::Client { request, .. } = calling.purpose {
                refused.push(request);
            }
        }
        for item in self.backlog.drain(..) {
            match item {
                Item::Call { request, .. } => refused.push(request),
                Item::Close { request } => closing = Some(request),
                Item::Publish(_) | Item::Settle { .. } | Item::Fence => {}
            }
        }
        self.outstanding.clear();
        self.feeds.clear();
        self.channel = None;
        (refused, closing)
    }
}

/// Returns whether a method declares, binds or looks: what such methods of one row do does not depend on each other's answers.
pub(crate) fn is_declare(method: &Method) -> bool {
    matches!(method, Method::DeclareExchange(_) | Method::DeclareQueue(_) | Method::Bind(_) | Method::CheckQueue { .. })
}

/// Returns in words what a method does, for failures.
pub(crate) fn describe(method: &Method) -> String {
    match method {
        Method::DeclareExchange(exchange) => format!("declaring exchange '{}'", exchange.name),
        Method::DeclareQueue(queue) => format!("declaring queue '{}'", queue.name),
        Method::CheckQueue { queue } => format!("looking at queue '{queue}'"),
        Method::CheckExchange { exchange } => format!("looking at exchange '{exchange}'"),
        Method::DeleteExchange { exchange, .. } => format!("deleting exchange '{exchange}'"),
        Method::DeleteQueue { queue, .. } => format!("deleting queue '{queue}'"),
        Method::Bind(binding) => format!("binding '{}' to '{}'", binding.destination, binding.source),
        Method::Unbind(binding) => format!("unbinding '{}' from '{}'", binding.destination, binding.source),
        Method::Purge { queue } => format!("purging queue '{queue}'"),
        Method::Get { queue, .. } => format!("getting from queue '{queue}'"),
        Method::Consume { queue, .. } if &**queue == REPLY_TO => "consuming direct replies".into(),
        Method::Consume { queue, .. } => format!("consuming from queue '{queue}'"),
        Method::Cancel { consumer } => format!("cancelling consumer '{consumer}'"),
        Method::Qos { .. } => "setting the prefetch".into(),
        Method::Recover { .. } => "recovering deliveries".into(),
        Method::ConfirmSelect => "asking for confirms".into(),
        Method::TxSelect => "selecting transactions".into(),
        Method::TxCommit => "committing a transaction".into(),
        Method::TxRollback => "rolling a transaction back".into(),
    }
}
