//! The deletion of one object: the requests that bring it about, what is lost by it, and its place among others.
//! Takes what a broker was seen to hold; gives a change. Never deletes.

use crate::broker::{Management, Method};
use crate::model::{Binding, Name, Object, QueueKind, QueueName, Table, Value};
use crate::plan::extra::Extra;
use crate::plan::{Change, Observed, Risk, Write};

/// Makes the change that deletes an object; what a policy does by going is judged with all others.
pub(crate) fn deletion(extra: Extra, reason: &'static str, observed: &Observed) -> Change {
    let writes = writes(&extra, observed);
    let risk = risk(&extra);
    Change { risk, ..Change::delete(extra, reason, writes) }
}

/// Puts deletions into the order in which nothing is missed: what leads to an object goes before it.
pub(crate) fn in_order(changes: &mut [Change]) {
    changes.sort_by_key(|change| rank(&change.object));
}

fn rank(object: &Object) -> u8 {
    match object {
        Object::Binding { .. } => 0,
        Object::Queue { .. } => 1,
        Object::Exchange { .. } => 2,
        Object::Parameter { .. } => 3,
        Object::Policy { .. } | Object::OperatorPolicy { .. } => 4,
        Object::GlobalParameter { .. } => 5,
        Object::TopicPermission { .. } | Object::Permission { .. } => 6,
        Object::VhostLimit { .. } => 7,
        Object::Vhost { .. } => 8,
        Object::User { .. } => 9,
    }
}

fn writes(extra: &Extra, observed: &Observed) -> Vec<Write> {
    let act = match &extra.object {
        Object::Binding { .. } => {
            let is_it = |binding: &&Binding| binding.object() == extra.object;
            let binding = observed.topology.bindings.iter().find(is_it);
            return binding.map(|it| Write::Call(Method::Unbind(Box::new(it.clone())))).into_iter().collect();
        }
        Object::Queue { vhost, name } => return delete_queue(vhost, name, extra.stakes.is_in_use(), observed),
        Object::Exchange { name, .. } => {
            return vec![Write::Call(Method::DeleteExchange { exchange: name.clone(), if_unused: false })];
        }
        Object::Policy { vhost, name } => clear_policy(vhost, name, false),
        Object::OperatorPolicy { vhost, name } => clear_policy(vhost, name, true),
        Object::Parameter { vhost, component, name } => {
            let (vhost, component, name) = (vhost.clone(), component.clone(), name.clone());
            Management::ClearParameter { vhost, component, name }
        }
        Object::GlobalParameter { name } => Management::ClearGlobalParameter { name: name.clone() },
        Object::Permission { user, vhost } => Management::ClearPermission { user: user.clone(), vhost: vhost.clone() },
        Object::TopicPermission { user, vhost, exchange } => {
            let (user, vhost, exchange) = (user.clone(), vhost.clone(), exchange.clone());
            Management::ClearTopicPermission { user, vhost, exchange }
        }
        Object::VhostLimit { vhost, name } => Management::ClearVhostLimit { vhost: vhost.clone(), name: name.clone() },
        // The broker would refuse it, after all else was deleted.
        Object::Vhost { name } if is_protected(name, observed) => return Vec::new(),
        Object::Vhost { name } => Management::DeleteVhost { vhost: name.clone() },
        Object::User { name } => Management::DeleteUser { user: name.clone() },
    };
    vec![Write::Manage(act)]
}

fn is_protected(vhost: &Name, observed: &Observed) -> bool {
    let known = observed.topology.vhosts.iter().find(|one| one.name == *vhost);
    known.is_some_and(|vhost| vhost.protected_from_deletion == Some(true))
}

/// Deletes a queue. One that was seen without messages and consumers is looked at again just before, and a classic one goes
/// only if that still holds; a quorum queue refuses those flags and a stream passes over them (ER-10). The count of a stream
/// is seconds late (ST-6), so its first message is asked for too.
pub(crate) fn delete_queue(vhost: &Name, name: &Name, in_use: bool, observed: &Observed) -> Vec<Write> {
    let kind = observed.topology.queue(vhost, name).map_or(QueueKind::Classic, |queue| queue.kind());
    let has_flags = kind == QueueKind::Classic && !in_use;
    let mut calls = Vec::new();
    if !in_use {
        calls.push(Method::CheckQueue { queue: name.clone() });
        if kind == QueueKind::Stream {
            calls.extend(read_first(name));
        }
    }
    calls.push(Method::DeleteQueue { queue: name.clone(), if_unused: has_flags, if_empty: has_flags });
    calls.into_iter().map(Write::Call).collect()
}

/// Asks for the first message of a stream, as a consumer that ends with the stream.
fn read_first(name: &Name) -> [Method; 2] {
    let consumer = "rmqplay-look".into();
    let arguments = [(Name::from("x-stream-offset"), Value::from("first"))].into_iter().collect::<Table>();
    let consume = Method::Consume { queue: name.clone(), consumer, no_ack: false, exclusive: false, arguments };
    [Method::Qos { prefetch: 1, global: false }, consume]
}

/// Names the messages that go with a queue.
pub(crate) fn its_messages(messages: Option<u64>) -> &'static str {
    if messages.is_some() { "its messages" } else { "the messages that it may hold" }
}

fn clear_policy(vhost: &Name, name: &Name, operator: bool) -> Management {
    Management::ClearPolicy { vhost: vhost.clone(), name: name.clone(), operator }
}

fn risk(extra: &Extra) -> Option<Box<Risk>> {
    let gone = "none";
    match &extra.object {
        Object::Queue { vhost, name } if extra.stakes.is_in_use() => {
            let queue = QueueName { vhost: vhost.clone(), name: name.clone() };
            let consumers = extra.stakes.consumers.unwrap_or(0);
            let messages = its_messages(extra.stakes.messages);
            let what = if consumers > 0 {
                format!("{} goes with {messages}, and consumers of it are cancelled", extra.object)
            } else {
                format!("{} goes with {messages}", extra.object)
            };
            let queues = vec![(queue, extra.stakes.messages)];
            Some(Box::new(Risk { what, queues, old: extra.words.join(", "), new: gone.to_owned() }))
        }
        Object::Permission { .. } | Object::TopicPermission { .. } => {
            Some(Risk::of_rights(format!("{} go", extra.object), extra.words.join(", "), gone))
        }
        Object::User { .. } => {
            Some(Risk::of_rights(format!("{} cannot log in any more", extra.object), extra.words.join(", "), gone))
        }
        Object::Vhost { .. } => {
            let what = format!("{} goes with all its queues and their messages", extra.object);
            Some(Risk::of_rights(what, extra.words.join(", "), gone))
        }
        _ => None,
    }
}
