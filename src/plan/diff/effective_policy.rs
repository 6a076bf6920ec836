//! Which policy holds for a queue and what its effective values are (PO-1, PO-2, PO-6).
//! Just enough to foresee a loss.

use crate::model::{Exchange, Name, Policy, Profile, Queue, QueueKind, Value, Version};
use crate::rules::{Differences, EffectivePolicies, differences, policy_holds_for_stream};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is in effect for one queue: the two policies that caught it, and values by policy key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Effective {
    pub policy: Option<Name>,
    pub operator_policy: Option<Name>,
    pub values: BTreeMap<String, Json>,
}

/// Values of which the lower one holds, whoever sets it.
pub(crate) const LOWER_HOLDS: &[&str] = &["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"];

/// The policies of a broker with what the version makes of them and of arguments.
pub(crate) struct Policies<'a> {
    differences: &'static Differences,
    policies: EffectivePolicies<&'a Policy>,
}

impl<'a> Policies<'a> {
    /// Compiles each pattern once.
    pub fn new(version: Version, user: &'a [Policy], operator: &'a [Policy]) -> Self {
        let differences = differences(Profile::nearest(version));
        Self { differences, policies: EffectivePolicies::new(differences, user, operator) }
    }

    /// Returns what is in effect for a queue.
    pub fn on(&self, queue: &Queue) -> Effective {
        let in_force = self.policies.on_queue(&queue.vhost, &queue.name, queue.kind());
        let mut values: BTreeMap<String, Json> = in_force.definition().into_iter().collect();
        for (name, value) in &queue.arguments {
            let Some(key) = name.strip_prefix("x-").filter(|key| *key != "queue-type") else { continue };
            if !(self.policy_holds(queue.kind(), key) && values.contains_key(key)) {
                merge(&mut values, key, &Value::to_json(value));
            }
        }
        Effective {
            policy: in_force.user.map(|policy| policy.name.clone()),
            operator_policy: in_force.operator.map(|policy| policy.name.clone()),
            values,
        }
    }

    /// Returns what is in effect for a queue, and the limit on deliveries that a quorum queue has where nothing sets one
    /// (CO-13).
    pub fn on_with_defaults(&self, queue: &Queue) -> Effective {
        let mut effective = self.on(queue);
        if let (QueueKind::Quorum, Some(limit)) = (queue.kind(), self.differences.quorum_default_limit) {
            effective.values.entry("delivery-limit".to_owned()).or_insert_with(|| limit.into());
        }
        effective
    }

    /// Returns the policy in force on an exchange and the alternate exchange that it sets; `None` where the exchange has one by
    /// its own argument, which holds, or no policy catches it.
    pub fn alternate_of(&self, exchange: &Exchange) -> Option<(Name, Option<Json>)> {
        const KEY: &str = "alternate-exchange";
        let policy = self.policies.on_exchange(&exchange.vhost, &exchange.name)?;
        let is_own = exchange.arguments.contains_key(KEY);
        (!is_own).then(|| (policy.name.clone(), policy.definition.get(KEY).cloned()))
    }

    /// A quorum queue lets the policy win over the argument: `overflow` (LEN-4), `delayed-retry-type`, and `expires`
    /// before 4.0 (EXP-4). A stream lets it win wherever both may be given (PO-6).
    fn policy_holds(&self, kind: QueueKind, key: &str) -> bool {
        let wins = match key {
            "overflow" | "delayed-retry-type" => true,
            "expires" => self.differences.quorum_expires_policy_wins,
            _ => false,
        };
        match kind {
            QueueKind::Quorum => wins,
            QueueKind::Stream => policy_holds_for_stream(key),
            QueueKind::Classic => false,
        }
    }
}

/// Lays a value over what is there: the lower of two limits, else the new one.
fn merge(values: &mut BTreeMap<String, Json>, key: &str, value: &Json) {
    let keeps = values.get(key).is_some_and(|known| LOWER_HOLDS.contains(&key) && number(known) <= number(value));
    if !keeps {
        values.insert(key.to_owned(), value.clone());
    }
}

/// Returns a limit as a number; a negative one is none, the widest of all.
pub(crate) fn number(value: &Json) -> f64 {
    value.as_f64().filter(|n| *n >= 0.0).unwrap_or(f64::INFINITY)
}
