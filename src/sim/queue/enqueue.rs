//! A message arrives at a queue: refused, handed on at once, or stored; and the length limits (LEN-*, TTL-3, TTL-7).

use crate::broker::{PublishId, What};
use crate::model::{Millis, Moment};
use crate::rules::{Differences, FailureCount, Overflow};
use crate::sim::broker::Sim;
use crate::sim::routing::way::rule_of;
use crate::sim::state::arena::{ChannelIndex, QueueId, VhostId};
use crate::sim::state::covered::Site;
use crate::sim::state::queue::{Queue, QueueContents, is_limited, is_over, is_refusing};
use crate::sim::state::queued_message::{NEVER, QueuedMessage, Stored};
use crate::sim::state::quorum_queue::{Publisher, encoded_size, field_size};
use crate::sim::state::reason::{DeathCause, Occasion, Reason};

impl Sim {
    /// Brings a message to a queue and returns whether the queue took responsibility. No publisher: a dead letter.
    pub(crate) fn enqueue(&mut self, id: QueueId, stored: Box<Stored>, publisher: Option<ChannelIndex>) -> bool {
        let Some(queue) = self.queues.get_mut(id) else { return true };
        queue.count_move(self.now);
        match queue.contents {
            QueueContents::Classic(_) => self.enqueue_classic(id, stored, publisher.is_some()),
            QueueContents::Quorum(_) => self.enqueue_quorum(id, stored, publisher),
            QueueContents::Stream(_) => self.append(id, &stored),
        }
    }

    fn enqueue_classic(&mut self, id: QueueId, stored: Box<Stored>, published: bool) -> bool {
        let origin = stored.origin;
        self.wake(id, origin);
        let Some(queue) = self.queues.get_mut(id) else { return true };
        let Some(entry) = new_entry(queue, stored, self.now, self.rules) else { return true };
        let overflow = queue.settings.overflow;
        if overflow != Overflow::DropHead && has_no_room(queue, &entry) {
            if overflow == Overflow::RejectPublishDlx {
                self.die(id, entry, DeathCause::FullOnArrival);
            } else {
                self.tell_full(id, origin, published);
            }
            return false;
        }
        if queue.ready() == 0
            && let Some(consumer) = self.next_consumer(id)
        {
            self.tell_place(id, origin);
            // DL-13: what never lay in the queue is shown as new, whatever failed before.
            self.hand_over(id, consumer, QueuedMessage { redelivered: false, ..entry });
            return true;
        }
        self.store_classic(id, entry);
        true
    }

    /// Wakes a queue that sleeps (CO-6). RabbitMQ 3.10.8 has a fault in this state that can end the queue's process (seen live):
    /// what is left then is chance, and not simulated.
    fn wake(&mut self, id: QueueId, origin: PublishId) {
        let Some(queue) = self.queues.get_mut(id).filter(|queue| queue.consumers.asleep) else { return };
        let sleeps = queue.is_asleep();
        queue.consumers.asleep = false;
        if sleeps {
            self.to_serve.push_back(id);
            let why = "RabbitMQ 3.10.8 has a fault in this state that can end the queue; what follows is not simulated";
            self.tell(Some(origin), Some(id), "CO-6", || What::Blocked { behind: None, until: None, why: why.into() });
        }
    }

    /// Stores a message; sweeps expired heads only when RabbitMQ would (TTL-12).
    fn store_classic(&mut self, id: QueueId, mut entry: QueuedMessage) {
        let expires = entry.expires_at != NEVER;
        if self.samples(id, Site::Arrival) {
            self.tell_enqueued(id, &mut entry);
        }
        let Some(queue) = self.queues.get_mut(id) else { return };
        let QueueContents::Classic(classic) = &mut queue.contents else { return };
        if self.rules.classic_forgets_expiration && classic.ready() > 0 {
            // DL-16: without it a death finds none; when the message expires is fixed already.
            entry.stored.expiration_ms = None;
        }
        classic.push(entry);
        self.touch(id);
        let dropped = self.drop_over_limit(id, Occasion::Arrival);
        let alone = self.queues.get(id).is_some_and(|queue| queue.ready() == 1);
        match (dropped, alone, expires) {
            (false, false, _) | (true, true, false) | (false, true, false) => {}
            _ => self.sweep(id),
        }
    }

