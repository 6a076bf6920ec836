//! What time does: messages expire at the head, queues that nobody uses go, consumers that do not acknowledge are
//! timed out (TTL-5 to TTL-13, EXP-1 to EXP-5, CO-19, CO-25, CO-26).

use crate::broker::Refusal;
use crate::model::{Millis, Moment, QueueKind, Table, Value};
use crate::rules::{ConsumerTimeout, shown_queue, type_name};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ChannelIndex, ConsumerId, QueueId};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::{DeathCause, Occasion, Return};
use crate::sim::state::refusal::precondition_failed;
use crate::sim::state::timer::Timer;

/// The node's consumer timeout: half an hour (CO-19).
const CONSUMER_TIMEOUT_MS: u64 = 1_800_000;

/// Channels look at their consumers once a minute (CO-19).
const CHANNEL_TICK_MS: u64 = 60_000;

impl Sim {
    /// Removes expired heads. On a classic queue only where RabbitMQ sweeps: see its callers.
    pub(crate) fn expire(&mut self, id: QueueId) {
        let mut any = false;
        while let Some(entry) = self.pop_expired(id) {
            any = true;
            self.die(id, entry, DeathCause::Expired);
        }
        if any {
            self.touch(id);
        }
    }

    /// Takes an expired head out of its queue. It is not dead-lettered yet.
    pub(crate) fn pop_expired(&mut self, id: QueueId) -> Option<QueuedMessage> {
        let (now, apart) = (self.now, self.rules.quorum_heads_expire_apart);
        match &mut self.queues.get_mut(id)?.contents {
            QueueContents::Classic(classic) => classic.pop_expired(now),
            QueueContents::Quorum(quorum) => quorum.pop_expired(now, apart),
            QueueContents::Stream(_) => None,
        }
    }

    /// Removes expired heads and arms the timer for the next.
    pub(crate) fn sweep(&mut self, id: QueueId) {
        self.expire(id);
        self.arm_message_ttl(id);
    }

    /// Arms the timer for the heads of a queue; a classic one keeps an earlier timer.
    pub(crate) fn arm_message_ttl(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        let next = heads_expire_at(queue, self.rules.quorum_heads_expire_apart);
        let classic = queue.kind == QueueKind::Classic;
        match (next, queue.ttl_timer) {
            (None, None) => {}
            (None, Some(_)) if classic && queue.ready() > 0 => {}
            (None, Some(_)) => self.timers.cancel(&mut queue.ttl_timer),
            (Some(at), Some((armed, _))) if armed == at || (classic && armed < at) => {}
            (Some(at), _) => {
                self.timers.cancel(&mut queue.ttl_timer);
                queue.ttl_timer = Some(self.timers.set(at, Timer::MessageTtl(id)));
            }
        }
    }

    /// Returns the moment at which the next head of a queue expires.
    pub(crate) fn head_expires_at(&self, queue: &Queue) -> Option<Moment> {
        heads_expire_at(queue, self.rules.quorum_heads_expire_apart)
    }

    pub(crate) fn message_ttl_fired(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get_mut(id) {
            queue.ttl_timer = None;
        }
        self.sweep(id);
        // LEN-9: what expired may let publishers go on.
        self.drop_over_limit(id, Occasion::Arrival);
    }

    /// Starts or restarts the lease of a queue without consumers (EXP-2, EXP-3).
    pub(crate) fn start_lease(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get_mut(id) {
            queue.used_at = self.now;
            self.arm_lease(id);
        }
    }

    /// Renews the lease on use; a quorum queue ignores declares (EXP-3).
    pub(crate) fn refresh_lease(&mut self, id: QueueId, by_declare: bool) {
        let Some(queue) = self.queues.get(id) else { return };
        if queue.settings.expires_ms.is_some() && !(by_declare && queue.kind == QueueKind::Quorum) {
            self.start_lease(id);
        }
    }

    pub(crate) fn stop_lease(&mut self, id: QueueId) {
        if let Some(queue) = self.queues.get_mut(id) {
            self.timers.cancel(&mut queue.lease_timer);
        }
    }

