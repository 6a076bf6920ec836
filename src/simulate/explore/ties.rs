//! The tables of rules that a cell may follow: where policies of equal priority compete, which of them holds is chance.

use crate::model::{Act, Cell, Policy, Profile};
use crate::rules::{ChangedRule, Differences, Edition, PolicyContest, PolicyFate, differences_of, with_undone};

/// Lists the tables by which policies of equal priority hold: the usual one, and the other way where that is chance.
pub(super) fn tied_rules(cell: &Cell, edition: Edition) -> Vec<&'static Differences> {
    let usual = differences_of(edition);
    let rule = ChangedRule::find("PO-1").filter(|_| !usual.tie_takes_first && has_tie(cell, usual));
    let other = rule.map(|rule| with_undone(edition, Profile::V4_3.into(), &[rule]));
    std::iter::once(usual).chain(other).collect()
}

/// Returns whether a policy of a queue competes with another one of its priority.
fn has_tie(cell: &Cell, rules: &Differences) -> bool {
    let scenario = &cell.scenario;
    let all = |of_operator: bool, declared: &'_ [Policy]| -> Vec<Policy> {
        let set = scenario.all_steps().filter_map(|step| match &step.act {
            Act::SetPolicy { policy, operator } if *operator == of_operator => Some(Policy::clone(policy)),
            _ => None,
        });
        declared.iter().cloned().chain(set).collect()
    };
    let user = all(false, &scenario.topology.policies);
    let operator = all(true, &scenario.topology.operator_policies);
    if user.len() < 2 && operator.len() < 2 {
        return false;
    }
    let is_tied =
        |contest: PolicyContest| contest.policies.iter().any(|one| matches!(one.fate, PolicyFate::Tied { .. }));
    let queues = scenario.declared_queues();
    queues.into_iter().any(|queue| is_tied(PolicyContest::on_queue(queue, &user, &operator, rules)))
}
