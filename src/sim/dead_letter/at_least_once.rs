//! At-least-once dead-lettering: a queue keeps its dead letters until all targets have them, and a worker of its own
//! brings them there, a few at a time, as a publisher that a full target refuses (DL-24, DL-30).

use crate::broker::What;
use crate::model::Millis;
use crate::rules::OwnDeadLetters;
use crate::sim::broker::Sim;
use crate::sim::state::arena::QueueId;
use crate::sim::state::backlog::Backlog;
use crate::sim::state::dead_letter::{DeadLetter, RETRY_MS, WaitingDeadLetter};
use crate::sim::state::queue::{Queue, QueueContents, is_refusing};
use crate::sim::state::quorum_queue::Publisher;
use crate::sim::state::timer::Timer;
use std::collections::VecDeque;

/// How many dead letters the worker of a queue has at a time.
const PREFETCH: usize = 32;

impl Sim {
    /// Takes a dead letter into the backlog of its queue, and sends it when the worker can have it.
    pub(crate) fn give_to_worker(&mut self, id: QueueId, letter: DeadLetter) {
        let Some(backlog) = self.backlog_mut(id) else { return };
        let Some(kept) = &letter.kept else { return };
        backlog.weigh_on(&kept.entry);
        if backlog.leaving + backlog.waiting.len() < PREFETCH {
            backlog.leaving += 1;
            self.dead_letters.push_back(letter);
        } else {
            let origin = Some(kept.entry.stored.origin);
            backlog.held.push_back(letter);
            let why = || format!("the worker of the queue has {PREFETCH} dead letters that no target has confirmed");
            self.tell(origin, Some(id), "DL-30", || What::Blocked { behind: None, until: None, why: why().into() });
        }
        self.weigh_publishers(id, true);
    }

    /// Lets go of a dead letter that all its targets have, or keeps it for the next try.
    pub(crate) fn settle_with_worker(&mut self, id: QueueId, letter: Option<Box<WaitingDeadLetter>>, confirmed: bool) {
        let Some(letter) = letter else { return };
        let Some(backlog) = self.backlog_mut(id) else { return };
        backlog.leaving -= 1;
        if confirmed {
            backlog.weigh_off(&letter.entry);
            self.weigh_publishers(id, true);
        } else {
            backlog.waiting.push_back(*letter);
            let at = self.now + Millis(RETRY_MS);
            if let Some(queue) = self.queues.get_mut(id).filter(|queue| queue.retry_timer.is_none()) {
                queue.retry_timer = Some(self.timers.set(at, Timer::DeadLetterRetry(id)));
            }
        }
        self.send_held(id);
    }

    /// Sends what came after the last lot, once that has arrived or waits.
    fn send_held(&mut self, id: QueueId) {
        let now = self.now;
        let Some(backlog) = self.backlog_mut(id).filter(|backlog| backlog.leaving == 0) else { return };
        let room = PREFETCH.saturating_sub(backlog.waiting.len()).min(backlog.held.len());
        if room == 0 {
            return;
        }
        backlog.leaving = room;
        let lot: Vec<DeadLetter> = backlog.held.drain(..room).collect();
        for mut letter in lot {
            letter.died_at = now;
            self.dead_letters.push_back(letter);
        }
        // What the targets said to the lot before is heard by now.
        self.turn += 1;
    }

    /// Returns whether a queue would not confirm a dead letter now. The worker learns of what happens to a target only when
    /// all that died with the letter is on its way.
    pub(crate) fn refuses_dead_letter(&mut self, target: QueueId, from: QueueId) -> bool {
        let own = self.rules.own_dead_letters;
        let (publisher, turn) = match own {
            OwnDeadLetters::Unheard if target == from => (Publisher::DeafWorker(from), self.turn),
            OwnDeadLetters::LimitFirst if target == from => (Publisher::Worker(from), self.turn + 1),
            _ => (Publisher::Worker(from), self.turn),
        };
        let Some(queue) = self.queues.get_mut(target) else { return true };
        let refuses = is_refusing(queue);
        let QueueContents::Quorum(quorum) = &mut queue.contents else { return false };
        quorum.refuses(publisher, refuses, turn)
    }

    /// Returns whether the worker is told that a target has taken a dead letter.
    pub(crate) fn hears_of(&self, target: QueueId, from: QueueId) -> bool {
        target != from || self.rules.own_dead_letters != OwnDeadLetters::Unheard
    }

    /// Drops the dead letters that wait: their queue is at-least-once no more.
    pub(crate) fn forget_waiting(&mut self, id: QueueId) {
        self.end_worker(id);
        let Some(queue) = self.queues.get_mut(id) else { return };
        self.timers.cancel(&mut queue.retry_timer);
        let Some(backlog) = self.backlog_mut(id) else { return };
        for entry in backlog.drain() {
            let why = "it waited for a target, and its queue is at-least-once no more".to_owned();
            let origin = Some(entry.stored.origin);
            self.tell(origin, Some(id), "DL-30", || What::Dropped { why, stood: true });
        }
    }

    /// Begins anew after a restart of the broker: nobody remembers which targets have what.
    pub(crate) fn restart_worker(&mut self, id: QueueId) {
        self.end_worker(id);
        let Some(backlog) = self.backlog_mut(id) else { return };
        for waiting in &mut backlog.waiting {
            waiting.sent_at = None;
            waiting.taken_by.clear();
        }
        self.retry_dead_letters(id);
    }

    /// Makes the targets of a queue forget its worker; the next one asks anew.
    fn end_worker(&mut self, id: QueueId) {
        let Some(vhost) = self.queues.get(id).and_then(|queue| self.vhosts.get(queue.vhost)) else { return };
        for &target in vhost.queues.values() {
            if let Some(Queue { contents: QueueContents::Quorum(quorum), .. }) = self.queues.get_mut(target) {
                quorum.forget_publisher(Publisher::Worker(id));
                quorum.forget_publisher(Publisher::DeafWorker(id));
            }
        }
    }

    /// Tries dead letters again that found no place; one that a target did not confirm, once it has waited for long enough.
    pub(crate) fn retry_dead_letters(&mut self, id: QueueId) {
        let now = self.now;
        let Some(backlog) = self.backlog_mut(id) else { return };
        let is_due = |waiting: &WaitingDeadLetter| waiting.sent_at.is_none_or(|at| at + Millis(RETRY_MS) <= now);
        let (due, later): (VecDeque<WaitingDeadLetter>, _) =
            std::mem::take(&mut backlog.waiting).into_iter().partition(is_due);
        let next = later.iter().filter_map(|waiting| waiting.sent_at).min();
        backlog.waiting = later;
        if let Some(queue) = self.queues.get_mut(id) {
            self.timers.cancel(&mut queue.retry_timer);
            queue.retry_timer = next.map(|at| self.timers.set(at + Millis(RETRY_MS), Timer::DeadLetterRetry(id)));
        }
        for letter in due {
            if let Some(backlog) = self.backlog_mut(id) {
                backlog.weigh_off(&letter.entry);
            }
            self.die_again(id, letter);
        }
    }

    fn backlog_mut(&mut self, id: QueueId) -> Option<&mut Backlog> {
        match &mut self.queues.get_mut(id)?.contents {
            QueueContents::Quorum(quorum) => Some(&mut *quorum.backlog),
            QueueContents::Classic(_) | QueueContents::Stream(_) => None,
        }
    }
}
