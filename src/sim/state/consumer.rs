//! A consumer and the consumers of a queue: who may get one more message, and whose turn it is (CO-1 to CO-6).

use crate::model::{Name, QueueKind};
use crate::sim::state::arena::{Arena, ChannelIndex, ConsumerId, QueueId};
use crate::sim::state::channel::Channel;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::stream::StreamReader;
use std::collections::VecDeque;

/// One subscription.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    pub tag: Name,
    pub channel: ChannelIndex,
    pub queue: QueueId,
    /// The type of its queue.
    pub kind: QueueKind,
    pub no_ack: bool,
    /// 0 is unlimited.
    pub prefetch: u16,
    pub priority: i64,
    /// Messages that it may hold beyond its prefetch.
    pub leaked_credit: u32,
    pub timeout_ms: Option<u64>,
    /// Its place among all subscriptions and gets (CO-10).
    pub attached: u64,
    pub unacked: u32,
    /// CO-26: unacked ones that the queue took back.
    pub timed_out: u32,
    /// Whether it stands in its queue's rotation.
    pub rotating: bool,
    /// CO-15: cancelled, but deliveries are outstanding.
    pub cancelled: bool,
    /// CO-6: what it took although its channel is gone.
    pub ghost: Option<Vec<QueuedMessage>>,
    /// With insights on: what was told last of its being full; how many it held, at most how many, and the words.
    pub why_full: Option<((u32, u32), Name)>,
    /// Of a stream: where it stands.
    pub reader: Option<Box<StreamReader>>,
}

impl Consumer {
    /// Returns how many it may hold, if that is limited.
    pub(crate) fn held_max(&self) -> u32 {
        u32::from(self.prefetch) + self.leaked_credit
    }

    /// Returns whether nothing but its prefetch keeps it from getting one more (CO-2).
    pub(crate) fn is_full(&self) -> bool {
        let is_plain = !self.cancelled && self.timed_out == 0 && self.ghost.is_none();
        is_plain && !self.no_ack && self.prefetch > 0 && self.unacked >= self.held_max()
    }

    /// Returns whether it may get one more (CO-2, CO-4).
    pub(crate) fn has_capacity(&self, channels: &Arena<ChannelIndex, Channel>) -> bool {
        if self.cancelled || self.timed_out > 0 {
            return false;
        }
        if self.ghost.is_some() {
            return self.prefetch == 0 || self.unacked < self.held_max();
        }
        // The limit of a channel holds for consumers of classic queues without acknowledgements, too.
        (self.no_ack || self.prefetch == 0 || self.unacked < self.held_max())
            && channels.get(self.channel).is_some_and(|channel| channel.has_room(self.kind))
    }
}

/// The consumers of a queue.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct Consumers {
    /// In order of subscription.
    pub all: Vec<ConsumerId>,
    /// By priority, highest first; those to try next stand in front.
    levels: Vec<(i64, VecDeque<ConsumerId>)>,
    /// Set aside because they were full when it was their turn (CO-3).
    pub blocked: Vec<ConsumerId>,
    pub single_active: bool,
    pub active: Option<ConsumerId>,
    /// CO-6: the active one gets nothing until it has settled all, then it makes way.
    pub quiescing: bool,
    /// CO-6: the active one is new, and gets nothing of what waits before something wakes the queue.
    pub asleep: bool,
    /// The queue for itself (CO-8).
    pub exclusive: Option<ConsumerId>,
    pub had_any: bool,
}

impl Consumers {
    pub(crate) fn new(single_active: bool) -> Self {
        Self { single_active, ..Self::default() }
    }

    /// Puts a consumer at the back of its level.
    pub(crate) fn join(&mut self, priority: i64, consumer: ConsumerId) {
        match self.levels.binary_search_by(|(other, _)| priority.cmp(other)) {
            Ok(at) => self.levels[at].1.push_back(consumer),
            Err(at) => self.levels.insert(at, (priority, VecDeque::from([consumer]))),
        }
    }

    /// Returns those whose turn it is: the highest level that is not empty, first in turn in front.
    pub(crate) fn in_turn(&mut self) -> Option<&mut VecDeque<ConsumerId>> {
        self.levels.iter_mut().map(|(_, level)| level).find(|level| !level.is_empty())
    }

    /// Takes a consumer out of everything.
    pub(crate) fn remove(&mut self, consumer: ConsumerId) {
        self.all.retain(|other| *other != consumer);
        self.blocked.retain(|other| *other != consumer);
        for (_, level) in &mut self.levels {
            level.retain(|other| *other != consumer);
        }
        if self.exclusive == Some(consumer) {
            self.exclusive = None;
        }
        if self.active == Some(consumer) {
            (self.active, self.quiescing) = (None, false);
        }
    }
}
