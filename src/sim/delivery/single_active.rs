//! The single active consumer of a queue: who it is, who makes way, and what RabbitMQ forgets about that (CO-6).

use crate::broker::What;
use crate::model::QueueKind;
use crate::rules::Ghosts;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ConsumerId, QueueId};
use crate::sim::state::channel::Unacked;
use crate::sim::state::consumer::Consumer;
use crate::sim::state::queue::Queue;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::Return;
use std::cmp::Reverse;

/// The credit of a consumer without a prefetch.
const UNLIMITED_CREDIT: u16 = 2_000;

impl Sim {
    /// Chooses the single active consumer (CO-6).
    pub(crate) fn elect(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(id).filter(|queue| queue.consumers.single_active) else { return };
        if queue.kind == QueueKind::Quorum && self.rules.quorum_sac_priority {
            return self.elect_by_priority(id);
        }
        if queue.consumers.active.is_some() {
            return;
        }
        let by_priority = queue.kind != QueueKind::Quorum;
        let candidates = queue.consumers.all.iter().filter_map(|id| Some((*id, self.consumers.get(*id)?)));
        let candidates = candidates.filter(|(_, consumer)| !consumer.cancelled);
        // The first of the best.
        let best = candidates.min_by_key(|(_, consumer)| Reverse(if by_priority { consumer.priority } else { 0 }));
        let best = best.map(|(id, _)| id);
        if let Some(queue) = self.queues.get_mut(id) {
            queue.consumers.active = best;
        }
    }

    /// Lets the highest priority be active, of these the one with the most credit, of these the oldest. The active one
    /// makes way at once when it holds nothing, else when it has settled all that it holds.
    fn elect_by_priority(&mut self, id: QueueId) {
        self.make_way(id);
        let Some(queue) = self.queues.get(id) else { return };
        let able = |id: &ConsumerId| {
            let consumer = self.consumers.get(*id)?;
            (!consumer.cancelled && consumer.timed_out == 0).then_some((*id, consumer))
        };
        let current = queue.consumers.active.as_ref().and_then(able);
        let waiting = queue.consumers.all.iter().filter(|id| Some(**id) != current.map(|(id, _)| id)).filter_map(able);
        let next = waiting.min_by_key(|(_, consumer)| Reverse((consumer.priority, credit(consumer))));
        let next = next.map(|(id, consumer)| (id, consumer.priority));
        let current = current.map(|(id, consumer)| (id, consumer.priority, consumer.unacked));
        let Some(consumers) = self.queues.get_mut(id).map(|queue| &mut queue.consumers) else { return };
        match (current, next) {
            (None, next) => (consumers.active, consumers.quiescing) = (next.map(|(id, _)| id), false),
            (Some((_, priority, held)), Some((next, higher))) if higher > priority => match held {
                0 => consumers.active = Some(next),
                _ => consumers.quiescing = true,
            },
            _ => {}
        }
    }

    /// Lets an active consumer that has to make way, and holds nothing any more, wait like the others.
    pub(crate) fn make_way(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get_mut(id).filter(|queue| queue.consumers.quiescing) else { return };
        let held = queue.consumers.active.and_then(|id| self.consumers.get(id)).map_or(0, |consumer| consumer.unacked);
        if held == 0 {
            (queue.consumers.active, queue.consumers.quiescing) = (None, false);
        }
    }

    /// Chooses anew after messages came back: 4.0 leaves the queue without an active consumer if the old one makes way.
    pub(crate) fn elect_after_return(&mut self, id: QueueId) {
        if self.rules.returns_elect_nobody { self.make_way(id) } else { self.elect(id) }
    }

    /// Keeps what RabbitMQ forgets to remove: a consumer that was to make way and whose channel ends while it holds
    /// messages waits on, and takes messages when its turn comes.
    pub(crate) fn leave_ghost(&mut self, id: ConsumerId, last: Option<&Unacked>) {
        let Some(entry) = last.and_then(|last| last.entry()) else { return };
        let Some(consumer) = self.consumers.get(id) else { return };
        let queue_id = consumer.queue;
        let Some(queue) = self.queues.get(queue_id) else { return };
        let forgotten = match self.rules.quorum_sac_ghosts {
            Ghosts::Never => false,
            Ghosts::AfterLimitDeath => {
                queue.settings.delivery_limit.is_some_and(|limit| i64::from(entry.returns + 1) > limit)
            }
            Ghosts::Always => true,
        };
        if !forgotten || !self.is_quiescing(queue, id) {
            return;
        }
        let ghost = Consumer {
            tag: consumer.tag.clone(),
            unacked: 0,
            ghost: Some(Vec::new()),
            why_full: None,
            reader: None,
            rotating: false,
            cancelled: false,
            ..*consumer
        };
        let ghost = self.consumers.insert(ghost);
        let Some(queue) = self.queues.get_mut(queue_id) else { return };
        let place = queue.consumers.all.iter().position(|other| *other == id).unwrap_or_default();
        queue.consumers.all.insert(place, ghost);
    }

    /// Hands a message to a consumer whose channel is gone: it is never settled.
    pub(crate) fn hand_to_ghost(&mut self, queue_id: QueueId, id: ConsumerId, entry: QueuedMessage) {
        let (origin, now) = (entry.stored.origin, self.now);
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        let why = format!("lies with {}, whose channel is gone: RabbitMQ forgot to remove it", consumer.tag);
        consumer.unacked += 1;
        consumer.ghost.get_or_insert_default().push(entry);
        if let Some(queue) = self.queues.get_mut(queue_id) {
            queue.unacked += 1;
            queue.count_move(now);
        }
        self.tell(Some(origin), Some(queue_id), "CO-6", || What::Blocked {
            behind: None,
            until: None,
            why: why.into(),
        });
        self.touch(queue_id);
    }

    /// Lets what ghosts hold come back: the broker restarts, and looks who is there.
    pub(crate) fn lay_ghosts(&mut self, queue_id: QueueId) {
        let Some(queue) = self.queues.get_mut(queue_id) else { return };
        let (all, consumers) = (std::mem::take(&mut queue.consumers.all), &self.consumers);
        let (ghosts, others) =
            all.into_iter().partition(|id| consumers.get(*id).is_some_and(|consumer| consumer.ghost.is_some()));
        queue.consumers.all = others;
        let ghosts: Vec<ConsumerId> = ghosts;
        for ghost in ghosts {
            let held = self.consumers.remove(ghost).and_then(|consumer| consumer.ghost).unwrap_or_default();
            if let Some(queue) = self.queues.get_mut(queue_id) {
                queue.unacked -= held.len() as u64;
            }
            self.put_back(queue_id, held, Return::Closed, None);
        }
    }

    /// Returns whether the active consumer only settles what it holds, so that another can take over (CO-6). It does so
    /// also when the other is gone by then.
    pub(crate) fn is_quiescing(&self, queue: &Queue, active: ConsumerId) -> bool {
        queue.consumers.quiescing && queue.consumers.active == Some(active)
    }
}

fn credit(consumer: &Consumer) -> u16 {
    if consumer.prefetch == 0 { UNLIMITED_CREDIT } else { consumer.prefetch }
}
