//! What may stay away without a change of meaning, and which objects of two topologies differ.
//! Takes topologies; gives them without defaults, or the objects that are not the same. Never asks a broker.

use crate::model::{Name, Object, QueueKind, Topology, Value};
use std::collections::BTreeMap;

/// Leaves out what every broker adds by itself: the type classic where it is the default, empty descriptions, exchanges
/// of RabbitMQ's own.
pub fn without_defaults(topology: &mut Topology) {
    for vhost in &mut topology.vhosts {
        vhost.description.take_if(|text| text.is_empty());
        vhost.tags.take_if(|tags| tags.is_empty());
        vhost.default_queue_type.take_if(|kind| kind == QueueKind::Classic.as_str());
        vhost.protected_from_deletion.take_if(|protected| !*protected);
    }
    // Every vhost has them, and nobody can declare others of such names.
    topology.exchanges.retain(|exchange| !exchange.name.is_empty() && !exchange.name.starts_with("amq."));
    let types = default_types(topology);
    for queue in &mut topology.queues {
        let is_classic = queue.arguments.get("x-queue-type").and_then(Value::as_text) == Some("classic");
        if is_classic && !types.contains_key(&queue.vhost) {
            queue.arguments.shift_remove("x-queue-type");
        }
    }
}

/// Returns the types that vhosts give to queues without one, where that is not classic.
pub(crate) fn default_types(topology: &Topology) -> BTreeMap<Name, String> {
    let named =
        topology.vhosts.iter().filter_map(|vhost| Some((vhost.name.clone(), vhost.default_queue_type.clone()?)));
    named.filter(|(_, kind)| kind != QueueKind::Classic.as_str()).collect()
}

/// Writes into queues without a type the one that their vhost gives them.
fn with_types(topology: &mut Topology) {
    let types = default_types(topology);
    for queue in topology.queues.iter_mut().filter(|queue| !queue.arguments.contains_key("x-queue-type")) {
        if let Some(kind) = types.get(&queue.vhost) {
            queue.arguments.insert("x-queue-type".into(), Value::from(kind.as_str()));
        }
    }
}

/// Lists the objects that only one of two topologies has, or that differ in them; defaults and order do not count.
pub fn objects_that_differ(one: &Topology, other: &Topology) -> Vec<Object> {
    let (mut one, mut other) = (one.clone(), other.clone());
    with_types(&mut one);
    with_types(&mut other);
    without_defaults(&mut one);
    without_defaults(&mut other);
    let mut found = Vec::new();
    macro_rules! compare {
        ($list:ident, $object:expr) => {
            differing(&one.$list, &other.$list, $object, &mut found);
        };
    }
    compare!(users, crate::model::User::object);
    compare!(vhosts, crate::model::Vhost::object);
    compare!(permissions, crate::model::Permission::object);
    compare!(topic_permissions, crate::model::TopicPermission::object);
    compare!(exchanges, crate::model::Exchange::object);
    compare!(queues, crate::model::Queue::object);
    compare!(bindings, crate::model::Binding::object);
    compare!(policies, |policy: &crate::model::Policy| policy.object(false));
    compare!(operator_policies, |policy: &crate::model::Policy| policy.object(true));
    compare!(parameters, crate::model::Parameter::object);
    let names = one.global_parameters.keys().chain(other.global_parameters.keys());
    let differ = names.filter(|name| one.global_parameters.get(*name) != other.global_parameters.get(*name));
    found.extend(differ.map(|name| Object::GlobalParameter { name: name.as_str().into() }));
    found.sort();
    found.dedup();
    found
}

fn differing<T: PartialEq>(one: &[T], other: &[T], object: impl Fn(&T) -> Object, found: &mut Vec<Object>) {
    let by_object = |list: &[T]| -> BTreeMap<Object, usize> {
        list.iter().enumerate().map(|(at, item)| (object(item), at)).collect()
    };
    let (left, right) = (by_object(one), by_object(other));
    for (object, at) in &left {
        if right.get(object).is_none_or(|there| one[*at] != other[*there]) {
            found.push(object.clone());
        }
    }
    found.extend(right.keys().filter(|object| !left.contains_key(*object)).cloned());
}
