//! Settling deliveries: ack, nack, reject, recover, and the order in which many are settled (CO-16, CO-17, DL-33).

use crate::broker::{ChannelId, DeliveryTag, Refusal, Reply, Settlement, code};
use crate::model::{Name, QueueKind};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ChannelIndex, ConsumerId, QueueId};
use crate::sim::state::channel::Unacked;
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::{DeathCause, Return};
use crate::sim::state::refusal::{connection_error, precondition_failed};
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Orders groups of deliveries: by queue, then those taken by get by tag, then by consumer tag (DL-33).
type SettlementGroup = (Name, QueueId, Option<u64>, Option<Name>);

impl Sim {
    pub(crate) fn settle(&mut self, id: ChannelId, tag: DeliveryTag, multiple: bool, settlement: Settlement) {
        let Some(channel) = self.channel_ids.get(id) else { return };
        let Some(state) = self.channels.get_mut(channel) else { return };
        state.permissions.wake(self.now);
        if state.transaction().is_some() {
            if !self.hold_settlement(channel, tag.0, multiple, settlement) {
                self.refuse_tag(channel, tag);
            }
            return;
        }
        let Some(taken) = take_unacked(&mut state.unacked, tag.0, multiple) else {
            return self.refuse_tag(channel, tag);
        };
        self.settle_taken(channel, taken, settlement);
    }

    /// Closes the channel for a tag that is not outstanding (CO-17).
    fn refuse_tag(&mut self, channel: ChannelIndex, tag: DeliveryTag) {
        let cause = precondition_failed(format!("unknown delivery tag {}", tag.0));
        self.tell_refused(None, &cause);
        self.close_for(channel, cause);
    }

    /// Settles deliveries that a channel held, as one settlement of them all does.
    pub(crate) fn settle_all(&mut self, channel: ChannelIndex, mut taken: Vec<Unacked>, settlement: Settlement) {
        let taken = match (taken.pop(), taken.is_empty()) {
            (Some(only), true) => Taken::One(only),
            (last, _) => {
                taken.extend(last);
                Taken::Many(taken)
            }
        };
        self.settle_taken(channel, taken, settlement);
    }

    #[inline]
    fn settle_taken(&mut self, channel: ChannelIndex, taken: Taken, settlement: Settlement) {
        match taken {
            Taken::One(acked) if settlement == Settlement::Ack => self.ack(channel, acked),
            taken => self.settle_anyhow(channel, taken, settlement),
        }
    }

    /// Settles deliveries in any way, one or many.
    fn settle_anyhow(&mut self, channel: ChannelIndex, taken: Taken, settlement: Settlement) {
        if taken.is_read() {
            return self.settle_read(channel, taken.into(), settlement);
        }
        if let Some(state) = self.channels.get_mut(channel) {
            state.discount(taken.by_consumers());
        }
        match taken {
            Taken::One(unacked) => {
                let (queue, consumer) = (unacked.queue, unacked.consumer);
                let by = self.holder(consumer);
                self.release(&unacked);
                self.use_room_first(channel);
                if let Some(entry) = unacked.into_entry() {
                    let died = self.settle_many(queue, vec![entry], settlement, by);
                    self.leak_credit(consumer, died);
                }
                self.settled(queue, settlement);
            }
            Taken::Many(all) => {
                for (group, members) in self.grouped(all) {
                    let (queue, by) = (group.1, group.3);
                    for unacked in &members {
                        self.release(unacked);
                    }
                    self.use_room_first(channel);
                    let consumer = members.first().and_then(|unacked| unacked.consumer);
                    let entries: Vec<QueuedMessage> = members.into_iter().filter_map(Unacked::into_entry).collect();
                    let died = self.settle_many(queue, entries, settlement, by);
                    self.leak_credit(consumer, died);
                    self.settled(queue, settlement);
                }
            }
        }
        if self.channels.get(channel).is_some_and(|channel| channel.global_prefetch > 0) {
            self.resume_globally(channel);
        }
    }

