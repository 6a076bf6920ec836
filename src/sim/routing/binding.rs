//! Bindings: making and breaking them, and what goes with the last one (RT-2, RT-15, RT-16, PE-5).

use crate::broker::{Refusal, Reply};
use crate::model::{Binding, DestinationKind, Name, Table};
use crate::rules::{Access, check_headers_binding, check_topic_key, shown_exchange};
use crate::sim::broker::Sim;
use crate::sim::events::event_facts::ToldBinding;
use crate::sim::state::arena::{BindingDestination, ChannelIndex, ExchangeId};
use crate::sim::state::exchange::{Router, add_binding, has_binding, leads_to, remove_binding, withdraw};
use crate::sim::state::refusal::precondition_failed;
use crate::sim::state::refusal::{not_found, refuse_default};
use std::collections::BTreeSet;

impl Sim {
    pub(crate) fn bind(&mut self, channel: ChannelIndex, binding: &Binding) -> Result<Reply, Refusal> {
        let (destination_name, key) = self.check_binding(channel, binding)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let vhost_name = self.vhost_name(vhost);
        let Some(source) = self.exchange_id(vhost, &binding.source) else {
            return Err(not_found(&shown_exchange(&vhost_name, &binding.source)));
        };
        let destination = match binding.destination_kind {
            DestinationKind::Queue => BindingDestination::Queue(self.known_queue(channel, &destination_name)?),
            DestinationKind::Exchange => match self.exchange_id(vhost, &destination_name) {
                Some(id) => BindingDestination::Exchange(id),
                None => return Err(not_found(&shown_exchange(&vhost_name, &destination_name))),
            },
        };
        self.check_binding_of_plugin(source, destination, &key)?;
        let Some(exchange) = self.exchanges.get(source) else { return Ok(Reply::Done) };
        match &exchange.router {
            Router::Headers => check_headers_binding(&binding.arguments).map_err(precondition_failed)?,
            Router::Topic(_) => {
                check_topic_key(&key, self.rules.topic_hashes_max).map_err(precondition_failed)?;
            }
            _ => {}
        }
        // Whose queue it is, is looked at once the exchange has taken the binding (PE-5).
        if let BindingDestination::Queue(queue) = destination {
            self.check_lock(channel, queue)?;
        }
        let Some(exchange) = self.exchanges.get_mut(source) else { return Ok(Reply::Done) };
        let is_new = !has_binding(exchange, destination, &key, &binding.arguments);
        add_binding(exchange, destination, &key, &binding.arguments, self.rules);
        match destination {
            BindingDestination::Queue(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.bound_from.insert(source);
                }
            }
            BindingDestination::Exchange(other) => {
                if let Some(other) = self.exchanges.get_mut(other) {
                    other.bound_from.insert(source);
                }
            }
        }
        self.order_bindings(source);
        if is_new {
            let told = ToldBinding { source, destination, key: &key, arguments: &binding.arguments };
            self.emit("binding.created", |sim| sim.binding_facts(&told));
        }
        if is_new && let Err(refusal) = self.replay_history(source, destination) {
            if self.rules.failed_replay_undoes_binding {
                self.drop_binding(source, destination, &key, &binding.arguments);
            }
            return Err(refusal);
        }
        Ok(Reply::Done)
    }

    pub(crate) fn unbind(&mut self, channel: ChannelIndex, binding: &Binding) -> Result<Reply, Refusal> {
        let (destination_name, key) = self.check_binding(channel, binding)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let Some(source) = self.exchange_id(vhost, &binding.source) else { return Ok(Reply::Done) };
        let destination = match binding.destination_kind {
            DestinationKind::Queue => self.queue_id(vhost, &destination_name).map(BindingDestination::Queue),
            DestinationKind::Exchange => self.exchange_id(vhost, &destination_name).map(BindingDestination::Exchange),
        };
        let (Some(destination), Some(exchange)) = (destination, self.exchanges.get(source)) else {
            return Ok(Reply::Done);
        };
        if !has_binding(exchange, destination, &key, &binding.arguments) {
            return Ok(Reply::Done);
        }
        // Only now: who unbinds nothing need not be allowed to.
        if binding.destination_kind == DestinationKind::Queue {
            self.usable_queue(channel, &destination_name)?;
        }
        if self.drop_binding(source, destination, &key, &binding.arguments) {
            self.auto_delete_exchange(source);
        }
        Ok(Reply::Done)
    }

    /// Takes a binding away, and returns whether it was there.
    fn drop_binding(
        &mut self,
        source: ExchangeId,
        destination: BindingDestination,
        key: &Name,
        arguments: &Table,
    ) -> bool {
        let Some(exchange) = self.exchanges.get_mut(source) else { return false };
        if !remove_binding(exchange, destination, key, arguments) {
            return false;
        }
        if !leads_to(exchange, destination) {
            self.forget_source(destination, source);
        }
        self.order_bindings(source);
        let told = ToldBinding { source, destination, key, arguments };
        self.emit("binding.deleted", |sim| sim.binding_facts(&told));
        true
    }

    /// Checks rights in RabbitMQ's order (PE-5); gives the destination's name and the key, empty names filled in.
    fn check_binding(&mut self, channel: ChannelIndex, binding: &Binding) -> Result<(Name, Name), Refusal> {
        let mut key = binding.routing_key.clone();
        let destination = match binding.destination_kind {
            DestinationKind::Queue => {
                let name = self.expand_queue(channel, &binding.destination)?;
                if binding.destination.is_empty() && key.is_empty() {
                    key = name.clone();
                }
                self.check_queue_access(channel, Access::Write, &name)?;
                name
            }
            DestinationKind::Exchange => {
                self.check_exchange_access(channel, Access::Write, &binding.destination)?;
                refuse_default(&binding.destination)?;
                binding.destination.clone()
            }
        };
        refuse_default(&binding.source)?;
        self.check_exchange_access(channel, Access::Read, &binding.source)?;
        self.check_topic_access(channel, Access::Read, &binding.source, &key)?;
        Ok((destination, key))
    }

    /// Takes all bindings to a destination that is gone.
    pub(crate) fn unbind_destination(
        &mut self,
        destination: BindingDestination,
        (kind, name): (DestinationKind, Name),
        sources: &BTreeSet<ExchangeId>,
    ) {
        for &source in sources {
            let Some(exchange) = self.exchanges.get_mut(source) else { continue };
            let keys: Vec<Name> = (exchange.bindings.range((destination, Name::from(""))..))
                .map_while(|((to, key), _)| (*to == destination).then(|| key.clone()))
                .collect();
            let from = (exchange.declared.name.clone(), exchange.declared.vhost.clone());
            let mut gone: Vec<(Name, Vec<Table>)> = Vec::new();
            for key in keys {
                let tables = exchange.bindings.remove(&(destination, key.clone()));
                withdraw(exchange, destination, &key);
                gone.push((key, tables.unwrap_or_default()));
            }
            for (key, tables) in &gone {
                for arguments in tables {
                    let told = ToldBinding { source, destination, key, arguments };
                    self.emit_internal("binding.deleted", |sim| {
                        sim.told_binding((&from.0, &from.1), (kind, &name), &told)
                    });
                }
            }
            self.auto_delete_exchange(source);
        }
    }

    /// Forgets at the destination that the source has bindings to it.
    pub(crate) fn forget_source(&mut self, destination: BindingDestination, source: ExchangeId) {
        match destination {
            BindingDestination::Queue(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.bound_from.remove(&source);
                }
            }
            BindingDestination::Exchange(other) => {
                if let Some(other) = self.exchanges.get_mut(other) {
                    other.bound_from.remove(&source);
                }
            }
        }
    }

    /// Deletes an exchange that lost its last binding, if it is to (RT-15).
    fn auto_delete_exchange(&mut self, id: ExchangeId) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        if exchange.declared.auto_delete && exchange.bindings.is_empty() {
            let acting = std::mem::take(&mut self.own_publishes.acting);
            self.remove_exchange(id);
            self.own_publishes.acting = acting;
        }
    }
}
