//! An exchange: its bindings, and how it finds destinations by them (RT-2 to RT-6).
//! Takes and gives destinations; never follows one to another exchange.

use crate::model;
use crate::model::{Name, Table};
use crate::sim::state::arena::{BindingDestination, ExchangeId, VhostId};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::names::NameMap;
use crate::sim::state::queued_message::Stored;
use crate::sim::state::topic_trie::TopicTrie;
use std::collections::{BTreeMap, BTreeSet};

/// How an exchange finds destinations.
#[derive(Clone)]
pub(crate) enum Router {
    /// By the queue's name.
    Default,
    Direct(NameMap<Vec<BindingDestination>>),
    Fanout(Vec<BindingDestination>),
    Topic(TopicTrie),
    Headers,
}

/// A declared exchange.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub declared: model::Exchange,
    pub vhost: VhostId,
    pub router: Router,
    /// By destination and key, the arguments of each binding.
    pub bindings: BTreeMap<(BindingDestination, Name), Vec<Table>>,
    /// The exchanges that have bindings to it.
    pub bound_from: BTreeSet<ExchangeId>,
    /// By argument, else by policy (RT-10).
    pub alternate: Option<Name>,
}

/// What a publish is routed by.
#[derive(Clone)]
pub(crate) struct Keys<'a> {
    pub first: &'a str,
    pub further: &'a CcBcc,
    pub headers: Option<&'a Table>,
}

impl Keys<'_> {
    /// Does something with each key.
    pub(crate) fn each(&self, mut act: impl FnMut(&str)) {
        act(self.first);
        if !self.further.is_empty() {
            self.further.iter().for_each(|key| act(key));
        }
    }
}

/// Adds a binding; the same one again changes nothing (RT-2).
pub(crate) fn add_binding(exchange: &mut Exchange, destination: BindingDestination, key: &Name, arguments: &Table) {
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

pub(crate) fn has_binding(exchange: &Exchange, destination: BindingDestination, key: &Name, arguments: &Table) -> bool {
    let same_key = exchange.bindings.get(&(destination, key.clone()));
    same_key.is_some_and(|all| all.contains(arguments))
}

/// Removes a binding and returns whether it was there.
pub(crate) fn remove_binding(
    exchange: &mut Exchange,
    destination: BindingDestination,
    key: &Name,
    arguments: &Table,
) -> bool {
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
pub(crate) fn withdraw(exchange: &mut Exchange, destination: BindingDestination, key: &Name) {
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

pub(crate) fn leads_to(exchange: &Exchange, destination: BindingDestination) -> bool {
    let mut from = exchange.bindings.range((destination, Name::from(""))..);
    from.next().is_some_and(|((to, _), _)| *to == destination)
}

/// Returns what a stored message is routed by.
pub(crate) fn keys(stored: &Stored) -> Keys<'_> {
    Keys { first: stored.routing_key(), further: &stored.further, headers: stored.headers() }
}