    fn enqueue_quorum(&mut self, id: QueueId, stored: Box<Stored>, publisher: Option<ChannelIndex>) -> bool {
        let origin = stored.origin;
        let Some(queue) = self.queues.get_mut(id) else { return true };
        let Some(mut entry) = new_entry(queue, stored, self.now, self.rules) else { return true };
        let refuses = is_refusing(queue);
        let QueueContents::Quorum(quorum) = &mut queue.contents else { return true };
        let is_empty = quorum.ready() == 0;
        // A publisher that was told to stop does so also when the queue would drop its head by now.
        if let Some(publisher) = publisher
            && quorum.refuses(Publisher::Channel(publisher), refuses, self.turn)
            && !self.is_unheard(publisher)
        {
            self.tell_full(id, origin, true);
            return false;
        }
        if self.samples(id, Site::Arrival) {
            self.tell_enqueued(id, &mut entry);
        }
        // Into an empty queue and out again at once: what lies there for no time needs no place.
        if is_empty && let Some(consumer) = self.next_consumer(id) {
            if let Some(Queue { contents: QueueContents::Quorum(quorum), .. }) = self.queues.get_mut(id) {
                quorum.count_dequeue();
            }
            self.hand_over(id, consumer, entry);
            self.served_quorum(id);
            return true;
        }
        self.tell_over_limit(id, &entry, publisher.is_some());
        if let Some(Queue { contents: QueueContents::Quorum(quorum), .. }) = self.queues.get_mut(id) {
            quorum.push(entry);
        }
        self.touch(id);
        self.serve(id);
        true
    }

    /// With insights on: tells that a message stands in a queue, and what holds it up there.
    fn tell_enqueued(&mut self, id: QueueId, entry: &mut QueuedMessage) {
        let origin = Some(entry.stored.origin);
        self.tell_place(id, entry.stored.origin);
        entry.stored.ttls = if entry.expires_at == NEVER { None } else { self.ttls(id, entry.stored.expiration_ms) };
        if let Some((behind, until, Reason { rule, why })) = self.held_up_by(id, entry) {
            self.tell(origin, Some(id), rule, || What::Blocked { behind: Some(behind), until, why: why.into() });
        }
        if let Some((rule, why)) = self.why_nobody(id) {
            let behind = self.filled_by(id);
            self.tell(origin, Some(id), rule, || What::Blocked { behind, until: None, why });
        }
    }

    /// Tells in which queue a message stands, and by which bindings.
    pub(crate) fn tell_place(&mut self, id: QueueId, origin: PublishId) {
        if self.insights {
            let way = self.take_way(id);
            self.tell(Some(origin), Some(id), rule_of(&way), || What::Enqueued { way });
        }
    }

    /// Tells that a quorum queue takes a message over its limit, as only publishers are told to stop (LEN-9, DL-10).
    fn tell_over_limit(&mut self, id: QueueId, entry: &QueuedMessage, published: bool) {
        if !self.explains()
            || self.queues.get(id).is_none_or(|queue| !is_limited(queue))
            || !self.samples(id, Site::OverLimit)
        {
            return;
        }
        let Some(queue) = self.queues.get(id) else { return };
        let QueueContents::Quorum(quorum) = &queue.contents else { return };
        let (n, bytes) = quorum.counted();
        let over = is_over(queue, n + 1, bytes + u64::from(entry.size));
        if over && queue.settings.overflow == Overflow::RejectPublish {
            let limit = self.limit_in_words(queue);
            let (rule, why) = match published {
                true => ("LEN-9", "the limit is checked once a message is in, and refuses the next"),
                false => ("DL-10", "publishes are refused, and dead letters are not"),
            };
            self.tell(Some(entry.stored.origin), Some(id), rule, || What::OverLimit { limit, why });
        }
    }

    fn tell_full(&mut self, id: QueueId, origin: PublishId, published: bool) {
        if self.cover_full(id) {
            let Reason { rule, why } = self.reason_of_refusal_by_length(id, published);
            self.tell(Some(origin), Some(id), rule, || What::Dropped { why, stood: false });
        }
    }

    /// Drops heads while the queue is over a limit, or blocks and unblocks publishers; returns whether any was dropped.
    pub(crate) fn drop_over_limit(&mut self, id: QueueId, occasion: Occasion) -> bool {
        let releases = self.rules.quorum_unlimited_releases;
        let Some(queue) = self.queues.get_mut(id) else { return false };
        if !is_limited(queue) {
            if let QueueContents::Quorum(quorum) = &mut queue.contents {
                // To RabbitMQ it is not below a limit either: one that it gets releases whom an earlier one refused.
                quorum.was_relaxed = false;
                if releases {
                    quorum.refuse_all(false, self.turn);
                }
            }
            return false;
        }
        let drops = queue.settings.overflow == Overflow::DropHead;
        let dropped = drops && self.drop_heads(id, occasion);
        self.weigh_publishers(id, !drops);
        dropped
    }

    fn drop_heads(&mut self, id: QueueId, occasion: Occasion) -> bool {
        let mut victims = Vec::new();
        while let Some(queue) = self.queues.get_mut(id) {
            let (n, bytes) = match &queue.contents {
                QueueContents::Classic(classic) => (classic.ready(), classic.bytes()),
                QueueContents::Quorum(quorum) => quorum.counted(),
                QueueContents::Stream(_) => return false,
            };
            if !is_over(queue, n, bytes) {
                break;
            }
            let Some(entry) = queue.pop() else { break };
            victims.push((entry, DeathCause::Full { ready: n, bytes, occasion }));
        }
        if victims.is_empty() {
            return false;
        }
        let quorum = self.queues.get(id).is_some_and(|queue| matches!(queue.contents, QueueContents::Quorum(_)));
        if quorum && self.rules.quorum_maxlen_reversed {
            victims.reverse();
        }
        for (entry, cause) in victims {
            self.die(id, entry, cause);
        }
        self.touch(id);
        true
    }

