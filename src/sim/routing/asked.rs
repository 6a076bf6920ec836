//! Questions about routing, without a message: what a topology would do with a key, exchange by exchange.
//! Takes a topology once; answers by the router that publishes use. Never moves a message.

use crate::broker::RouteHop;
use crate::model;
use crate::model::{DestinationKind, Name, QueueKind, Table, Topology};
use crate::rules::{Edition, Plugin, is_known_type, type_of_new_queue};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, VhostId};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::exchange::{Keys, add_binding};
use std::collections::BTreeSet;

impl Sim {
    /// Makes a broker that routes as a topology says, whatever it would say of it, so that it can be asked. Its queues are names
    /// alone: what they do with messages is left out.
    pub fn routing(edition: impl Into<Edition>, topology: &Topology) -> Self {
        let mut sim = Self::new(edition);
        sim.asks = true;
        for name in topology.vhost_names() {
            let id = sim.vhost_to_ask(&name);
            let kind = topology.vhosts.iter().find(|vhost| vhost.name == name);
            let kind = kind.and_then(|vhost| vhost.default_queue_type.as_deref()).and_then(QueueKind::named);
            if let Some(vhost) = sim.vhosts.get_mut(id) {
                vhost.default_queue_type = kind;
            }
        }
        for queue in &topology.queues {
            let id = sim.vhost_to_ask(&queue.vhost);
            if sim.queue_id(id, &queue.name).is_none() {
                let default = sim.vhosts.get(id).and_then(|vhost| vhost.default_queue_type);
                let kind = type_of_new_queue(queue, default, sim.rules);
                let named = model::Queue {
                    vhost: queue.vhost.clone(),
                    name: queue.name.clone(),
                    arguments: Table::default(),
                    ..*queue
                };
                sim.add_queue(named, kind, id, None);
            }
        }
        // Behind the queues, which need none of them.
        for (policies, operator) in [(&topology.policies, false), (&topology.operator_policies, true)] {
            for policy in policies {
                let id = sim.vhost_to_ask(&policy.vhost);
                if let Some(vhost) = sim.vhosts.get_mut(id) {
                    vhost.policies.put(policy.clone(), operator);
                }
            }
        }
        for exchange in &topology.exchanges {
            let id = sim.vhost_to_ask(&exchange.vhost);
            if sim.exchange_id(id, &exchange.name).is_none() {
                sim.add_exchange_to_ask(exchange, id);
            }
        }
        topology.bindings.iter().for_each(|binding| sim.bind_to_ask(binding));
        sim
    }

    /// Lists the queues that a message with that key comes to, each with its way; `None` when there is no such exchange. The
    /// default exchange finds a queue by its name: that way is empty.
    pub fn ways(
        &self,
        vhost: &str,
        exchange: &str,
        key: &str,
        headers: Option<&Table>,
    ) -> Option<Vec<(Name, Vec<RouteHop>)>> {
        let start = self.exchange_id(*self.vhost_names.get(vhost)?, exchange)?;
        let further = CcBcc::default();
        let ways =
            self.ways_of(start, &Keys { first: key, further: &further, headers, properties: None, every: false });
        Some(ways.into_iter().filter_map(|(id, way)| Some((self.queues.get(id)?.name.name.clone(), way))).collect())
    }

    /// Returns the queues that get a message with that key; none when there is no such exchange.
    pub fn queues_reached(&self, vhost: &str, exchange: &str, key: &str, headers: Option<&Table>) -> Vec<Name> {
        let vhost = self.vhost_names.get(vhost);
        let Some(start) = vhost.and_then(|vhost| self.exchange_id(*vhost, exchange)) else { return Vec::new() };
        let further = CcBcc::default();
        let keys = Keys { first: key, further: &further, headers, properties: None, every: true };
        let mut queues = BTreeSet::new();
        let (mut visited, mut waiting) = (BTreeSet::from([start]), vec![start]);
        while let Some(id) = waiting.pop() {
            let mut found = Vec::new();
            self.own_destinations(id, &keys, &mut found);
            if found.is_empty() {
                let exchange = self.exchanges.get(id);
                let alternate = exchange.and_then(|it| self.exchange_id(it.vhost, it.alternate.as_ref()?));
                found.extend(alternate.map(BindingDestination::Exchange));
            }
            for destination in found {
                match destination {
                    BindingDestination::Queue(queue) => {
                        queues.insert(queue);
                    }
                    BindingDestination::Exchange(other) if visited.insert(other) => waiting.push(other),
                    BindingDestination::Exchange(_) => {}
                }
            }
        }
        queues.into_iter().filter_map(|id| Some(self.queues.get(id)?.name.name.clone())).collect()
    }

    fn vhost_to_ask(&mut self, name: &Name) -> VhostId {
        match self.vhost_names.get(name) {
            Some(id) => *id,
            None => self.add_vhost(name.clone()),
        }
    }

    /// Adds an exchange; one of a plugin routes as it may: to any of its bindings, delayed ones by their inner type.
    fn add_exchange_to_ask(&mut self, declared: &model::Exchange, vhost: VhostId) {
        let mut asked = declared.clone();
        asked.kind = match &*declared.kind {
            kind if is_known_type(kind, self.rules) || Plugin::of_type(kind).is_some() => declared.kind.clone(),
            _ => "fanout".into(),
        };
        let id = self.add_exchange(asked, vhost);
        if let Some(exchange) = self.exchanges.get_mut(id) {
            exchange.declared.kind = declared.kind.clone();
        }
    }

    fn bind_to_ask(&mut self, binding: &model::Binding) {
        let vhost = self.vhost_to_ask(&binding.vhost);
        let destination = match binding.destination_kind {
            DestinationKind::Queue => self.queue_id(vhost, &binding.destination).map(BindingDestination::Queue),
            DestinationKind::Exchange => {
                self.exchange_id(vhost, &binding.destination).map(BindingDestination::Exchange)
            }
        };
        let source = self.exchange_id(vhost, &binding.source).filter(|_| !binding.source.is_empty());
        let (Some(source), Some(destination)) = (source, destination) else { return };
        let rules = self.rules;
        if let Some(exchange) = self.exchanges.get_mut(source) {
            add_binding(exchange, destination, &binding.routing_key, &binding.arguments, rules);
            self.order_bindings(source);
        }
    }
}
