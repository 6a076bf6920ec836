//! Whether a run exercised a thing of its topology, by what the simulator recorded.

use crate::broker::{Death, Exercised, LengthLimit};
use crate::foresee::coverage::coverable::{Coverable, QueueLimit};
use crate::foresee::topology_view::{QueueView, VersionView, default_type};
use crate::model::{Name, Policy, QueueName, Topology};
use serde_json::Value as Json;

/// Returns whether a run made it happen.
pub fn is_exercised(item: &Coverable, topology: &Topology, version: &VersionView<'_>, run: &Exercised) -> bool {
    match item {
        Coverable::Queue(queue) => run.queues.contains(queue),
        Coverable::Binding(object) => run.bindings.contains(object),
        Coverable::Policy { vhost, name, operator } => {
            let list = if *operator { &topology.operator_policies } else { &topology.policies };
            let named = |policy: &&Policy| policy.vhost == *vhost && policy.name == *name;
            list.iter().find(named).is_some_and(|policy| is_at_work(policy, *operator, topology, version, run))
        }
        Coverable::Right { user, vhost, exchange, right } => run
            .rights
            .iter()
            .any(|asked| (&asked.user, &asked.vhost, &asked.exchange, asked.right) == (user, vhost, exchange, *right)),
        Coverable::DeadLetter(queue, death) => run.dead_letters.contains(&(queue.clone(), *death)),
        Coverable::Retry { by, queue, parks } => {
            let waiting = QueueName { vhost: queue.vhost.clone(), name: by.clone() };
            match parks {
                true => run.queues.contains(&waiting),
                false => run.dead_letters.contains(&(waiting, Death::Expired)),
            }
        }
        Coverable::Limit(queue, limit) => is_reached(queue, *limit, run),
    }
}

fn is_reached(queue: &QueueName, limit: QueueLimit, run: &Exercised) -> bool {
    let died = |death| run.deaths.contains(&(queue.clone(), death));
    match limit {
        QueueLimit::Length => run.full.contains(&(queue.clone(), LengthLimit::Messages)),
        QueueLimit::Bytes => run.full.contains(&(queue.clone(), LengthLimit::Bytes)),
        QueueLimit::Delivery => died(Death::DeliveryLimit),
        QueueLimit::MessageTtl => died(Death::Expired),
        QueueLimit::Expires => run.expired_queues.contains(queue),
    }
}

/// Returns whether something that a policy sets, and that is in force, did something.
fn is_at_work(
    policy: &Policy,
    operator: bool,
    topology: &Topology,
    version: &VersionView<'_>,
    run: &Exercised,
) -> bool {
    let is_it = |other: Option<&Policy>| other.is_some_and(|other| other.name == policy.name);
    let on_queues = topology.queues.iter().filter(|queue| queue.vhost == policy.vhost).any(|queue| {
        let view = version.queue(queue, default_type(topology, &queue.vhost));
        let in_force = if operator { view.in_force.operator } else { view.in_force.user };
        is_it(in_force) && policy.definition.iter().any(|(key, value)| acts_on_queue(key, value, &view, run))
    });
    on_queues || (!operator && acts_on_exchanges(policy, topology, version, run))
}

fn acts_on_queue(key: &str, value: &Json, view: &QueueView<'_>, run: &Exercised) -> bool {
    let queue = view.queue.id();
    let settings = &view.settings;
    let is_own = |value: &Json, number: Option<u64>| value.as_u64().is_some() && value.as_u64() == number;
    let is_name = |name: &Option<Name>| name.as_deref().is_some_and(|name| value.as_str() == Some(name));
    let dead_letters = || run.dead_letters.iter().any(|(from, _)| *from == queue);
    let full = || run.full.iter().any(|(of, _)| *of == queue);
    match key {
        "message-ttl" => is_own(value, settings.message_ttl_ms) && is_reached(&queue, QueueLimit::MessageTtl, run),
        "expires" => is_own(value, settings.expires_ms) && is_reached(&queue, QueueLimit::Expires, run),
        "max-length" => is_own(value, settings.max_length) && is_reached(&queue, QueueLimit::Length, run),
        "max-length-bytes" => is_own(value, settings.max_length_bytes) && is_reached(&queue, QueueLimit::Bytes, run),
        "delivery-limit" => value.as_i64() == settings.delivery_limit && is_reached(&queue, QueueLimit::Delivery, run),
        "dead-letter-exchange" => is_name(&settings.dead_letter_exchange) && dead_letters(),
        "dead-letter-routing-key" => is_name(&settings.dead_letter_routing_key) && dead_letters(),
        "dead-letter-strategy" => dead_letters(),
        "overflow" => full(),
        "alternate-exchange" => false,
        // Nothing shows whether it did anything: a message under it is all that can be asked for.
        _ => run.queues.contains(&queue),
    }
}

fn acts_on_exchanges(policy: &Policy, topology: &Topology, version: &VersionView<'_>, run: &Exercised) -> bool {
    let sets_alternate = policy.definition.contains_key("alternate-exchange");
    topology.exchanges.iter().filter(|exchange| exchange.vhost == policy.vhost && sets_alternate).any(|exchange| {
        let in_force = version.policies.on_exchange(&exchange.vhost, &exchange.name);
        let own = exchange.arguments.contains_key("alternate-exchange");
        let passes = run.alternates.contains(&(exchange.vhost.clone(), exchange.name.clone()));
        in_force.is_some_and(|other| other.name == policy.name) && !own && passes
    })
}
