//! The policies that compete for the declared queues after some steps of a scenario.

use crate::model::{Act, Policy, Profile, Scenario, Version};
use crate::rules::{PolicyContest, differences};

/// Lists the declared queues on which a policy or an argument has lost, once so many steps are done.
pub(crate) fn contests_after(steps_done: usize, scenario: &Scenario, version: Version) -> Vec<PolicyContest> {
    let rules = differences(Profile::nearest(version));
    let policies = policies_after(steps_done, scenario);
    let operator = &scenario.topology.operator_policies;
    let queues = scenario.declared_queues().into_iter();
    let contests = queues.map(|queue| PolicyContest::on_queue(queue, policies.iter().copied(), operator, rules));
    contests.filter(PolicyContest::has_losers).collect()
}

/// Lists the user policies that the topology declared, and the steps so far set.
fn policies_after(steps_done: usize, scenario: &Scenario) -> Vec<&Policy> {
    let mut policies: Vec<&Policy> = scenario.topology.policies.iter().collect();
    for step in scenario.steps.iter().take(steps_done).filter(|step| step.refused.is_none()) {
        match &step.act {
            Act::SetPolicy(policy) => {
                policies.retain(|known| (&known.vhost, &known.name) != (&policy.vhost, &policy.name));
                policies.push(policy);
            }
            Act::ClearPolicy { vhost, name } => {
                policies.retain(|known| (&known.vhost, &known.name) != (vhost, name));
            }
            _ => {}
        }
    }
    policies
}
