//! Returned messages: where they go and what they count (CO-10 to CO-14, LEN-2, QQ-43-2 to QQ-43-4).

use crate::broker::{PublishId, What};
use crate::model::{Moment, Name};
use crate::rules::{DelayedRetry, RetryKind};
use crate::sim::broker::Sim;
use crate::sim::state::arena::QueueId;
use crate::sim::state::covered::Site;
use crate::sim::state::queue::QueueContents;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::{DeathCause, Occasion, Reason, Return};
use crate::sim::state::timer::Timer;

impl Sim {
    /// Puts entries back into their queue; the caller serves it. Returns how many died by the delivery limit.
    pub(crate) fn put_back(
        &mut self,
        id: QueueId,
        entries: Vec<QueuedMessage>,
        cause: Return,
        by: Option<Name>,
    ) -> u32 {
        let mut died = 0;
        for entry in self.in_open_order(entries) {
            let now = self.now;
            let origin = entry.stored.origin;
            let Some(queue) = self.queues.get_mut(id) else {
                self.tell_no_way_back(origin);
                continue;
            };
            queue.count_move(now);
            match &mut queue.contents {
                QueueContents::Classic(classic) => {
                    queue.consumers.asleep = false;
                    let failures = entry.failures + u32::from(cause.is_failure());
                    classic.put_back(QueuedMessage { redelivered: true, failures, ..entry });
                    self.tell_returned(id, origin, cause, by.as_ref(), "to its old place");
                }
                QueueContents::Quorum(_) => died += u32::from(self.put_back_quorum(id, entry, cause, by.as_ref())),
                QueueContents::Stream(_) => {}
            }
        }
        self.touch(id);
        // LEN-2: a full queue drops its head at once, before anybody is served.
        if self.queues.get(id).is_some_and(|queue| matches!(queue.contents, QueueContents::Classic(_))) {
            self.drop_over_limit(id, Occasion::Return);
            self.sweep(id);
        }
        died
    }

    /// Returns whether the entry died by the delivery limit instead.
    fn put_back_quorum(&mut self, id: QueueId, mut entry: QueuedMessage, cause: Return, by: Option<&Name>) -> bool {
        let rules = self.rules;
        let failed = cause.is_failure();
        entry.returns += 1;
        entry.failures += u32::from(failed);
        entry.losses += u32::from(cause == Return::Closed);
        let Some(queue) = self.queues.get_mut(id) else { return false };
        let limit = queue.settings.delivery_limit;
        let counted = if rules.only_failures_count { entry.failures } else { entry.returns };
        // DL-34: one that came with more failures than the limit dies on any return.
        if limit.is_some_and(|limit| i64::from(counted) > limit) {
            self.die(id, entry, DeathCause::DeliveryLimit);
            return true;
        }
        if let Some(at) = queue.settings.delayed_retry.and_then(|retry| due(retry, &entry, cause, self.now)) {
            let (origin, failures) = (entry.stored.origin, entry.failures.max(1));
            self.tell_returned(id, origin, cause, by, "to wait for its delayed retry");
            let until = Some(at - self.now);
            let why = format!("waits for its delayed retry, the delay of failure {failures}");
            self.tell(Some(origin), Some(id), "QQ-43-3", || What::Blocked { behind: None, until, why: why.into() });
            self.delay(id, entry, at);
            return false;
        }
        let QueueContents::Quorum(quorum) = &mut queue.contents else { return false };
        let origin = entry.stored.origin;
        let to_front = cause == Return::Closed || limit.is_some() || !rules.unlimited_returns_to_tail;
        if to_front {
            quorum.push_return(entry);
        } else {
            // As a new message of no priority.
            (entry.position, entry.level) = (quorum.next_position(), quorum.level(None));
            quorum.push(entry);
        }
        let place = if to_front { "to the front, behind earlier returns" } else { "to the tail" };
        // DL-34: what 4.3 does not count goes round for ever.
        match limit.filter(|_| self.insights && rules.only_failures_count && !failed) {
            None => self.tell_returned(id, origin, cause, by, place),
            Some(limit) => {
                let place = format!("{place}; this does not count towards the delivery limit of {limit} (CO-13)");
                self.tell_returned(id, origin, cause, by, &place);
            }
        }
        false
    }

    fn tell_returned(&mut self, id: QueueId, origin: PublishId, cause: Return, by: Option<&Name>, place: &str) {
        if self.samples(id, Site::Return) {
            let Reason { rule, mut why } = cause.reason(by, place);
            why.extend(self.queues.get(id).and_then(|queue| self.over_limit_by_returns(queue)));
            self.tell(Some(origin), Some(id), rule, || What::Requeued { why });
        }
    }

    /// Reports that a message comes back to a queue that is gone (CO-17, CO-20).
    pub(crate) fn tell_no_way_back(&mut self, origin: PublishId) {
        self.tell(Some(origin), None, "CO-20", || What::Dropped { why: "its queue is gone".into(), stood: false });
    }

    fn delay(&mut self, id: QueueId, entry: QueuedMessage, at: Moment) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        let QueueContents::Quorum(quorum) = &mut queue.contents else { return };
        quorum.delayed.insert(at, entry);
        let due = quorum.delayed.due_at();
        self.timers.cancel(&mut queue.delay_timer);
        queue.delay_timer = due.map(|at| self.timers.set(at, Timer::DelayedRetry(id)));
    }

    pub(crate) fn delayed_retry_fired(&mut self, id: QueueId) {
        let now = self.now;
        let Some(queue) = self.queues.get_mut(id) else { return };
        let QueueContents::Quorum(quorum) = &mut queue.contents else { return };
        let mut ready = Vec::new();
        while let Some(entry) = quorum.delayed.pop_due(now) {
            ready.push(entry.stored.origin);
            quorum.push_return(entry);
        }
        queue.delay_timer = quorum.delayed.due_at().map(|at| self.timers.set(at, Timer::DelayedRetry(id)));
        for origin in ready {
            let why = "its delayed retry is due, to the front";
            self.tell(Some(origin), Some(id), "QQ-43-4", || What::Requeued { why: why.into() });
        }
        self.touch(id);
        self.to_serve.push_back(id);
    }
}

/// Returns the moment at which a delayed return is due, if it is delayed (QQ-43-2, QQ-43-3).
fn due(retry: DelayedRetry, entry: &QueuedMessage, cause: Return, now: Moment) -> Option<Moment> {
    let wanted = match retry.kind {
        RetryKind::All => cause != Return::TimedOut,
        RetryKind::Failed => cause.is_failure(),
        RetryKind::Returned => matches!(cause, Return::Nacked | Return::Recovered | Return::Undelivered),
    };
    let wait = retry.min_ms.saturating_mul(entry.failures.max(1).into()).min(retry.max_ms);
    wanted.then(|| now + crate::model::Millis(wait))
}
