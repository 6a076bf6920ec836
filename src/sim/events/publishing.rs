//! Messages of the broker's own on their way: who acts, whether anybody listens, and how one is sent (PX-4).

use crate::broker::{ChannelId, Command, ConnectionId};
use crate::model::{Properties, Table};
use crate::sim::broker::Sim;
use crate::sim::events::own_publishes::{Acting, BY_THE_BROKER, ConnectionLabel, OwnPublish};
use crate::sim::state::arena::VhostId;
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::exchange::keys;
use crate::sim::state::queued_message::Stored;
use std::sync::Arc;

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
