//! Which policy holds for a queue and what its effective values are (PO-1, PO-2, PO-6).
//! Just enough to foresee a loss.

use crate::model::{ApplyTo, Name, Policy, Queue, QueueKind, Value, Version};
use fancy_regex::Regex;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Holds what is in effect for one queue: the two policies that caught it, and values by policy key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Effective {
    pub policy: Option<Name>,
    pub operator_policy: Option<Name>,
    pub values: BTreeMap<String, Json>,
}

/// Keys that make a policy skip a queue of that type (PO-3).
const UNKNOWN_TO_CLASSIC: &[&str] = &[
    "delivery-limit",
    "dead-letter-strategy",
    "max-age",
    "stream-max-segment-size-bytes",
    "initial-cluster-size",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "target-group-size",
];
const UNKNOWN_TO_QUORUM: &[&str] = &[
    "max-priority",
    "queue-mode",
    "ha-mode",
    "ha-params",
    "ha-sync-mode",
    "ha-promote-on-shutdown",
    "ha-promote-on-failure",
    "queue-master-locator",
    "max-age",
    "stream-max-segment-size-bytes",
    "initial-cluster-size",
];
const UNKNOWN_TO_STREAM: &[&str] = &[
    "expires",
    "message-ttl",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "max-length",
    "overflow",
    "delivery-limit",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "queue-mode",
    "max-priority",
];

/// Values of which the lower one holds, whoever sets it.
pub(super) const LOWER_HOLDS: &[&str] = &["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"];

/// Holds policies with their compiled patterns; one that cannot be read here counts as found everywhere.
pub(super) struct Policies<'a> {
    version: Version,
    user: Vec<(&'a Policy, Option<Regex>)>,
    operator: Vec<(&'a Policy, Option<Regex>)>,
}

impl<'a> Policies<'a> {
    /// Compiles each pattern once.
    pub fn new(version: Version, user: &'a [Policy], operator: &'a [Policy]) -> Self {
        let compile = |policies: &'a [Policy]| -> Vec<(&'a Policy, Option<Regex>)> {
            policies.iter().map(|policy| (policy, Regex::new(&policy.pattern).ok())).collect()
        };
        Self { version, user: compile(user), operator: compile(operator) }
    }

    /// Gives what is in effect for a queue.
    pub fn on(&self, queue: &Queue) -> Effective {
        let kind = queue.kind();
        let policy = best(queue, kind, self.version, &self.user);
        let operator = best(queue, kind, self.version, &self.operator);
        let mut values = BTreeMap::new();
        for (key, value) in policy.iter().flat_map(|policy| &policy.definition) {
            values.insert(key.clone(), value.clone());
        }
        for (key, value) in operator.iter().flat_map(|policy| &policy.definition) {
            merge(&mut values, key, value);
        }
        for (name, value) in &queue.arguments {
            let Some(key) = name.strip_prefix("x-").filter(|key| *key != "queue-type") else { continue };
            if !(policy_holds(kind, key, self.version) && values.contains_key(key)) {
                merge(&mut values, key, &Value::to_json(value));
            }
        }
        Effective {
            policy: policy.map(|policy| policy.name.clone()),
            operator_policy: operator.map(|policy| policy.name.clone()),
            values,
        }
    }
}

/// A quorum queue lets the policy win over the argument: `overflow` (LEN-4), and `expires` before 4.0 (EXP-4).
fn policy_holds(kind: QueueKind, key: &str, version: Version) -> bool {
    kind == QueueKind::Quorum && (key == "overflow" || (key == "expires" && version.major < 4))
}

/// Lays a value over what is there: the lower of two limits, else the new one.
fn merge(values: &mut BTreeMap<String, Json>, key: &str, value: &Json) {
    let keeps = values.get(key).is_some_and(|known| LOWER_HOLDS.contains(&key) && number(known) <= number(value));
    if !keeps {
        values.insert(key.to_owned(), value.clone());
    }
}

/// Gives a limit as a number; a negative one is none, the widest of all.
pub(super) fn number(value: &Json) -> f64 {
    value.as_f64().filter(|n| *n >= 0.0).unwrap_or(f64::INFINITY)
}

/// Finds the policy of highest priority that catches the queue; of equal ones the first by name, as 4.3 does.
fn best<'a>(
    queue: &Queue,
    kind: QueueKind,
    version: Version,
    policies: &[(&'a Policy, Option<Regex>)],
) -> Option<&'a Policy> {
    let mut best: Option<&'a Policy> = None;
    for (policy, pattern) in policies {
        let better = best.is_none_or(|known| {
            policy.priority > known.priority || (policy.priority == known.priority && policy.name < known.name)
        });
        if better && may_catch(policy, queue, kind, version) && finds(pattern.as_ref(), &queue.name) {
            best = Some(policy);
        }
    }
    best
}

fn may_catch(policy: &Policy, queue: &Queue, kind: QueueKind, version: Version) -> bool {
    let applies = match policy.apply_to {
        ApplyTo::All | ApplyTo::Queues => true,
        ApplyTo::ClassicQueues => kind == QueueKind::Classic,
        ApplyTo::QuorumQueues => kind == QueueKind::Quorum,
        ApplyTo::Streams => kind == QueueKind::Stream,
        ApplyTo::Exchanges => false,
    };
    applies && policy.vhost == queue.vhost && !policy.definition.keys().any(|key| skips(kind, key, version))
}

fn skips(kind: QueueKind, key: &str, version: Version) -> bool {
    match kind {
        QueueKind::Classic if version.major < 4 => {
            let known_to_old = ["max-in-memory-length", "max-in-memory-bytes", "target-group-size"];
            key == "queue-leader-locator" || (UNKNOWN_TO_CLASSIC.contains(&key) && !known_to_old.contains(&key))
        }
        QueueKind::Classic => UNKNOWN_TO_CLASSIC.contains(&key),
        QueueKind::Quorum => UNKNOWN_TO_QUORUM.contains(&key),
        QueueKind::Stream => UNKNOWN_TO_STREAM.contains(&key),
    }
}

/// Says whether the pattern is found anywhere in the name.
fn finds(pattern: Option<&Regex>, name: &str) -> bool {
    pattern.and_then(|pattern| pattern.is_match(name).ok()).unwrap_or(true)
}

/// Says whether a policy's pattern finds one of the names.
pub(super) fn finds_any<'n>(policy: &Policy, mut names: impl Iterator<Item = &'n str>) -> bool {
    let pattern = Regex::new(&policy.pattern).ok();
    names.any(|name| finds(pattern.as_ref(), name))
}
