//! What policies lose that are made, changed or deleted: compares what is in force on every queue and exchange of the broker
//! before and after. Judges by what holds in the end, so a policy that changes nothing for any of them is no risk.

use crate::model::{Exchange, Name, Object, Policy, Queue, QueueName, Topology};
use crate::plan::diff::effective_policy::{Effective, LOWER_HOLDS, Policies, number};
use crate::plan::diff::equality::{same, shown_json};
use crate::plan::{Change, ChangeKind, FieldChange, Observed, PolicyEffect, Risk};
use crate::source::is_secret;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Judges all policies of a plan together, those that it deletes too: what each can lose, and what it takes from which queue.
pub fn judge_policies(changes: &mut [Change], desired: &Topology, observed: &Observed) {
    let is_policy = |object: &Object| matches!(object, Object::Policy { .. } | Object::OperatorPolicy { .. });
    if !changes.iter().any(|change| is_policy(&change.object)) {
        return;
    }
    let is_deleted = |change: &&Change| matches!(change.kind, ChangeKind::Delete { .. });
    let gone: BTreeSet<Object> = changes.iter().filter(is_deleted).map(|change| change.object.clone()).collect();
    let after = PoliciesAfter::of(desired, &observed.topology, &gone);
    let outlook = Outlook::new(&after, observed, &gone);
    for change in changes.iter_mut().filter(|change| is_policy(&change.object)) {
        let Some(judged) = JudgedPolicy::of(&change.object) else { continue };
        change.risk = outlook.risk(judged);
        change.effects = outlook.effects(judged);
    }
}

/// The policies that will be there.
struct PoliciesAfter {
    user: Vec<Policy>,
    operator: Vec<Policy>,
}

impl PoliciesAfter {
    /// Puts the file's policies over the broker's, by vhost and name, and takes away what goes.
    fn of(desired: &Topology, old: &Topology, gone: &BTreeSet<Object>) -> Self {
        let merged = |old: &[Policy], new: &[Policy], operator: bool| -> Vec<Policy> {
            let named: BTreeSet<Object> = new.iter().map(|policy| policy.object(operator)).collect();
            let stays = |object: &Object| !named.contains(object) && !gone.contains(object);
            old.iter().filter(|policy| stays(&policy.object(operator))).chain(new).cloned().collect()
        };
        Self {
            user: merged(&old.policies, &desired.policies, false),
            operator: merged(&old.operator_policies, &desired.operator_policies, true),
        }
    }
}

/// A policy that is judged.
#[derive(Clone, Copy)]
struct JudgedPolicy<'c> {
    vhost: &'c Name,
    name: &'c Name,
    operator: bool,
}

impl<'c> JudgedPolicy<'c> {
    fn of(object: &'c Object) -> Option<Self> {
        match object {
            Object::Policy { vhost, name } => Some(Self { vhost, name, operator: false }),
            Object::OperatorPolicy { vhost, name } => Some(Self { vhost, name, operator: true }),
            _ => None,
        }
    }

    /// Returns whether the policy is the one that caught a queue.
    fn caught(self, effective: &Effective) -> bool {
        let by = if self.operator { &effective.operator_policy } else { &effective.policy };
        by.as_ref() == Some(self.name)
    }
}

/// A queue with what is in force on it before and after.
struct QueueOutlook<'a> {
    queue: &'a Queue,
    messages: Option<u64>,
    before: Effective,
    after: Effective,
}

impl QueueOutlook<'_> {
    /// Lists what differs: the key, before, after.
    fn differing(&self) -> impl Iterator<Item = (&str, Option<&Json>, Option<&Json>)> {
        let (before, after) = (&self.before.values, &self.after.values);
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let both = keys.into_iter().map(|key| (key.as_str(), before.get(key), after.get(key)));
        both.filter(|(_, old, new)| !matches!((old, new), (Some(old), Some(new)) if same(old, new)))
    }
}

/// An exchange whose alternate exchange, set by a policy, changes: the policies before and after, and the values.
struct ExchangeOutlook<'a> {
    vhost: &'a Name,
    policies: [Option<Name>; 2],
    values: [Option<Json>; 2],
}

