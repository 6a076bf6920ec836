//! Everything that the broker itself will do later, ordered by moment and then by when it was set.

use crate::broker::ConnectionId;
use crate::model::Moment;
use crate::sim::state::arena::QueueId;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// A reason to wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Timer {
    /// When a head of the queue may have expired.
    MessageTtl(QueueId),
    /// When the queue itself may have been unused for long enough.
    QueueExpires(QueueId),
    /// When returns that were delayed become ready (QQ-43-4).
    DelayedRetry(QueueId),
    /// When an `x-delayed-message` exchange lets go what it held back (RT-18).
    DelayedExchange,
    /// When dead letters that found no place are tried again (DL-30).
    DeadLetterRetry(QueueId),
    /// When the broker has missed a connection's heartbeats (CO-28).
    HeartbeatsMissed(ConnectionId),
    /// When a stopped broker is back.
    Restarted,
}

/// One set timer, so that it can be taken back.
pub(crate) type TimerKey = (Moment, u64);

/// All timers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    set: BTreeMap<TimerKey, Timer>,
    /// The first moment of all: asked for at each step, while timers change seldom.
    next: Option<Moment>,
    /// Of the first moment's, the one that fires next instead of the first that was set.
    preferred: Option<TimerKey>,
    count: u64,
}

impl Hash for Timers {
    /// Only their order counts, not the numbers that they have by it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { set, next: _, preferred, count: _ } = self;
        set.len().hash(state);
        set.iter().for_each(|(key, timer)| (key.0, timer).hash(state));
        preferred.and_then(|preferred| set.keys().position(|key| *key == preferred)).hash(state);
    }
}

impl Timers {
    pub(crate) fn set(&mut self, at: Moment, timer: Timer) -> TimerKey {
        self.count += 1;
        let key = (at, self.count);
        self.set.insert(key, timer);
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
        key
    }

    pub(crate) fn cancel(&mut self, key: &mut Option<TimerKey>) {
        if let Some(key) = key.take() {
            self.set.remove(&key);
            if self.next == Some(key.0) {
                self.look();
            }
        }
    }

    /// Takes the next timer that is due.
    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<(Moment, Timer)> {
        if self.next? > now {
            return None;
        }
        let preferred = self.preferred.take();
        let preferred = preferred.and_then(|key| self.set.remove_entry(&key));
        let (key, timer) = preferred.or_else(|| self.set.pop_first())?;
        self.look();
        Some((key.0, timer))
    }

    pub(crate) fn next(&self) -> Option<Moment> {
        self.next
    }

    /// Lists all timers, the next first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Moment, Timer)> {
        self.set.iter().map(|((moment, _), timer)| (*moment, *timer))
    }

    /// Lists the timers of a moment, in the order in which they were set.
    pub(crate) fn at(&self, moment: Moment) -> impl Iterator<Item = (TimerKey, Timer)> {
        self.set.range((moment, 0)..=(moment, u64::MAX)).map(|(key, timer)| (*key, *timer))
    }

    /// Lets one of the first moment's timers fire before the others. Its key stays known: only its queue takes it back.
    pub(crate) fn prefer(&mut self, which: usize) {
        self.preferred = self.next.and_then(|moment| self.at(moment).nth(which)).map(|(key, _)| key);
    }

    pub(crate) fn look(&mut self) {
        self.next = self.set.first_key_value().map(|(key, _)| key.0);
    }
}
