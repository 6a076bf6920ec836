//! Recognises what `retry:` of a queue declares, so that it is written as `retry:` again.
//! Takes a topology without defaults; gives each queue's `retry:` and the objects that it stands for. Only what the
//! language would declare to the letter is recognised.

use crate::convert::write::yaml::Yaml;
use crate::model::{
    Binding, DestinationKind, Exchange, Millis, Name, Object, Queue, QueueName, Table, Topology, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// The routing key of messages that were tried often enough.
const PARKED: &str = "parked";

/// The ladders of a topology.
#[derive(Debug, Default)]
pub struct Ladders {
    /// What `retry:` says, by queue.
    pub by_queue: BTreeMap<QueueName, Yaml>,
    /// The objects that need not be written.
    pub implied: BTreeSet<Object>,
    /// The queues whose dead-lettering `retry: {every}` sets.
    pub looping: BTreeSet<QueueName>,
}

/// Finds the ladders.
pub fn ladders(topology: &Topology) -> Ladders {
    let queues: BTreeMap<QueueName, &Queue> = topology.queues.iter().map(|queue| (queue.id(), queue)).collect();
    let mut from: BTreeMap<QueueName, Vec<&Binding>> = BTreeMap::new();
    for binding in &topology.bindings {
        from.entry(QueueName::new(binding.vhost.clone(), binding.source.clone())).or_default().push(binding);
    }
    let mut found = Ladders::default();
    for exchange in topology.exchanges.iter().filter(|exchange| is_plain_exchange(exchange)) {
        let Some(name) = exchange.name.strip_suffix(".retry") else { continue };
        let Some(queue) = queues.get(&QueueName::new(exchange.vhost.clone(), name)) else { continue };
        let id = QueueName::new(exchange.vhost.clone(), exchange.name.clone());
        of_delays(queue, exchange, from.get(&id).map_or(&[], Vec::as_slice), &queues, &mut found);
    }
    for queue in &topology.queues {
        of_loop(queue, &queues, &mut found);
    }
    found
}

fn is_plain_exchange(exchange: &Exchange) -> bool {
    exchange.kind == "direct"
        && exchange.durable
        && !exchange.auto_delete
        && !exchange.internal
        && exchange.arguments.is_empty()
}

/// Recognises `retry: {delays: […], then: …}`.
fn of_delays(
    queue: &Queue,
    exchange: &Exchange,
    bindings: &[&Binding],
    queues: &BTreeMap<QueueName, &Queue>,
    found: &mut Ladders,
) {
    let mut rungs: Vec<(Millis, &str)> = Vec::new();
    let mut then: Option<&Name> = None;
    let mut implied = BTreeSet::from([exchange.object()]);
    for binding in bindings {
        if binding.destination_kind != DestinationKind::Queue || !binding.arguments.is_empty() {
            return;
        }
        if binding.routing_key == PARKED {
            if then.replace(&binding.destination).is_some() {
                return;
            }
        } else {
            let Some(delay) = rung(queue, &binding.routing_key, &binding.destination, queues) else { return };
            if rungs.iter().any(|(known, _)| *known == delay) {
                return;
            }
            rungs.push((delay, &binding.routing_key));
            implied.insert(Object::Queue { vhost: queue.vhost.clone(), name: binding.destination.clone() });
        }
        implied.insert(binding.object());
    }
    if rungs.is_empty() || then.is_some_and(|then| *then == queue.name) {
        return;
    }
    rungs.sort();
    let mut retry =
        vec![("delays".to_owned(), Yaml::List(rungs.iter().map(|(_, written)| Yaml::with_unit(written)).collect()))];
    if let Some(then) = then {
        retry.push(("then".to_owned(), Yaml::text(then)));
        let id = QueueName::new(queue.vhost.clone(), then.clone());
        if queues.get(&id).is_some_and(|parked| is_beside(queue, parked) && parked.arguments == same_type(queue)) {
            implied.insert(Object::Queue { vhost: queue.vhost.clone(), name: then.clone() });
        }
    }
    found.by_queue.insert(queue.id(), Yaml::Map(retry));
    found.implied.extend(implied);
}

/// Recognises `retry: {every: …}`.
fn of_loop(queue: &Queue, queues: &BTreeMap<QueueName, &Queue>, found: &mut Ladders) {
    let text = |name: &str| queue.arguments.get(name).and_then(Value::as_text);
    let (Some(""), Some(back)) = (text("x-dead-letter-exchange"), text("x-dead-letter-routing-key")) else { return };
    let Some(written) = back.strip_prefix(&*queue.name).and_then(|rest| rest.strip_prefix(".retry.")) else { return };
    if found.by_queue.contains_key(&queue.id()) || rung(queue, written, back, queues).is_none() {
        return;
    }
    found.by_queue.insert(queue.id(), Yaml::Map(vec![("every".to_owned(), Yaml::with_unit(written))]));
    found.implied.insert(Object::Queue { vhost: queue.vhost.clone(), name: back.into() });
    found.looping.insert(queue.id());
}

/// Returns the delay of a wait queue that is exactly what `retry:` would declare under these words.
fn rung(queue: &Queue, written: &str, name: &str, queues: &BTreeMap<QueueName, &Queue>) -> Option<Millis> {
    let delay: Millis = written.parse().ok().filter(|delay: &Millis| delay.0 > 0)?;
    if written.contains(char::is_whitespace) || name != format!("{}.retry.{written}", queue.name) {
        return None;
    }
    let wait = queues.get(&QueueName::new(queue.vhost.clone(), name))?;
    let mut arguments = same_type(queue);
    arguments.insert("x-message-ttl".into(), Value::I64(i64::try_from(delay.0).ok()?));
    arguments.insert("x-dead-letter-exchange".into(), Value::from(""));
    arguments.insert("x-dead-letter-routing-key".into(), Value::from(&*queue.name));
    (is_beside(queue, wait) && wait.arguments == arguments).then_some(delay)
}

fn is_beside(queue: &Queue, other: &Queue) -> bool {
    other.durable == queue.durable && !other.auto_delete && !other.exclusive
}

fn same_type(queue: &Queue) -> Table {
    queue.arguments.get("x-queue-type").map(|kind| ("x-queue-type", kind.clone())).into_iter().collect()
}
