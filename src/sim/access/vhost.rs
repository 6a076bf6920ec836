//! Virtual hosts: what they hold from the start, their limits, their end (RT-1, MG-2, MG-9, CO-27).

use crate::broker::{Refusal, Reply};
use crate::model;
use crate::model::{Name, QueueKind, Table};
use crate::rules::{BadDefaultType, EffectivePolicies};
use crate::sim::broker::Sim;
use crate::sim::state::arena::VhostId;
use crate::sim::state::names::NameMap;
use crate::sim::state::refusal::http_error;
use crate::sim::state::vhost::Vhost;
use std::collections::BTreeMap;

/// The exchanges of every vhost (RT-1).
const PREDECLARED: [(&str, &str, bool); 7] = [
    ("", "direct", false),
    ("amq.direct", "direct", false),
    ("amq.fanout", "fanout", false),
    ("amq.headers", "headers", false),
    ("amq.match", "headers", false),
    ("amq.topic", "topic", false),
    ("amq.rabbitmq.trace", "topic", true),
];

impl Sim {
    pub(crate) fn add_vhost(&mut self, name: Name) -> VhostId {
        let id = self.vhosts.insert(Vhost {
            name: name.clone(),
            description: if &*name == "/" { "Default virtual host".to_owned() } else { String::new() },
            tags: Vec::new(),
            protected_from_deletion: false,
            default_queue_type: None,
            limits: BTreeMap::new(),
            queues: NameMap::default(),
            exchanges: NameMap::default(),
            default_exchange: None,
            policies: EffectivePolicies::new(self.rules, [], []),
        });
        self.vhost_names.insert(name.clone(), id);
        for (exchange, kind, internal) in PREDECLARED {
            let declared = model::Exchange {
                vhost: name.clone(),
                name: exchange.into(),
                kind: kind.into(),
                durable: true,
                auto_delete: false,
                internal,
                arguments: Table::new(),
            };
            self.add_exchange(declared, id);
        }
        id
    }

    /// Makes or changes a vhost; a default queue type that is left open stays as it is.
    pub(crate) fn put_vhost(&mut self, asked: &model::Vhost) -> Result<Reply, Refusal> {
        let resets = self.rules.put_resets_default_type && asked.default_queue_type.is_some();
        self.store_vhost(asked, resets)
    }

    /// Makes or changes a vhost as the management API's own PUT does: what is left open is reset where the version does
    /// that (MG-2).
    pub(crate) fn replace_vhost(&mut self, asked: &model::Vhost) -> Result<Reply, Refusal> {
        self.store_vhost(asked, self.rules.put_resets_default_type)
    }

    fn store_vhost(&mut self, asked: &model::Vhost, resets: bool) -> Result<Reply, Refusal> {
        let refuses_in_words = self.rules.bad_default_type == BadDefaultType::Explained;
        let takes = match self.rules.bad_default_type {
            BadDefaultType::Taken => true,
            BadDefaultType::RefusedForNew => self.vhost_names.contains_key(&asked.name),
            BadDefaultType::Refused | BadDefaultType::Explained => false,
        };
        let default = match asked.default_queue_type.as_deref() {
            None => None,
            Some("undefined") if !self.rules.stores_queue_type => None,
            Some("classic" | "undefined") => Some(QueueKind::Classic),
            Some("quorum") => Some(QueueKind::Quorum),
            Some("stream") => Some(QueueKind::Stream),
            Some(_) if takes => None,
            Some(other) => {
                let code = if refuses_in_words { 400 } else { 500 };
                return Err(http_error(code, format!("{other} is not a valid queue type")));
            }
        };
        let is_new = !self.vhost_names.contains_key(&asked.name);
        let id = match self.vhost_names.get(&asked.name) {
            Some(&id) => id,
            None => self.add_vhost(asked.name.clone()),
        };
        if let Some(vhost) = self.vhosts.get_mut(id) {
            if default.is_some() || resets {
                vhost.default_queue_type = default;
            }
            vhost.description = asked.description.clone().unwrap_or_else(|| std::mem::take(&mut vhost.description));
            vhost.tags = asked.tags.clone().unwrap_or_else(|| std::mem::take(&mut vhost.tags));
            vhost.protected_from_deletion = asked.protected_from_deletion.unwrap_or(vhost.protected_from_deletion);
            for (name, limit) in &asked.limits {
                vhost.limits.insert(name.clone(), *limit);
            }
        }
        if is_new {
            self.tell_new_vhost(id, &asked.name);
        }
        Ok(Reply::Done)
    }

    /// Tells of a new vhost: first of the exchanges that it begins with.
    fn tell_new_vhost(&mut self, id: VhostId, name: &Name) {
        for (exchange, ..) in PREDECLARED {
            if let Some(exchange) = self.exchange_id(id, exchange) {
                self.emit("exchange.created", |sim| sim.exchange_created(exchange));
            }
        }
        self.emit("vhost.created", |sim| sim.vhost_created(name));
    }

    pub(crate) fn delete_vhost(&mut self, name: &Name) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(name)?;
        if self.vhosts.get(id).is_some_and(|vhost| vhost.protected_from_deletion) {
            let text = format!("Refusing to delete virtual host '{name}' because it is protected from deletion");
            return Err(http_error(412, text));
        }
        self.force_out(&format!("vhost '{name}' is deleted"), |connection| connection.vhost == id);
        let Some(vhost) = self.vhosts.get(id) else { return Ok(Reply::Done) };
        let mut queues: Vec<_> = vhost.queues.values().copied().collect();
        let exchanges: Vec<_> = vhost.exchanges.values().copied().collect();
        queues.sort_unstable();
        for queue in queues {
            self.remove_queue(queue, "DL-2", "its vhost was deleted");
        }
        for exchange in exchanges {
            self.remove_exchange(exchange);
        }
        self.vhosts.remove(id);
        self.vhost_names.remove(name);
        for user in self.users.values_mut() {
            user.permissions.remove(name);
            user.topics.retain(|(vhost, _), _| vhost != name);
        }
        self.own_publishes.traced.remove(&id);
        self.emit("vhost.deleted", |sim| sim.gone(name, None));
        Ok(Reply::Done)
    }

    pub(crate) fn put_vhost_limit(&mut self, vhost: &Name, name: &Name, value: i64) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(vhost)?;
        if !matches!(&**name, "max-connections" | "max-queues") {
            let text = format!("Validation failed\n\nUnrecognised terms [{{<<\"{name}\">>,{value}}}] in limits\n");
            return Err(http_error(400, text));
        }
        if let Some(vhost) = self.vhosts.get_mut(id) {
            vhost.limits.insert(name.to_string(), value);
        }
        Ok(Reply::Done)
    }

    /// Takes a limit away; one that is not there is no error (MG-9).
    pub(crate) fn clear_vhost_limit(&mut self, vhost: &Name, name: &Name) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(vhost)?;
        if let Some(vhost) = self.vhosts.get_mut(id) {
            vhost.limits.remove(&**name);
        }
        Ok(Reply::Done)
    }

    /// Finds a vhost for the management API (MG-1).
    pub(crate) fn managed_vhost(&self, name: &Name) -> Result<VhostId, Refusal> {
        self.vhost_names.get(name).copied().ok_or_else(|| http_error(404, "vhost_not_found"))
    }

    pub(crate) fn vhost_name(&self, id: VhostId) -> Name {
        self.vhosts.get(id).map_or_else(|| Name::from(""), |vhost| vhost.name.clone())
    }
}
