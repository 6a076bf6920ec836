//! An outcome as a snapshot's text, and how two of them differ.
//! Takes outcomes and bodies; gives texts. Which file is meant is `snapshot_name`'s, what a file says `snapshot_file`'s.

use crate::model::{Expectation, QueueName, Scenario, Subject};
use crate::player::{BoundedLog, ConsumerOutcome, MessageRecord, Outcome, PublishRecord, QueueOutcome, Receipt};
use crate::report::record::message_json;
use crate::report::redaction::Redaction;
use serde_json::{Map, Value as Json, json};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;

/// What comparing with a snapshot found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Both say the same.
    Same,
    /// There is no snapshot.
    Missing,
    /// Unified, without colour.
    Different(String),
}

/// Writes an outcome as YAML.
pub fn body(outcome: &Outcome, scenario: &Scenario) -> String {
    let redaction = &Redaction { paths: &scenario.snapshot.redact };
    let one_vhost = scenario.topology.vhost_names().len() <= 1;
    let queue_key = |queue: &QueueName| {
        if one_vhost { queue.name.to_string() } else { format!("{} in {}", queue.name, queue.vhost) }
    };
    let mut whole = Map::new();
    if !outcome.publishes.is_empty() {
        whole.insert("publishes".into(), publishes_json(outcome, scenario, redaction));
    }
    let mut queues = Map::new();
    let speaks = |(queue, found): &(&QueueName, &QueueOutcome)| is_telling(queue, found, outcome, scenario);
    for (queue, found) in outcome.queues.iter().filter(speaks) {
        let mut shown = Map::new();
        shown.insert("ready".into(), json!(found.ready));
        shown.insert("unacked".into(), json!(found.unacked));
        let mut messages: Vec<&MessageRecord> = found.messages.iter().flatten().collect();
        if outcome.unordered.contains(queue) {
            messages.sort_by_key(|message| in_series(message));
        }
        if !messages.is_empty() {
            let listed = messages.iter().copied().map(|message| message_json(message, redaction));
            shown.insert("messages".into(), listed.collect());
        }
        if (messages.len() as u64) < found.ready && found.messages.is_some() {
            shown.insert("not_listed".into(), json!(found.ready - messages.len() as u64));
        }
        queues.insert(queue_key(queue), Json::Object(shown));
    }
    whole.insert("queues".into(), Json::Object(queues));
    let consumers = consumers_json(outcome, scenario, redaction);
    if !consumers.is_empty() {
        whole.insert("consumers".into(), Json::Object(consumers));
    }
    if outcome.replies.count() > 0 {
        let shown = outcome.replies.iter().map(|reply| {
            let mut shown = message_json(&reply.record, redaction);
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("to".into(), json!(redaction.name(&reply.to)));
            }
            shown
        });
        whole.insert("replies".into(), shown.collect());
    }
    if !outcome.refusals.is_empty() {
        // Steps follow one another; consumers are told of what they lose in any order.
        let mut refusals: Vec<_> = outcome.refusals.iter().collect();
        refusals.sort_by_key(|one| outcome.consumers.iter().find(|it| it.name == one.who).map(|it| &it.name));
        let shown = refusals.iter().map(|one| {
            let (what, text) = (redaction.attempt(&one.what), redaction.reply_text(&one.text));
            json!({ "who": &*one.who, "what": what, "code": one.code, "text": text })
        });
        whole.insert("refusals".into(), shown.collect());
    }
    serde_yaml::to_string(&Json::Object(whole)).unwrap_or_default()
}

/// Returns whether a queue has a place in a snapshot: it holds something, something was published to it, or an
/// expectation speaks of it. One that nothing ever touched would only change the snapshots of others.
fn is_telling(queue: &QueueName, found: &QueueOutcome, outcome: &Outcome, scenario: &Scenario) -> bool {
    let served = |consumer: &ConsumerOutcome| consumer.queue == *queue && consumer.received.count() > 0;
    let asked = |expectation: &Expectation| match &expectation.subject {
        Subject::Queue(wanted) => wanted.queue == *queue,
        _ => false,
    };
    found.ready + found.unacked > 0
        || outcome.reached.contains(queue)
        || outcome.consumers.iter().any(served)
        || scenario.expectations().any(asked)
}

/// Lists how publishes ended: names in order, by publisher (between publishers there is no order) and outcome. Consumers
/// that compete for a queue are one publisher, whose messages are listed by name.
fn publishes_json(outcome: &Outcome, scenario: &Scenario, redaction: &Redaction<'_>) -> Json {
    let groups = rivals(outcome, scenario);
    let mut by_publisher: BTreeMap<String, (bool, Vec<&BoundedLog<PublishRecord>>)> = BTreeMap::new();
    for (by, log) in &outcome.publishes {
        let group = groups.iter().find(|group| group.iter().any(|one| one.name == *by));
        let name = group.map_or_else(|| by.to_string(), |group| names_of(group));
        let compete = group.is_some_and(|group| group.len() > 1);
        by_publisher.entry(name).or_insert_with(|| (compete, Vec::new())).1.push(log);
    }
    let shown = by_publisher.into_iter().map(|(by, (compete, logs))| (by, publisher_json(&logs, compete, redaction)));
    Json::Object(shown.collect())
}

