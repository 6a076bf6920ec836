//! The event exchange: `amq.rabbitmq.event` in the vhost `/`, to which what happens in the broker is published while anything
//! is bound there (PX-4).

use crate::model;
use crate::model::{Message, Name, Table, Value};
use crate::rules::Plugin;
use crate::sim::broker::Sim;
use crate::sim::events::event_facts::Facts;
use crate::sim::events::own_publishes::{Acting, OwnPublish};

/// Where events go.
const EVENTS: &str = "amq.rabbitmq.event";

/// Where that is.
const VHOST: &str = "/";

/// Who does what the broker does by itself.
const INTERNAL_USER: &str = "rmq-internal";

impl Sim {
    /// Declares the event exchange, as its plugin does when it is enabled.
    pub(crate) fn declare_event_exchange(&mut self) {
        let Some(&vhost) = self.vhost_names.get(VHOST) else { return };
        if self.exchange_id(vhost, EVENTS).is_none() {
            let declared = model::Exchange {
                vhost: VHOST.into(),
                name: EVENTS.into(),
                kind: "topic".into(),
                durable: true,
                auto_delete: false,
                internal: true,
                arguments: Table::new(),
            };
            self.add_exchange(declared, vhost);
        }
    }

    /// Publishes an event, if anybody listens.
    pub(crate) fn emit(&mut self, key: &'static str, facts: impl FnOnce(&Self) -> Facts) {
        if !self.plugins.contains(Plugin::EventExchange) {
            return;
        }
        let Some(&vhost) = self.vhost_names.get(VHOST) else { return };
        if !self.is_listened_to(vhost, EVENTS) {
            return;
        }
        let ms = self.epoch_s * 1_000 + self.now.0;
        // RabbitMQ adds each fact in front of those before it.
        let mut told = facts(self);
        told.insert(0, ("timestamp_in_ms", Value::I64(ms as i64)));
        let headers = told.into_iter().rev().map(|(name, value)| (Name::from(name), value)).collect();
        let mut properties = self.told_by_headers(headers);
        properties.delivery_mode = Some(2);
        properties.timestamp = Some(ms / 1_000);
        let message = Message { properties, body: [].into() };
        self.own_publishes.waiting.push_back(OwnPublish { vhost, exchange: EVENTS.into(), key: key.into(), message });
    }

    /// Publishes an event of what the broker does by itself.
    pub(crate) fn emit_internal(&mut self, key: &'static str, facts: impl FnOnce(&Self) -> Facts) {
        let acting = std::mem::replace(&mut self.own_publishes.acting, Acting::Broker);
        self.emit(key, facts);
        self.own_publishes.acting = acting;
    }

    /// Returns the user who does what happens.
    pub(crate) fn acting_user(&self) -> Name {
        let guest = || Name::from("guest");
        match self.own_publishes.acting {
            Acting::Broker => INTERNAL_USER.into(),
            Acting::Management => guest(),
            Acting::Channel(id) => {
                let channel = self.channel_ids.get(id).and_then(|id| self.channels.get(id));
                channel.and_then(|channel| channel.user.clone()).unwrap_or_else(guest)
            }
            Acting::Connection(id) => {
                let connection = self.connections.get(&id);
                connection.and_then(|connection| connection.user.clone()).unwrap_or_else(guest)
            }
        }
    }
}
