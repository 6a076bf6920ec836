//! What a run exercised inside its broker: where messages came, by which bindings, how they died, who was asked for rights.
//! Only the sim knows it. Plain sets under declared names, so that those of many runs are put together.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::Death;
use crate::model::{Name, Object, QueueName};
use std::collections::BTreeSet;

/// What happened at least once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exercised {
    /// The queues that messages were routed to.
    pub queues: BTreeSet<QueueName>,
    /// The bindings that fitted a message, as objects.
    pub bindings: BTreeSet<Object>,
    /// The exchanges, with their vhost, that passed a message to their alternate.
    pub alternates: BTreeSet<(Name, Name)>,
    /// How messages died in queues, dead-lettered or not.
    pub deaths: BTreeSet<(QueueName, Death)>,
    /// How messages died that went on to a dead-letter exchange.
    pub dead_letters: BTreeSet<(QueueName, Death)>,
    /// The length limits that dropped or refused a message.
    pub full: BTreeSet<(QueueName, LengthLimit)>,
    /// The queues that were deleted as nobody used them.
    pub expired_queues: BTreeSet<QueueName>,
    pub rights: BTreeSet<AskedRight>,
    /// The rules of the rule book that were at work.
    pub rules: BTreeSet<&'static str>,
    /// A run had more different routing keys or headers than are looked at: bindings may be missing here.
    pub cut: bool,
}

/// What a queue is full by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LengthLimit {
    Messages,
    Bytes,
}

/// A right that a user was asked for, and what the answer was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskedRight {
    pub user: Name,
    pub vhost: Name,
    /// The topic exchange, where it is about routing keys.
    pub exchange: Option<Name>,
    /// `configure`, `write` or `read`.
    pub right: &'static str,
    pub granted: bool,
}

impl Exercised {
    /// Adds what another run exercised.
    pub fn merge(&mut self, other: Exercised) {
        self.queues.extend(other.queues);
        self.bindings.extend(other.bindings);
        self.alternates.extend(other.alternates);
        self.deaths.extend(other.deaths);
        self.dead_letters.extend(other.dead_letters);
        self.full.extend(other.full);
        self.expired_queues.extend(other.expired_queues);
        self.rights.extend(other.rights);
        self.rules.extend(other.rules);
        self.cut |= other.cut;
    }
}
