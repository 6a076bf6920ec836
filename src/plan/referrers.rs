//! What stays and sends messages to an object that is about to be deleted: dead letters, unroutable messages.
//! Takes topologies; gives one sentence per deletion. Never deletes.

use crate::model::{Name, Object, Policy, Queue, Table, Topology, Value};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The objects that stay when others are deleted: those of the file, and those of the broker that no deletion names.
pub(crate) struct Staying<'a> {
    topologies: [&'a Topology; 2],
    gone: BTreeSet<Object>,
}

impl<'a> Staying<'a> {
    pub fn new(desired: &'a Topology, observed: &'a Topology, gone: BTreeSet<Object>) -> Self {
        Self { topologies: [desired, observed], gone }
    }

    /// Returns who sends messages to an object, and which.
    pub fn senders_to(&self, object: &Object) -> Option<String> {
        match object {
            Object::Exchange { vhost, name } => self.to_exchange(vhost, name),
            Object::Queue { vhost, name } => {
                let by_name = |queue: &&Queue| {
                    text(&queue.arguments, "x-dead-letter-exchange") == Some("")
                        && text(&queue.arguments, "x-dead-letter-routing-key") == Some(name)
                };
                let from = self.queues(vhost).filter(|queue| queue.name != *name).find(by_name)?;
                Some(format!("dead letters of queue '{}' go to it", from.name))
            }
            _ => None,
        }
    }

    fn to_exchange(&self, vhost: &Name, name: &Name) -> Option<String> {
        let dying = |queue: &&Queue| text(&queue.arguments, "x-dead-letter-exchange") == Some(name);
        if let Some(queue) = self.queues(vhost).find(dying) {
            return Some(format!("dead letters of queue '{}' go to it", queue.name));
        }
        let exchanges = self.topologies.iter().flat_map(|topology| &topology.exchanges);
        let mut exchanges = exchanges.filter(|it| it.vhost == *vhost && !self.gone.contains(&it.object()));
        if let Some(from) = exchanges.find(|it| text(&it.arguments, "alternate-exchange") == Some(name)) {
            return Some(format!("what exchange '{}' cannot route goes to it", from.name));
        }
        let policies = self.topologies.iter().flat_map(|topology| &topology.policies);
        let mut policies = policies.filter(|it| it.vhost == *vhost && !self.gone.contains(&it.object(false)));
        let names_it = |policy: &&Policy| {
            let keys = ["dead-letter-exchange", "alternate-exchange"];
            keys.iter().any(|key| policy.definition.get(*key).and_then(Json::as_str) == Some(name))
        };
        policies.find(names_it).map(|policy| format!("policy '{}' sends messages to it", policy.name))
    }

    fn queues(&self, vhost: &Name) -> impl Iterator<Item = &'a Queue> {
        let queues = self.topologies.iter().flat_map(|topology| &topology.queues);
        queues.filter(move |queue| queue.vhost == *vhost && !self.gone.contains(&queue.object()))
    }
}

fn text<'t>(arguments: &'t Table, key: &str) -> Option<&'t str> {
    match arguments.get(key) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}
