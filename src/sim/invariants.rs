//! Looks whether the books agree: what queues, consumers and channels each count of the same deliveries.
//! For tests; changes nothing.

use crate::model::QueueKind;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ConsumerId, QueueId};
use crate::sim::state::consumer::Consumer;
use crate::sim::state::queue::{Queue, QueueContents};

impl Sim {
    /// Returns how many messages lie in queues, are out to consumers of queues that exist, or die at this moment.
    ///
    /// # Errors
    /// The first book that does not agree with another, in words.
    pub fn audit(&self) -> Result<u64, String> {
        let mut held = self.dead_letters.len() as u64;
        for (id, queue) in self.queues.iter() {
            held += self.audit_queue(id, queue)?;
        }
        for (id, consumer) in self.consumers.iter() {
            self.audit_consumer(id, consumer)?;
        }
        for (_, channel) in self.channels.iter() {
            if channel.global_prefetch == 0 && channel.volume != 0 {
                return Err(format!("channel {:?} has no limit, yet counts {}", channel.id, channel.volume));
            }
            if !channel.unacked.iter().is_sorted_by(|a, b| a.tag < b.tag) {
                return Err(format!("tags of channel {:?} are out of order", channel.id));
            }
        }
        Ok(held)
    }

    fn audit_queue(&self, id: QueueId, queue: &Queue) -> Result<u64, String> {
        let all = self.channels.iter().flat_map(|(_, channel)| &channel.unacked);
        let out: Vec<_> = all.filter(|unacked| unacked.queue == id).collect();
        let ghosts = queue.consumers.all.iter().filter_map(|id| self.consumers.get(*id)?.ghost.as_ref());
        let unacked = out.iter().filter(|unacked| unacked.entry().is_some()).count() as u64;
        let unacked = unacked + ghosts.map(|held| held.len() as u64).sum::<u64>();
        let got = out.iter().filter(|unacked| unacked.consumer.is_none()).count() as u64;
        if (unacked, got) != (queue.unacked, queue.got) {
            return Err(format!("{}: {unacked} out, {got} got, counted {}, {}", queue.name, queue.unacked, queue.got));
        }
        let (counted, bytes, apart) = match &queue.contents {
            QueueContents::Classic(classic) => (classic.recount(), classic.bytes(), 0),
            QueueContents::Quorum(quorum) => {
                let apart = (quorum.delayed.len() + quorum.backlog.len()) as u64;
                (quorum.recount(), quorum.bytes(), apart)
            }
            // Its readers take nothing from it.
            QueueContents::Stream(stream) => return Ok(stream.counted()),
        };
        if counted != (queue.ready(), bytes) {
            return Err(format!("{}: holds {counted:?}, counted {}, {bytes}", queue.name, queue.ready()));
        }
        self.audit_service(id, queue)?;
        Ok(queue.ready() + unacked + apart)
    }

    /// Looks whether anybody waits who could be served.
    fn audit_service(&self, id: QueueId, queue: &Queue) -> Result<(), String> {
        if queue.ready() == 0 || queue.is_asleep() || self.to_serve.contains(&id) || !self.dead_letters.is_empty() {
            return Ok(());
        }
        let able =
            |id: &ConsumerId| self.consumers.get(*id).is_some_and(|consumer| consumer.has_capacity(&self.channels));
        let served = match (queue.consumers.single_active, queue.consumers.active) {
            (true, active) => active.is_some_and(|active| able(&active) && !self.is_quiescing(queue, active)),
            (false, _) => queue.consumers.all.iter().any(able),
        };
        if served { Err(format!("{}: messages wait although a consumer has room", queue.name)) } else { Ok(()) }
    }

    fn audit_consumer(&self, id: ConsumerId, consumer: &Consumer) -> Result<(), String> {
        let all = self.channels.iter().flat_map(|(_, channel)| &channel.unacked);
        let out = all.filter(|unacked| unacked.consumer == Some(id)).count() as u32;
        let out = out + consumer.ghost.as_ref().map_or(0, |held| held.len() as u32);
        if out != consumer.unacked {
            return Err(format!("consumer {} holds {out}, counted {}", consumer.tag, consumer.unacked));
        }
        if consumer.prefetch > 0 && out > consumer.held_max() {
            return Err(format!("consumer {} holds {out}, its prefetch is {}", consumer.tag, consumer.prefetch));
        }
        let queue = self.queues.get(consumer.queue);
        let listed = queue.is_some_and(|queue| queue.consumers.all.contains(&id));
        let may_linger = consumer.cancelled && queue.is_none_or(|queue| queue.kind == QueueKind::Classic || listed);
        if listed || may_linger { Ok(()) } else { Err(format!("consumer {} is in no queue", consumer.tag)) }
    }
}
