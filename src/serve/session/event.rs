//! One thing that happened in a session, as data.

use crate::broker::{ChannelId, Method, Refusal, Settlement};
use crate::model::{Message, Name, PublishOutcome, QueueName, Table};
use crate::player::ConsumerEnd;
use std::sync::Arc;

/// A consumer: its channel and its tag.
pub(crate) type ConsumerKey = (ChannelId, Name);

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
        who: Name,
        vhost: Name,
        message: Name,
        exchange: Name,
        routing_key: Name,
        mandatory: bool,
        content: Arc<Message>,
    },
    PublishEnded {
        message: Name,
        outcome: PublishOutcome,
    },
    /// A consumer subscribed.
    Started {
        consumer: ConsumerKey,
        shown: Name,
        queue: QueueName,
        prefetch: u16,
        no_ack: bool,
        arguments: Box<Table>,
    },
    /// A message was handed out; `consumer` is absent where basic.get took it.
    Delivered {
        channel: ChannelId,
        consumer: Option<ConsumerKey>,
        shown: Name,
        queue: QueueName,
        message: Name,
        redelivered: bool,
        content: Arc<Message>,
        no_ack: bool,
    },
    Settled {
        channel: ChannelId,
        consumer: Option<ConsumerKey>,
        shown: Name,
        message: Name,
        settlement: Settlement,
    },
    Gone {
        consumer: ConsumerKey,
        shown: Name,
        how: ConsumerEnd,
    },
    /// A channel ended that had transactions.
    TransactionsEnded {
        channel: ChannelId,
    },
}
