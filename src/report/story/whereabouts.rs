//! Where a message is and was, folded from the entries of its story.
//! Takes a story, returns places, losses and who had it. Never writes a word.

use crate::broker::{Settlement, What};
use crate::model::{Name, PublishOutcome, QueueName};
use crate::player::{TimelineEntry, TimelineEvent};
use crate::report::story::Story;
use std::collections::{BTreeMap, BTreeSet};

/// How a message is in a queue.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The entry of the timeline that brought it there.
    since: u64,
    /// The consumer that holds it.
    holder: Option<&'a Name>,
}

/// Where one message is, and where it was.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts<'a> {
    /// The queues that have it.
    pub places: BTreeMap<&'a QueueName, Place<'a>>,
    /// All queues that it was in.
    pub met: BTreeSet<&'a QueueName>,
    /// All consumers that got it.
    pub got_by: BTreeSet<&'a Name>,
    /// Dropped by the broker, or never taken.
    pub lost: bool,
    /// Taken by a queue that was over its limit.
    pub over_limit: bool,
    /// The broker said that no queue took it.
    pub unroutable: bool,
    pub outcome: Option<PublishOutcome>,
}

impl<'a> Whereabouts<'a> {
    /// Folds the story of a message, and what became of queues.
    pub fn of(story: &Story<'a>, gone: &[(u64, &'a QueueName)]) -> Self {
        let mut at = Self::default();
        for hop in &story.hops {
            at.follow(hop);
        }
        at.places.retain(|name, place| !gone.iter().any(|(when, queue)| queue == name && *when > place.since));
        at
    }

    /// Returns whether a queue has it, ready or in the hands of a consumer.
    pub fn is_in(&self, queue: &QueueName) -> bool {
        self.places.contains_key(queue)
    }

    fn follow(&mut self, hop: &'a TimelineEntry) {
        match &hop.what {
            TimelineEvent::PublishEnded { outcome, .. } => {
                self.outcome = Some(*outcome);
                self.unroutable |= *outcome == PublishOutcome::Returned;
                self.lost |= *outcome != PublishOutcome::Confirmed;
            }
            TimelineEvent::Delivered { consumer, queue, .. } => {
                self.met.insert(queue);
                self.got_by.insert(consumer);
                self.places.insert(queue, Place { since: hop.sequence, holder: Some(consumer) });
            }
            TimelineEvent::Settled { consumer, settlement, .. } => self.settle(consumer, *settlement),
            TimelineEvent::Told { insight, .. } => match (&insight.what, &insight.queue) {
                (What::Enqueued { .. } | What::Requeued { .. }, Some(queue)) => {
                    self.met.insert(queue);
                    self.places.insert(queue, Place { since: hop.sequence, holder: None });
                }
                (What::DeadLettered { .. }, Some(queue)) => {
                    self.places.remove(queue);
                }
                (What::OverLimit { .. }, _) => self.over_limit = true,
                (What::Dropped { .. }, queue) => {
                    self.lost = true;
                    self.unroutable |= self.met.is_empty();
                    for queue in queue.iter() {
                        self.places.remove(queue);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Takes it from who held it; it stays in the queue when it goes back.
    fn settle(&mut self, consumer: &Name, settlement: Settlement) {
        let requeued = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        if requeued {
            let held = self.places.values_mut().filter(|place| place.holder == Some(consumer));
            held.for_each(|place| place.holder = None);
        } else {
            self.places.retain(|_, place| place.holder != Some(consumer));
        }
    }
}
