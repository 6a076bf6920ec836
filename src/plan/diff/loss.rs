//! What changed policies can lose: compares the effective values of every queue on the broker before and after.
//! Judges by what holds in the end, so a policy that changes nothing for any queue is no risk.

use crate::model::{Policy, Profile, Queue, QueueName, Topology};
use crate::plan::diff::effective_policy::{Effective, LOWER_HOLDS, Policies, number};
use crate::plan::diff::equality::{same, shown_json};
use crate::plan::{Observed, Risk};
use crate::rules::{EffectivePolicies, applies_to_exchange, differences};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Holds every queue of a broker with what is in effect for it before and after.
pub(crate) struct Outlook<'a> {
    queues: Vec<(&'a Queue, u64, Effective, Effective)>,
}

impl<'a> Outlook<'a> {
    /// Foresees all policies of the file together.
    pub fn new(desired: &Topology, observed: &'a Observed) -> Self {
        let old = &observed.topology;
        let is_new = |old: &[Policy], new: &[Policy]| new.iter().any(|policy| !old.contains(policy));
        if !is_new(&old.policies, &desired.policies) && !is_new(&old.operator_policies, &desired.operator_policies) {
            return Self { queues: Vec::new() };
        }
        let policies = merged(&old.policies, &desired.policies);
        let operators = merged(&old.operator_policies, &desired.operator_policies);
        let before = Policies::new(observed.version, &old.policies, &old.operator_policies);
        let after = Policies::new(observed.version, &policies, &operators);
        let foresee = |queue: &'a Queue| (queue, observed.messages(&queue.id()), before.on(queue), after.on(queue));
        Self { queues: old.queues.iter().map(foresee).collect() }
    }

    /// Returns what one new or changed policy can lose. `old` is the policy as the broker has it.
    pub fn risk(&self, policy: &Policy, operator: bool, old: Option<&Policy>, observed: &Observed) -> Option<Risk> {
        let mut found = PolicyLosses::default();
        for (queue, messages, before, after) in self.queues.iter().filter(|(queue, ..)| queue.vhost == policy.vhost) {
            let of = |side: &Effective| if operator { side.operator_policy.clone() } else { side.policy.clone() };
            let (was_caught, is_caught) =
                (of(before).as_ref() == Some(&policy.name), of(after).as_ref() == Some(&policy.name));
            if !was_caught && !is_caught {
                continue;
            }
            let newly = !was_caught || !is_caught;
            found.look(queue, *messages, newly, before, after);
        }
        let exchanges = old.and_then(|old| alternate_lost(old, policy, observed));
        match (found.risk(policy), exchanges) {
            (Some(risk), other) => Some(risk.join(other)),
            (None, other) => other,
        }
    }
}

/// Gathers what one policy does to queues.
#[derive(Default)]
struct PolicyLosses {
    sentences: BTreeSet<String>,
    old: BTreeSet<String>,
    new: BTreeSet<String>,
    queues: Vec<(QueueName, u64)>,
}

impl PolicyLosses {
    /// A queue that keeps its policy is at stake when a value gets worse; one that changes it only when it holds messages,
    /// and then by every value but a wider limit.
    fn look(&mut self, queue: &Queue, messages: u64, newly: bool, before: &Effective, after: &Effective) {
        let keys: BTreeSet<&String> = before.values.keys().chain(after.values.keys()).collect();
        let mut at_stake = false;
        for key in keys {
            let (old, new) = (before.values.get(key), after.values.get(key));
            let equal = match (old, new) {
                (Some(old), Some(new)) => same(old, new),
                _ => false,
            };
            let loss = loss_of(key, old, new);
            let sentence = match (loss, newly) {
                (Some(loss), false) => loss,
                (Some(loss), true) if messages > 0 => loss,
                (None, true) if messages > 0 && !LOWER_HOLDS.contains(&key.as_str()) => {
                    format!("{key} changes for queues that hold messages")
                }
                _ => continue,
            };
            if equal {
                continue;
            }
            at_stake = true;
            self.sentences.insert(sentence);
            self.old.insert(format!("{key} {}", shown_json(old)));
            self.new.insert(format!("{key} {}", shown_json(new)));
        }
        if at_stake {
            self.queues.push((queue.id(), messages));
        }
    }

