//! Messages that come back in an order that the version leaves open: 3.10 with a delivery limit, many at a time (CO-10).
//! Takes how many a consumer returned; gives a note, and marks the queue for the comparison of outcomes.

use crate::model::{Profile, QueueKind, QueueName};
use crate::player::context::Player;
use crate::rules::{EffectivePolicies, RETURNS_IN_ORDER_MAX, differences, queue_settings};

/// How many single returns at one moment reach the queue one by one: what follows them waits, and goes together.
const SENT_ONE_BY_ONE_MAX: u64 = 32;

impl Player {
    /// Notes messages that a consumer returns by one command.
    pub(crate) fn note_returns(&mut self, index: usize, count: u64) {
        let queue = self.ledger.consumers[index].queue.clone();
        let (at, sum) = self.ledger.returns.at.get(&queue).copied().unwrap_or_default();
        let sum = if at == self.now { sum + count } else { count };
        self.ledger.returns.at.insert(queue.clone(), (self.now, sum));
        let is_many = count > RETURNS_IN_ORDER_MAX || sum > SENT_ONE_BY_ONE_MAX + RETURNS_IN_ORDER_MAX;
        if !is_many || !self.forgets_order(&queue) || !self.ledger.returns.unordered.insert(queue.clone()) {
            return;
        }
        if !self.ground.live {
            let words = format!(
                "more than {RETURNS_IN_ORDER_MAX} messages come back to the quorum queue {} at once: with a delivery limit \
                 RabbitMQ {} keeps no order among them (CO-10), so a live broker's differs",
                queue.name, self.ground.version
            );
            let span = self.scenario.consumers[self.actors[index].consumer].span;
            self.notes.push((span, words));
        }
    }

    fn forgets_order(&self, name: &QueueName) -> bool {
        let rules = differences(Profile::nearest(self.ground.version));
        let declared = self.scenario.declared_queues().into_iter().find(|queue| queue.id() == *name);
        let Some(queue) = declared.filter(|_| rules.many_returns_lose_order) else { return false };
        let topology = &self.scenario.topology;
        let policies = EffectivePolicies::new(rules, &topology.policies, &topology.operator_policies);
        let in_force = policies.on_queue(&queue.vhost, &queue.name, queue.kind()).definition();
        let settings = queue_settings(&queue.arguments, &in_force, queue.kind(), rules);
        queue.kind() == QueueKind::Quorum && settings.delivery_limit.is_some()
    }
}
