//! Consumers: subscription, rotation, cancellation (CO-1 to CO-8, CO-15, CO-20, CO-22, CO-26).

use crate::broker::{ChannelId, Refusal, Reply, code};
use crate::model::{Name, QueueKind, Table, Value};
use crate::rules::{Access, check_consumer_arguments, priority_argument, shown_queue};
use crate::sim::broker::Sim;
use crate::sim::events::event_facts::ComingConsumer;
use crate::sim::state::arena::{ChannelIndex, ConsumerId, QueueId};
use crate::sim::state::consumer::Consumer;
use crate::sim::state::names::REPLY_TO;
use crate::sim::state::queue::Queue;
use crate::sim::state::refusal::precondition_failed;
use crate::sim::state::refusal::{channel_error, connection_error};

impl Sim {
    pub(crate) fn consume(
        &mut self,
        channel: ChannelIndex,
        queue: &Name,
        tag: Name,
        (no_ack, exclusive): (bool, bool),
        arguments: &Table,
    ) -> Result<Reply, Refusal> {
        if &**queue == REPLY_TO {
            return self.consume_replies(channel, tag, no_ack);
        }
        let queue = self.expand_queue(channel, queue)?;
        self.check_queue_access(channel, Access::Read, &queue)?;
        let Some(state) = self.channels.get(channel) else { return Ok(Reply::Done) };
        let (connection, prefetch, global) = (state.connection, state.prefetch, state.global_prefetch);
        let tag = if tag.is_empty() { self.server_name("amq.ctag-") } else { tag };
        if self.channels.get(channel).is_some_and(|state| state.consumers.contains_key(&tag)) {
            let text = format!("attempt to reuse consumer tag '{tag}'");
            return Err(connection_error(code::NOT_ALLOWED, text));
        }
        let id = self.usable_queue(channel, &queue)?;
        let _ = connection;
        let Some(target) = self.queues.get(id) else { return Ok(Reply::Done) };
        let (vhost, name) = (target.name.vhost.clone(), target.name.name.clone());
        let about = (&*vhost, &*name, target.kind);
        // Values of what the type takes are looked at first, then whether it takes all.
        let (priority, timeout_ms) = if target.kind == QueueKind::Stream {
            self.check_text_offset(id, arguments)?;
            (0, None)
        } else {
            let priority = priority_argument(arguments, &vhost, &name).map_err(precondition_failed)?;
            (priority, self.consumer_timeout_argument(arguments, id)?)
        };
        check_consumer_arguments(arguments, about, self.rules).map_err(precondition_failed)?;
        self.check_consumable(id, exclusive, global)?;
        let reader = self.new_reader(id, (no_ack, prefetch, global), arguments)?;
        let place = self.place_of_reader(id, channel, &tag);
        let Some(target) = self.queues.get_mut(id) else { return Ok(Reply::Done) };
        self.attached += 1;
        let consumer = self.consumers.insert(Consumer {
            tag: tag.clone(),
            channel,
            queue: id,
            kind: target.kind,
            no_ack,
            prefetch: if no_ack { 0 } else { prefetch },
            priority,
            leaked_credit: 0,
            timeout_ms,
            attached: self.attached,
            unacked: 0,
            timed_out: 0,
            rotating: true,
            cancelled: false,
            ghost: None,
            why_full: None,
            reader,
        });
        let consumers = &mut target.consumers;
        match target.kind {
            QueueKind::Stream => consumers.all.insert(place, consumer),
            _ => consumers.all.push(consumer),
        }
        consumers.had_any = true;
        consumers.asleep = false;
        if target.kind != QueueKind::Stream {
            consumers.join(priority, consumer);
        }
        if exclusive && target.kind == QueueKind::Classic {
            consumers.exclusive = Some(consumer);
        }
        let Some(state) = self.channels.get_mut(channel) else { return Ok(Reply::Done) };
        let (told, told_channel) = (tag.clone(), state.id);
        state.consumers.insert(tag, consumer);
        let coming = ComingConsumer { exclusive, no_ack, prefetch, arguments };
        self.emit("consumer.created", |sim| sim.consumer_facts((&told, told_channel), (&name, &vhost), Some(coming)));
        self.elect(id);
        self.stop_lease(id);
        self.touch(id);
        self.to_serve.push_back(id);
        Ok(Reply::Done)
    }

    /// Checks exclusive use and the global limit (CO-4, CO-7, CO-8).
    fn check_consumable(&self, id: QueueId, exclusive: bool, global: u16) -> Result<(), Refusal> {
        let Some(queue) = self.queues.get(id) else { return Ok(()) };
        let resource = shown_queue(&queue.name.vhost, &queue.name.name);
        if queue.kind == QueueKind::Stream {
            return Ok(());
        }
        if queue.kind == QueueKind::Quorum {
            if global > 0 {
                let text = format!("{resource} does not support global qos");
                return Err(connection_error(code::NOT_IMPLEMENTED, text));
            }
            return Ok(());
        }
        let consumers = &queue.consumers;
        let taken =
            consumers.exclusive.is_some() || (exclusive && (consumers.single_active || !consumers.all.is_empty()));
        if taken {
            return Err(channel_error(code::ACCESS_REFUSED, format!("{resource} in exclusive use")));
        }
        Ok(())
    }

