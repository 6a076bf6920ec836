//! What a broker was seen to hold.
//! Filled by `io` from one definitions export and the lists that the export leaves out. Never asks a broker itself.

use crate::model::{Name, Profile, QueueName, Topology, Version};
use std::collections::BTreeMap;

/// A broker's topology and what its queues hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub topology: Topology,
    /// Queues that are missing here count as empty and unused.
    pub queues: BTreeMap<QueueName, QueueFacts>,
    pub version: Version,
    /// The user that reads and will write; empty where it is not known.
    pub account: Name,
    /// The types that the broker knows; empty where they are not known.
    pub exchange_types: Vec<String>,
}

/// What is at stake in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFacts {
    /// Ready and unacked together.
    pub messages: u64,
    pub consumers: u64,
}

impl Observed {
    /// Shows a broker that holds nothing but what each has from the beginning.
    pub fn empty(profile: Profile) -> Self {
        Self {
            topology: Topology::default(),
            queues: BTreeMap::new(),
            version: profile.version(),
            account: Name::default(),
            exchange_types: Vec::new(),
        }
    }

    /// Returns the messages in a queue; an unknown one has none.
    pub fn messages(&self, queue: &QueueName) -> u64 {
        self.queues.get(queue).map_or(0, |facts| facts.messages)
    }
}