    /// Blocks publishers of a quorum queue that is over its limit; lets them go on when it falls to 80 % (LEN-9). One
    /// that drops its head does neither.
    pub(crate) fn weigh_publishers(&mut self, id: QueueId, rejects: bool) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        let QueueContents::Quorum(quorum) = &queue.contents else { return };
        let (n, bytes) = quorum.counted();
        let over = is_over(queue, n, bytes);
        let relaxed = |value: u64, max: Option<u64>| max.is_none_or(|max| value <= max * 8 / 10);
        let below = relaxed(n, queue.settings.max_length) && relaxed(bytes, queue.settings.max_length_bytes);
        if let QueueContents::Quorum(quorum) = &mut queue.contents {
            let falls = below && !quorum.was_relaxed;
            quorum.was_relaxed = below;
            if rejects && (over || falls) {
                quorum.refuse_all(over, self.turn);
            }
        }
    }

    /// Forgets a channel that published to quorum queues.
    pub(crate) fn forget_publisher(&mut self, channel: ChannelIndex, vhost: VhostId) {
        let Some(vhost) = self.vhosts.get(vhost) else { return };
        let mut known = Vec::new();
        for &id in vhost.queues.values() {
            if let Some(Queue { contents: QueueContents::Quorum(quorum), consumers, .. }) = self.queues.get_mut(id)
                && quorum.forget_publisher(Publisher::Channel(channel))
                && consumers.single_active
            {
                known.push(id);
            }
        }
        // The end of any process that a queue knows lets it choose its active consumer anew.
        for id in known {
            self.elect(id);
            self.to_serve.push_back(id);
        }
    }
}

/// Makes the entry of a message for a queue; its expiry is fixed now (TTL-3).
#[inline]
fn new_entry(queue: &mut Queue, mut stored: Box<Stored>, now: Moment, rules: &Differences) -> Option<QueuedMessage> {
    let ttl = queue.settings.message_ttl_ms.into_iter().chain(stored.expiration_ms).min();
    let priority = stored.message.properties.priority;
    let body = stored.message.body.len();
    let (level, position, size, ttl) = match &mut queue.contents {
        QueueContents::Classic(classic) => (classic.level(priority), classic.next_position(), body, ttl),
        QueueContents::Quorum(quorum) => {
            let properties = if rules.quorum_bytes_with_properties { property_bytes(&mut stored) } else { 0 };
            // TTL-7: 0 is treated as a millisecond.
            let ttl = ttl.map(|ttl| ttl.max(1));
            (quorum.level(priority), quorum.next_position(), body + properties, ttl)
        }
        QueueContents::Stream(_) => return None,
    };
    let counted = rules.failure_count == FailureCount::Counted;
    let failures = if counted { stored.failures } else { 0 };
    Some(QueuedMessage {
        stored,
        position,
        expires_at: ttl.map_or(NEVER, |ttl| now + Millis(ttl)),
        size: u32::try_from(size).unwrap_or(u32::MAX),
        level,
        redelivered: failures > 0,
        returns: 0,
        losses: 0,
        failures,
    })
}

/// Returns whether a message would bring a classic queue over its limits.
fn has_no_room(queue: &Queue, entry: &QueuedMessage) -> bool {
    let QueueContents::Classic(classic) = &queue.contents else { return false };
    is_over(queue, classic.ready() + 1, classic.bytes() + u64::from(entry.size))
}

/// The bytes that a table takes beside its fields.
const TABLE_LENGTH: usize = 4;

/// Returns the bytes of the property section as stored: an expiration that a death took away is among them, RabbitMQ's own
/// records of deaths are not, but those that the client published are, as it wrote them (LEN-1). Counted once for as long as
/// it stays the same.
fn property_bytes(stored: &mut Stored) -> usize {
    if let Some(known) = stored.property_bytes {
        return known as usize;
    }
    let died = stored.died();
    let is_own = |key: &str| match key.as_bytes().get(2) {
        Some(b'd') => key.starts_with("x-death"),
        Some(b'f') => key.starts_with("x-first-death-"),
        Some(b'l') => key.starts_with("x-last-death-"),
        _ => false,
    };
    let properties = &stored.message.properties;
    // Without any of the client's all are RabbitMQ's own.
    let headers = stored.headers().filter(|_| !died || properties.headers.is_some());
    let mut bytes = encoded_size(properties, headers, |key| died && is_own(key));
    let of_client = properties.headers.iter().flatten().filter(|(key, _)| died && is_own(key));
    let of_client: usize = of_client.map(field_size).sum();
    if of_client > 0 {
        let is_alone = headers.into_iter().flatten().all(|(key, _)| is_own(key));
        bytes += of_client + if is_alone { TABLE_LENGTH } else { 0 };
    }
    stored.property_bytes = u32::try_from(bytes).ok();
    bytes
}
