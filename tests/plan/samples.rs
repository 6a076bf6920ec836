//! Topologies that the tests share, built by hand: the YAML room is no part of a plan.

use indexmap::IndexMap;
use rmqplay::model::{
    ApplyTo, Binding, Credential, DestinationKind, Exchange, Permission, Policy, Queue, Secret, Table, TopicPermission,
    Topology, User, Value, Vhost,
};

pub fn vhost(name: &str) -> Vhost {
    Vhost { name: name.into(), ..Vhost::default() }
}

pub fn user(name: &str, password: &str, tags: &[&str]) -> User {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let credential = (!password.is_empty()).then(|| Credential::Password(Secret::new(password)));
    User { name: name.into(), credential, tags, limits: Default::default() }
}

pub fn permission(user: &str, configure: &str, write: &str, read: &str) -> Permission {
    Permission {
        user: user.into(),
        vhost: "/".into(),
        configure: configure.into(),
        write: write.into(),
        read: read.into(),
    }
}

pub fn topic_permission(user: &str, exchange: &str, write: &str, read: &str) -> TopicPermission {
    TopicPermission {
        user: user.into(),
        vhost: "/".into(),
        exchange: exchange.into(),
        write: write.into(),
        read: read.into(),
    }
}

pub fn exchange(name: &str, kind: &str) -> Exchange {
    Exchange {
        vhost: "/".into(),
        name: name.into(),
        kind: kind.into(),
        durable: true,
        auto_delete: false,
        internal: false,
        arguments: Table::new(),
    }
}

pub fn queue(name: &str, arguments: &[(&str, Value)]) -> Queue {
    Queue {
        vhost: "/".into(),
        name: name.into(),
        durable: true,
        auto_delete: false,
        exclusive: false,
        arguments: table(arguments),
    }
}

pub fn binding(source: &str, destination: &str, key: &str) -> Binding {
    Binding {
        vhost: "/".into(),
        source: source.into(),
        destination: destination.into(),
        destination_kind: DestinationKind::Queue,
        routing_key: key.into(),
        arguments: Table::new(),
    }
}

pub fn policy(name: &str, pattern: &str, priority: i64, definition: &[(&str, serde_json::Value)]) -> Policy {
    let definition: IndexMap<String, serde_json::Value> =
        definition.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Policy {
        vhost: "/".into(),
        name: name.into(),
        pattern: pattern.into(),
        apply_to: ApplyTo::Queues,
        priority,
        definition,
    }
}

pub fn table(entries: &[(&str, Value)]) -> Table {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// A small shop: one of everything.
pub fn shop() -> Topology {
    let mut alice = user("alice", "wonderland", &["monitoring"]);
    alice.limits.insert("max-connections".into(), 5);
    let mut orders = vhost("/");
    orders.limits.insert("max-queues".into(), 50);
    let quorum = [("x-queue-type", Value::from("quorum")), ("x-message-ttl", Value::from(5000))];
    let mut internal = exchange("audit", "fanout");
    internal.internal = true;
    Topology {
        vhosts: vec![orders],
        users: vec![alice],
        permissions: vec![permission("alice", "^$", "^game$", "^cmd\\.alice$")],
        topic_permissions: vec![topic_permission("alice", "game", "^status\\.", "^quest\\.")],
        exchanges: vec![exchange("game", "topic"), internal],
        queues: vec![queue("ttl.q", &quorum), queue("work.q", &[("x-custom", Value::from(1))])],
        bindings: vec![binding("game", "ttl.q", "ttl.#"), binding("game", "work.q", "work.*")],
        policies: vec![policy("cap", "^work", 1, &[("max-length", 10.into())])],
        ..Topology::default()
    }
}
