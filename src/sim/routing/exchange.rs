//! Exchanges: declaration, deletion, and the graph that a publish walks (RT-1 to RT-17).

use crate::broker::{Refusal, Reply, code};
use crate::model;
use crate::model::{DestinationKind, Name, Value};
use crate::rules::{
    Access, HashInput, check_delayed_type, check_exchange_equivalence, headers_match, is_known_type, modulus_hash,
    recent_history_length, shown_exchange, type_name,
};
use crate::sim::broker::Sim;
use crate::sim::events::event_facts::ToldBinding;
use crate::sim::state::arena::{BindingDestination, ChannelIndex, ExchangeId, QueueId, VhostId};
use crate::sim::state::exchange::{Exchange, Keys, RecentHistory, Router, keys, routed_as};
use crate::sim::state::names::stripped;
use crate::sim::state::queued_message::Stored;
use crate::sim::state::refusal::{channel_error, connection_error, not_found, precondition_failed, refuse_default};
use std::collections::{BTreeMap, BTreeSet};

impl Sim {
    /// exchange.declare, active.
    pub(crate) fn declare_exchange(
        &mut self,
        channel: ChannelIndex,
        asked: &model::Exchange,
    ) -> Result<Reply, Refusal> {
        self.check_type(&asked.kind)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let mut asked = asked.clone();
        asked.vhost = self.vhost_name(vhost);
        asked.name = stripped(&asked.name);
        refuse_default(&asked.name)?;
        self.check_exchange_access(channel, Access::Configure, &asked.name)?;
        if let Some(current) = self.exchange_id(vhost, &asked.name).and_then(|id| self.exchanges.get(id)) {
            check_exchange_equivalence(&current.declared, &asked).map_err(precondition_failed)?;
            return Ok(Reply::Done);
        }
        if asked.name.starts_with("amq.") {
            let text = format!("exchange name '{}' contains reserved prefix 'amq.*'", asked.name);
            return Err(channel_error(code::ACCESS_REFUSED, text));
        }
        match asked.arguments.get("alternate-exchange") {
            None => {}
            Some(Value::Text(alternate)) => {
                let alternate = alternate.clone();
                self.check_exchange_access(channel, Access::Read, &asked.name)?;
                self.check_exchange_access(channel, Access::Write, &alternate)?;
            }
            Some(other) => {
                let shown = shown_exchange(&asked.vhost, &asked.name);
                let text = format!("invalid type '{}' for arg 'alternate-exchange' in {shown}", type_name(other));
                return Err(precondition_failed(text));
            }
        }
        if &*asked.kind == "x-delayed-message" {
            let inner = check_delayed_type(&asked.arguments).map_err(precondition_failed)?;
            self.check_type(inner)?;
        }
        check_type_arguments(&asked).map_err(precondition_failed)?;
        let id = self.add_exchange(asked, vhost);
        self.emit("exchange.created", |sim| sim.exchange_created(id));
        Ok(Reply::Done)
    }

    /// Checks an exchange's type (RT-17).
    fn check_type(&self, kind: &str) -> Result<(), Refusal> {
        if is_known_type(kind, self.rules) || self.plugins.bring(kind) {
            return Ok(());
        }
        // Which words are atoms is chance: `Direct` and `foo` are, `Fanout` and `Topic` are not.
        let atoms = ["", "Direct", "foo", "default", "queue", "classic", "quorum", "stream", "exchange"];
        let known_atom = atoms.contains(&kind);
        let text = if known_atom {
            format!("invalid exchange type '{kind}'")
        } else {
            format!("unknown exchange type '{kind}'")
        };
        let refusal = match self.rules.unknown_type_closes_connection {
            true => connection_error(code::COMMAND_INVALID, text),
            false => precondition_failed(text),
        };
        // A broker may have what brings them.
        let is_left_out = kind == "x-jms-topic";
        Err(if is_left_out { refusal.not_simulated(format!("exchanges of type {kind}")) } else { refusal })
    }

    pub(crate) fn add_exchange(&mut self, declared: model::Exchange, vhost: VhostId) -> ExchangeId {
        let router = Router::of(&declared);
        let name = declared.name.clone();
        let alternate = self.alternate_exchange(vhost, &declared);
        let id = self.exchanges.insert(Exchange {
            delays: &*declared.kind == "x-delayed-message",
            declared,
            vhost,
            router,
            bindings: BTreeMap::new(),
            bound_from: BTreeSet::new(),
            alternate,
        });
        if let Some(vhost) = self.vhosts.get_mut(vhost) {
            if name.is_empty() {
                vhost.default_exchange = Some(id);
            }
            vhost.exchanges.insert(name, id);
        }
        id
    }

    /// exchange.declare, passive.
    pub(crate) fn check_exchange(&mut self, channel: ChannelIndex, name: &Name) -> Result<Reply, Refusal> {
        refuse_default(name)?;
        self.check_passive_access(channel, true, name)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        match self.exchange_id(vhost, name) {
            Some(_) => Ok(Reply::Done),
            None => Err(not_found(&shown_exchange(&self.vhost_name(vhost), name))),
        }
    }