/// Holds every queue and exchange of a broker with what is in force on it before and after.
struct Outlook<'a> {
    queues: Vec<QueueOutlook<'a>>,
    exchanges: Vec<ExchangeOutlook<'a>>,
}

impl<'a> Outlook<'a> {
    /// Leaves out what goes itself.
    fn new(policies: &PoliciesAfter, observed: &'a Observed, gone: &BTreeSet<Object>) -> Self {
        let old = &observed.topology;
        let before = Policies::new(observed.version, &old.policies, &old.operator_policies);
        let after = Policies::new(observed.version, &policies.user, &policies.operator);
        let foresee = |queue: &'a Queue| QueueOutlook {
            queue,
            messages: observed.messages(&queue.id()),
            before: before.on_with_defaults(queue),
            after: after.on_with_defaults(queue),
        };
        let alternate = |exchange: &'a Exchange| {
            let [old, new] = [&before, &after].map(|policies| policies.alternate_of(exchange));
            let values = [old.clone().and_then(|(_, value)| value), new.clone().and_then(|(_, value)| value)];
            let is_changed = values[0].is_some() && values[0] != values[1];
            let policies = [old.map(|(name, _)| name), new.map(|(name, _)| name)];
            is_changed.then_some(ExchangeOutlook { vhost: &exchange.vhost, policies, values })
        };
        Self {
            queues: old.queues.iter().filter(|queue| !gone.contains(&queue.object())).map(foresee).collect(),
            exchanges: (old.exchanges.iter().filter(|one| !gone.contains(&one.object())))
                .filter_map(alternate)
                .collect(),
        }
    }

    fn queues_of(&self, judged: JudgedPolicy<'_>) -> impl Iterator<Item = &QueueOutlook<'a>> {
        let of_vhost = self.queues.iter().filter(move |one| one.queue.vhost == *judged.vhost);
        of_vhost.filter(move |one| judged.caught(&one.before) || judged.caught(&one.after))
    }

    /// Returns what one policy can lose.
    fn risk(&self, judged: JudgedPolicy<'_>) -> Option<Box<Risk>> {
        let mut found = PolicyLosses::default();
        for one in self.queues_of(judged) {
            found.look(one, judged);
        }
        match (found.risk(judged.name), self.alternate_lost(judged)) {
            (Some(risk), other) => Some(risk.join(other)),
            (None, other) => other,
        }
    }

    /// Lists the settings that queues lose or get otherwise, those of the same settings together.
    fn effects(&self, judged: JudgedPolicy<'_>) -> Vec<PolicyEffect> {
        let mut effects: BTreeMap<Vec<[String; 3]>, PolicyEffect> = BTreeMap::new();
        for one in self.queues_of(judged) {
            let had = one.differing().filter(|(_, old, _)| old.is_some());
            let shown = |key: &str, value| if is_secret(key) { "***".to_owned() } else { shown_json(value) };
            let fields: Vec<[String; 3]> =
                had.map(|(key, old, new)| [key.to_owned(), shown(key, old), shown(key, new)]).collect();
            if fields.is_empty() {
                continue;
            }
            let effect = effects.entry(fields).or_insert_with_key(|fields| PolicyEffect {
                queues: Vec::new(),
                more: 0,
                fields: fields.iter().map(|[name, old, new]| FieldChange::new(name, old, new)).collect(),
            });
            effect.add(one.queue.id());
        }
        effects.into_values().collect()
    }

    /// An alternate exchange that is taken away or changed lets unroutable messages vanish.
    fn alternate_lost(&self, judged: JudgedPolicy<'_>) -> Option<Box<Risk>> {
        let is_by = |one: &&ExchangeOutlook<'_>| {
            one.vhost == judged.vhost && one.policies.iter().any(|policy| policy.as_ref() == Some(judged.name))
        };
        let lost = self.exchanges.iter().find(is_by).filter(|_| !judged.operator)?;
        let what = format!("policy '{}' no longer catches what is unroutable on its exchanges as before", judged.name);
        let [old, new] = [0, 1].map(|at| format!("alternate-exchange {}", shown_json(lost.values[at].as_ref())));
        Some(Risk::of_rights(what, old, new))
    }
}

