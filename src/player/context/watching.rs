//! Which queues the broker counts for the run.

use crate::broker::Command;
use crate::model::{Profile, Queue, QueueKind, QueueName, Scenario};
use crate::player::context::shared::Context;
use crate::rules::{EffectivePolicies, differences};

impl Context {
    /// Has a queue counted from now on; where a passive declare would disturb it, without one. It begins the time of a
    /// queue that expires anew, and an exclusive queue refuses it (EXP-2, CO-21).
    pub fn watch(&mut self, scenario: &Scenario, queue: QueueName) {
        let undisturbed = self.is_disturbed_by_checks(scenario, &queue);
        if let Some(tally) = self.ledger.queues.get_mut(&queue) {
            tally.moved = false;
        }
        self.outbox.send(Command::Watch { queue, undisturbed });
    }

    fn is_disturbed_by_checks(&self, scenario: &Scenario, queue: &QueueName) -> bool {
        let declared = scenario.declared_queues().into_iter().find(|declared| declared.id() == *queue);
        let set = scenario.all_steps().filter_map(|step| step.act.policy_set());
        let policies = scenario.topology.policies.iter().chain(&scenario.topology.operator_policies).chain(set);
        let policies = EffectivePolicies::new(differences(Profile::nearest(self.broker.version)), policies, []);
        let kind = declared.map_or(QueueKind::Classic, Queue::kind);
        declared.is_some_and(|queue| queue.exclusive || queue.arguments.contains_key("x-expires"))
            || policies
                .matching(&queue.vhost, &queue.name, kind)
                .any(|policy| policy.definition.contains_key("expires"))
    }
}
