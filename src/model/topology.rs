//! What a broker should hold: the objects of a definitions file, lowered to RabbitMQ's own arguments.
//! Plain data that compares by value; places in the file live beside it, in [`Origins`](crate::model::Origins).

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Name, QueueName, Secret, Table};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// Everything that a file declares, or that a broker was seen to hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topology {
    pub vhosts: Vec<Vhost>,
    pub users: Vec<User>,
    pub permissions: Vec<Permission>,
    pub topic_permissions: Vec<TopicPermission>,
    pub exchanges: Vec<Exchange>,
    pub queues: Vec<Queue>,
    pub bindings: Vec<Binding>,
    pub policies: Vec<Policy>,
    pub operator_policies: Vec<Policy>,
    pub parameters: Vec<Parameter>,
    pub global_parameters: IndexMap<String, serde_json::Value>,
}

/// A virtual host. Absent metadata is left as the broker has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vhost {
    pub name: Name,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub default_queue_type: Option<String>,
    /// A broker of 4.1 or later then refuses to delete it.
    pub protected_from_deletion: Option<bool>,
    /// `max-connections`, `max-queues`; -1 is unlimited.
    pub limits: BTreeMap<String, i64>,
}

/// How a user proves who it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    Password(Secret),
    /// Base64 of salt and digest, and `rabbit_password_hashing_sha256` or another algorithm.
    Hash {
        hash: Secret,
        algorithm: String,
    },
}

/// A user of the broker; no credential means: leave the stored one, or create one that cannot log in.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub name: Name,
    pub credential: Option<Credential>,
    pub tags: Vec<String>,
    /// `max-connections`, `max-channels`; -1 is unlimited.
    pub limits: BTreeMap<String, i64>,
}

/// Holds a user's three patterns in one vhost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    pub user: Name,
    pub vhost: Name,
    pub configure: String,
    pub write: String,
    pub read: String,
}

/// Holds a user's patterns on routing keys of one topic exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPermission {
    pub user: Name,
    pub vhost: Name,
    pub exchange: Name,
    pub write: String,
    pub read: String,
}

/// An exchange; its type is RabbitMQ's word (`direct`, `topic`, `x-…`).
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub vhost: Name,
    pub name: Name,
    pub kind: Name,
    pub durable: bool,
    pub auto_delete: bool,
    pub internal: bool,
    pub arguments: Table,
}

/// Names the implementation behind a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKind {
    Classic,
    Quorum,
    Stream,
}

/// A queue; everything beyond its flags stands in `arguments` under RabbitMQ's names (`x-message-ttl`).
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub vhost: Name,
    pub name: Name,
    pub durable: bool,
    pub auto_delete: bool,
    pub exclusive: bool,
    pub arguments: Table,
}

/// What a binding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationKind {
    Queue,
    Exchange,
}

/// Leads from an exchange to a queue or an exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    pub vhost: Name,
    pub source: Name,
    pub destination: Name,
    pub destination_kind: DestinationKind,
    pub routing_key: Name,
    pub arguments: Table,
}

/// Which objects a policy may catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApplyTo {
    All,
    Queues,
    ClassicQueues,
    QuorumQueues,
    Streams,
    Exchanges,
}

impl ApplyTo {
    /// Returns whether queues of that type are meant (PO-2).
    pub fn covers(self, kind: QueueKind) -> bool {
        match self {
            ApplyTo::All | ApplyTo::Queues => true,
            ApplyTo::ClassicQueues => kind == QueueKind::Classic,
            ApplyTo::QuorumQueues => kind == QueueKind::Quorum,
            ApplyTo::Streams => kind == QueueKind::Stream,
            ApplyTo::Exchanges => false,
        }
    }
}

/// Sets values on all objects whose name its pattern finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub vhost: Name,
    pub name: Name,
    pub pattern: String,
    pub apply_to: ApplyTo,
    pub priority: i64,
    /// RabbitMQ's keys (`message-ttl`) and values.
    pub definition: IndexMap<String, serde_json::Value>,
}

/// A runtime parameter of a component (shovel, federation-upstream, …).
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub vhost: Name,
    pub component: String,
    pub name: Name,
    pub value: serde_json::Value,
}

impl Queue {
    /// Returns the queue's name with its vhost.
    pub fn id(&self) -> QueueName {
        QueueName { vhost: self.vhost.clone(), name: self.name.clone() }
    }

    /// Returns the type that the arguments ask for; absent means classic (a vhost's default aside).
    pub fn kind(&self) -> QueueKind {
        let named = self.arguments.get("x-queue-type").and_then(crate::model::Value::as_text);
        named.and_then(QueueKind::named).unwrap_or(QueueKind::Classic)
    }
}

impl ApplyTo {
    /// Returns what RabbitMQ's word means.
    pub fn named(word: &str) -> Option<ApplyTo> {
        let all = [
            ApplyTo::All,
            ApplyTo::Queues,
            ApplyTo::ClassicQueues,
            ApplyTo::QuorumQueues,
            ApplyTo::Streams,
            ApplyTo::Exchanges,
        ];
        all.into_iter().find(|known| known.as_str() == word)
    }

    /// Returns RabbitMQ's word.
    pub fn as_str(self) -> &'static str {
        match self {
            ApplyTo::All => "all",
            ApplyTo::Queues => "queues",
            ApplyTo::ClassicQueues => "classic_queues",
            ApplyTo::QuorumQueues => "quorum_queues",
            ApplyTo::Streams => "streams",
            ApplyTo::Exchanges => "exchanges",
        }
    }
}

impl DestinationKind {
    /// Returns RabbitMQ's word.
    pub fn as_str(self) -> &'static str {
        match self {
            DestinationKind::Queue => "queue",
            DestinationKind::Exchange => "exchange",
        }
    }
}

impl QueueKind {
    /// Returns the type that RabbitMQ's word names.
    pub fn named(word: &str) -> Option<QueueKind> {
        [QueueKind::Classic, QueueKind::Quorum, QueueKind::Stream].into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns RabbitMQ's word.
    pub fn as_str(self) -> &'static str {
        match self {
            QueueKind::Classic => "classic",
            QueueKind::Quorum => "quorum",
            QueueKind::Stream => "stream",
        }
    }
}

impl Topology {
    /// Lists every vhost that an object names or that is declared, in order of first mention.
    pub fn vhost_names(&self) -> Vec<Name> {
        let mentions = (self.vhosts.iter().map(|o| &o.name))
            .chain(self.permissions.iter().map(|o| &o.vhost))
            .chain(self.topic_permissions.iter().map(|o| &o.vhost))
            .chain(self.exchanges.iter().map(|o| &o.vhost))
            .chain(self.queues.iter().map(|o| &o.vhost))
            .chain(self.bindings.iter().map(|o| &o.vhost))
            .chain(self.policies.iter().map(|o| &o.vhost))
            .chain(self.operator_policies.iter().map(|o| &o.vhost))
            .chain(self.parameters.iter().map(|o| &o.vhost));
        let mut names: Vec<Name> = Vec::new();
        for name in mentions {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Finds a queue.
    pub fn queue(&self, vhost: &str, name: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| &*queue.vhost == vhost && &*queue.name == name)
    }
}