/// Gathers what one policy does to queues.
#[derive(Default)]
struct PolicyLosses {
    sentences: BTreeSet<String>,
    old: BTreeSet<String>,
    new: BTreeSet<String>,
    queues: Vec<(QueueName, Option<u64>)>,
    /// How many of the queues the policy will catch.
    caught: usize,
}

impl PolicyLosses {
    /// A queue that keeps its policy, or is let go by it, is at stake when a value gets worse, be it empty or not: messages to
    /// come are lost, too. One that the policy catches anew is when it may hold messages, or no longer dead-letters as it did.
    fn look(&mut self, one: &QueueOutlook<'_>, judged: JudgedPolicy<'_>) {
        let (was_caught, is_caught) = (judged.caught(&one.before), judged.caught(&one.after));
        let is_anew = is_caught && !was_caught;
        let (may_hold, hold) = match one.messages {
            Some(0) => (false, ""),
            Some(_) => (true, "hold"),
            None => (true, "may hold"),
        };
        let mut at_stake = false;
        for (key, old, new) in one.differing() {
            let loss = match key {
                "overflow" => overflow_loss(&one.before.values, &one.after.values),
                _ => loss_of(key, old, new),
            };
            let sentence = match loss {
                Some(loss) if !is_anew || may_hold || is_of_the_dying(key, old) => loss,
                None if was_caught != is_caught && may_hold && !LOWER_HOLDS.contains(&key) && key != "overflow" => {
                    format!("{key} changes for queues that {hold} messages")
                }
                _ => continue,
            };
            at_stake = true;
            self.sentences.insert(sentence);
            self.old.insert(format!("{key} {}", shown_json(old)));
            self.new.insert(format!("{key} {}", shown_json(new)));
        }
        if at_stake {
            self.queues.push((one.queue.id(), one.messages));
            self.caught += usize::from(is_caught);
        }
    }

    fn risk(self, policy: &Name) -> Option<Box<Risk>> {
        if self.queues.is_empty() {
            return None;
        }
        let join = |texts: BTreeSet<String>| texts.into_iter().collect::<Vec<_>>().join(", ");
        let names: Vec<String> = self.queues.iter().take(3).map(|(queue, _)| format!("'{}'", queue.name)).collect();
        let more = self.queues.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let sentences: Vec<String> = self.sentences.into_iter().collect();
        let verb = if self.caught == 0 { "no longer holds for" } else { "takes effect on" };
        let what = format!("policy '{policy}' {verb} {}{more}: {}", names.join(", "), sentences.join("; "));
        Some(Box::new(Risk { what, queues: self.queues, old: join(self.old), new: join(self.new) }))
    }
}

/// Returns whether a setting decides what becomes of messages that leave a queue, or do not come into it, and was set before.
fn is_of_the_dying(key: &str, old: Option<&Json>) -> bool {
    (key.starts_with("dead-letter-") || key == "overflow") && old.is_some()
}

/// Returns what is lost when `overflow` changes like that. Without a limit nothing goes beyond it, so where the limit goes, too,
/// nothing is; but dead letters are handed over at least once only beside `reject-publish` (DL-30).
fn overflow_loss(old: &BTreeMap<String, Json>, new: &BTreeMap<String, Json>) -> Option<String> {
    let text = |values: &BTreeMap<String, Json>, key: &str| values.get(key).and_then(Json::as_str).map(str::to_owned);
    let overflow = |values: &BTreeMap<String, Json>| text(values, "overflow").unwrap_or_else(|| "drop-head".to_owned());
    let is_limited = |values: &BTreeMap<String, Json>| {
        let limits = ["max-length", "max-length-bytes"].iter().filter_map(|key| values.get(*key));
        limits.map(number).any(f64::is_finite)
    };
    let (before, after) = (overflow(old), overflow(new));
    let is_kept_twice = |values: &BTreeMap<String, Json>, overflow: &str| {
        overflow == "reject-publish" && text(values, "dead-letter-strategy").as_deref() == Some("at-least-once")
    };
    if before == after {
        return None;
    }
    if is_limited(old) && is_limited(new) {
        return loss_of("overflow", old.get("overflow"), new.get("overflow"));
    }
    let is_weaker = is_kept_twice(old, &before) && new.contains_key("dead-letter-exchange");
    is_weaker.then(|| "dead letters are handed over with another guarantee".to_owned())
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
