//! All that happened in a run, in order, as data: the one stream that every reader folds.
//! Keeps the last ten thousand entries; entries hold shared names. Never writes a word: `report` does.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Counts, Explanation, Refusal, Settlement};
use crate::model::{Act, Message, Millis, Moment, Name, PublishOutcome, QueueName};
use crate::player::record::run_counts::RunCounts;
use crate::source::Span;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many entries are kept.
const ENTRIES_MAX: usize = 10_000;

/// One entry: when, in which order, and what.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    pub moment: Moment,
    /// Counts all entries of the run from 1.
    pub sequence: u64,
    pub what: TimelineEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum TimelineEvent {
    /// The driver, or a user, did what has no event of its own: declared, deleted, set a policy.
    Did {
        who: Name,
        act: Box<Act>,
    },
    /// The driver restarts the broker.
    Restarting,
    Published {
        by: Name,
        message: Name,
        exchange: Name,
        routing_key: Name,
    },
    PublishEnded {
        message: Name,
        outcome: PublishOutcome,
        refusal: Option<Box<Refusal>>,
    },
    /// The answer to a call came.
    Replied {
        to: Name,
        question: Name,
        message: Arc<Message>,
    },
    Started {
        consumer: Name,
        queue: QueueName,
    },
    Delivered {
        consumer: Name,
        queue: QueueName,
        name: Name,
        redelivered: bool,
        message: Arc<Message>,
    },
    Settled {
        consumer: Name,
        message: Name,
        settlement: Settlement,
    },
    Working {
        consumer: Name,
        on: WorkUnit,
        for_how_long: Millis,
    },
    /// A consumer took up a batch.
    BatchTaken {
        consumer: Name,
        batch: WorkUnit,
    },
    /// A consumer's work took longer than its `timeout`.
    TimedOut {
        consumer: Name,
        on: WorkUnit,
        after: Millis,
    },
    /// A consumer sends a message to its next delay, or to where the ladder ends.
    Retried {
        consumer: Name,
        message: Name,
        to: RetryStep,
    },
    /// The consumer is gone, or consumes no more.
    Gone {
        consumer: Name,
        how: ConsumerEnd,
    },
    /// An attempt to come back begins; counts from 1.
    Reconnecting {
        consumer: Name,
        attempt: u32,
    },
    ReconnectFailed {
        consumer: Name,
        refusal: Box<Refusal>,
    },
    /// The consumer stays away: its attempts are used up.
    ReconnectGivenUp {
        consumer: Name,
        attempts: u32,
    },
    Refused {
        who: Name,
        what: Attempt,
        refusal: Box<Refusal>,
    },
    Counted {
        queue: QueueName,
        counts: Option<Counts>,
    },
    Advanced {
        by: Millis,
    },
    Judged {
        span: Span,
        holds: bool,
    },
    /// Why something happened inside the sim, and to which message.
    Told {
        message: Option<Name>,
        /// What it waits behind, and the run's moment until which.
        behind: Option<Name>,
        until: Option<Moment>,
        insight: Box<Explanation>,
    },
}

/// What a consumer works on at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkUnit {
    Message(Name),
    Batch { size: usize, first: Name, last: Name },
}

/// Where the action `retry` sends a message, by its header `x-retry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryStep {
    /// The delay of the retry that is counted from 1.
    Delay { number: i64, of: usize, delay: Name },
    /// All delays were used: to where they are parked.
    Parked { of: usize },
    /// All delays were used, and nothing else is declared.
    NoneLeft { of: usize },
}

/// How a consumer ceases to consume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerEnd {
    Cancels,
    CancelledByBroker,
    Stops,
    Crashes,
    ClosesChannel,
    LosesChannel,
    ClosesConnection,
    LosesConnection,
    /// Its connection is lost, and the broker does not know yet.
    LosesNetwork,
    /// Another instance on its connection took it away.
    LosesSharedConnection,
}

