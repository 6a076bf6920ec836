//! Why things happened inside the broker: reasons with the number of their rule in the rule book (`rmqplay explain`).
//! Only the sim speaks of these; no verdict on a live broker may need one.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::PublishId;
use crate::model::{Millis, Name, QueueName, Table};

/// One inner happening of the sim.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The publish that the message stems from, through any number of deaths; `None` when no message is concerned.
    pub origin: Option<PublishId>,
    pub queue: Option<QueueName>,
    pub what: What,
    /// The rule's number, `TTL-3`.
    pub rule: &'static str,
}

/// Why a message left a queue other than to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Death {
    Rejected,
    Expired,
    MaxLen,
    DeliveryLimit,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Stands in the queue, ready; the bindings that led there, none when the default exchange went by its routing key.
    Enqueued { way: Vec<RouteHop> },
    /// Taken though the queue is over its limit.
    OverLimit { limit: String, why: &'static str },
    /// An exchange found no queue of its own, and its alternate exchange did.
    TakenByAlternate { exchange: Name, alternate: Name, routing_key: Name },
    /// Died here and goes to its dead-letter exchange.
    DeadLettered { death: Death, exchange: Name, routing_keys: Vec<Name>, why: String },
    /// Gone for good; it `stood` in the queue, or was on its way there.
    Dropped { why: String, stood: bool },
    /// Went back to its queue.
    Requeued { why: String },
    /// Cannot leave although one might think so: it waits behind another, for a consumer, or for a moment.
    Blocked { behind: Option<PublishId>, until: Option<Millis>, why: Name },
    /// Waits for the end of a transaction, as a publish or as a delivery that was settled in it; or the transaction ended.
    InTransaction { step: TransactionStep },
    /// Asked for something and was told no.
    Refused { why: String },
    /// The broker ended a connection.
    ConnectionEnded { why: String },
    /// The queue itself went away.
    QueueGone { why: String },
}

/// What a transaction does with a publish or a settlement of its channel.
#[derive(Debug, Clone, PartialEq)]
pub enum TransactionStep {
    /// The publish is checked and routed, and sent to these queues at the commit.
    PublishHeld {
        queues: Vec<Name>,
    },
    PublishCommitted,
    /// A queue is full: the commit fails, or succeeds without the message.
    PublishRefused {
        fails: bool,
    },
    PublishRolledBack,
    /// Its channel ended before the commit.
    PublishAbandoned,
    /// The settlement, `ack`, is carried out at the commit.
    SettlementHeld {
        settlement: &'static str,
    },
    SettlementCommitted {
        settlement: &'static str,
    },
    SettlementRolledBack {
        settlement: &'static str,
    },
}

/// One step from an exchange to a queue or another exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteHop {
    pub exchange: Name,
    pub to: Name,
    pub by: RoutedBy,
}

/// What makes an exchange send a message on.
#[derive(Debug, Clone, PartialEq)]
pub enum RoutedBy {
    /// A further key of the message is the queue's name.
    Name,
    /// A binding key equal to the routing key.
    Key(Name),
    /// A binding key that the routing key fits.
    Topic(Name),
    /// A binding key that a key of CC or BCC fits.
    FurtherKey(Name),
    Fanout,
    /// The arguments of a binding.
    Headers(Table),
    /// A hash, of what these words name.
    Hash(String),
    /// A hash of all keys, modulo the number of bindings.
    Modulus,
    /// One of all bindings, by chance.
    Random,
    /// A new binding, to which an exchange sends what it kept.
    History,
    /// Nothing else took it.
    Alternate,
}

impl Death {
    /// Returns RabbitMQ's word, as x-death carries it.
    pub fn as_str(self) -> &'static str {
        match self {
            Death::Rejected => "rejected",
            Death::Expired => "expired",
            Death::MaxLen => "maxlen",
            Death::DeliveryLimit => "delivery_limit",
        }
    }
}
