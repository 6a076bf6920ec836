//! What both kinds of broker can show of a finished run: what a snapshot holds.
//! Plain data with declared names; the report redacts and writes it.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Delivery, Settlement};
use crate::model::{Message, Name, PublishOutcome, QueueName};
use crate::player::BoundedLog;
use crate::player::record::timeline::Attempt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The whole outcome.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// By the step's user, the consumer, or `driver`: between publishers there is no order.
    pub publishes: BTreeMap<Name, BoundedLog<PublishRecord>>,
    pub queues: BTreeMap<QueueName, QueueOutcome>,
    pub consumers: Vec<ConsumerOutcome>,
    pub refusals: Vec<RefusalRecord>,
    /// Answers to calls, in order.
    pub replies: BoundedLog<ReplyRecord>,
    /// Queues whose messages came back in an order that the version leaves open (CO-10).
    pub unordered: BTreeSet<QueueName>,
    /// The queues that are streams: their consumers do not compete, each gets all.
    pub streams: BTreeSet<QueueName>,
    /// Queues that something was published to, directly or by dead-lettering, as far as the declared objects tell.
    pub reached: BTreeSet<QueueName>,
}

/// The answer to one call.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct ReplyRecord {
    /// The name of the question.
    pub to: Name,
    pub record: MessageRecord,
}

/// How one publish ended.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct PublishRecord {
    pub message: Name,
    /// The step's user, the consumer, or `driver`.
    pub by: Name,
    pub outcome: PublishOutcome,
}

/// What a queue holds at the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueueOutcome {
    pub ready: u64,
    pub unacked: u64,
    /// The first ready ones, in order; `None` when the queue refuses get.
    pub messages: Option<Vec<MessageRecord>>,
}

/// One message as it was read.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct MessageRecord {
    pub name: Name,
    pub exchange: Name,
    pub routing_key: Name,
    pub redelivered: bool,
    pub message: Arc<Message>,
}

/// What one consumer instance received and did.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct ConsumerOutcome {
    /// `worker`, or `worker.2` with several instances.
    pub name: Name,
    pub queue: QueueName,
    pub received: BoundedLog<Receipt>,
}

/// One delivery and what came of it.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Receipt {
    pub record: MessageRecord,
    /// In order.
    pub did: Vec<ActionRecord>,
}

/// One thing that a consumer did with a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActionRecord {
    Settled(Settlement),
    /// Left in hand.
    Held,
    /// Its `timeout` was over.
    TimedOut,
    Crashed,
    ClosedChannel,
    Cancelled,
    /// By the action `publish`, or by `forward`.
    Sent {
        forward: bool,
        exchange: Name,
        routing_key: Name,
    },
    /// What was sent came back: no queue took it.
    CameBack,
    Replied {
        to: Name,
    },
    /// Sent to its next rung, or to where they are parked.
    Retried {
        rung: Name,
    },
    /// No delay was left, and nowhere to park it.
    RetriesUsedUp,
}

/// One refusal that somebody met.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusalRecord {
    pub who: Name,
    pub what: Attempt,
    pub code: u16,
    pub text: String,
}

impl MessageRecord {
    /// Reads a delivery under the name that the run gave the message.
    pub fn new(name: Name, delivery: &Delivery) -> Self {
        Self {
            name,
            exchange: delivery.exchange.clone(),
            routing_key: delivery.routing_key.clone(),
            redelivered: delivery.redelivered,
            message: Arc::clone(&delivery.message),
        }
    }
}
