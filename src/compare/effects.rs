//! What each changed rule does to a cell, found by playing it on simulated brokers between two versions: the newer one
//! with fewer and fewer rules as on the older. What is left makes the whole difference, and nothing less does.

use crate::compare::Ending;
use crate::model::{Cell, QueueName};
use crate::player::{ConsumerOutcome, FailureSubject, RunResult};
use crate::rules::{ChangedRule, Edition, changed_rules, with_undone};
use crate::simulate::rehearse_by;
use std::collections::{BTreeMap, BTreeSet};

/// What one rule changes in a cell by itself, the others being as on the first broker.
#[derive(Debug)]
pub struct RuleEffect {
    /// The rule.
    pub rule: ChangedRule,
    /// The run with the rule as on the first broker, and as on the second.
    pub played: [RunResult; 2],
}

/// Finds the rules that turn the ending on the first edition into that on the second. `guess`: rules that did so in other
/// cells, which are tried first. Empty where no rule of the table does.
pub fn effects(
    cell: &Cell,
    [first, second]: [Edition; 2],
    guess: &[ChangedRule],
    ending: &dyn Fn(&RunResult) -> Ending,
) -> Vec<RuleEffect> {
    let play = |undone: &[ChangedRule], told: bool| rehearse_by(with_undone(second, first, undone), cell, second, told);
    let all = changed_rules(first, second);
    let before = ending(&play(&all, false));
    if before == ending(&play(&[], false)) {
        return Vec::new();
    }
    let is_enough = |undone: &[ChangedRule]| ending(&play(undone, false)) == before;
    let guessed: Vec<ChangedRule> = all.iter().copied().filter(|rule| guess.contains(rule)).collect();
    let enough = if !guessed.is_empty() && is_enough(&guessed) { guessed } else { all };
    let causes = least(enough, is_enough);
    let as_first = || play(&causes, true);
    let effect = |rule: &ChangedRule| {
        let others: Vec<ChangedRule> = causes.iter().copied().filter(|other| other != rule).collect();
        RuleEffect { rule: *rule, played: [as_first(), play(&others, true)] }
    };
    causes.iter().map(effect).collect()
}

/// Leaves out what is not needed, larger parts first; what is left is enough, and without any one of it is not.
fn least(mut rules: Vec<ChangedRule>, is_enough: impl Fn(&[ChangedRule]) -> bool) -> Vec<ChangedRule> {
    let mut size = rules.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut is_left_out = false;
        while at < rules.len() {
            let end = (at + size).min(rules.len());
            let without: Vec<ChangedRule> = [&rules[..at], &rules[end..]].concat();
            // All of it is needed for some difference: the endings differ.
            if !without.is_empty() && is_enough(&without) {
                rules = without;
                is_left_out = true;
            } else {
                at = end;
            }
        }
        // One that was needed beside others may not be once they are gone.
        if size > 1 || !is_left_out {
            size /= 2;
        }
    }
    rules
}

/// Lists the queues that end otherwise, whose consumers received otherwise, or of which a failure speaks.
pub fn touched_queues(one: &RunResult, other: &RunResult) -> BTreeSet<QueueName> {
    let subjects = [one, other].into_iter().flat_map(|played| &played.failures).flat_map(|failure| &failure.subjects);
    let mut touched: BTreeSet<QueueName> = subjects
        .filter_map(|subject| match subject {
            FailureSubject::Queue(queue) | FailureSubject::Consumer(_, queue) => Some(queue.clone()),
            _ => None,
        })
        .collect();
    if let (Some(one), Some(other)) = (&one.outcome, &other.outcome) {
        let both = one.queues.keys().chain(other.queues.keys());
        touched.extend(both.filter(|queue| one.queues.get(*queue) != other.queues.get(*queue)).cloned());
        let by_name = |consumers: &'_ [ConsumerOutcome]| -> BTreeMap<_, _> {
            consumers.iter().map(|consumer| (consumer.name.clone(), consumer.clone())).collect()
        };
        let (one, other) = (by_name(&one.consumers), by_name(&other.consumers));
        for (name, consumer) in one.iter().chain(&other) {
            if one.get(name) != other.get(name) {
                touched.insert(consumer.queue.clone());
            }
        }
    }
    touched
}
