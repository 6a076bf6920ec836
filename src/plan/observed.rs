//! What a broker was seen to hold.
//! Filled by `io` from one definitions export and the lists that the export leaves out. Never asks a broker itself.

use crate::model::{Name, ObjectKind, Profile, QueueKind, QueueName, Topology, Value, Version, Vhost};
use crate::rules::{differences, type_of_new_queue};
use std::collections::{BTreeMap, BTreeSet};

/// A broker's topology and what its queues hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// All objects that can be declared.
    pub topology: Topology,
    /// Queues that are missing here were not counted.
    pub queues: BTreeMap<QueueName, QueueFacts>,
    /// The broker's.
    pub version: Version,
    /// The user that reads and will write; empty where it is not known.
    pub account: Name,
    /// The types that the broker knows; empty where they are not known.
    pub exchange_types: Vec<String>,
    /// What the account's rights did not allow to read: nothing of these kinds can be compared.
    pub unread: BTreeSet<ObjectKind>,
    /// The vhosts that the account may not enter: nothing in them was read.
    pub closed: BTreeSet<Name>,
    /// The vhosts that run on no node.
    pub down: BTreeSet<Name>,
    /// The vhosts that are down, or lack exchanges that every vhost has: whoever made them was ended while they were made.
    pub unfinished: BTreeSet<Name>,
    /// What the broker and the account can do; `None` where nobody asked.
    pub abilities: Option<Abilities>,
}

/// What a broker and an account can do, as far as it is known before the first write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abilities {
    /// The applications that run on its nodes, plugins among them; empty where the account may not see them.
    pub applications: BTreeSet<String>,
    /// Deprecated features that the broker does not permit.
    pub denied_features: Vec<String>,
    /// The account's tags.
    pub tags: Vec<String>,
}

/// What is at stake in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFacts {
    /// Ready and unacked together.
    pub messages: u64,
    /// `None` when they were not asked for.
    pub consumers: Option<u64>,
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
            unread: BTreeSet::new(),
            closed: BTreeSet::new(),
            down: BTreeSet::new(),
            unfinished: BTreeSet::new(),
            abilities: None,
        }
    }

    /// Lets a file stand in the broker's place: nothing is counted, no account is in use.
    ///
    /// A vhost that the file only puts objects into is there too. Queues that name no type have the one that they would be
    /// made with; those of an export (`is_export`) were made already, and are classic.
    pub fn of_file(mut topology: Topology, version: Option<Version>, is_export: bool) -> Self {
        for name in topology.vhost_names() {
            if !topology.vhosts.iter().any(|vhost| vhost.name == name) {
                topology.vhosts.push(Vhost { name, ..Vhost::default() });
            }
        }
        let observed = Self::empty(Profile::NEWEST);
        if !is_export {
            name_types(&mut topology, version.unwrap_or(observed.version));
        }
        // Of a version that the file names it is known what it refuses; of its plugins and its account nothing is.
        let abilities = version.map(|_| Abilities { tags: vec!["administrator".to_owned()], ..Abilities::default() });
        Self { topology, version: version.unwrap_or(observed.version), abilities, ..observed }
    }

    /// Returns the messages in a queue; `None` when nothing counted them, and it may hold any.
    pub fn messages(&self, queue: &QueueName) -> Option<u64> {
        self.queues.get(queue).map(|facts| facts.messages)
    }
}

/// Writes out the types that queues get by their vhost's default.
fn name_types(topology: &mut Topology, version: Version) {
    let rules = differences(Profile::nearest(version));
    for queue in topology.queues.iter_mut().filter(|queue| !queue.arguments.contains_key("x-queue-type")) {
        let default = topology.vhosts.iter().find(|vhost| vhost.name == queue.vhost);
        let default = default.and_then(|vhost| QueueKind::named(vhost.default_queue_type.as_deref()?));
        let kind = type_of_new_queue(queue, default, rules);
        if kind != QueueKind::Classic {
            queue.arguments.insert("x-queue-type".into(), Value::Text(kind.as_str().into()));
        }
    }
}
