//! What schedules may differ in: how each expectation ended, each publish, each queue and each consumer. Counts how often
//! each value came, and by which schedule first. Values are told in words only when they are new.

use crate::broker::Settlement;
use crate::model::{Name, PublishOutcome};
use crate::player::{ActionRecord, MessageRecord, Outcome, RunResult, digest_of};
use crate::source::Span;
use std::collections::BTreeMap;

/// How many messages of a list are named.
const NAMED_MAX: usize = 100;

/// How many values of one fact are kept.
const VALUES_MAX: usize = 100;

/// What may vary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// How an expectation or a step ended.
    Expectation(FactPlace),
    /// How the publishes of somebody ended.
    Publishes(Name),
    /// What a queue held at the end.
    Queue(Name),
    /// What a consumer received and did.
    Consumer(Name),
    /// Who was refused what.
    Refusals,
    /// Answers to calls.
    Replies,
}

/// A place in a file, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactPlace(pub Span);

impl PartialOrd for FactPlace {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FactPlace {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.start, self.0.end).cmp(&(other.0.start, other.0.end))
    }
}

/// One value of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactValue {
    /// In words.
    pub shown: String,
    /// How many schedules had it.
    pub schedules: u64,
    /// The first of them.
    pub first: u64,
}

/// All values that came up so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    values: BTreeMap<Fact, BTreeMap<u64, FactValue>>,
    schedules: u64,
}

/// The facts of one run.
#[derive(Debug)]
pub(super) struct TakenFacts {
    all: Vec<(Fact, u64)>,
    /// A digest of all of them.
    pub digest: u64,
    /// Whether it failed.
    pub failed: bool,
}

impl Facts {
    /// Takes a finished run and returns its facts.
    pub fn take(&mut self, number: u64, played: &RunResult) -> TakenFacts {
        self.schedules += 1;
        let mut all = Vec::with_capacity(8);
        for failure in &played.failures {
            let key = Fact::Expectation(FactPlace(failure.span));
            let shown = failure.findings.first().map_or_else(
                || failure.message.clone(),
                |finding| format!("{}: expected {}, found {}", finding.field, finding.expected, finding.found),
            );
            let digest = digest_of(shown.as_bytes());
            all.push((key.clone(), digest));
            self.note(key, digest, number, || shown);
        }
        if let Some(outcome) = &played.outcome {
            self.take_outcome(number, outcome, &mut all);
        }
        let digest = all.iter().fold(0, |whole, (_, digest)| mix(whole, *digest));
        TakenFacts { all, digest, failed: !played.failures.is_empty() }
    }

    /// Takes the facts of a run once more, for another one that ends alike.
    pub fn take_again(&mut self, taken: &TakenFacts) {
        self.schedules += 1;
        for (fact, digest) in &taken.all {
            if let Some(value) = self.values.get_mut(fact).and_then(|values| values.get_mut(digest)) {
                value.schedules += 1;
            }
        }
    }

    fn take_outcome(&mut self, number: u64, outcome: &Outcome, all: &mut Vec<(Fact, u64)>) {
        let mut take = |fact: Fact, digest: u64, shown: &dyn Fn() -> String| {
            all.push((fact.clone(), digest));
            self.note(fact, digest, number, shown);
        };
        for (by, log) in &outcome.publishes {
            let digest =
                log.iter().fold(log.count(), |digest, one| mix(mix_text(digest, &one.message), one.outcome as u64));
            take(Fact::Publishes(by.clone()), digest, &|| {
                publishes_in_words(log.iter().map(|one| (&one.message, one.outcome)))
            });
        }
        for (name, queue) in &outcome.queues {
            let messages = queue.messages.as_deref().unwrap_or_default();
            let digest = messages.iter().fold(mix(queue.ready, queue.unacked), mix_message);
            take(Fact::Queue(name.name.clone()), digest, &|| {
                let held = list(messages.iter().map(message_in_words));
                let unacked = if queue.unacked > 0 { format!(", {} unacked", queue.unacked) } else { String::new() };
                match messages {
                    [] => format!("{} ready{unacked}", queue.ready),
                    _ => format!("{} ready{unacked}: {held}", queue.ready),
                }
            });
        }
        for consumer in &outcome.consumers {
            let received = &consumer.received;
            let digest = received.iter().fold(received.count(), |digest, receipt| {
                receipt.did.iter().fold(mix_message(digest, &receipt.record), |digest, did| mix(digest, code_of(did)))
            });
            take(Fact::Consumer(consumer.name.clone()), digest, &|| {
                let each = received.iter().map(|receipt| {
                    let did: Vec<&str> = receipt.did.iter().map(word_of).collect();
                    let did = match did.as_slice() {
                        [] => " (nothing)".to_owned(),
                        ["ack"] => String::new(),
                        did => format!(" ({})", did.join(", ")),
                    };
                    format!("{}{did}", message_in_words(&receipt.record))
                });
                match received.count() {
                    0 => "nothing".to_owned(),
                    count if count > NAMED_MAX as u64 => format!("{count} deliveries, {}", list(each)),
                    _ => list(each),
                }
            });
        }
        let digest = outcome.refusals.iter().fold(0, |digest, one| mix_text(mix_text(digest, &one.who), &one.text));
        take(Fact::Refusals, digest, &|| list(outcome.refusals.iter().map(|one| format!("{}: {}", one.who, one.text))));
        let digest = outcome.replies.iter().fold(0, |digest, one| mix_message(mix_text(digest, &one.to), &one.record));
        take(Fact::Replies, digest, &|| list(outcome.replies.iter().map(|one| one.to.to_string())));
    }

