//! What a timeline adds up to as numbers: publishes, deliveries, settlements, dead letters, and how long messages took.
//! Fed with each entry, however many of them are kept. Never writes a word.

use crate::broker::{Death, Explanation, Settlement, What};
use crate::model::{Millis, Moment, Name, PublishOutcome, QueueName};
use std::collections::{BTreeMap, VecDeque};

/// The upper bounds of the buckets of [`RunCounts::latency`], in milliseconds; one more holds what took longer.
pub const LATENCY_BOUNDS_MS: [u64; 12] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 600_000, 3_600_000];

/// Of how many messages that were not delivered yet the moment of the publish is kept; the oldest go first.
const WAITING_MAX: usize = 100_000;

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunCounts {
    /// Publishes, by exchange.
    pub published: BTreeMap<Name, u64>,
    /// How publishes ended.
    pub ended: BTreeMap<PublishOutcome, u64>,
    /// Deliveries to consumers, and to who asked by `get`, by queue.
    pub delivered: BTreeMap<QueueName, u64>,
    /// Those of them that were redelivered.
    pub redelivered: BTreeMap<QueueName, u64>,
    /// Settlements by their word: `acked`, `nacked`, `rejected`, `requeued`.
    pub settled: BTreeMap<&'static str, u64>,
    /// Messages that died and went to a dead-letter exchange, by queue and reason; the simulated broker tells it.
    pub dead_lettered: BTreeMap<(QueueName, Death), u64>,
    /// Messages that are gone for good, by queue; the simulated broker tells it.
    pub dropped: BTreeMap<QueueName, u64>,
    /// First deliveries, by how long after the publish they came: a bucket for each bound, and one for what took longer.
    pub latency: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// The sum of these times.
    pub latency_sum: Millis,
    waiting: BTreeMap<Name, Moment>,
    order: VecDeque<Name>,
}

impl RunCounts {
    /// Counts a publish.
    pub(crate) fn published(&mut self, moment: Moment, message: &Name, exchange: &Name) {
        one_more(&mut self.published, exchange.clone());
        self.wait(message.clone(), moment);
    }

    /// Counts the end of a publish.
    pub(crate) fn ended(&mut self, outcome: PublishOutcome) {
        one_more(&mut self.ended, outcome);
    }

    /// Counts a delivery.
    pub(crate) fn delivered(&mut self, moment: Moment, message: &Name, queue: &QueueName, redelivered: bool) {
        one_more(&mut self.delivered, queue.clone());
        if redelivered {
            one_more(&mut self.redelivered, queue.clone());
        }
        if let Some(published) = self.waiting.remove(message) {
            self.took(Millis(moment.0.saturating_sub(published.0)));
        }
    }

    /// Counts a settlement.
    pub(crate) fn settled(&mut self, settlement: Settlement) {
        one_more(&mut self.settled, word_of(settlement));
    }

    /// Counts what the simulated broker tells of a message's end.
    pub(crate) fn told(&mut self, insight: &Explanation) {
        match (&insight.what, &insight.queue) {
            (What::DeadLettered { death, .. }, Some(queue)) => {
                one_more(&mut self.dead_lettered, (queue.clone(), *death))
            }
            (What::Dropped { .. }, Some(queue)) => one_more(&mut self.dropped, queue.clone()),
            _ => {}
        }
    }

    fn wait(&mut self, message: Name, moment: Moment) {
        if self.order.len() >= WAITING_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        self.order.push_back(message.clone());
        self.waiting.insert(message, moment);
    }

    /// Counts a first delivery that came so long after the publish.
    pub(crate) fn took(&mut self, time: Millis) {
        let bucket = LATENCY_BOUNDS_MS.iter().position(|bound| time.0 <= *bound).unwrap_or(LATENCY_BOUNDS_MS.len());
        self.latency[bucket] += 1;
        self.latency_sum = Millis(self.latency_sum.0.saturating_add(time.0));
    }
}

fn word_of(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Ack => "acked",
        Settlement::Nack { requeue: false } => "nacked",
        Settlement::Reject { requeue: false } => "rejected",
        Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true } => "requeued",
    }
}

fn one_more<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_the_bucket_of_their_bound() {
        let mut counts = RunCounts::default();
        for time in [0, 1, 2, 10, 11, 4_000_000] {
            counts.took(Millis(time));
        }
        assert_eq!(counts.latency, [2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(counts.latency_sum, Millis(4_000_024));
    }
}