    pub(crate) fn arm_lease(&mut self, id: QueueId) {
        let used = self.queues.get(id).is_some_and(|queue| self.counted_consumers(queue) > 0);
        let Some(queue) = self.queues.get_mut(id) else { return };
        self.timers.cancel(&mut queue.lease_timer);
        let Some(expires) = queue.settings.expires_ms.filter(|_| !used) else { return };
        let due = queue.used_at + Millis(expires);
        let at = if queue.kind == QueueKind::Quorum { tick_at(queue.declared_at, due) } else { due };
        queue.lease_timer = Some(self.timers.set(at.max(self.now), Timer::QueueExpires(id)));
    }

    pub(crate) fn queue_expires_fired(&mut self, id: QueueId) {
        let used = self.queues.get(id).is_some_and(|queue| self.counted_consumers(queue) > 0);
        let Some(queue) = self.queues.get_mut(id) else { return };
        queue.lease_timer = None;
        if !used {
            let quorum = self.queues.get(id).is_some_and(|queue| queue.kind == QueueKind::Quorum);
            let expires = self.queues.get(id).and_then(|queue| queue.settings.expires_ms).unwrap_or_default();
            let tick = if quorum { ", seen at its tick of 5s" } else { "" };
            let why = format!("nobody used it for its expires of {}{tick}", Millis(expires));
            self.cover_queue_expiry(id);
            self.remove_queue(id, if quorum { "EXP-3" } else { "EXP-2" }, &why);
        }
    }

    /// Reads a consumer's own timeout (CO-25).
    pub(crate) fn consumer_timeout_argument(&self, arguments: &Table, id: QueueId) -> Result<Option<u64>, Refusal> {
        let (Some(value), ConsumerTimeout::Queue) = (arguments.get("x-consumer-timeout"), self.rules.consumer_timeout)
        else {
            return Ok(None);
        };
        let Some(queue) = self.queues.get(id) else { return Ok(None) };
        let resource = shown_queue(&queue.name.vhost, &queue.name.name);
        let invalid =
            |rest: String| precondition_failed(format!("invalid arg 'x-consumer-timeout' for {resource}{rest}"));
        if queue.kind == QueueKind::Classic {
            return Err(invalid(" of queue type rabbit_classic_queue".into()));
        }
        match Value::as_integer(value) {
            None => Err(invalid(format!(": \"expected integer, got {}\"", type_name(value)))),
            Some(n) => match u64::try_from(n) {
                Err(_) => Err(invalid(format!(": {{value_negative,{n}}}"))),
                Ok(n) => Ok(Some(n)),
            },
        }
    }

    /// Returns how long a delivery may stay unacknowledged.
    fn timeout_of(&self, queue: QueueId, consumer: Option<ConsumerId>) -> Option<u64> {
        let queue = self.queues.get(queue)?;
        match self.rules.consumer_timeout {
            ConsumerTimeout::Node => Some(CONSUMER_TIMEOUT_MS),
            ConsumerTimeout::QueueOrNode => Some(queue.settings.consumer_timeout_ms.unwrap_or(CONSUMER_TIMEOUT_MS)),
            ConsumerTimeout::Queue if queue.kind != QueueKind::Quorum => None,
            ConsumerTimeout::Queue => {
                let own = consumer.and_then(|id| self.consumers.get(id)).and_then(|consumer| consumer.timeout_ms);
                Some(own.or(queue.settings.consumer_timeout_ms).unwrap_or(CONSUMER_TIMEOUT_MS))
            }
        }
    }

    /// Returns the moment at which a delivery is timed out: on 4.3 exactly, before at the channel's tick.
    fn times_out_at(&self, since: Moment, queue: QueueId, consumer: Option<ConsumerId>) -> Option<Moment> {
        let due = since + Millis(self.timeout_of(queue, consumer)?);
        if self.rules.consumer_timeout == ConsumerTimeout::Queue {
            return Some(due);
        }
        Some(Moment((due.0 / CHANNEL_TICK_MS + 1).saturating_mul(CHANNEL_TICK_MS)))
    }

