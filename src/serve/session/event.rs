//! One thing that happened in a session, as data.

use crate::broker::{ChannelId, Method, PublishId, Refusal, Settlement};
use crate::model::{Message, Name, QueueName, Table};
use crate::player::ConsumerEnd;
use crate::serve::session::known_messages::MessageName;
use std::sync::Arc;

/// A consumer: its channel and its tag.
pub(crate) type ConsumerKey = (ChannelId, Name);

/// Who takes messages from which queue; all deliveries share it.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// Absent where basic.get takes.
    pub consumer: Option<ConsumerKey>,
    pub shown: Name,
    pub queue: QueueName,
    pub no_ack: bool,
    /// The place of its queue among those that the journal counts.
    pub counted_as: usize,
}

/// Who publishes where; all publishes in a row that go the same way share it.
#[derive(Debug, Clone)]
pub(crate) struct PublishRoute {
    pub who: Name,
    pub vhost: Name,
    pub exchange: Name,
    pub routing_key: Name,
    /// The place of the exchange among those that the journal counts.
    pub counted_as: usize,
}

/// A publish as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PublishSeen<'a> {
    pub channel: ChannelId,
    pub publish: PublishId,
    pub place: &'a Arc<PublishRoute>,
    pub name: MessageName,
    pub mandatory: bool,
    pub message: &'a Arc<Message>,
}

/// One thing that a client did or was given.
#[derive(Debug, Clone)]
pub(crate) enum SessionEvent {
    /// A method was answered; what was declared has the name that the broker gave it.
    Called {
        channel: ChannelId,
        who: Name,
        vhost: Name,
        method: Box<Method>,
        refusal: Option<Refusal>,
    },
    Published {
        channel: ChannelId,
        place: Arc<PublishRoute>,
        message: MessageName,
        mandatory: bool,
        content: Arc<Message>,
    },
    /// A consumer subscribed.
    Started {
        subscription: Arc<Subscription>,
        prefetch: u16,
        arguments: Box<Table>,
    },
    /// A message was handed out.
    Delivered {
        channel: ChannelId,
        subscription: Arc<Subscription>,
        message: MessageName,
    },
    Settled {
        channel: ChannelId,
        subscription: Arc<Subscription>,
        message: MessageName,
        settlement: Settlement,
    },
    Gone {
        subscription: Arc<Subscription>,
        how: ConsumerEnd,
    },
    /// A channel ended that had transactions.
    TransactionsEnded {
        channel: ChannelId,
    },
}
