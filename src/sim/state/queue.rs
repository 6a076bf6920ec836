//! A declared queue: its settings, contents, consumers and timers, and whether it is over its limits (LEN-1 to LEN-9).

use crate::broker::ConnectionId;
use crate::model;
use crate::model::{Moment, QueueKind, QueueName};
use crate::rules::{Definition, Overflow, QueueSettings, shown_queue};
use crate::sim::state::arena::{DeadLetteringId, ExchangeId, VhostId};
use crate::sim::state::classic_queue::ClassicQueue;
use crate::sim::state::consumer::Consumers;
use crate::sim::state::covered::SITES;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::quorum_queue::QuorumQueue;
use crate::sim::state::reason::Ttl;
use crate::sim::state::stream::StreamQueue;
use crate::sim::state::timer::TimerKey;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a queue holds, by its type.
#[derive(Clone)]
pub(crate) enum QueueContents {
    Classic(ClassicQueue),
    Quorum(QuorumQueue),
    Stream(Box<StreamQueue>),
}

/// A declared queue.
#[derive(Clone)]
pub(crate) struct Queue {
    pub name: QueueName,
    pub vhost: VhostId,
    /// As declared, with the type that RabbitMQ stores.
    pub declared: Arc<model::Queue>,
    pub kind: QueueKind,
    /// The connection that it is exclusive to.
    pub owner: Option<ConnectionId>,
    pub settings: QueueSettings,
    /// Where its dead go, by its settings.
    pub dead_lettering: Option<DeadLetteringId>,
    /// The merged definition of the policies that apply.
    pub policy: Definition,
    pub contents: QueueContents,
    pub consumers: Consumers,
    pub unacked: u64,
    /// Of these, taken by basic.get.
    pub got: u64,
    /// The exchanges that have bindings to it.
    pub bound_from: BTreeSet<ExchangeId>,
    pub ttl_timer: Option<TimerKey>,
    pub delay_timer: Option<TimerKey>,
    pub retry_timer: Option<TimerKey>,
    pub lease_timer: Option<TimerKey>,
    pub declared_at: Moment,
    /// EXP-2: when it was last used, for its lease.
    pub used_at: Moment,
    pub watched: bool,
    /// How many messages entered or came back at that moment.
    pub moved: (Moment, u64),
    /// The TTLs that its arguments and policies set, the smallest first, once a reason asked for them.
    pub ttls: Option<Arc<[Ttl]>>,
    /// How often something was looked at for the record of what is exercised, by place.
    pub sampled: [u8; SITES],
}

impl Queue {
    pub(crate) fn ready(&self) -> u64 {
        match &self.contents {
            QueueContents::Classic(classic) => classic.ready(),
            QueueContents::Quorum(quorum) => quorum.ready(),
            QueueContents::Stream(stream) => stream.counted(),
        }
    }

    /// Takes the next message; a stream keeps what it holds.
    pub(crate) fn pop(&mut self) -> Option<QueuedMessage> {
        match &mut self.contents {
            QueueContents::Classic(classic) => classic.pop(),
            QueueContents::Quorum(quorum) => quorum.pop(),
            QueueContents::Stream(_) => None,
        }
    }

    pub(crate) fn count_move(&mut self, now: Moment) {
        self.moved = if self.moved.0 == now { (now, self.moved.1 + 1) } else { (now, 1) };
    }

    /// Returns whether it leaves what waits to nobody, though a consumer may be able to take it (CO-6).
    pub(crate) fn is_asleep(&self) -> bool {
        self.consumers.asleep && self.ready() > 0
    }

    /// Returns whether an acknowledgement changes nothing for it: it has nothing to give, and nobody to choose or to tell.
    pub(crate) fn is_idle(&self) -> bool {
        let is_empty = matches!(&self.contents, QueueContents::Classic(classic) if classic.ready() == 0);
        is_empty && !self.consumers.single_active && !self.watched
    }

    pub(crate) fn shown(&self) -> String {
        shown_queue(&self.name.vhost, &self.name.name)
    }
}

/// Returns whether a quorum queue refuses whoever publishes to it for the first time (LEN-9).
pub(crate) fn is_refusing(queue: &Queue) -> bool {
    let QueueContents::Quorum(quorum) = &queue.contents else { return false };
    if queue.settings.overflow != Overflow::RejectPublish || !is_limited(queue) {
        return false;
    }
    let (n, bytes) = quorum.counted();
    is_over(queue, n, bytes)
}

pub(crate) fn is_limited(queue: &Queue) -> bool {
    queue.settings.max_length.is_some() || queue.settings.max_length_bytes.is_some()
}

pub(crate) fn is_over(queue: &Queue, n: u64, bytes: u64) -> bool {
    queue.settings.max_length.is_some_and(|max| n > max)
        || queue.settings.max_length_bytes.is_some_and(|max| bytes > max)
}