    /// Remembers that a new delivery may time out.
    pub(crate) fn expect_timeout(&mut self, queue: QueueId, consumer: ConsumerId) {
        if let Some(at) = self.times_out_at(self.now, queue, Some(consumer)) {
            self.timeouts_from = self.timeouts_from.min(at);
        }
    }

    /// Remembers that a got message may time out.
    pub(crate) fn expect_get_timeout(&mut self, queue: QueueId) {
        if let Some(at) = self.times_out_at(self.now, queue, None) {
            self.timeouts_from = self.timeouts_from.min(at);
        }
    }

    /// Returns the first moment at which a delivery that is outstanding now is timed out.
    pub(crate) fn next_consumer_timeout(&self) -> Option<Moment> {
        let all = self.channels.iter().flat_map(|(_, channel)| &channel.unacked);
        let present = all.filter(|unacked| unacked.is_out());
        present.filter_map(|unacked| self.times_out_at(unacked.since, unacked.queue, unacked.consumer)).min()
    }

    /// Times out what is due, then looks when the next is.
    pub(crate) fn time_out_consumers(&mut self) {
        let now = self.now;
        let mut due = Vec::new();
        for (id, channel) in self.channels.iter() {
            for unacked in channel.unacked.iter().filter(|unacked| unacked.is_out()) {
                let at = self.times_out_at(unacked.since, unacked.queue, unacked.consumer);
                if at.is_some_and(|at| at <= now) {
                    due.push((id, unacked.tag, unacked.queue, unacked.consumer));
                }
            }
        }
        for (channel, tag, queue, consumer) in due {
            match consumer {
                Some(consumer) if self.rules.consumer_timeout == ConsumerTimeout::Queue => {
                    self.time_out_delivery(channel, tag, queue, consumer);
                }
                _ => {
                    let timeout = match self.rules.consumer_timeout {
                        ConsumerTimeout::Queue => "-1".to_owned(),
                        _ => self.timeout_of(queue, consumer).unwrap_or_default().to_string(),
                    };
                    let number = self.channels.get(channel).map_or(1, |state| state.number);
                    let cause = precondition_failed(timeout_text(number, &timeout));
                    self.tell_refused(None, &cause);
                    self.close_for(channel, cause);
                }
            }
        }
        self.timeouts_from = self.next_consumer_timeout().unwrap_or(Moment(u64::MAX));
    }

    /// Takes a delivery back from a consumer that stays (CO-25, CO-26).
    fn time_out_delivery(&mut self, channel: ChannelIndex, tag: u64, queue: QueueId, id: ConsumerId) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        let Ok(at) = state.unacked.binary_search_by_key(&tag, |unacked| unacked.tag) else { return };
        let Some(entry) = state.unacked[at].take_back() else { return };
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.unacked -= 1;
        }
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        consumer.timed_out += 1;
        let first = consumer.timed_out == 1 && !consumer.cancelled;
        let name = consumer.tag.clone();
        if first {
            self.tell_cancelled(channel, name);
        }
        let by = self.holder(Some(id));
        self.put_back(queue, vec![entry], Return::TimedOut, by);
        self.elect(queue);
        self.to_serve.push_back(queue);
    }
}

fn heads_expire_at(queue: &Queue, heads_apart: bool) -> Option<Moment> {
    match &queue.contents {
        QueueContents::Classic(classic) => classic.head_expires_at(),
        QueueContents::Quorum(quorum) => quorum.heads_expire_at(heads_apart),
        QueueContents::Stream(_) => None,
    }
}

fn timeout_text(channel: u32, timeout: &str) -> String {
    format!(
        "delivery acknowledgement on channel {channel} timed out. Timeout value used: {timeout} ms. This timeout value can be \
         configured, see consumers doc guide to learn more"
    )
}

/// Returns the first tick of a quorum queue at or after `at`; ticks come every five seconds (EXP-3).
pub(crate) fn tick_at(declared_at: Moment, at: Moment) -> Moment {
    const TICK_MS: u64 = 5_000;
    let since = (at - declared_at).0;
    declared_at + Millis(since.div_ceil(TICK_MS) * TICK_MS)
}