    /// exchange.delete; a missing one is fine (RT-16).
    pub(crate) fn delete_exchange(
        &mut self,
        channel: ChannelIndex,
        name: &Name,
        if_unused: bool,
    ) -> Result<Reply, Refusal> {
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let name = stripped(name);
        refuse_default(&name)?;
        let shown = shown_exchange(&self.vhost_name(vhost), &name);
        if name.starts_with("amq.") {
            let text = format!("deletion of system {shown} not allowed");
            return Err(channel_error(code::ACCESS_REFUSED, text));
        }
        self.check_exchange_access(channel, Access::Configure, &name)?;
        let Some(id) = self.exchange_id(vhost, &name) else { return Ok(Reply::Done) };
        if if_unused && self.exchanges.get(id).is_some_and(|exchange| !exchange.bindings.is_empty()) {
            return Err(precondition_failed(format!("{shown} in use")));
        }
        self.remove_exchange(id);
        Ok(Reply::Done)
    }

    /// Takes an exchange away with its bindings on both sides (RT-15).
    pub(crate) fn remove_exchange(&mut self, id: ExchangeId) {
        let Some(exchange) = self.exchanges.remove(id) else { return };
        if let Some(vhost) = self.vhosts.get_mut(exchange.vhost) {
            vhost.exchanges.swap_remove(&exchange.declared.name);
        }
        if self.rules.topic_permissions_go_with_exchange {
            let row = (self.vhost_name(exchange.vhost), exchange.declared.name.clone());
            self.users.values_mut().for_each(|user| drop(user.topics.remove(&row)));
        }
        self.tell_unbound(id, &exchange);
        let destinations: BTreeSet<BindingDestination> = exchange.bindings.keys().map(|(to, _)| *to).collect();
        for destination in destinations {
            self.forget_source(destination, id);
        }
        let (name, vhost) = (exchange.declared.name.clone(), exchange.declared.vhost.clone());
        let from = (DestinationKind::Exchange, name.clone());
        self.unbind_destination(BindingDestination::Exchange(id), from, &exchange.bound_from);
        self.emit("exchange.deleted", |sim| sim.gone(&name, Some(&vhost)));
    }

    /// Tells of the bindings that go with their exchange.
    fn tell_unbound(&mut self, source: ExchangeId, exchange: &Exchange) {
        let from = (&exchange.declared.name, &exchange.declared.vhost);
        for ((destination, key), tables) in &exchange.bindings {
            let to = match destination {
                BindingDestination::Queue(id) => {
                    (DestinationKind::Queue, self.queues.get(*id).map(|queue| queue.name.name.clone()))
                }
                BindingDestination::Exchange(id) => {
                    (DestinationKind::Exchange, self.exchanges.get(*id).map(|other| other.declared.name.clone()))
                }
            };
            let name = to.1.unwrap_or_default();
            for arguments in tables {
                let told = ToldBinding { source, destination: *destination, key, arguments };
                self.emit_internal("binding.deleted", |sim| sim.told_binding(from, (to.0, &name), &told));
            }
        }
    }

    pub(crate) fn exchange_id(&self, vhost: VhostId, name: &str) -> Option<ExchangeId> {
        let vhost = self.vhosts.get(vhost)?;
        if name.is_empty() { vhost.default_exchange } else { vhost.exchanges.get(name).copied() }
    }

    /// Finds the exchange of a publish: most go where the channel's last one went.
    pub(crate) fn exchange_of_publish(&mut self, channel: ChannelIndex, name: &Name) -> Option<ExchangeId> {
        let state = self.channels.get_mut(channel)?;
        let last = state.last_exchange.and_then(|id| self.exchanges.get(id));
        if last.is_none_or(|last| last.declared.name != *name) {
            let vhost = state.vhost;
            let found = self.exchange_id(vhost, name)?;
            self.channels.get_mut(channel)?.last_exchange = Some(found);
            return Some(found);
        }
        state.last_exchange
    }

    /// Finds the queues for a publish, each once, into `self.targets` (RT-2, RT-10, RT-11); exchanges on the way that keep
    /// a history keep the message.
    pub(crate) fn route(&mut self, start: ExchangeId, stored: &Stored) {
        let keys = &keys(stored);
        self.chance = self.chance.wrapping_add(1);
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        self.targets.clear();
        self.delayed_publishes.took = false;
        if let Some(only) = self.only_destination(start, stored) {
            self.targets.push(only);
            self.found = found;
            return;
        }
        // Each exchange once, first found first.
        let mut exchanges: Vec<ExchangeId> = Vec::new();
        self.pass(start, keys, stored, &mut found);
        let mut visited = 0;
        loop {
            for destination in found.drain(..) {
                match destination {
                    BindingDestination::Queue(queue) => self.targets.push(queue),
                    BindingDestination::Exchange(other) if other == start || exchanges.contains(&other) => {}
                    BindingDestination::Exchange(other) => exchanges.push(other),
                }
            }
            let Some(&next) = exchanges.get(visited) else { break };
            self.pass(next, keys, stored, &mut found);
            visited += 1;
        }
        self.found = found;
        if self.targets.len() > 1 {
            self.targets.sort_unstable();
            self.targets.dedup();
        }
    }

