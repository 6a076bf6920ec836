//! Messages that come back in an order that the version leaves open: 3.10 with a delivery limit, many at a time (CO-10).
//! Takes how many a consumer returned; gives a note, and marks the queue for the comparison of outcomes.

use crate::model::{Profile, QueueKind, QueueName, Scenario, Version};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::context::Context;
use crate::rules::{EffectivePolicies, RETURNS_IN_ORDER_MAX, differences, queue_settings};

/// How many single returns at one moment reach the queue one by one: what follows them waits, and goes together.
const SENT_ONE_BY_ONE_MAX: u64 = 32;

impl ConsumerInstance {
    /// Notes messages that it returns by one command.
    pub fn note_returns(&self, count: u64, context: &mut Context, scenario: &Scenario) {
        let queue = context.ledger.consumers[self.number].queue.clone();
        let now = context.now();
        let returns = &mut context.ledger.returns;
        let (at, sum) = returns.at.get(&queue).copied().unwrap_or_default();
        let sum = if at == now { sum + count } else { count };
        returns.at.insert(queue.clone(), (now, sum));
        let is_many = count > RETURNS_IN_ORDER_MAX || sum > SENT_ONE_BY_ONE_MAX + RETURNS_IN_ORDER_MAX;
        let version = context.broker.version;
        if !is_many || !forgets_order(&queue, version, scenario) || !returns.unordered.insert(queue.clone()) {
            return;
        }
        if !context.broker.live {
            let words = format!(
                "more than {RETURNS_IN_ORDER_MAX} messages come back to the quorum queue {} at once: with a delivery limit \
                 RabbitMQ {version} keeps no order among them (CO-10), so a live broker's differs",
                queue.name
            );
            context.notes.push((self.declared(scenario).span, words));
        }
    }
}

fn forgets_order(name: &QueueName, version: Version, scenario: &Scenario) -> bool {
    let rules = differences(Profile::nearest(version));
    let declared = scenario.declared_queues().into_iter().find(|queue| queue.id() == *name);
    let Some(queue) = declared.filter(|_| rules.many_returns_lose_order) else { return false };
    let topology = &scenario.topology;
    let policies = EffectivePolicies::new(rules, &topology.policies, &topology.operator_policies);
    let in_force = policies.on_queue(&queue.vhost, &queue.name, queue.kind()).definition();
    let settings = queue_settings(&queue.arguments, &in_force, queue.kind(), rules);
    queue.kind() == QueueKind::Quorum && settings.delivery_limit.is_some()
}