    fn risk(self, policy: &Policy) -> Option<Risk> {
        if self.queues.is_empty() {
            return None;
        }
        let join = |texts: BTreeSet<String>| texts.into_iter().collect::<Vec<_>>().join(", ");
        let names: Vec<String> = self.queues.iter().take(3).map(|(queue, _)| format!("'{}'", queue.name)).collect();
        let more = self.queues.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let sentences: Vec<String> = self.sentences.into_iter().collect();
        let what =
            format!("policy '{}' takes effect on {}{more}: {}", policy.name, names.join(", "), sentences.join("; "));
        Some(Risk { what, queues: self.queues, old: join(self.old), new: join(self.new) })
    }
}

/// Returns what is lost when a value changes like that; `None` when nothing is.
pub(crate) fn loss_of(key: &str, old: Option<&Json>, new: Option<&Json>) -> Option<String> {
    let limit = |value: Option<&Json>| value.map_or(f64::INFINITY, number);
    let lower = limit(new) < limit(old);
    let text = match key {
        "max-length" | "max-length-bytes" if lower => "what goes beyond the new length is dropped at once (LEN-11)",
        "expires" if lower => "an unused queue is deleted with all that it holds (EXP-5)",
        "message-ttl" if lower => "new messages expire sooner; those that wait keep their time (TTL-4)",
        "delivery-limit" if lower => "messages that come back too often leave the queue",
        "max-age" if age(new) < age(old) => "older stream segments are deleted",
        "overflow" => "what happens to messages beyond the limit changes, and a queue may be trimmed at once (LEN-11)",
        "dead-letter-exchange" if old.is_some() => "messages that die no longer reach their old dead-letter exchange",
        "dead-letter-routing-key" if old.is_some() => "messages that die go by another routing key",
        "dead-letter-strategy" if old.is_some() => "dead letters are handed over with another guarantee",
        _ => return None,
    };
    Some(text.into())
}

/// Returns a stream's `max-age`, like `7D`, in seconds; without one, or with one that cannot be read, nothing ages.
fn age(value: Option<&Json>) -> f64 {
    let text = value.and_then(Json::as_str).unwrap_or_default();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "Y" => 31_536_000.0,
        "M" => 2_592_000.0,
        "D" => 86_400.0,
        "h" => 3_600.0,
        "m" => 60.0,
        "s" => 1.0,
        _ => return f64::INFINITY,
    };
    number.parse().map_or(f64::INFINITY, |number: f64| number * seconds)
}

/// An alternate exchange that is taken away or changed lets unroutable messages vanish.
fn alternate_lost(old: &Policy, new: &Policy, observed: &Observed) -> Option<Risk> {
    const KEY: &str = "alternate-exchange";
    let of = |policy: &Policy| policy.definition.get(KEY).cloned().filter(|_| applies_to_exchange(policy.apply_to));
    let (before, after) = (of(old)?, of(new));
    let shared = after.as_ref() == Some(&before) && old.pattern == new.pattern;
    let own = EffectivePolicies::new(differences(Profile::nearest(observed.version)), [old], []);
    let caught =
        observed.topology.exchanges.iter().any(|exchange| own.on_exchange(&exchange.vhost, &exchange.name).is_some());
    if shared || !caught {
        return None;
    }
    let what = format!("policy '{}' no longer catches what is unroutable on its exchanges as before", new.name);
    Some(Risk::of_rights(
        what,
        format!("{KEY} {}", shown_json(Some(&before))),
        format!("{KEY} {}", shown_json(after.as_ref())),
    ))
}

/// Puts the file's policies over the broker's, by vhost and name.
fn merged(old: &[Policy], new: &[Policy]) -> Vec<Policy> {
    let kept = old.iter().filter(|old| !new.iter().any(|new| new.vhost == old.vhost && new.name == old.name));
    kept.chain(new).cloned().collect()
}