/// What the broker refuses, or takes away.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    Step(Box<Act>),
    /// A consumer's start.
    Consume(Name),
    /// A publish of a consumer's actions.
    Publish,
    /// The channel of a consumer that ran.
    Channel,
    /// The connection of a consumer that ran.
    Connection,
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    entries: VecDeque<TimelineEntry>,
    sequence: u64,
    /// Entries are counted and not kept.
    counts_only: bool,
    /// What all entries add up to; absent where nobody asks.
    counts: Option<Box<RunCounts>>,
}

impl Timeline {
    /// Makes one of the latest entries of those that there were, oldest first.
    pub(crate) fn of(entries: impl Iterator<Item = TimelineEntry>, count: u64) -> Self {
        Self { entries: entries.collect(), sequence: count, counts_only: false, counts: None }
    }

    /// Adds what happened at a moment.
    pub fn record(&mut self, moment: Moment, what: TimelineEvent) {
        self.sequence += 1;
        if let Some(counts) = &mut self.counts {
            count(counts, moment, &what);
        }
        if self.counts_only {
            return;
        }
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(TimelineEntry { moment, sequence: self.sequence, what });
    }

    /// Adds up from now on what entries tell.
    pub(crate) fn count_all(&mut self) {
        self.counts = Some(Box::default());
    }

    /// Does the same, for expectations that compare numbers and quantiles of times.
    pub(crate) fn count_for_expectations(&mut self) {
        self.counts = Some(RunCounts::with_times().into());
    }

    /// Returns what all entries add up to, where that was asked for.
    pub fn counts(&self) -> Option<&RunCounts> {
        self.counts.as_deref()
    }

    /// Lets entries be counted from now on, and not kept.
    pub(crate) fn keep_nothing(&mut self) {
        self.counts_only = true;
    }

    /// Returns what is kept, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &TimelineEntry> {
        self.entries.iter()
    }

    /// Returns how many there were.
    pub fn count(&self) -> u64 {
        self.sequence
    }
}

/// Adds what an entry tells.
fn count(counts: &mut RunCounts, moment: Moment, what: &TimelineEvent) {
    match what {
        TimelineEvent::Published { message, exchange, .. } => counts.published(moment, message, exchange),
        TimelineEvent::PublishEnded { outcome, .. } => counts.ended(*outcome),
        TimelineEvent::Delivered { queue, name, redelivered, .. } => {
            counts.delivered(moment, name, queue, *redelivered)
        }
        TimelineEvent::Settled { settlement, .. } => counts.settled(*settlement),
        TimelineEvent::Told { insight, .. } => counts.told(insight),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn all_entries_count_however_many_are_kept() {
        let mut timeline = Timeline::default();
        timeline.count_all();
        for n in 0..30_000u64 {
            let message: Name = format!("m{n}").as_str().into();
            let exchange: Name = "orders".into();
            let what = TimelineEvent::Published {
                by: "driver".into(),
                message: message.clone(),
                exchange,
                routing_key: "k".into(),
            };
            timeline.record(Moment(n), what);
            timeline.record(
                Moment(n),
                TimelineEvent::PublishEnded {
                    message: message.clone(),
                    outcome: PublishOutcome::Confirmed,
                    refusal: None,
                },
            );
            let settlement = if n % 3 == 0 { Settlement::Nack { requeue: true } } else { Settlement::Ack };
            timeline.record(Moment(n), TimelineEvent::Settled { consumer: "worker".into(), message, settlement });
        }
        assert_eq!(timeline.entries().count(), 10_000);
        let counts = timeline.counts().expect("counted");
        assert_eq!(counts.published.values().sum::<u64>(), 30_000);
        assert_eq!(counts.ended[&PublishOutcome::Confirmed], 30_000);
        assert_eq!(counts.settled, BTreeMap::from([("acked", 20_000), ("requeued", 10_000)]));
        assert_eq!(Timeline::default().counts(), None);
    }
}
