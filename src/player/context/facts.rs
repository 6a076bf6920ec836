//! What the broker says that is no answer to anybody: the counts of queues, and why something happened inside.

use crate::broker::{Counts, Explanation, What};
use crate::model::QueueName;
use crate::player::context::shared::Context;
use crate::player::record::timeline::TimelineEvent;

impl Context {
    /// Takes a fresh count of a queue.
    pub fn counted(&mut self, queue: &QueueName, counts: Option<Counts>) {
        self.record(TimelineEvent::Counted { queue: queue.clone(), counts });
        self.ledger.counted(queue.clone(), counts);
    }

    /// Counts a message that was dropped, unless its own publish is told of it: that one is returned or nacked.
    pub fn count_drop(&mut self, insight: &Explanation) {
        let told = insight.origin.is_some_and(|origin| self.in_flight.contains_key(&origin));
        if matches!(insight.what, What::Dropped { stood, .. } if stood || !told) {
            self.ledger.dropped += 1;
        }
    }

    /// Adds a reason to the timeline, with the names of the messages that it is about.
    pub fn told(&mut self, insight: Box<Explanation>) {
        let message = insight.origin.map(|origin| self.names.of_origin(origin));
        let (behind, until) = match &insight.what {
            What::Blocked { behind, until, .. } => (*behind, *until),
            _ => (None, None),
        };
        let behind = behind.map(|behind| self.names.of_origin(behind));
        let until = until.map(|until| self.now() + until);
        self.record(TimelineEvent::Told { message, behind, until, insight });
    }
}
