//! The policies that compete for the declared queues after some steps of a scenario.

use crate::model::{Act, Policy, Profile, Scenario, Version};
use crate::rules::{PolicyContest, differences};

/// Lists the declared queues on which a policy or an argument has lost, once so many steps are done.
pub(crate) fn contests_after(steps_done: usize, scenario: &Scenario, version: Version) -> Vec<PolicyContest> {
    let rules = differences(Profile::nearest(version));
    let (policies, operator) =
        (policies_after(steps_done, false, scenario), policies_after(steps_done, true, scenario));
    let queues = scenario.declared_queues().into_iter();
    let contests =
        queues.map(|queue| PolicyContest::on_queue(queue, policies.iter().copied(), operator.iter().copied(), rules));
    contests.filter(PolicyContest::has_losers).collect()
}

/// Lists the user policies, or the operator's, that the topology declared, and the steps so far set.
fn policies_after(steps_done: usize, of_operator: bool, scenario: &Scenario) -> Vec<&Policy> {
    let topology = &scenario.topology;
    let declared = if of_operator { &topology.operator_policies } else { &topology.policies };
    let mut policies: Vec<&Policy> = declared.iter().collect();
    for step in scenario.steps.iter().take(steps_done).filter(|step| step.refused.is_none()) {
        match &step.act {
            Act::SetPolicy { policy, operator } if *operator == of_operator => {
                policies.retain(|known| (&known.vhost, &known.name) != (&policy.vhost, &policy.name));
                policies.push(policy);
            }
            Act::ClearPolicy { vhost, name, operator } if *operator == of_operator => {
                policies.retain(|known| (&known.vhost, &known.name) != (vhost, name));
            }
            _ => {}
        }
    }
    policies
}
