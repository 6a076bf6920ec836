//! The dead letters that an at-least-once queue keeps until all targets have them (DL-30).

use crate::sim::state::dead_letter::{DeadLetter, WaitingDeadLetter};
use crate::sim::state::queued_message::QueuedMessage;
use std::collections::VecDeque;

/// The dead letters of an at-least-once queue.
#[derive(Clone, Default, Hash)]
pub(crate) struct Backlog {
    /// Messages and bytes of all of them.
    counted: (u64, u64),
    /// How many are on their way to their targets.
    pub leaving: usize,
    /// What the worker has and could not bring to all targets.
    pub waiting: VecDeque<WaitingDeadLetter>,
    /// What comes after that.
    pub held: VecDeque<DeadLetter>,
}

impl Backlog {
    /// Returns messages and bytes, which count towards the limits of their queue.
    pub(crate) fn counted(&self) -> (u64, u64) {
        self.counted
    }

    /// Counts those that no target has confirmed and that are on no way.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.held.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes all that wait, oldest first.
    pub(crate) fn drain(&mut self) -> Vec<QueuedMessage> {
        let held = self.held.drain(..).filter_map(|letter| letter.kept).map(|kept| *kept);
        let all: Vec<QueuedMessage> = self.waiting.drain(..).chain(held).map(|waiting| waiting.entry).collect();
        all.iter().for_each(|entry| self.weigh_off(entry));
        all
    }

    pub(crate) fn weigh_on(&mut self, entry: &QueuedMessage) {
        self.counted = (self.counted.0 + 1, self.counted.1 + u64::from(entry.size));
    }

    pub(crate) fn weigh_off(&mut self, entry: &QueuedMessage) {
        self.counted = (self.counted.0 - 1, self.counted.1 - u64::from(entry.size));
    }
}
