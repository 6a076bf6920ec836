//! Bindings: making and breaking them, and what goes with the last one (RT-2, RT-15, RT-16, PE-5).

use crate::broker::{Refusal, Reply};
use crate::model::{Binding, DestinationKind, Name, Table};
use crate::rules::{Access, check_headers_binding, check_topic_key, shown_exchange};
use crate::sim::broker::Sim;
use crate::sim::routing::exchange::{Destination, Exchange, Router, refuse_default};
use crate::sim::session::channel::Channel;
use crate::sim::state::arena::Id;
use crate::sim::state::refusal::{not_found, precondition_failed};
use std::collections::BTreeSet;

impl Sim {
    pub(crate) fn bind(&mut self, channel: Id<Channel>, binding: &Binding) -> Result<Reply, Refusal> {
        let (destination_name, key) = self.check_binding(channel, binding)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let vhost_name = self.vhost_name(vhost);
        let Some(source) = self.exchange_id(vhost, &binding.source) else {
            return Err(not_found(&shown_exchange(&vhost_name, &binding.source)));
        };
        let destination = match binding.destination_kind {
            DestinationKind::Queue => Destination::Queue(self.usable_queue(channel, &destination_name)?),
            DestinationKind::Exchange => match self.exchange_id(vhost, &destination_name) {
                Some(id) => Destination::Exchange(id),
                None => return Err(not_found(&shown_exchange(&vhost_name, &destination_name))),
            },
        };
        let Some(exchange) = self.exchanges.get_mut(source) else { return Ok(Reply::Done) };
        match &exchange.router {
            Router::Headers => check_headers_binding(&binding.arguments).map_err(precondition_failed)?,
            Router::Topic(_) => {
                check_topic_key(&key, self.rules.topic_hashes_max).map_err(precondition_failed)?;
            }
            _ => {}
        }
        add_binding(exchange, destination, &key, &binding.arguments);
        match destination {
            Destination::Queue(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.bound_from.insert(source);
                }
            }
            Destination::Exchange(other) => {
                if let Some(other) = self.exchanges.get_mut(other) {
                    other.bound_from.insert(source);
                }
            }
        }
        Ok(Reply::Done)
    }

    pub(crate) fn unbind(&mut self, channel: Id<Channel>, binding: &Binding) -> Result<Reply, Refusal> {
        let (destination_name, key) = self.check_binding(channel, binding)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let Some(source) = self.exchange_id(vhost, &binding.source) else { return Ok(Reply::Done) };
        let destination = match binding.destination_kind {
            DestinationKind::Queue => self.queue_id(vhost, &destination_name).map(Destination::Queue),
            DestinationKind::Exchange => self.exchange_id(vhost, &destination_name).map(Destination::Exchange),
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
        let Some(exchange) = self.exchanges.get_mut(source) else { return Ok(Reply::Done) };
        if remove_binding(exchange, destination, &key, &binding.arguments) {
            if !leads_to(exchange, destination) {
                self.forget_source(destination, source);
            }
            self.auto_delete_exchange(source);
        }
        Ok(Reply::Done)
    }

    /// Checks rights in RabbitMQ's order (PE-5); gives the destination's name and the key, empty names filled in.
    fn check_binding(&mut self, channel: Id<Channel>, binding: &Binding) -> Result<(Name, Name), Refusal> {
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
    pub(crate) fn unbind_destination(&mut self, destination: Destination, sources: &BTreeSet<Id<Exchange>>) {
        for &source in sources {
            let Some(exchange) = self.exchanges.get_mut(source) else { continue };
            let keys: Vec<Name> = (exchange.bindings.range((destination, Name::from(""))..))
                .map_while(|((to, key), _)| (*to == destination).then(|| key.clone()))
                .collect();
            for key in keys {
                exchange.bindings.remove(&(destination, key.clone()));
                withdraw(exchange, destination, &key);
            }
            self.auto_delete_exchange(source);
        }
    }

    /// Forgets at the destination that the source has bindings to it.
    pub(crate) fn forget_source(&mut self, destination: Destination, source: Id<Exchange>) {
        match destination {
            Destination::Queue(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.bound_from.remove(&source);
                }
            }
            Destination::Exchange(other) => {
                if let Some(other) = self.exchanges.get_mut(other) {
                    other.bound_from.remove(&source);
                }
            }
        }
    }

    /// Deletes an exchange that lost its last binding, if it is to (RT-15).
    fn auto_delete_exchange(&mut self, id: Id<Exchange>) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        if exchange.declared.auto_delete && exchange.bindings.is_empty() {
            self.remove_exchange(id);
        }
    }
}

/// Adds a binding; the same one again changes nothing (RT-2).
fn add_binding(exchange: &mut Exchange, destination: Destination, key: &Name, arguments: &Table) {
    let same_key = exchange.bindings.entry((destination, key.clone())).or_default();
    if same_key.contains(arguments) {
        return;
    }
    same_key.push(arguments.clone());
    if same_key.len() > 1 {
        return;
    }
    match &mut exchange.router {
        Router::Direct(by_key) => by_key.entry(key.clone()).or_default().push(destination),
        Router::Fanout(all) if !all.contains(&destination) => all.push(destination),
        Router::Topic(index) => index.insert(key, destination),
        _ => {}
    }
}

fn has_binding(exchange: &Exchange, destination: Destination, key: &Name, arguments: &Table) -> bool {
    let same_key = exchange.bindings.get(&(destination, key.clone()));
    same_key.is_some_and(|all| all.contains(arguments))
}

/// Removes a binding and says whether it was there.
fn remove_binding(exchange: &mut Exchange, destination: Destination, key: &Name, arguments: &Table) -> bool {
    let at = (destination, key.clone());
    let Some(same_key) = exchange.bindings.get_mut(&at) else { return false };
    let before = same_key.len();
    same_key.retain(|table| table != arguments);
    let removed = same_key.len() < before;
    if same_key.is_empty() {
        exchange.bindings.remove(&at);
        withdraw(exchange, destination, key);
    }
    removed
}

/// Takes a key that has no binding any more out of the router.
fn withdraw(exchange: &mut Exchange, destination: Destination, key: &Name) {
    let still_led_to = leads_to(exchange, destination);
    match &mut exchange.router {
        Router::Direct(by_key) => {
            if let Some(destinations) = by_key.get_mut(key) {
                destinations.retain(|other| *other != destination);
                if destinations.is_empty() {
                    by_key.swap_remove(key);
                }
            }
        }
        Router::Fanout(all) if !still_led_to => all.retain(|other| *other != destination),
        Router::Topic(index) => index.remove(key, destination),
        _ => {}
    }
}

fn leads_to(exchange: &Exchange, destination: Destination) -> bool {
    let mut from = exchange.bindings.range((destination, Name::from(""))..);
    from.next().is_some_and(|((to, _), _)| *to == destination)
}
