//! An open channel: its deliveries that wait to be settled, its consumers and limits; and its open transaction, with what it
//! published and settled since the last commit (TX-1 to TX-6).

use crate::broker::{ChannelId, ConnectionId, DeliveryTag, PublishId, RouteHop, Settlement};
use crate::model::{Message, Moment, Name, QueueKind};
use crate::sim::state::arena::{ChannelIndex, ConsumerId, ExchangeId, QueueId, VhostId};
use crate::sim::state::permission::PermissionCache;
use crate::sim::state::queued_message::{QueuedMessage, Stored};
use crate::sim::state::reason::Reason;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Deliveries that a cancel overtook, until their channel gives them back (CO-3).
#[derive(Clone)]
pub(crate) struct Overtaken {
    pub channel: ChannelId,
    /// With insights on: the consumer.
    pub by: Option<Name>,
    pub taken: Vec<Unacked>,
}

/// What a delivery is of.
#[derive(Debug, Clone, Hash)]
pub(crate) enum Delivered {
    /// A message that its queue gave away until it is settled.
    Message(QueuedMessage),
    /// A message of a stream, which keeps what it gives: the publish that was read.
    Read(PublishId),
    /// The queue took it back by itself (CO-26).
    TakenBack,
}

/// A delivery that waits to be settled.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Unacked {
    pub tag: u64,
    pub queue: QueueId,
    /// `None`: taken by basic.get.
    pub consumer: Option<ConsumerId>,
    pub since: Moment,
    /// The place of its consumer, or of its get, among all of them (CO-10).
    pub attached: u64,
    pub what: Delivered,
    /// Settled in a transaction that has not committed.
    pub held: bool,
}

impl Unacked {
    /// Returns whether its consumer still has to settle it for its queue.
    pub(crate) fn is_out(&self) -> bool {
        !matches!(self.what, Delivered::TakenBack)
    }

    /// Returns the client's publish that it stems from.
    pub(crate) fn origin(&self) -> Option<PublishId> {
        match &self.what {
            Delivered::Message(entry) => Some(entry.stored.origin),
            Delivered::Read(origin) => Some(*origin),
            Delivered::TakenBack => None,
        }
    }

    /// Returns whether it was read from a stream.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.what, Delivered::Read(_))
    }

    /// Returns the message that goes back to its queue, if it is not settled.
    pub(crate) fn entry(&self) -> Option<&QueuedMessage> {
        match &self.what {
            Delivered::Message(entry) => Some(entry),
            Delivered::Read(_) | Delivered::TakenBack => None,
        }
    }

    /// Takes the message.
    pub(crate) fn into_entry(self) -> Option<QueuedMessage> {
        match self.what {
            Delivered::Message(entry) => Some(entry),
            Delivered::Read(_) | Delivered::TakenBack => None,
        }
    }

    /// Lets the queue take its message back; what is of a stream stays.
    pub(crate) fn take_back(&mut self) -> Option<QueuedMessage> {
        match std::mem::replace(&mut self.what, Delivered::TakenBack) {
            Delivered::Message(entry) => Some(entry),
            other => {
                self.what = other;
                None
            }
        }
    }
}

/// So many more deliveries does a channel take that keeps up.
pub(crate) const KEEPS_UP: u32 = u32::MAX;

/// What becomes of publishes and settlements of a channel.
#[derive(Clone)]
pub(crate) enum ChannelMode {
    Plain,
    Confirms,
    Transaction(Box<Transaction>),
}

/// An open channel.
#[derive(Clone)]
pub(crate) struct Channel {
    pub id: ChannelId,
    /// Its number within the connection, as texts show it.
    pub number: u32,
    pub connection: ConnectionId,
    pub user: Option<Name>,
    pub vhost: VhostId,
    pub last_tag: u64,
    /// By rising tag.
    pub unacked: VecDeque<Unacked>,
    pub consumers: BTreeMap<Name, ConsumerId>,
    /// For consumers to come (CO-2).
    pub prefetch: u16,
    /// Over all consumers together; 0 is none (CO-4).
    pub global_prefetch: u16,
    /// What counts against the global limit, which is not always what consumers hold (CO-4); 0 without a limit.
    pub volume: i64,
    /// Which queue filled the global limit last: the others are before it when there is room again.
    pub filled_by: Option<QueueId>,
    /// How many deliveries it takes before it is passed over, as it does not keep up (CO-24); [`KEEPS_UP`] is any number.
    pub unsent_left: u32,
    /// What an empty queue name means (ER-1).
    pub last_queue: Option<Name>,
    /// Where its last publish went, to find it again without a search.
    pub last_exchange: Option<ExchangeId>,
    pub permissions: PermissionCache,
    /// The key under which replies reach this channel's consumer of amq.rabbitmq.reply-to.
    pub reply_consumer: Option<(Name, Name)>,
    pub mode: ChannelMode,
}

