//! Messages that the broker publishes itself, until they are sent (PX-4), and the names that they call clients by.

use crate::broker::{ChannelId, ConnectionId, PublishId};
use crate::model::{Message, Name, Value};
use crate::sim::state::arena::VhostId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The publish that stands for all that the broker publishes itself.
pub(crate) const BY_THE_BROKER: PublishId = PublishId(u64::MAX);

/// What a client is called, and what else is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionLabel {
    /// `127.0.0.1:40001 -> 127.0.0.1:5672`.
    pub name: Name,
    /// What `connection.created` tells beside what every connection has.
    pub facts: Vec<(&'static str, Value)>,
}

/// Who does what happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Acting {
    /// The user of a channel.
    Channel(ChannelId),
    /// The user of a connection.
    Connection(ConnectionId),
    /// Who uses the management API.
    Management,
    /// The broker itself.
    #[default]
    Broker,
}

/// A message that the broker publishes.
#[derive(Clone)]
pub(crate) struct OwnPublish {
    pub vhost: VhostId,
    pub exchange: Name,
    pub key: Name,
    pub message: Message,
}

/// Messages that wait to be sent, and what they are made with.
#[derive(Clone, Default)]
pub(crate) struct OwnPublishes {
    pub waiting: VecDeque<OwnPublish>,
    /// The vhosts whose publishes and deliveries are traced.
    pub traced: BTreeSet<VhostId>,
    pub acting: Acting,
    pub labels: BTreeMap<ConnectionId, ConnectionLabel>,
    pub numbers: BTreeMap<ChannelId, u16>,
}

impl OwnPublishes {
    /// Returns whether nothing waits and nothing is traced.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.waiting.is_empty() && self.traced.is_empty()
    }

    /// Returns whether any vhost is traced.
    pub(crate) fn traces(&self) -> bool {
        !self.traced.is_empty()
    }
}
