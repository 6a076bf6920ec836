//! Returns that wait for their delayed retry (QQ-43-4), in the order in which they become ready.

use crate::model::Moment;
use crate::sim::state::queued_message::QueuedMessage;
use std::collections::BTreeMap;

/// Holds delayed returns by due time and place in the queue. Of those that are due together the first one returned is
/// ready first, and then the others as they once stood in the queue: RabbitMQ remembers which is next, and looks anew
/// only for an earlier moment.
#[derive(Clone, Default, Hash)]
pub(crate) struct Delayed {
    entries: BTreeMap<(Moment, u64), QueuedMessage>,
    next: Option<(Moment, u64)>,
}

impl Delayed {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &QueuedMessage> {
        self.entries.values()
    }

    pub(crate) fn insert(&mut self, at: Moment, entry: QueuedMessage) {
        let key = (at, entry.position);
        self.entries.insert(key, entry);
        if self.next.is_none_or(|(first, _)| at < first) {
            self.next = Some(key);
        }
    }

    /// Returns the moment at which the next one is ready.
    pub(crate) fn due_at(&self) -> Option<Moment> {
        self.next.map(|(at, _)| at)
    }

    /// Takes the next one that is ready.
    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<QueuedMessage> {
        let key = self.next.filter(|(at, _)| *at <= now)?;
        let entry = self.entries.remove(&key);
        self.next = self.entries.keys().next().copied();
        entry
    }

    /// Takes all of them.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = QueuedMessage> + use<> {
        std::mem::take(self).entries.into_values()
    }
}
