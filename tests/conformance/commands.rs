//! Reads a step's words as what the seam can be asked: messages, methods, management acts.

use super::script::{Step, unquoted, value};
use rmqplay::broker::{Management, Method};
use rmqplay::model::{
    ApplyTo, Binding, DestinationKind, Exchange, Message, Name, Permission, Policy, Properties, Queue, Table,
    TopicPermission, User, Vhost,
};
use std::collections::BTreeMap;

/// Reads the message of a publish.
pub fn message_of(step: &Step) -> Message {
    let text = |name: &str| step.named(name).map(|word| Name::from(unquoted(word)));
    let number = |name: &str| step.named(name).and_then(|word| word.parse().ok());
    let number_of_seconds = step.named("timestamp").and_then(|word| word.parse().ok());
    let headers: Table = step.table("h.", false);
    let body = match step.named("size").and_then(|size| size.parse().ok()) {
        Some(size) => vec![b'x'; size],
        None => step.named("body").unwrap_or("").as_bytes().to_vec(),
    };
    let properties = Properties {
        message_id: text("id"),
        expiration: text("ttl"),
        priority: number("priority"),
        delivery_mode: number("mode"),
        content_type: text("type"),
        user_id: text("user_id"),
        reply_to: text("reply_to"),
        correlation_id: text("correlation_id"),
        timestamp: number_of_seconds,
        headers: if headers.is_empty() { None } else { Some(headers) },
        ..Properties::default()
    };
    Message { properties, body: body.into() }
}

/// Reads an AMQP method that has a reply.
pub fn method(step: &Step, vhost: Name) -> Method {
    let (name, flag) = (|n: usize| Name::from(step.word(n)), |flag: &str| step.has(flag));
    match (step.word(0).as_str(), step.word(1).as_str()) {
        ("declare", "queue") => Method::DeclareQueue(Box::new(Queue {
            vhost,
            name: name(2),
            durable: !flag("transient"),
            auto_delete: flag("auto-delete"),
            exclusive: flag("exclusive"),
            arguments: step.table("x-", true),
        })),
        ("declare", "exchange") => Method::DeclareExchange(Box::new(Exchange {
            vhost,
            name: name(2),
            kind: name(3),
            durable: !flag("transient"),
            auto_delete: flag("auto-delete"),
            internal: flag("internal"),
            arguments: step.table("alternate-exchange", true).into_iter().chain(step.table("arg.", false)).collect(),
        })),
        ("check", "queue") => Method::CheckQueue { queue: name(2) },
        ("check", _) => Method::CheckExchange { exchange: name(2) },
        ("delete", "queue") => {
            Method::DeleteQueue { queue: name(2), if_unused: flag("if-unused"), if_empty: flag("if-empty") }
        }
        ("delete", _) => Method::DeleteExchange { exchange: name(2), if_unused: flag("if-unused") },
        ("bind", kind) => Method::Bind(Box::new(binding(step, vhost, kind))),
        ("unbind", kind) => Method::Unbind(Box::new(binding(step, vhost, kind))),
        ("purge", _) => Method::Purge { queue: name(1) },
        ("get", _) => Method::Get { queue: name(1), no_ack: flag("no-ack") },
        ("consume", _) => Method::Consume {
            queue: name(1),
            consumer: name(2),
            no_ack: flag("no-ack"),
            exclusive: flag("exclusive"),
            arguments: step.table("x-", true),
        },
        ("cancel", _) => Method::Cancel { consumer: name(1) },
        ("qos", prefetch) => Method::Qos { prefetch: prefetch.parse().expect("a prefetch"), global: flag("global") },
        ("tx", "select") => Method::TxSelect,
        ("tx", "commit") => Method::TxCommit,
        ("tx", "rollback") => Method::TxRollback,
        ("confirm", "select") => Method::ConfirmSelect,
        ("recover", _) => Method::Recover { requeue: !flag("no-requeue") },
        _ => panic!("line {}: no step `{}`", step.line, step.words.join(" ")),
    }
}

