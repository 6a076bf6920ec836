//! Returned messages: where they go and what they count (CO-10 to CO-14, LEN-2, QQ-43-2 to QQ-43-4).

use super::entry::Entry;
use super::node::Sim;
use super::queue::{Contents, Queue};
use super::slots::Id;
use super::timer::Timer;
use crate::broker::{Death, What};
use crate::model::Moment;
use crate::rules::{DelayedRetry, RetryKind};

/// Is how a message came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    Nacked,
    Rejected,
    Recovered,
    /// Its channel or connection ended.
    Closed,
    /// CO-25.
    TimedOut,
}

impl Return {
    /// Says whether the delivery counts as failed (DL-34).
    fn is_failure(self) -> bool {
        matches!(self, Return::Rejected | Return::Closed)
    }

    fn why(self) -> &'static str {
        match self {
            Return::Nacked => "nacked with requeue",
            Return::Rejected => "rejected with requeue",
            Return::Recovered => "recovered",
            Return::Closed => "its channel or connection ended",
            Return::TimedOut => "the consumer did not acknowledge in time",
        }
    }
}

impl Sim {
    /// Puts entries back into their queue; the caller serves it. Says how many died by the delivery limit.
    pub(super) fn put_back(&mut self, id: Id<Queue>, entries: Vec<Entry>, cause: Return) -> u32 {
        let mut died = 0;
        for entry in entries {
            let origin = Some(entry.stored.origin);
            self.tell(origin, Some(id), "CO-10", || What::Requeued { why: cause.why().into() });
            let now = self.now;
            let Some(queue) = self.queues.get_mut(id) else { return 0 };
            queue.count_move(now);
            match &mut queue.contents {
                Contents::Classic(classic) => {
                    let failures = entry.failures + u32::from(cause.is_failure());
                    classic.put_back(Entry { redelivered: true, failures, ..entry });
                }
                Contents::Quorum(_) => died += u32::from(self.put_back_quorum(id, entry, cause)),
            }
        }
        self.touch(id);
        // LEN-2: a full queue drops its head at once, before anybody is served.
        if self.queues.get(id).is_some_and(|queue| matches!(queue.contents, Contents::Classic(_))) {
            self.drop_over_limit(id);
            self.sweep(id);
        }
        died
    }

    /// Says whether the entry died by the delivery limit instead.
    fn put_back_quorum(&mut self, id: Id<Queue>, mut entry: Entry, cause: Return) -> bool {
        let rules = self.rules;
        let failed = cause.is_failure();
        entry.returns += 1;
        entry.failures += u32::from(failed);
        entry.losses += u32::from(cause == Return::Closed);
        let Some(queue) = self.queues.get_mut(id) else { return false };
        let limit = queue.settings.delivery_limit;
        let counted = if rules.only_failures_count { entry.failures } else { entry.returns };
        let counts = failed || !rules.only_failures_count;
        if counts && limit.is_some_and(|limit| i64::from(counted) > limit) {
            self.die(id, entry, Death::DeliveryLimit);
            return true;
        }
        if let Some(at) = queue.settings.delayed_retry.and_then(|retry| due(retry, &entry, cause, self.now)) {
            self.delay(id, entry, at);
            return false;
        }
        let Contents::Quorum(quorum) = &mut queue.contents else { return false };
        if cause == Return::Closed || limit.is_some() || !rules.unlimited_returns_to_tail {
            quorum.push_return(entry);
        } else {
            entry.position = quorum.next_position();
            quorum.push(entry);
        }
        false
    }

    fn delay(&mut self, id: Id<Queue>, entry: Entry, at: Moment) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        let Contents::Quorum(quorum) = &mut queue.contents else { return };
        let place = quorum.next_position();
        quorum.delayed.insert((at, place), entry);
        let first = quorum.delayed.keys().next().map_or(at, |key| key.0);
        self.timers.cancel(&mut queue.delay_timer);
        queue.delay_timer = Some(self.timers.set(first, Timer::DelayedRetry(id)));
    }

    pub(super) fn delayed_retry_fired(&mut self, id: Id<Queue>) {
        let now = self.now;
        let Some(queue) = self.queues.get_mut(id) else { return };
        queue.delay_timer = None;
        let Contents::Quorum(quorum) = &mut queue.contents else { return };
        while let Some(first) = quorum.delayed.first_entry() {
            if first.key().0 > now {
                let at = first.key().0;
                queue.delay_timer = Some(self.timers.set(at, Timer::DelayedRetry(id)));
                break;
            }
            let entry = first.remove();
            quorum.push_return(entry);
        }
        self.touch(id);
        self.to_serve.push_back(id);
    }
}

/// Gives the moment at which a delayed return is due, if it is delayed (QQ-43-2, QQ-43-3).
fn due(retry: DelayedRetry, entry: &Entry, cause: Return, now: Moment) -> Option<Moment> {
    let wanted = match retry.kind {
        RetryKind::All => cause != Return::TimedOut,
        RetryKind::Failed => cause.is_failure(),
        RetryKind::Returned => matches!(cause, Return::Nacked | Return::Recovered),
    };
    let wait = retry.min_ms.saturating_mul(entry.failures.max(1).into()).min(retry.max_ms);
    wanted.then(|| now + crate::model::Millis(wait))
}
