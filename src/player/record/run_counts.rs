//! What a timeline adds up to as numbers: publishes, deliveries, settlements, dead letters, and how long messages took.
//! Fed with each entry, however many of them are kept. Never writes a word.

use crate::broker::{Death, Explanation, Settlement, What};
use crate::model::{Metric, Millis, Moment, Name, PublishOutcome, QueueName};
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
    /// How many took how many milliseconds, from a second on with three digits, rounded up: there are few different ones.
    /// Absent where nobody asks for a quantile.
    times: Option<BTreeMap<u64, u64>>,
    waiting: BTreeMap<Name, Moment>,
    order: VecDeque<Name>,
}

impl RunCounts {
    /// Counts times for quantiles, too.
    pub(crate) fn with_times() -> Self {
        Self { times: Some(BTreeMap::new()), ..Self::default() }
    }

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

    /// Returns the time that so many of 100,000 first deliveries did not exceed: to the millisecond below a second, else to three
    /// digits. `None` before the first delivery.
    pub fn latency_of(&self, quantile: u32) -> Option<Millis> {
        let times = self.times.as_ref()?;
        let all: u64 = times.values().sum();
        let rank = (u128::from(all) * u128::from(quantile)).div_ceil(100_000).max(1);
        let mut passed = 0u128;
        let reached = |(_, count): &(&u64, &u64)| {
            passed += u128::from(**count);
            passed >= rank
        };
        times.iter().find(reached).map(|(time, _)| Millis(*time))
    }

    /// Returns a number that is counted; 0 for a latency.
    pub(crate) fn number_of(&self, metric: &Metric) -> u64 {
        let of_queue = |counts: &BTreeMap<QueueName, u64>, wanted: &Option<QueueName>| match wanted {
            Some(queue) => counts.get(queue).copied().unwrap_or(0),
            None => counts.values().sum(),
        };
        match metric {
            Metric::Published { exchange: Some(exchange) } => self.published.get(exchange).copied().unwrap_or(0),
            Metric::Published { exchange: None } => self.published.values().sum(),
            Metric::Delivered { queue } => of_queue(&self.delivered, queue),
            Metric::Redelivered { queue } => of_queue(&self.redelivered, queue),
            Metric::Settled(word) => self.settled.get(word).copied().unwrap_or(0),
            Metric::DeadLettered { queue, reason } => {
                let is_meant = |(own, death): &(QueueName, Death)| {
                    queue.as_ref().is_none_or(|queue| queue == own)
                        && reason.is_none_or(|reason| reason == death.as_str())
                };
                self.dead_lettered.iter().filter(|(key, _)| is_meant(key)).map(|(_, count)| count).sum()
            }
            Metric::Dropped { queue } => of_queue(&self.dropped, queue),
            Metric::Latency { .. } => 0,
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
        if let Some(times) = &mut self.times {
            one_more(times, with_three_digits(time.0));
        }
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

/// Rounds a number from a thousand on up to its first three digits.
fn with_three_digits(number: u64) -> u64 {
    let unit = 10u64.saturating_pow(number.checked_ilog10().unwrap_or(0).saturating_sub(2));
    if number < 1_000 { number } else { number.div_ceil(unit).saturating_mul(unit) }
}

fn one_more<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_the_bucket_of_their_bound() {
        let mut counts = RunCounts::with_times();
        for time in [0, 1, 2, 10, 11, 4_000_000] {
            counts.took(Millis(time));
        }
        assert_eq!(counts.latency, [2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(counts.latency_sum, Millis(4_000_024));
        let of = |quantile| counts.latency_of(quantile).map(|time| time.0);
        assert_eq!(
            [0, 16_666, 16_667, 50_000, 83_333, 83_334, 100_000].map(of).map(Option::unwrap_or_default),
            [0, 0, 1, 2, 11, 4_000_000, 4_000_000]
        );
        assert_eq!(RunCounts::default().latency_of(50_000), None);
        assert_eq!([999, 1_000, 1_234, 12_340, 9_999].map(with_three_digits), [999, 1_000, 1_240, 12_400, 10_000]);
    }
}
