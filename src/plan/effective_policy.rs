//! Which policy holds for a queue and what its effective values are (PO-1, PO-2, PO-6).
//! Just enough to foresee a loss.

use crate::model::{Name, Policy, Profile, Queue, QueueKind, Value, Version};
use crate::rules::{Differences, applies_to_queue, differences, merge_definitions};
use fancy_regex::Regex;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Holds what is in effect for one queue: the two policies that caught it, and values by policy key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Effective {
    pub policy: Option<Name>,
    pub operator_policy: Option<Name>,
    pub values: BTreeMap<String, Json>,
}

/// Values of which the lower one holds, whoever sets it.
pub(crate) const LOWER_HOLDS: &[&str] = &["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"];

/// Holds policies with their compiled patterns; one that cannot be read here counts as found everywhere.
pub(crate) struct Policies<'a> {
    differences: &'static Differences,
    user: Vec<(&'a Policy, Option<Regex>)>,
    operator: Vec<(&'a Policy, Option<Regex>)>,
}

impl<'a> Policies<'a> {
    /// Compiles each pattern once.
    pub fn new(version: Version, user: &'a [Policy], operator: &'a [Policy]) -> Self {
        let compile = |policies: &'a [Policy]| -> Vec<(&'a Policy, Option<Regex>)> {
            policies.iter().map(|policy| (policy, Regex::new(&policy.pattern).ok())).collect()
        };
        let differences = differences(Profile::nearest(version));
        Self { differences, user: compile(user), operator: compile(operator) }
    }

    /// Gives what is in effect for a queue.
    pub fn on(&self, queue: &Queue) -> Effective {
        let (policy, operator) = (self.best(queue, &self.user), self.best(queue, &self.operator));
        let definition = |policy: Option<&'a Policy>| policy.map(|policy| &policy.definition);
        let merged = merge_definitions(definition(policy), definition(operator));
        let mut values: BTreeMap<String, Json> = merged.into_iter().collect();
        for (name, value) in &queue.arguments {
            let Some(key) = name.strip_prefix("x-").filter(|key| *key != "queue-type") else { continue };
            if !(self.policy_holds(queue.kind(), key) && values.contains_key(key)) {
                merge(&mut values, key, &Value::to_json(value));
            }
        }
        Effective {
            policy: policy.map(|policy| policy.name.clone()),
            operator_policy: operator.map(|policy| policy.name.clone()),
            values,
        }
    }

    /// Finds the policy of highest priority that catches the queue; of equal ones the first by name, as 4.3 does.
    fn best(&self, queue: &Queue, policies: &[(&'a Policy, Option<Regex>)]) -> Option<&'a Policy> {
        let mut best: Option<&'a Policy> = None;
        for (policy, pattern) in policies {
            let better = best.is_none_or(|known| {
                policy.priority > known.priority || (policy.priority == known.priority && policy.name < known.name)
            });
            if better && may_catch(policy, queue, self.differences) && finds(pattern.as_ref(), &queue.name) {
                best = Some(policy);
            }
        }
        best
    }

    /// A quorum queue lets the policy win over the argument: `overflow` (LEN-4), `delayed-retry-type`, and `expires`
    /// before 4.0 (EXP-4).
    fn policy_holds(&self, kind: QueueKind, key: &str) -> bool {
        let wins = match key {
            "overflow" | "delayed-retry-type" => true,
            "expires" => self.differences.quorum_expires_policy_wins,
            _ => false,
        };
        kind == QueueKind::Quorum && wins
    }
}

/// Lays a value over what is there: the lower of two limits, else the new one.
fn merge(values: &mut BTreeMap<String, Json>, key: &str, value: &Json) {
    let keeps = values.get(key).is_some_and(|known| LOWER_HOLDS.contains(&key) && number(known) <= number(value));
    if !keeps {
        values.insert(key.to_owned(), value.clone());
    }
}

/// Gives a limit as a number; a negative one is none, the widest of all.
pub(crate) fn number(value: &Json) -> f64 {
    value.as_f64().filter(|n| *n >= 0.0).unwrap_or(f64::INFINITY)
}

fn may_catch(policy: &Policy, queue: &Queue, differences: &Differences) -> bool {
    policy.vhost == queue.vhost && applies_to_queue(policy.apply_to, &policy.definition, queue.kind(), differences)
}

/// Says whether the pattern is found anywhere in the name.
fn finds(pattern: Option<&Regex>, name: &str) -> bool {
    pattern.and_then(|pattern| pattern.is_match(name).ok()).unwrap_or(true)
}

/// Says whether a policy's pattern finds one of the names.
pub(crate) fn finds_any<'n>(policy: &Policy, mut names: impl Iterator<Item = &'n str>) -> bool {
    let pattern = Regex::new(&policy.pattern).ok();
    names.any(|name| finds(pattern.as_ref(), name))
}
