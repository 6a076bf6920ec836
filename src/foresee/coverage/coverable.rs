//! What can be exercised in a topology: one thing that some scenario should make happen.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::Death;
use crate::model::{Name, Object, QueueName};

/// One thing that a scenario can make happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coverable {
    /// A message comes to the queue.
    Queue(QueueName),
    /// A message fits the binding.
    Binding(Object),
    /// Something that the policy sets is at work.
    Policy { vhost: Name, name: Name, operator: bool },
    /// The user is asked for `configure`, `write` or `read`, on the keys of a topic exchange where one is named.
    Right { user: Name, vhost: Name, exchange: Option<Name>, right: &'static str },
    /// A message dies in the queue and goes to the dead-letter exchange.
    DeadLetter(QueueName, Death),
    /// A message waits for its retry and comes back to the queue, or is parked.
    Retry { queue: QueueName, by: Name, parks: bool },
    /// The limit is reached.
    Limit(QueueName, QueueLimit),
}

/// A limit of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueLimit {
    Length,
    Bytes,
    Delivery,
    MessageTtl,
    Expires,
}

/// What kind of thing it is; in the order in which reports list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoverableKind {
    Queues,
    Bindings,
    Policies,
    Permissions,
    DeadLetters,
    Retries,
    Limits,
}

impl CoverableKind {
    pub const ALL: [Self; 7] = [
        Self::Queues,
        Self::Bindings,
        Self::Policies,
        Self::Permissions,
        Self::DeadLetters,
        Self::Retries,
        Self::Limits,
    ];
}

impl QueueLimit {
    /// Returns RabbitMQ's key, as policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "max-length",
            Self::Bytes => "max-length-bytes",
            Self::Delivery => "delivery-limit",
            Self::MessageTtl => "message-ttl",
            Self::Expires => "expires",
        }
    }
}

impl Coverable {
    /// Returns the kind that it is counted with.
    pub fn kind(&self) -> CoverableKind {
        match self {
            Self::Queue(_) => CoverableKind::Queues,
            Self::Binding(_) => CoverableKind::Bindings,
            Self::Policy { .. } => CoverableKind::Policies,
            Self::Right { .. } => CoverableKind::Permissions,
            Self::DeadLetter(..) => CoverableKind::DeadLetters,
            Self::Retry { .. } => CoverableKind::Retries,
            Self::Limit(..) => CoverableKind::Limits,
        }
    }
}