/// Reads `bind queue DESTINATION SOURCE [KEY] [arg.NAME=VALUE …]`.
fn binding(step: &Step, vhost: Name, kind: &str) -> Binding {
    let destination_kind = if kind == "queue" { DestinationKind::Queue } else { DestinationKind::Exchange };
    let key = step.words.get(4).filter(|word| !word.starts_with("arg.")).map(|word| unquoted(word));
    Binding {
        vhost,
        source: step.word(3).into(),
        destination: step.word(2).into(),
        destination_kind,
        routing_key: key.unwrap_or_default().into(),
        arguments: step.table("arg.", false),
    }
}

/// Reads an act of the management API, if the step is one.
pub fn management(step: &Step) -> Option<Management> {
    let (name, operator) = (|n: usize| Name::from(step.word(n)), step.has("operator"));
    let vhost: Name = step.named("vhost").unwrap_or("/").into();
    Some(match (step.word(0).as_str(), step.word(1).as_str()) {
        ("vhost", _) => Management::PutVhost(Box::new(vhost_of(step, name(1)))),
        ("replace", "vhost") => Management::ReplaceVhost(Box::new(vhost_of(step, name(2)))),
        ("user", _) => {
            let tags = step.named("tags").map(|tags| tags.split(',').map(str::to_owned).collect());
            let tags = tags.unwrap_or_default();
            Management::PutUser(Box::new(User { name: name(1), credential: None, tags, limits: BTreeMap::new() }))
        }
        ("permission", _) => Management::PutPermission(Box::new(Permission {
            user: name(1),
            vhost,
            configure: step.word(2),
            write: step.word(3),
            read: step.word(4),
        })),
        ("topic-permission", _) => Management::PutTopicPermission(Box::new(TopicPermission {
            user: name(1),
            vhost,
            exchange: name(2),
            write: step.word(3),
            read: step.word(4),
        })),
        ("policy", _) => Management::PutPolicy { policy: Box::new(policy(step, vhost)), operator },
        ("clear", "policy") => Management::ClearPolicy { vhost, name: name(2), operator },
        ("clear", "topic-permission") => Management::ClearTopicPermission { user: name(2), vhost, exchange: name(3) },
        ("clear", "permission") => Management::ClearPermission { user: name(2), vhost },
        ("remove", "vhost") => Management::DeleteVhost { vhost: name(2) },
        ("remove", "user") => Management::DeleteUser { user: name(2) },
        ("limit", "vhost") => {
            Management::PutVhostLimit { vhost: name(2), name: name(3), value: step.word(4).parse().ok()? }
        }
        ("limit", "user") => {
            Management::PutUserLimit { user: name(2), name: name(3), value: step.word(4).parse().ok()? }
        }
        ("restart", _) => Management::Restart { down_for: step.word(1).parse().expect("a duration") },
        _ => return None,
    })
}

fn vhost_of(step: &Step, name: Name) -> Vhost {
    let default_queue_type = step.named("default-queue-type").map(str::to_owned);
    Vhost { name, default_queue_type, ..Vhost::default() }
}

/// Reads `policy NAME PATTERN key=value … [priority:N] [apply-to:WORD] [operator]`.
fn policy(step: &Step, vhost: Name) -> Policy {
    let after = |prefix: &str| step.words.iter().find_map(|word| word.strip_prefix(prefix));
    let apply_to = match after("apply-to:") {
        Some("queues") => ApplyTo::Queues,
        Some("exchanges") => ApplyTo::Exchanges,
        Some("classic_queues") => ApplyTo::ClassicQueues,
        Some("quorum_queues") => ApplyTo::QuorumQueues,
        _ => ApplyTo::All,
    };
    let pairs = step.words[3..].iter().filter_map(|word| word.split_once('='));
    let definition = pairs.map(|(key, word)| (key.to_owned(), value(word).to_json())).collect();
    Policy {
        vhost,
        name: step.word(1).into(),
        pattern: step.word(2),
        apply_to,
        priority: after("priority:").and_then(|n| n.parse().ok()).unwrap_or(0),
        definition,
    }
}