    /// Returns the queue of a message where one key leads to one queue, and nothing else is to be looked at.
    #[inline]
    fn only_destination(&mut self, id: ExchangeId, stored: &Stored) -> Option<QueueId> {
        let exchange = self.exchanges.get(id).filter(|exchange| !exchange.delays)?;
        if self.asks || !stored.further.is_empty() {
            return None;
        }
        let key = &**stored.routing_key();
        let found = match &exchange.router {
            Router::Default => return self.vhosts.get(exchange.vhost)?.queues.get(key).copied(),
            Router::Direct(by_key) => match by_key.get(key)?.as_slice() {
                [only] => *only,
                _ => return None,
            },
            Router::ConsistentHash(ring) if ring.buckets() > 0 => {
                let (headers, properties, rules) = (stored.headers(), Some(&stored.message.properties), self.rules);
                let find = || ring.destination_of(ring.input.number(key, headers, properties, rules));
                match ring.input.text(key, headers, properties) {
                    Some(text) => self.known_destinations.of((id, ring.changes()), text, find)?,
                    None => find()?,
                }
            }
            Router::ModulusHash(all) => *all.get(modulus_hash(std::iter::once(key), all.len()))?,
            _ => return None,
        };
        match found {
            BindingDestination::Queue(queue) => Some(queue),
            BindingDestination::Exchange(_) => None,
        }
    }

    /// Takes a message through an exchange, which may keep it.
    fn pass(&mut self, id: ExchangeId, keys: &Keys, stored: &Stored, found: &mut Vec<BindingDestination>) {
        self.destinations(id, keys, found);
        let Some(exchange) = self.exchanges.get(id) else { return };
        if let Some(delay_ms) = self.delay_ms(exchange, keys.headers) {
            self.hold_back(id, stored, delay_ms);
        } else if let Router::RecentHistory(_) = exchange.router {
            self.keep_in_history(id, stored);
        }
    }

    /// Returns where an exchange sends to; to its alternate exchange what it finds nothing for.
    pub(crate) fn destinations(&self, id: ExchangeId, keys: &Keys, found: &mut Vec<BindingDestination>) {
        self.own_destinations(id, keys, found);
        let Some(exchange) = self.exchanges.get(id) else { return };
        if let Some(alternate) = exchange.alternate.as_ref().filter(|_| found.is_empty()) {
            found.extend(self.exchange_id(exchange.vhost, alternate).map(BindingDestination::Exchange));
        }
    }

    /// Finds where the bindings of an exchange alone send to.
    pub(crate) fn own_destinations(&self, id: ExchangeId, keys: &Keys, found: &mut Vec<BindingDestination>) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        if exchange.delays && self.delay_ms(exchange, keys.headers).is_some() {
            return;
        }
        match &exchange.router {
            Router::Default => {
                let Some(vhost) = self.vhosts.get(exchange.vhost) else { return };
                keys.each(|key| {
                    if let Some(&queue) = vhost.queues.get(key) {
                        found.push(BindingDestination::Queue(queue));
                    }
                });
            }
            Router::Direct(by_key) => {
                keys.each(|key| match by_key.get(key).map(Vec::as_slice) {
                    None | Some([]) => {}
                    Some([one]) => found.push(*one),
                    Some(many) => found.extend_from_slice(many),
                });
            }
            Router::Fanout(all) => found.extend_from_slice(all),
            Router::Topic(index) => keys.each(|key| index.route(key, found)),
            Router::RecentHistory(RecentHistory { bound, .. }) => found.extend_from_slice(bound),
            Router::ConsistentHash(ring) if keys.every || (self.asks && ring.input.is_property()) => {
                found.extend_from_slice(ring.destinations());
            }
            Router::ModulusHash(all) if keys.every => found.extend_from_slice(all),
            Router::ConsistentHash(ring) => {
                let number = || ring.input.number(keys.first, keys.headers, keys.properties, self.rules);
                found.extend((ring.buckets() > 0).then(number).and_then(|number| ring.destination_of(number)));
            }
            Router::ModulusHash(all) => {
                let keys = std::iter::once(keys.first).chain(keys.further.iter().map(|key| &**key));
                found.extend(all.get(modulus_hash(keys, all.len())));
            }
            Router::Random(all) if self.asks => found.extend_from_slice(all),
            Router::Random(all) => found.extend(all.get(self.drawn(id, all.len()))),
            Router::Headers => {
                for ((destination, _), arguments) in &exchange.bindings {
                    if arguments.iter().any(|table| headers_match(table, keys.headers, self.rules.headers_strict)) {
                        found.push(*destination);
                    }
                }
            }
        }
    }
}

/// Checks the arguments that a type knows (PX-1, PX-3).
fn check_type_arguments(asked: &model::Exchange) -> Result<(), String> {
    match routed_as(asked) {
        "x-consistent-hash" => HashInput::read(&asked.arguments).map(|_| ()),
        "x-recent-history" => recent_history_length(&asked.arguments).map(|_| ()),
        _ => Ok(()),
    }
}