impl Channel {
    pub(crate) fn next_tag(&mut self) -> DeliveryTag {
        self.last_tag += 1;
        DeliveryTag(self.last_tag)
    }

    /// Returns its open transaction.
    pub(crate) fn transaction(&mut self) -> Option<&mut Transaction> {
        match &mut self.mode {
            ChannelMode::Transaction(transaction) => Some(transaction),
            ChannelMode::Plain | ChannelMode::Confirms => None,
        }
    }

    /// Returns whether it takes a delivery of a queue: the global limit, of which quorum queues do not know (CO-4), leaves
    /// room, and it keeps up.
    pub(crate) fn has_room(&self, of: QueueKind) -> bool {
        let is_limited = self.global_prefetch > 0 && of != QueueKind::Quorum;
        (!is_limited || self.volume < i64::from(self.global_prefetch)) && self.unsent_left > 0
    }

    /// Sets the global limit, or lifts it with 0. A first one counts all that is unsettled, by basic.get as well (CO-4).
    pub(crate) fn limit(&mut self, prefetch: u16) {
        if prefetch == 0 {
            self.volume = 0;
        } else if self.global_prefetch == 0 {
            self.volume = self.unacked.iter().filter(|unacked| !unacked.held).count() as i64;
        }
        self.global_prefetch = prefetch;
    }

    /// Takes settled deliveries to consumers off what counts against the global limit: those of quorum queues too, though
    /// they were never added (CO-4).
    pub(crate) fn discount(&mut self, settled: usize) {
        if self.global_prefetch > 0 && self.volume != 0 {
            self.volume -= settled as i64;
        }
    }
}

/// The open channels by the ids that clients know them by; these rise, and few are open at a time.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct ChannelIds(Vec<(ChannelId, ChannelIndex)>);

impl ChannelIds {
    #[inline]
    pub(crate) fn get(&self, id: ChannelId) -> Option<ChannelIndex> {
        let at = self.place_of(id).ok()?;
        Some(self.0[at].1)
    }

    pub(crate) fn insert(&mut self, id: ChannelId, channel: ChannelIndex) {
        match self.place_of(id) {
            Ok(at) => self.0[at].1 = channel,
            Err(at) => self.0.insert(at, (id, channel)),
        }
    }

    pub(crate) fn remove(&mut self, id: ChannelId) {
        if let Ok(at) = self.place_of(id) {
            self.0.remove(at);
        }
    }

    #[inline]
    fn place_of(&self, id: ChannelId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(other, _)| *other)
    }
}

/// What a channel holds until it commits.
#[derive(Clone, Default)]
pub(crate) struct Transaction {
    pub publishes: Vec<TransactedPublish>,
    /// In order; those alike in a row are one.
    pub settlements: Vec<TransactedSettlement>,
}

/// A publish that was checked and routed.
#[derive(Clone)]
pub(crate) struct TransactedPublish {
    pub publish: PublishId,
    pub mandatory: bool,
    pub what: TransactedMessage,
}

/// What is to be done with a publish at the commit.
#[derive(Clone)]
pub(crate) enum TransactedMessage {
    /// It goes to queues, if there are any.
    Routed {
        stored: Box<Stored>,
        targets: Vec<TransactedTarget>,
        /// With insights on: how it comes to its queues.
        ways: Vec<(QueueId, Vec<RouteHop>)>,
        /// With insights on: why it comes to none.
        no_route: Option<Reason>,
    },
    /// A direct reply.
    Reply { key: Name, message: Arc<Message> },
    /// A direct reply that went off at the publish, and counted as routed or not (RT-22).
    Replied { routed: bool },
}

/// A queue that a publish was routed to.
#[derive(Clone)]
pub(crate) struct TransactedTarget {
    pub queue: QueueId,
    pub name: Name,
    pub kind: QueueKind,
}

/// Settlements that are carried out together.
#[derive(Clone)]
pub(crate) struct TransactedSettlement {
    pub settlement: Settlement,
    pub tags: Vec<u64>,
}

impl Transaction {
    /// Takes note of a settlement; one like the last joins it.
    pub(crate) fn settle(&mut self, settlement: Settlement, tags: Vec<u64>, tells_rejects: bool) {
        match self.settlements.last_mut() {
            Some(last) if is_alike(last.settlement, settlement, tells_rejects) => last.tags.extend(tags),
            _ => self.settlements.push(TransactedSettlement { settlement, tags }),
        }
    }
}

/// Returns whether two settlements are the same to queues, which tell a reject from a nack in some versions only (DL-34).
fn is_alike(one: Settlement, other: Settlement, tells_rejects: bool) -> bool {
    let requeues = |settlement| match settlement {
        Settlement::Ack => None,
        Settlement::Nack { requeue } | Settlement::Reject { requeue } => Some(requeue),
    };
    one == other || !tells_rejects && requeues(one).is_some() && requeues(one) == requeues(other)
}
