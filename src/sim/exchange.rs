//! Exchanges: declaration, deletion, and the graph that a publish walks (RT-1 to RT-17).

use super::channel::Channel;
use super::names::NameMap;
use super::node::Sim;
use super::queue::{Queue, stripped};
use super::refusal::{channel_error, connection_error, not_found, not_simulated, precondition_failed};
use super::slots::Id;
use super::topic::TopicIndex;
use super::vhost::Vhost;
use crate::broker::{Refusal, Reply, code};
use crate::model::{self, Name, Table, Value};
use crate::rules::{Access, check_exchange_equivalence, headers_match, is_known_type, shown_exchange, type_name};
use std::collections::{BTreeMap, BTreeSet};

/// Is what a binding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Destination {
    Queue(Id<Queue>),
    Exchange(Id<Exchange>),
}

/// Is how an exchange finds destinations.
pub(super) enum Router {
    /// By the queue's name.
    Default,
    Direct(NameMap<Vec<Destination>>),
    Fanout(Vec<Destination>),
    Topic(TopicIndex),
    Headers,
}

/// Is a declared exchange.
pub(super) struct Exchange {
    pub declared: model::Exchange,
    pub vhost: Id<Vhost>,
    pub router: Router,
    /// By destination and key, the arguments of each binding.
    pub bindings: BTreeMap<(Destination, Name), Vec<Table>>,
    /// The exchanges that have bindings to it.
    pub bound_from: BTreeSet<Id<Exchange>>,
    /// By argument, else by policy (RT-10).
    pub alternate: Option<Name>,
}

/// Is what a publish is routed by.
pub(super) struct Keys<'a> {
    pub first: &'a str,
    pub cc: &'a [Name],
    pub bcc: &'a [Name],
    pub headers: Option<&'a Table>,
}

impl Sim {
    /// exchange.declare, active.
    pub(super) fn declare_exchange(&mut self, channel: Id<Channel>, asked: &model::Exchange) -> Result<Reply, Refusal> {
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
        self.add_exchange(asked, vhost);
        Ok(Reply::Done)
    }

    /// Checks an exchange's type (RT-17).
    fn check_type(&self, kind: &str) -> Result<(), Refusal> {
        if matches!(kind, "x-delayed-message" | "x-consistent-hash" | "x-random" | "x-recent-history" | "x-jms-topic")
            || (!matches!(kind, "direct" | "fanout" | "topic" | "headers") && is_known_type(kind, self.rules))
        {
            return Err(not_simulated(&format!("exchanges of type {kind}")));
        }
        if is_known_type(kind, self.rules) {
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
        match self.rules.unknown_type_closes_connection {
            true => Err(connection_error(code::COMMAND_INVALID, text)),
            false => Err(precondition_failed(text)),
        }
    }

    pub(super) fn add_exchange(&mut self, declared: model::Exchange, vhost: Id<Vhost>) -> Id<Exchange> {
        let router = match &*declared.kind {
            _ if declared.name.is_empty() => Router::Default,
            "fanout" => Router::Fanout(Vec::new()),
            "topic" => Router::Topic(TopicIndex::new()),
            "headers" => Router::Headers,
            _ => Router::Direct(NameMap::default()),
        };
        let name = declared.name.clone();
        let alternate = self.alternate_exchange(vhost, &declared);
        let id = self.exchanges.insert(Exchange {
            declared,
            vhost,
            router,
            bindings: BTreeMap::new(),
            bound_from: BTreeSet::new(),
            alternate,
        });
        if let Some(vhost) = self.vhosts.get_mut(vhost) {
            vhost.exchanges.insert(name, id);
        }
        id
    }

    /// exchange.declare, passive.
    pub(super) fn check_exchange(&mut self, channel: Id<Channel>, name: &Name) -> Result<Reply, Refusal> {
        refuse_default(name)?;
        self.check_passive_access(channel, true, name)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        match self.exchange_id(vhost, name) {
            Some(_) => Ok(Reply::Done),
            None => Err(not_found(&shown_exchange(&self.vhost_name(vhost), name))),
        }
    }

    /// exchange.delete; a missing one is fine (RT-16).
    pub(super) fn delete_exchange(
        &mut self,
        channel: Id<Channel>,
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
    pub(super) fn remove_exchange(&mut self, id: Id<Exchange>) {
        let Some(exchange) = self.exchanges.remove(id) else { return };
        if let Some(vhost) = self.vhosts.get_mut(exchange.vhost) {
            vhost.exchanges.swap_remove(&exchange.declared.name);
        }
        if self.rules.topic_permissions_follow_exchanges {
            let row = (self.vhost_name(exchange.vhost), exchange.declared.name.clone());
            self.users.values_mut().for_each(|user| drop(user.topics.remove(&row)));
        }
        let destinations: BTreeSet<Destination> = exchange.bindings.keys().map(|(to, _)| *to).collect();
        for destination in destinations {
            self.forget_source(destination, id);
        }
        self.unbind_destination(Destination::Exchange(id), &exchange.bound_from);
    }

    pub(super) fn exchange_id(&self, vhost: Id<Vhost>, name: &str) -> Option<Id<Exchange>> {
        self.vhosts.get(vhost)?.exchanges.get(name).copied()
    }

    /// Finds the queues for a publish, each once, into `self.targets` (RT-2, RT-10, RT-11).
    pub(super) fn route(&mut self, start: Id<Exchange>, keys: &Keys) {
        self.targets.clear();
        let mut found = std::mem::take(&mut self.found);
        let mut to_visit = Vec::new();
        let mut next = Some(start);
        let mut visited = Vec::new();
        while let Some(id) = next {
            found.clear();
            if let Some(exchange) = self.exchanges.get(id) {
                self.destinations(exchange, keys, &mut found);
                let alternate = match &exchange.alternate {
                    Some(name) if found.is_empty() => self.exchange_id(exchange.vhost, name),
                    _ => None,
                };
                found.extend(alternate.map(Destination::Exchange));
            }
            for destination in &found {
                match *destination {
                    Destination::Queue(queue) => self.targets.push(queue),
                    Destination::Exchange(other) => to_visit.push(other),
                }
            }
            if to_visit.is_empty() {
                break;
            }
            visited.push(id);
            next = None;
            while !to_visit.is_empty() {
                let other = to_visit.remove(0);
                if !visited.contains(&other) {
                    next = Some(other);
                    break;
                }
            }
        }
        self.found = found;
        if self.targets.len() > 1 {
            self.targets.sort_unstable();
            self.targets.dedup();
        }
    }

    fn destinations(&self, exchange: &Exchange, keys: &Keys, found: &mut Vec<Destination>) {
        let all_keys = || std::iter::once(keys.first).chain(keys.cc.iter().chain(keys.bcc).map(|key| &**key));
        match &exchange.router {
            Router::Default => {
                let queues = self.vhosts.get(exchange.vhost).map(|vhost| &vhost.queues);
                found.extend(all_keys().filter_map(|key| Some(Destination::Queue(*queues?.get(key)?))));
            }
            Router::Direct(by_key) => {
                for key in all_keys() {
                    found.extend(by_key.get(key).into_iter().flatten());
                }
            }
            Router::Fanout(all) => found.extend_from_slice(all),
            Router::Topic(index) => {
                for key in all_keys() {
                    index.route(key, found);
                }
            }
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

/// Keeps hands off the default exchange (RT-3).
pub(super) fn refuse_default(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(channel_error(code::ACCESS_REFUSED, "operation not permitted on the default exchange"));
    }
    Ok(())
}