    /// Cancels a consumer on its client's wish; what it holds stays outstanding (CO-15).
    pub(crate) fn cancel(&mut self, channel: ChannelIndex, tag: &Name) -> Reply {
        let Some(state) = self.channels.get_mut(channel) else { return Reply::Done };
        if state.reply_consumer.as_ref().is_some_and(|(_, other)| other == tag) {
            state.reply_consumer = None;
            return Reply::Done;
        }
        let (channel_id, user) = (state.id, state.user.clone());
        if let Some(consumer) = state.consumers.remove(tag)
            && self.tell_consumer_gone(consumer, channel_id, user.as_ref())
            && let Some((was_active, was_asleep)) = self.place_of(consumer)
            && let Some(id) = self.drop_consumer(consumer)
        {
            if let Some(queue) = self.queues.get_mut(id).filter(|queue| queue.kind == QueueKind::Classic) {
                let falls_asleep = self.rules.cancel_wakes_nobody && (was_active || was_asleep);
                queue.consumers.asleep = falls_asleep && queue.ready() > 0;
            }
            self.auto_delete(id);
            self.to_serve.push_back(id);
            if self.queues.get(id).is_some_and(|queue| queue.kind == QueueKind::Quorum) {
                self.recall(channel, consumer, tag);
            }
        }
        Reply::Done
    }

    /// Returns whether a consumer is the single active one of its queue, and whether that sleeps.
    fn place_of(&self, id: ConsumerId) -> Option<(bool, bool)> {
        let consumers = &self.queues.get(self.consumers.get(id)?.queue)?.consumers;
        Some((consumers.single_active && consumers.active == Some(id), consumers.asleep))
    }

    /// Tells that a consumer goes with its channel, or as its client wished; returns whether it was there.
    pub(crate) fn tell_consumer_gone(&mut self, id: ConsumerId, channel: ChannelId, user: Option<&Name>) -> bool {
        let Some(consumer) = self.consumers.get(id) else { return false };
        let Some(queue) = self.queues.get(consumer.queue).map(|queue| queue.name.clone()) else { return true };
        let tag = consumer.tag.clone();
        let user = user.cloned().unwrap_or_else(|| "guest".into());
        self.emit("consumer.deleted", |sim| {
            let mut facts = sim.consumer_facts((&tag, channel), (&queue.name, &queue.vhost), None);
            facts.pop();
            facts.push(("user_who_performed_action", Value::Text(user)));
            facts
        });
        true
    }

    /// Takes a consumer from its queue; its record stays while deliveries are outstanding.
    pub(crate) fn drop_consumer(&mut self, id: ConsumerId) -> Option<QueueId> {
        let consumer = self.consumers.get_mut(id)?;
        consumer.cancelled = true;
        consumer.rotating = false;
        let (queue_id, unacked) = (consumer.queue, consumer.unacked);
        if let Some(queue) = self.queues.get_mut(queue_id) {
            let place = queue.consumers.all.iter().position(|other| *other == id);
            queue.consumers.remove(id);
            queue.consumers.asleep = false;
            if let (QueueKind::Quorum, Some(place), true) = (queue.kind, place, unacked > 0) {
                queue.consumers.all.insert(place, id);
            }
        }
        if unacked == 0 {
            self.consumers.remove(id);
        }
        self.elect(queue_id);
        self.touch(queue_id);
        self.start_lease(queue_id);
        Some(queue_id)
    }

    /// Counts one delivery less for a consumer; one that is cancelled goes with its last delivery.
    pub(crate) fn free_consumer(&mut self, id: ConsumerId, timed_out: bool) {
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        if timed_out {
            consumer.timed_out -= 1;
        }
        consumer.unacked -= 1;
        if consumer.cancelled {
            if consumer.unacked == 0 {
                let queue_id = consumer.queue;
                if let Some(queue) = self.queues.get_mut(queue_id) {
                    queue.consumers.remove(id);
                }
                self.consumers.remove(id);
                self.touch(queue_id);
            }
            return;
        }
        let is_shared = consumer.kind == QueueKind::Classic
            && self.channels.get(consumer.channel).is_some_and(|channel| channel.global_prefetch > 0);
        if !consumer.rotating && !is_shared && consumer.has_capacity(&self.channels) {
            self.unblock(id);
        }
    }

    /// Lets a consumer that was set aside rejoin at the back of its level (CO-3).
    pub(crate) fn unblock(&mut self, id: ConsumerId) {
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        if consumer.rotating || consumer.cancelled {
            return;
        }
        consumer.rotating = true;
        if let Some(queue) = self.queues.get_mut(consumer.queue) {
            queue.consumers.blocked.retain(|other| *other != id);
            queue.consumers.join(consumer.priority, id);
        }
    }

    /// Counts consumers as queue.declare-ok does (CO-23). A quorum queue leaves out those that wait to be the active
    /// one (CO-6), and each unsettled basic.get is one to it.
    pub(crate) fn counted_consumers(&self, queue: &Queue) -> u64 {
        let consumers = &queue.consumers;
        let waits = |id: &ConsumerId| {
            let holds = self.consumers.get(*id).is_some_and(|consumer| consumer.unacked > 0);
            consumers.active != Some(*id) && !holds
        };
        let all = consumers.all.len() as u64;
        if queue.kind != QueueKind::Quorum {
            return all;
        }
        let waiting = consumers.all.iter().filter(|id| consumers.single_active && waits(id)).count() as u64;
        let held = consumers.all.iter().filter_map(|id| self.consumers.get(*id));
        let held: u64 = held.map(|consumer| u64::from(consumer.unacked)).sum();
        all - waiting + queue.unacked.saturating_sub(held)
    }
}
