//! An open channel: its deliveries that wait to be settled, its consumers and limits.

use crate::broker::{ChannelId, ConnectionId, DeliveryTag};
use crate::model::{Moment, Name};
use crate::sim::state::arena::{ConsumerId, ExchangeId, QueueId, VhostId};
use crate::sim::state::permission::PermissionCache;
use crate::sim::state::queued_message::QueuedMessage;
use std::collections::{BTreeMap, VecDeque};

/// Deliveries that a cancel overtook, until their channel gives them back (CO-3).
#[derive(Clone)]
pub(crate) struct Overtaken {
    pub channel: ChannelId,
    /// With insights on: the consumer.
    pub by: Option<Name>,
    pub taken: Vec<Unacked>,
}

/// A delivery that waits to be settled.
#[derive(Debug, Clone)]
pub(crate) struct Unacked {
    pub tag: u64,
    pub queue: QueueId,
    /// `None`: taken by basic.get.
    pub consumer: Option<ConsumerId>,
    pub since: Moment,
    /// The place of its consumer, or of its get, among all of them (CO-10).
    pub attached: u64,
    /// `None` once the queue took it back by itself (CO-26).
    pub entry: Option<QueuedMessage>,
}

/// So many more deliveries does a channel take that keeps up.
pub(crate) const KEEPS_UP: u32 = u32::MAX;

/// An open channel, in confirm mode.
#[derive(Clone)]
pub(crate) struct Channel {
    pub id: ChannelId,
    /// Its number within the connection, as texts show it.
    pub number: u32,
    pub connection: ConnectionId,
    pub user: Option<Name>,
    pub vhost: VhostId,
    pub last_tag: u64,
    /// By rising tag.
    pub unacked: VecDeque<Unacked>,
    pub consumers: BTreeMap<Name, ConsumerId>,
    /// For consumers to come (CO-2).
    pub prefetch: u16,
    /// Over all consumers together; 0 is none (CO-4).
    pub global_prefetch: u16,
    /// Unacknowledged deliveries to consumers, for the global limit.
    pub held: u32,
    /// How many deliveries it takes before it is passed over, as it does not keep up (CO-24); [`KEEPS_UP`] is any number.
    pub unsent_left: u32,
    /// What an empty queue name means (ER-1).
    pub last_queue: Option<Name>,
    /// Where its last publish went, to find it again without a search.
    pub last_exchange: Option<ExchangeId>,
    pub permissions: PermissionCache,
    /// The key under which replies reach this channel's consumer of amq.rabbitmq.reply-to.
    pub reply_consumer: Option<(Name, Name)>,
}

impl Channel {
    pub(crate) fn next_tag(&mut self) -> DeliveryTag {
        self.last_tag += 1;
        DeliveryTag(self.last_tag)
    }

    /// Returns whether the global limit leaves room, and it keeps up.
    pub(crate) fn has_room(&self) -> bool {
        (self.global_prefetch == 0 || self.held < u32::from(self.global_prefetch)) && self.unsent_left > 0
    }
}
