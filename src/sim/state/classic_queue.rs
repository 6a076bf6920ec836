//! The contents of a classic queue: levels of priority, FIFO inside, returned entries at their old place (CO-10).
//! Knows nothing of consumers or of what becomes of what it gives out.

use crate::model::Moment;
use crate::sim::state::queued_message::{NEVER, QueuedMessage};
use std::collections::VecDeque;

/// The ready messages of a classic queue.
#[derive(Debug, Clone, Hash)]
pub(crate) struct ClassicQueue {
    /// From priority 0 up; one level without x-max-priority.
    levels: Vec<VecDeque<QueuedMessage>>,
    ready: u64,
    bytes: u64,
    enqueued: u64,
    /// None of what is in it expires after this.
    latest_expiry: Moment,
}

impl ClassicQueue {
    pub(crate) fn new(max_priority: u8) -> Self {
        let levels = (0..=max_priority).map(|_| VecDeque::new()).collect();
        Self { levels, ready: 0, bytes: 0, enqueued: 0, latest_expiry: Moment(0) }
    }

    pub(crate) fn ready(&self) -> u64 {
        self.ready
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the level of a priority: missing is 0, above the highest is the highest (PRI-2).
    pub(crate) fn level(&self, priority: Option<u8>) -> u8 {
        priority.unwrap_or(0).min((self.levels.len() - 1) as u8)
    }

    /// Numbers the next message that arrives, be it stored or handed on at once.
    pub(crate) fn next_position(&mut self) -> u64 {
        self.enqueued += 1;
        self.enqueued
    }

    pub(crate) fn push(&mut self, entry: QueuedMessage) {
        self.added(&entry);
        self.levels[usize::from(entry.level)].push_back(entry);
    }

    /// Puts an entry back to where it came from.
    pub(crate) fn put_back(&mut self, entry: QueuedMessage) {
        self.added(&entry);
        let level = &mut self.levels[usize::from(entry.level)];
        if level.front().is_none_or(|front| entry.position < front.position) {
            level.push_front(entry);
        } else {
            let at = level.partition_point(|other| other.position < entry.position);
            level.insert(at, entry);
        }
    }

    /// Takes the next message: highest priority, oldest first.
    pub(crate) fn pop(&mut self) -> Option<QueuedMessage> {
        let level = self.levels.iter().rposition(|level| !level.is_empty())?;
        self.pop_from(level)
    }

    /// Takes an expired head. The highest level that is not empty decides: while its head lives, nothing below goes
    /// (TTL-5, TTL-12).
    pub(crate) fn pop_expired(&mut self, now: Moment) -> Option<QueuedMessage> {
        let level = self.levels.iter().rposition(|level| !level.is_empty())?;
        if self.levels[level].front()?.is_expired(now) { self.pop_from(level) } else { None }
    }

    /// Returns whether it has levels at all (PRI-1).
    pub(crate) fn has_priorities(&self) -> bool {
        self.levels.len() > 1
    }

    /// Returns what would leave before a newcomer of that level, next first.
    pub(crate) fn in_front_of(&self, level: u8) -> impl Iterator<Item = &QueuedMessage> {
        self.levels[usize::from(level)..].iter().rev().flatten()
    }

    /// Returns the message that is next.
    pub(crate) fn head(&self) -> Option<&QueuedMessage> {
        self.levels.iter().rev().find_map(|level| level.front())
    }

    /// Returns the moment at which the head expires.
    pub(crate) fn head_expires_at(&self) -> Option<Moment> {
        self.head().map(|entry| entry.expires_at).filter(|at| *at != NEVER)
    }

    /// Counts messages and bytes anew.
    pub(crate) fn recount(&self) -> (u64, u64) {
        let all = self.levels.iter().flatten();
        all.fold((0, 0), |(n, bytes), entry| (n + 1, bytes + u64::from(entry.size)))
    }

    /// Takes everything.
    pub(crate) fn drain(&mut self) -> Vec<QueuedMessage> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// Returns away what does not survive a restart.
    pub(crate) fn keep_persistent(&mut self) -> Vec<QueuedMessage> {
        let is_persistent = |entry: &QueuedMessage| entry.stored.message.properties.delivery_mode == Some(2);
        let mut lost = Vec::new();
        for level in &mut self.levels {
            let (kept, gone) = std::mem::take(level).into_iter().partition(is_persistent);
            *level = kept;
            lost.extend::<VecDeque<QueuedMessage>>(gone);
        }
        self.ready = self.levels.iter().map(|level| level.len() as u64).sum();
        self.bytes = self.levels.iter().flatten().map(|entry| u64::from(entry.size)).sum();
        lost
    }

    pub(crate) fn pop_from(&mut self, level: usize) -> Option<QueuedMessage> {
        let entry = self.levels[level].pop_front()?;
        self.ready -= 1;
        self.bytes -= u64::from(entry.size);
        if self.ready == 0 {
            self.latest_expiry = Moment(0);
        }
        Some(entry)
    }

    fn added(&mut self, entry: &QueuedMessage) {
        self.ready += 1;
        self.bytes += u64::from(entry.size);
        self.latest_expiry = self.latest_expiry.max(entry.expires_at);
    }

    /// Returns a moment after which nothing in it expires; what was in it may have been the last to.
    pub(crate) fn latest_expiry(&self) -> Moment {
        self.latest_expiry
    }
}