    fn note(&mut self, fact: Fact, digest: u64, number: u64, shown: impl FnOnce() -> String) {
        let values = self.values.entry(fact).or_default();
        if values.len() >= VALUES_MAX && !values.contains_key(&digest) {
            return;
        }
        values.entry(digest).or_insert_with(|| FactValue { shown: shown(), schedules: 0, first: number }).schedules +=
            1;
    }

    /// Returns what varied, with its values, the most frequent first. What only some runs came to varies, too.
    pub fn varied(self) -> Vec<(Fact, Vec<FactValue>)> {
        let schedules = self.schedules;
        let varied = self.values.into_iter().filter_map(|(fact, values)| {
            let mut values: Vec<FactValue> = values.into_values().collect();
            let seen: u64 = values.iter().map(|value| value.schedules).sum();
            if matches!(fact, Fact::Expectation(_)) && seen < schedules {
                values.push(FactValue { shown: "holds".to_owned(), schedules: schedules - seen, first: 0 });
            }
            values.sort_by_key(|value| (std::cmp::Reverse(value.schedules), value.first));
            (values.len() > 1).then_some((fact, values))
        });
        varied.collect()
    }
}

/// Returns a digest of all facts of a run.
pub(super) fn digest_of_facts(played: &RunResult) -> u64 {
    Facts::default().take(1, played).digest
}

fn mix(digest: u64, value: u64) -> u64 {
    (digest.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn mix_text(digest: u64, text: &str) -> u64 {
    let mut chunks = text.as_bytes().chunks_exact(8);
    let whole = chunks.by_ref().fold(mix(digest, text.len() as u64), |digest, chunk| {
        mix(digest, chunk.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    });
    mix(whole, chunks.remainder().iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn mix_message(digest: u64, record: &MessageRecord) -> u64 {
    let deaths = record.message.deaths().count() as u64;
    let counted = record.message.deaths_counted() as u64;
    mix(mix_text(digest, &record.name), u64::from(record.redelivered) | deaths << 1 | counted << 16)
}

fn message_in_words(record: &MessageRecord) -> String {
    if record.redelivered { format!("{} again", record.name) } else { record.name.to_string() }
}

fn publishes_in_words<'a>(all: impl Iterator<Item = (&'a Name, PublishOutcome)>) -> String {
    let mut by_outcome: BTreeMap<PublishOutcome, Vec<String>> = BTreeMap::new();
    for (message, outcome) in all {
        by_outcome.entry(outcome).or_default().push(message.to_string());
    }
    let parts = by_outcome.into_iter().map(|(outcome, names)| {
        let count = names.len();
        format!("{count} {}: {}", outcome.as_str(), list(names.into_iter()))
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn list(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let named = all.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => "none".to_owned(),
        n if n > NAMED_MAX => format!("{named} and {} more", n - NAMED_MAX),
        _ => named,
    }
}

fn code_of(did: &ActionRecord) -> u64 {
    mix_text(0, word_of(did))
}

fn word_of(did: &ActionRecord) -> &'static str {
    match did {
        ActionRecord::Settled(Settlement::Ack) => "ack",
        ActionRecord::Settled(Settlement::Nack { requeue: true }) => "nack with requeue",
        ActionRecord::Settled(Settlement::Nack { requeue: false }) => "nack",
        ActionRecord::Settled(Settlement::Reject { requeue: true }) => "reject with requeue",
        ActionRecord::Settled(Settlement::Reject { requeue: false }) => "reject",
        ActionRecord::Held => "hold",
        ActionRecord::TimedOut => "timeout",
        ActionRecord::CameBack => "came back",
        ActionRecord::Crashed => "crash",
        ActionRecord::ClosedChannel => "close_channel",
        ActionRecord::Cancelled => "cancel",
        ActionRecord::Sent { forward: true, .. } => "forward",
        ActionRecord::Sent { .. } => "publish",
        ActionRecord::Replied { .. } => "reply",
        ActionRecord::Retried { .. } => "retry",
        ActionRecord::RetriesUsedUp => "retries used up",
    }
}
