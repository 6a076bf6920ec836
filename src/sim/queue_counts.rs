//! Watched queues: their present counts, then each change, told once per step (§ the seam's `Watch`).

use crate::broker::{Counts, Event};
use crate::model::{QueueKind, QueueName};
use crate::sim::broker::Sim;
use crate::sim::state::arena::QueueId;

impl Sim {
    pub(crate) fn watch(&mut self, name: QueueName) {
        let id = self.watched_queue(&name);
        if let Some(queue) = id.and_then(|id| self.queues.get_mut(id)) {
            queue.watched = true;
        }
        let counts = self.counts(&name);
        self.events.push_back(Event::Counted { queue: name.clone(), counts });
        self.watches.told.insert(name, counts);
    }

    pub(crate) fn unwatch(&mut self, name: &QueueName) {
        self.watches.told.remove(name);
        let id = self.watched_queue(name);
        if let Some(queue) = id.and_then(|id| self.queues.get_mut(id)) {
            queue.watched = false;
        }
    }

    /// Notes that the counts of a queue may have changed.
    pub(crate) fn touch(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get(id).filter(|queue| queue.watched) {
            self.watches.touch_name(&queue.name);
        }
    }

    /// Tells the counts that changed in this step.
    pub(crate) fn tell_counts(&mut self) {
        if !self.watches.has_news() {
            return;
        }
        for name in std::mem::take(&mut self.watches.touched) {
            let counts = self.counts(&name);
            match self.watches.told.get_mut(&name) {
                Some(told) if *told != counts => *told = counts,
                _ => continue,
            }
            self.events.push_back(Event::Counted { queue: name, counts });
        }
    }

    fn watched_queue(&self, name: &QueueName) -> Option<QueueId> {
        self.queue_id(*self.vhost_names.get(&name.vhost)?, &name.name)
    }

    fn counts(&self, name: &QueueName) -> Option<Counts> {
        let queue = self.queues.get(self.watched_queue(name)?)?;
        // A declaration counts no consumers of a stream (ST-6).
        let consumers = if queue.kind == QueueKind::Stream { 0 } else { self.counted_consumers(queue) };
        Some(Counts { ready: queue.ready(), consumers })
    }
}
