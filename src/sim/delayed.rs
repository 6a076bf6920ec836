//! Returns that wait for their delayed retry (QQ-43-4), in the order in which they become ready.

use super::entry::Entry;
use crate::model::Moment;
use std::collections::BTreeMap;

/// Holds delayed returns by due time and place in the queue. Of those that are due together the first one returned is
/// ready first, and then the others as they once stood in the queue: RabbitMQ remembers which is next, and looks anew
/// only for an earlier moment.
#[derive(Default)]
pub(super) struct Delayed {
    entries: BTreeMap<(Moment, u64), Entry>,
    next: Option<(Moment, u64)>,
}

impl Delayed {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn insert(&mut self, at: Moment, entry: Entry) {
        let key = (at, entry.position);
        self.entries.insert(key, entry);
        if self.next.is_none_or(|(first, _)| at < first) {
            self.next = Some(key);
        }
    }

    /// Gives the moment at which the next one is ready.
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.next.map(|(at, _)| at)
    }

    /// Takes the next one that is ready.
    pub(super) fn pop_due(&mut self, now: Moment) -> Option<Entry> {
        let key = self.next.filter(|(at, _)| *at <= now)?;
        let entry = self.entries.remove(&key);
        self.next = self.entries.keys().next().copied();
        entry
    }

    /// Takes all of them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry> + use<> {
        std::mem::take(self).entries.into_values()
    }
}
