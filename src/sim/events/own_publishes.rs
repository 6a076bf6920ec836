//! Messages that the broker publishes itself, until they are sent (PX-4), and the names that they call clients by.

use crate::broker::{ChannelId, Command, ConnectionId, PublishId};
use crate::model::{Message, Name, Properties, Table, Value};
use crate::sim::broker::Sim;
use crate::sim::state::arena::VhostId;
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::exchange::keys;
use crate::sim::state::queued_message::Stored;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

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
    /// Returns whether any vhost is traced.
    pub(crate) fn traces(&self) -> bool {
        !self.traced.is_empty()
    }
}

impl Sim {
    /// Tells what a connection is called where events and traces name it; else they call it by its number.
    pub fn label_connection(&mut self, id: ConnectionId, label: ConnectionLabel) {
        self.own_publishes.labels.insert(id, label);
    }

    /// Tells the number of a channel on the wire; else it is the first that was free.
    pub fn number_channel(&mut self, id: ChannelId, number: u16) {
        self.own_publishes.numbers.insert(id, number);
    }

    /// Takes note of whose command it is.
    pub(crate) fn note_who_acts(&mut self, command: &Command) {
        self.own_publishes.acting = match command {
            Command::Call { channel, .. } | Command::Publish { channel, .. } | Command::Settle { channel, .. } => {
                Acting::Channel(*channel)
            }
            Command::Manage { .. } => Acting::Management,
            Command::Disconnect { connection, .. } => Acting::Connection(*connection),
            _ => Acting::Broker,
        };
    }

    /// Returns whether an exchange is there and bound to anything: else what the broker publishes there is not made.
    pub(crate) fn is_listened_to(&self, vhost: VhostId, exchange: &str) -> bool {
        let found = self.exchange_id(vhost, exchange).and_then(|id| self.exchanges.get(id));
        found.is_some_and(|exchange| !exchange.bindings.is_empty())
    }

    /// Sends the next message of the broker's own.
    pub(crate) fn publish_own(&mut self) {
        let Some(OwnPublish { vhost, exchange, key, message }) = self.own_publishes.waiting.pop_front() else { return };
        let Some(id) = self.exchange_id(vhost, &exchange) else { return };
        let stored = Box::new(Stored {
            message: Arc::new(message),
            published_to: (exchange, key),
            afterlife: None,
            further: CcBcc::default(),
            expiration_ms: None,
            property_bytes: None,
            ttls: None,
            origin: BY_THE_BROKER,
            failures: 0,
            quorum_rejections: 0,
            negates_delay_at_death: false,
        });
        self.route(id, &stored);
        if self.insights {
            self.ways = self.ways_of(id, &keys(&stored));
        }
        let targets = std::mem::take(&mut self.targets);
        for queue in &targets {
            self.enqueue(*queue, stored.clone(), None);
        }
        self.targets = targets;
    }

    /// Makes the properties of a message that tells by its headers.
    pub(crate) fn told_by_headers(&self, mut headers: Table) -> Properties {
        if self.rules.sorts_headers {
            headers.sort_keys();
        }
        Properties { headers: Some(headers), ..Properties::default() }
    }
}