/// Lists the publishes of one publisher by outcome; `compete`: of several that share what they publish.
fn publisher_json(logs: &[&BoundedLog<PublishRecord>], compete: bool, redaction: &Redaction<'_>) -> Json {
    if let Some(counted) = counted_json(logs, redaction).filter(|_| compete) {
        return counted;
    }
    let mut by_outcome: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in logs.iter().flat_map(|log| log.iter()) {
        let names = by_outcome.entry(record.outcome.as_str()).or_default();
        names.push(redaction.name(&record.message));
    }
    if compete {
        by_outcome.values_mut().for_each(|messages| messages.sort());
    }
    let mut shown: Map<String, Json> =
        by_outcome.into_iter().map(|(outcome, names)| (outcome.to_owned(), json!(names))).collect();
    if let (false, [alone]) = (compete, logs)
        && let Some(digest) = alone.digest()
    {
        shown.insert("count".into(), json!(alone.count()));
        shown.insert("rest_digest".into(), json!(redaction.digest(digest)));
    }
    Json::Object(shown)
}

/// Shows what several had between them by count and digest, once it is more than each would keep alone: which of it each
/// has kept is chance. `None` while all is kept.
fn counted_json<T>(logs: &[&BoundedLog<T>], redaction: &Redaction<'_>) -> Option<Json> {
    let count: u64 = logs.iter().map(|log| log.count()).sum();
    let sum = logs.iter().fold(0u64, |sum, log| sum.wrapping_add(log.names_sum()));
    let is_over = count > BoundedLog::<T>::whole_max();
    is_over.then(|| json!({ "count": count, "names_digest": redaction.digest(sum) }))
}

/// Puts consumers that compete for a queue together, in file order; with `split: true` each stands alone, and so does each
/// of a stream.
fn rivals<'o>(outcome: &'o Outcome, scenario: &Scenario) -> Vec<Vec<&'o ConsumerOutcome>> {
    let mut groups: Vec<Vec<&ConsumerOutcome>> = Vec::new();
    for consumer in &outcome.consumers {
        let competes = !scenario.snapshot.split && !outcome.streams.contains(&consumer.queue);
        let group = groups.iter_mut().find(|group| competes && group[0].queue == consumer.queue);
        match group {
            Some(group) => group.push(consumer),
            None => groups.push(vec![consumer]),
        }
    }
    groups
}

fn names_of(group: &[&ConsumerOutcome]) -> String {
    group.iter().map(|one| &*one.name).collect::<Vec<_>>().join(" + ")
}

/// Shows what consumers got and did; those that compete for a queue are merged, ordered by message.
fn consumers_json(outcome: &Outcome, scenario: &Scenario, redaction: &Redaction<'_>) -> Map<String, Json> {
    let shown = rivals(outcome, scenario).into_iter().map(|group| match group.as_slice() {
        [alone] if outcome.unordered.contains(&alone.queue) => {
            if let Some(counted) = counted_json(&[&alone.received], redaction) {
                return (alone.name.to_string(), Json::Array(vec![counted]));
            }
            let mut receipts: Vec<&Receipt> = alone.received.iter().collect();
            receipts.sort_by_key(|receipt| in_series(&receipt.record));
            let lines = receipts.into_iter().map(|receipt| receipt_json(receipt, redaction));
            (alone.name.to_string(), lines.collect())
        }
        [alone] => (alone.name.to_string(), received_json(&alone.received, redaction)),
        group => {
            let logs: Vec<&BoundedLog<Receipt>> = group.iter().map(|one| &one.received).collect();
            if let Some(counted) = counted_json(&logs, redaction) {
                return (names_of(group), Json::Array(vec![counted]));
            }
            let receipts = group.iter().flat_map(|one| one.received.iter());
            let mut lines: Vec<Json> = receipts.map(|receipt| receipt_json(receipt, redaction)).collect();
            lines.sort_by_key(Json::to_string);
            (names_of(group), Json::Array(lines))
        }
    });
    shown.collect()
}

/// Orders messages whose order is open: new ones first, then by name, the members of a series by number.
fn in_series(record: &MessageRecord) -> (bool, String, u64) {
    let name: &str = &record.name;
    let (series, number) = name.rsplit_once('.').unwrap_or((name, ""));
    match number.parse() {
        Ok(number) => (record.redelivered, series.to_owned(), number),
        Err(_) => (record.redelivered, name.to_owned(), 0),
    }
}

fn received_json(received: &BoundedLog<Receipt>, redaction: &Redaction<'_>) -> Json {
    let mut lines: Vec<Json> = received.iter().map(|receipt| receipt_json(receipt, redaction)).collect();
    if let Some(digest) = received.digest() {
        lines.push(json!({ "count": received.count(), "rest_digest": redaction.digest(digest) }));
    }
    Json::Array(lines)
}

/// Shows one delivery in a line: `poison: nack, requeue`.
fn receipt_json(receipt: &Receipt, redaction: &Redaction<'_>) -> Json {
    let again = if receipt.record.redelivered { " (redelivered)" } else { "" };
    let did: Vec<String> = receipt.did.iter().map(|action| redaction.action(action)).collect();
    let did = if did.is_empty() { "in hand".to_owned() } else { did.join("; ") };
    json!({ format!("{}{again}", redaction.name(&receipt.record.name)): did })
}

/// Compares a body with a kept one.
pub fn compare(kept: Option<&str>, body: &str) -> Comparison {
    match kept {
        None => Comparison::Missing,
        Some(kept) if same(kept, body) => Comparison::Same,
        Some(kept) => Comparison::Different(difference(kept, body)),
    }
}

/// Returns whether two bodies say the same.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.trim_end() == other.trim_end()
}

/// Writes the changed lines with three lines around them.
pub fn difference(kept: &str, now: &str) -> String {
    let diff = TextDiff::from_lines(kept, now);
    let mut text = String::new();
    for (number, group) in diff.grouped_ops(3).iter().enumerate() {
        if number > 0 {
            text.push_str("  …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            text.push_str(&format!("{sign} {}\n", change.value().trim_end_matches('\n')));
        }
    }
    text
}