    /// Takes the acknowledgement of one delivery.
    #[inline]
    fn ack(&mut self, channel: ChannelIndex, acked: Unacked) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        state.discount(usize::from(acked.consumer.is_some()));
        let is_limited = state.global_prefetch > 0;
        if acked.is_read() {
            return self.ack_read(&acked);
        }
        self.release(&acked);
        self.use_room_first(channel);
        // Most queues have nothing to do over it.
        if !self.queues.get(acked.queue).is_some_and(Queue::is_idle) {
            self.settled(acked.queue, Settlement::Ack);
        }
        if is_limited {
            self.resume_globally(channel);
        }
    }

    /// Serves the queue after some of its deliveries were settled.
    fn settled(&mut self, queue: QueueId, settlement: Settlement) {
        match settlement {
            Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true } => self.elect_after_return(queue),
            _ => self.elect(queue),
        }
        self.touch(queue);
        // An empty queue has nothing to serve, whatever its consumers do; a quorum queue looks at its limits, too.
        let is_empty = |queue: &Queue| queue.kind == QueueKind::Classic && queue.ready() == 0;
        if !self.queues.get(queue).is_some_and(is_empty) {
            self.serve(queue);
        }
    }

    /// Settles deliveries of one queue; returns how many died by the delivery limit.
    fn settle_many(
        &mut self,
        queue: QueueId,
        mut entries: Vec<QueuedMessage>,
        settlement: Settlement,
        by: Option<Name>,
    ) -> u32 {
        let classic = self.queues.get(queue).is_some_and(|queue| matches!(queue.contents, QueueContents::Classic(_)));
        if classic {
            // DL-31: one with priorities goes through them, highest first.
            entries.sort_by_key(|entry| Reverse(entry.level));
        }
        match settlement {
            Settlement::Ack => {}
            Settlement::Nack { requeue: true } => return self.put_back(queue, entries, Return::Nacked, by),
            Settlement::Reject { requeue: true } => return self.put_back(queue, entries, Return::Rejected, by),
            Settlement::Nack { requeue: false } => {
                for entry in entries {
                    self.die(queue, entry, DeathCause::Nacked(by.clone()));
                }
            }
            Settlement::Reject { requeue: false } => {
                for mut entry in entries {
                    entry.failures += 1;
                    self.die(queue, entry, DeathCause::Rejected(by.clone()));
                }
            }
        }
        0
    }

    /// Lets a consumer keep the credit that its version forgets to take back.
    fn leak_credit(&mut self, consumer: Option<ConsumerId>, deaths: u32) {
        if deaths == 0 || !self.rules.limit_death_leaks_credit {
            return;
        }
        let Some(id) = consumer else { return };
        if let Some(consumer) = self.consumers.get_mut(id).filter(|consumer| consumer.prefetch > 0) {
            consumer.leaked_credit += deaths;
            self.unblock(id);
        }
    }

    fn grouped(&self, all: Vec<Unacked>) -> BTreeMap<SettlementGroup, Vec<Unacked>> {
        let mut groups: BTreeMap<SettlementGroup, Vec<Unacked>> = BTreeMap::new();
        for unacked in all {
            let name = self.queues.get(unacked.queue).map_or_else(|| Name::from(""), |queue| queue.name.name.clone());
            let tag = unacked.consumer.and_then(|id| self.consumers.get(id)).map(|consumer| consumer.tag.clone());
            // `None` sorts first, so a got message stands before those of consumers.
            let got = if unacked.consumer.is_none() { Some(unacked.tag) } else { None };
            let key = (name, unacked.queue, got.or(tag.as_ref().map(|_| u64::MAX)), tag);
            groups.entry(key).or_default().push(unacked);
        }
        groups
    }

    /// basic.recover: everything unacknowledged returns (CO-16).
    pub(crate) fn recover(&mut self, channel: ChannelIndex, requeue: bool) -> Result<Reply, Refusal> {
        if !requeue {
            return Err(connection_error(code::NOT_IMPLEMENTED, "requeue=false"));
        }
        let Some(state) = self.channels.get_mut(channel) else { return Ok(Reply::Done) };
        if self.rules.streams.refuses_returns && state.unacked.iter().any(|unacked| unacked.is_read()) {
            return Err(self.stumble("ST-4", "it holds deliveries of a stream"));
        }
        // What a transaction settled stays where it is.
        let (kept, all): (Vec<Unacked>, Vec<Unacked>) =
            std::mem::take(&mut state.unacked).into_iter().partition(|unacked| unacked.held);
        state.unacked = kept.into();
        state.discount(by_consumers(&all));
        for (group, members) in self.grouped(all) {
            for unacked in &members {
                self.release(unacked);
            }
            let consumer = members.first().and_then(|unacked| unacked.consumer);
            let entries = members.into_iter().filter_map(Unacked::into_entry).collect();
            let died = self.put_back(group.1, entries, Return::Recovered, group.3);
            self.leak_credit(consumer, died);
            self.elect_after_return(group.1);
            self.touch(group.1);
            // The queue hands out again after each group (DL-33).
            self.serve(group.1);
        }
        self.resume_globally(channel);
        Ok(Reply::Done)
    }

    /// basic.qos (CO-2, CO-4).
    pub(crate) fn qos(&mut self, channel: ChannelIndex, prefetch: u16, global: bool) -> Reply {
        let ignored = self.rules.global_qos_ignored;
        let Some(state) = self.channels.get_mut(channel) else { return Reply::Done };
        if global && !ignored {
            state.limit(prefetch);
            self.resume_globally(channel);
        } else {
            state.prefetch = prefetch;
            // One of each consumer lifts that of the whole channel.
            if state.global_prefetch > 0 {
                state.limit(0);
                self.resume_globally(channel);
            }
        }
        Reply::Done
    }

    /// Lets queues give what is next before they learn of a requeue, where a schedule has it so (CO-4).
    fn use_room_first(&mut self, channel: ChannelIndex) {
        if self.openings.room_first {
            self.resume_globally(channel);
            while let Some(queue) = self.to_serve.pop_front() {
                self.serve(queue);
            }
        }
    }

    /// Lets consumers that the channel's global limit held back go on.
    pub(crate) fn resume_globally(&mut self, id: ChannelIndex) {
        let Some(channel) = self.channels.get(id) else { return };
        if !channel.has_room(QueueKind::Classic) {
            return;
        }
        let may_wait = |consumer: &ConsumerId| {
            let queue = self.consumers.get(*consumer).and_then(|consumer| self.queues.get(consumer.queue));
            queue.is_some_and(|queue| queue.consumers.single_active || !queue.consumers.blocked.is_empty())
        };
        if !channel.consumers.values().any(may_wait) {
            return;
        }
        let mut queues: Vec<QueueId> =
            channel.consumers.values().filter_map(|consumer| Some(self.consumers.get(*consumer)?.queue)).collect();
        queues.sort_unstable();
        queues.dedup();
        // Which comes first is chance on RabbitMQ; here they take turns.
        let filled_by = channel.filled_by;
        let turn = queues.partition_point(|queue| Some(*queue) <= filled_by);
        queues.rotate_left(turn);
        for queue_id in queues {
            let Some(queue) = self.queues.get(queue_id) else { continue };
            if queue.consumers.single_active {
                self.to_serve.push_back(queue_id);
            }
            // In the order in which they were set aside.
            for consumer in queue.consumers.blocked.clone() {
                let state = self.consumers.get(consumer);
                if state.is_some_and(|state| state.channel == id && state.has_capacity(&self.channels)) {
                    self.unblock(consumer);
                    self.to_serve.push_back(queue_id);
                }
            }
        }
    }
}

