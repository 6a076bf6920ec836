//! What a file says of the treatment of what a broker holds: how a queue is replaced, what is left alone,
//! what the broker must have.
//! Plain data beside a topology; no part of what a broker should hold.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::QueueName;
use crate::source::Span;
use std::collections::BTreeMap;

/// How a queue is replaced that has values which RabbitMQ never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Replacement {
    /// Nothing is written.
    #[default]
    Refuse,
    /// Deleted and declared anew, if it holds no message.
    IfEmpty,
    /// Deleted with its messages, and declared anew.
    Drop,
    /// Its messages wait in a holding queue meanwhile.
    Move,
}

/// The kinds of objects that can be left alone by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoredKind {
    Queues,
    Exchanges,
    Bindings,
    Policies,
    OperatorPolicies,
    Parameters,
    Permissions,
    TopicPermissions,
    Limits,
    Users,
    Vhosts,
    GlobalParameters,
}

/// A kind of objects with the pattern of the names that are left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub kind: IgnoredKind,
    /// A regular expression, as policies take it.
    pub pattern: String,
}

/// The treatment that files ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handling {
    pub replace: BTreeMap<QueueName, Replacement>,
    pub ignored: Vec<Ignored>,
    /// What a broker must have enabled, each with its place.
    pub plugins: Vec<(String, Span)>,
}

impl Handling {
    /// Takes in what another file asks for; where both say how a queue is replaced, the first word holds.
    pub fn join(&mut self, other: Handling) {
        for (queue, replacement) in other.replace {
            self.replace.entry(queue).or_insert(replacement);
        }
        for ignored in other.ignored {
            if !self.ignored.contains(&ignored) {
                self.ignored.push(ignored);
            }
        }
        for (plugin, place) in other.plugins {
            if self.plugins.iter().all(|(known, _)| *known != plugin) {
                self.plugins.push((plugin, place));
            }
        }
    }
}

impl Replacement {
    /// The words of the language and of flags.
    pub const WORDS: [&'static str; 4] = ["refuse", "if-empty", "drop", "move"];

    /// Finds what a word means.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Refuse, Self::IfEmpty, Self::Drop, Self::Move].into_iter().find(|one| one.as_str() == word)
    }

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Replacement::Refuse => Self::WORDS[0],
            Replacement::IfEmpty => Self::WORDS[1],
            Replacement::Drop => Self::WORDS[2],
            Replacement::Move => Self::WORDS[3],
        }
    }
}

impl IgnoredKind {
    /// All kinds with their words.
    pub const ALL: [(&'static str, IgnoredKind); 12] = [
        ("queues", IgnoredKind::Queues),
        ("exchanges", IgnoredKind::Exchanges),
        ("bindings", IgnoredKind::Bindings),
        ("policies", IgnoredKind::Policies),
        ("operator_policies", IgnoredKind::OperatorPolicies),
        ("parameters", IgnoredKind::Parameters),
        ("permissions", IgnoredKind::Permissions),
        ("topic_permissions", IgnoredKind::TopicPermissions),
        ("limits", IgnoredKind::Limits),
        ("users", IgnoredKind::Users),
        ("vhosts", IgnoredKind::Vhosts),
        ("global_parameters", IgnoredKind::GlobalParameters),
    ];
}
