//! Serving a queue: which consumer gets the next message, and how it is handed over (CO-1 to CO-6, CO-9, CO-12).

use crate::broker::{DeliveredMessage, Delivery, DeliveryTag, Event};
use crate::model::{QueueKind, Value};
use crate::rules::FailureCount;
use crate::sim::broker::Sim;
use crate::sim::events::firehose::keys_of;
use crate::sim::state::arena::{ConsumerId, QueueId};
use crate::sim::state::channel::{Delivered, KEEPS_UP, Unacked};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::{DeathCause, Occasion};

impl Sim {
    /// Hands out messages as long as there are some and somebody may have one; drops what is over the limit then.
    pub(crate) fn serve(&mut self, id: QueueId) {
        // A classic queue looks for expired heads where RabbitMQ does: after each message that leaves (TTL-12).
        let Some(queue) = self.queues.get(id).filter(|queue| !queue.is_asleep()) else { return };
        if queue.kind == QueueKind::Stream {
            return self.serve_readers(id);
        }
        let quorum = queue.kind == QueueKind::Quorum;
        let mut expired = Vec::new();
        if matches!(&queue.contents, QueueContents::Quorum(quorum) if quorum.may_have_expired(self.now)) {
            match self.rules.quorum_maxlen_reversed {
                true => expired.extend(std::iter::from_fn(|| self.pop_expired(id))),
                false => self.expire(id),
            }
        }
        while let Some(queue) = self.queues.get(id) {
            if queue.ready() == 0 {
                break;
            }
            let Some(consumer) = self.next_consumer(id) else { break };
            let Some(entry) = self.queues.get_mut(id).and_then(|queue| queue.pop()) else { break };
            self.sweep(id);
            self.hand_over(id, consumer, entry);
        }
        if quorum {
            self.served_quorum(id);
        }
        if !expired.is_empty() {
            // DL-31: what the limit drops goes first.
            expired.into_iter().for_each(|entry| self.die(id, entry, DeathCause::Expired));
            self.touch(id);
        }
    }

    /// Does what comes after the serving of a quorum queue: its limits, and the timer of its heads.
    pub(crate) fn served_quorum(&mut self, id: QueueId) {
        self.drop_over_limit(id, Occasion::Arrival);
        let has_clock = |queue: &Queue| match &queue.contents {
            QueueContents::Quorum(quorum) => quorum.may_expire() || queue.ttl_timer.is_some(),
            QueueContents::Classic(_) | QueueContents::Stream(_) => false,
        };
        if self.queues.get(id).is_some_and(has_clock) {
            self.arm_message_ttl(id);
        }
    }

    /// Takes the consumer whose turn it is; it goes to the back.
    pub(crate) fn next_consumer(&mut self, id: QueueId) -> Option<ConsumerId> {
        let queue = self.queues.get(id)?;
        if queue.consumers.single_active {
            let active = queue.consumers.active?;
            let able = self.consumers.get(active)?.has_capacity(&self.channels);
            return (able && !self.is_quiescing(queue, active)).then_some(active);
        }
        let queue = self.queues.get_mut(id)?;
        while let Some(level) = queue.consumers.in_turn() {
            let id = *level.front()?;
            let Some(consumer) = self.consumers.get_mut(id) else {
                level.pop_front();
                continue;
            };
            let able = consumer.has_capacity(&self.channels);
            // A quorum queue's consumer leaves the rotation as soon as it is full, a classic one's when tried.
            let last = queue.kind == QueueKind::Quorum
                && !consumer.no_ack
                && consumer.prefetch > 0
                && consumer.unacked + 1 >= consumer.held_max();
            if able && !last {
                if level.len() > 1 {
                    level.rotate_left(1);
                }
                return Some(id);
            }
            level.pop_front();
            consumer.rotating = false;
            queue.consumers.blocked.push(id);
            if able {
                return Some(id);
            }
        }
        None
    }

    /// Sends a message to a consumer.
    pub(crate) fn hand_over(&mut self, queue_id: QueueId, id: ConsumerId, entry: QueuedMessage) {
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        if consumer.ghost.is_some() {
            return self.hand_to_ghost(queue_id, id, entry);
        }
        let Some(queue) = self.queues.get_mut(queue_id) else { return };
        let Some(channel) = self.channels.get_mut(consumer.channel) else { return };
        channel.permissions.wake(self.now);
        if channel.unsent_left != KEEPS_UP {
            channel.unsent_left = channel.unsent_left.saturating_sub(1);
        }
        let tag = channel.next_tag();
        let delivery = shown(self.rules, queue, &entry, tag, false);
        let (to, traced) = (consumer.channel, self.own_publishes.traces().then(|| keys_of(&entry.stored)));
        if !consumer.no_ack {
            queue.unacked += 1;
            consumer.unacked += 1;
            if channel.global_prefetch > 0 && consumer.kind == QueueKind::Classic {
                channel.volume += 1;
                channel.filled_by = Some(queue_id);
            }
            let since = self.now;
            channel.unacked.push_back(Unacked {
                tag: tag.0,
                queue: queue_id,
                consumer: Some(id),
                since,
                attached: consumer.attached,
                what: Delivered::Message(entry),
                held: false,
            });
        }
        let told =
            traced.is_some().then(|| (delivery.exchange.clone(), delivery.message.clone(), delivery.redelivered));
        let event = Event::Delivered { channel: channel.id, consumer: consumer.tag.clone(), delivery };
        self.events.push_back(event);
        let no_ack = consumer.no_ack;
        if let (Some(keys), Some((exchange, message, redelivered))) = (traced, told) {
            self.tap_out(to, queue_id, (&exchange, keys), (&message, redelivered));
        }
        self.touch(queue_id);
        if !no_ack {
            self.expect_timeout(queue_id, id);
        }
    }
}

/// Makes the delivery of a message.
pub(crate) fn shown(
    rules: &crate::rules::Differences,
    queue: &Queue,
    entry: &QueuedMessage,
    tag: DeliveryTag,
    by_get: bool,
) -> Delivery {
    let (message, redelivered) = told(rules, queue, entry, by_get);
    let (exchange, routing_key) = (entry.stored.exchange().clone(), entry.stored.routing_key().clone());
    Delivery { tag, redelivered, exchange, routing_key, message }
}

/// Returns the message as a delivery shows it, and whether it counts as redelivered (CO-9, CO-12, DL-32, DL-34).
fn told(
    rules: &crate::rules::Differences,
    queue: &Queue,
    entry: &QueuedMessage,
    by_get: bool,
) -> (DeliveredMessage, bool) {
    let stored = &entry.stored;
    let QueueContents::Quorum(_) = &queue.contents else {
        return (stored.letter(), entry.redelivered);
    };
    let inherited = match rules.failure_count {
        FailureCount::Forgotten => 0,
        FailureCount::Shown => stored.quorum_rejections,
        FailureCount::Counted => stored.failures,
    };
    let returns = if entry.returns == 0 { inherited } else { entry.returns };
    let redelivered = returns > 0 || (rules.two_counters && entry.failures > 0);
    if !(redelivered || by_get && rules.quorum_get_count_0) {
        return (stored.letter(), false);
    }
    let mut headers = stored.headers().cloned().unwrap_or_default();
    let mut set = |name: &str, n: u32| {
        headers.insert(name.into(), Value::I64(n.into()));
    };
    if rules.two_counters {
        set("x-acquired-count", returns);
        if entry.failures > 0 {
            set("x-delivery-count", entry.failures);
        }
    } else {
        set("x-delivery-count", returns);
    }
    headers.sort_keys();
    (stored.letter().with_headers(headers), redelivered)
}