/// Takes what a tag means from the deliveries of a channel; `None` for a tag that is not outstanding (CO-17).
#[inline]
fn take_unacked(unacked: &mut VecDeque<Unacked>, tag: u64, multiple: bool) -> Option<Taken> {
    if tag == 0 && multiple {
        return Some(Taken::Many(unacked.drain(..).collect()));
    }
    if unacked.front()?.tag == tag {
        return unacked.pop_front().map(Taken::One);
    }
    let at = unacked.binary_search_by_key(&tag, |unacked| unacked.tag).ok()?;
    if multiple && at > 0 {
        return Some(Taken::Many(unacked.drain(..=at).collect()));
    }
    unacked.remove(at).map(Taken::One)
}

/// What one settlement concerns.
enum Taken {
    One(Unacked),
    Many(Vec<Unacked>),
}

impl Taken {
    /// Counts the deliveries to consumers.
    fn by_consumers(&self) -> usize {
        match self {
            Self::One(unacked) => by_consumers(std::slice::from_ref(unacked)),
            Self::Many(all) => by_consumers(all),
        }
    }

    /// Returns whether any of it was read from a stream.
    fn is_read(&self) -> bool {
        match self {
            Taken::One(unacked) => unacked.is_read(),
            Taken::Many(all) => all.iter().any(|unacked| unacked.is_read()),
        }
    }
}

impl From<Taken> for Vec<Unacked> {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::One(only) => vec![only],
            Taken::Many(all) => all,
        }
    }
}

fn by_consumers(all: &[Unacked]) -> usize {
    all.iter().filter(|unacked| unacked.consumer.is_some()).count()
}
