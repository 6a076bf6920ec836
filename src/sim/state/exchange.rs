//! An exchange: its bindings, and how it finds destinations by them (RT-2 to RT-6).
//! Takes and gives destinations; never follows one to another exchange.

use crate::model;
use crate::model::{Name, Properties, Table, Value};
use crate::rules::{Differences, HashInput, hash_weight, recent_history_length};
use crate::sim::state::arena::{BindingDestination, ExchangeId, VhostId};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::names::NameMap;
use crate::sim::state::queued_message::Stored;
use crate::sim::state::router::hash_ring::HashRing;
use crate::sim::state::router::topic_trie::TopicTrie;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How an exchange finds destinations.
#[derive(Clone)]
pub(crate) enum Router {
    /// By the queue's name.
    Default,
    Direct(NameMap<Vec<BindingDestination>>),
    Fanout(Vec<BindingDestination>),
    Topic(TopicTrie),
    Headers,
    ConsistentHash(HashRing),
    /// One of all bindings, by chance.
    Random(Vec<BindingDestination>),
    /// One of all bindings, by the keys; in the order in which the version counts them.
    ModulusHash(Vec<BindingDestination>),
    RecentHistory(RecentHistory),
}

/// What an `x-recent-history` exchange keeps, beside where it sends to.
#[derive(Clone)]
pub(crate) struct RecentHistory {
    /// All that it is bound to, each once.
    pub bound: Vec<BindingDestination>,
    /// The oldest first.
    pub kept: VecDeque<Box<Stored>>,
    /// How many it keeps.
    pub length: usize,
}

impl Router {
    /// Makes the router of a new exchange, whose arguments were checked.
    pub(crate) fn of(declared: &model::Exchange) -> Self {
        match routed_as(declared) {
            _ if declared.name.is_empty() => Router::Default,
            "fanout" => Router::Fanout(Vec::new()),
            "topic" => Router::Topic(TopicTrie::new()),
            "headers" => Router::Headers,
            "x-consistent-hash" => {
                Router::ConsistentHash(HashRing::new(HashInput::read(&declared.arguments).unwrap_or_default()))
            }
            "x-random" | "x-local-random" => Router::Random(Vec::new()),
            "x-modulus-hash" => Router::ModulusHash(Vec::new()),
            "x-recent-history" => Router::RecentHistory(RecentHistory {
                bound: Vec::new(),
                kept: VecDeque::new(),
                length: recent_history_length(&declared.arguments).unwrap_or(1),
            }),
            _ => Router::Direct(NameMap::default()),
        }
    }

    /// Returns whether a header or a property decides.
    pub(crate) fn looks_beyond_keys(&self) -> bool {
        match self {
            Router::Headers => true,
            Router::ConsistentHash(ring) => ring.input != HashInput::RoutingKey,
            _ => false,
        }
    }
}

/// Returns the type by whose rules an exchange routes: a delayed one has that as an argument (RT-18).
pub(crate) fn routed_as(declared: &model::Exchange) -> &str {
    let inner = || declared.arguments.get("x-delayed-type").and_then(Value::as_text).unwrap_or("direct");
    if &*declared.kind == "x-delayed-message" { inner() } else { &declared.kind }
}

/// A declared exchange.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub declared: model::Exchange,
    pub vhost: VhostId,
    pub router: Router,
    /// RT-18: it holds back what has an `x-delay`.
    pub delays: bool,
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
    pub properties: Option<&'a Properties>,
    /// Where a hash chooses one destination, all of them are meant: it is asked what may be.
    pub every: bool,
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
pub(crate) fn add_binding(
    exchange: &mut Exchange,
    destination: BindingDestination,
    key: &Name,
    arguments: &Table,
    rules: &Differences,
) {
    let same_key = exchange.bindings.entry((destination, key.clone())).or_default();
    if same_key.contains(arguments) {
        return;
    }
    same_key.push(arguments.clone());
    let is_first = same_key.len() == 1;
    match &mut exchange.router {
        Router::ConsistentHash(ring) => ring.add(destination, hash_weight(key, rules).unwrap_or(1)),
        Router::Random(all) | Router::ModulusHash(all) => all.push(destination),
        _ if !is_first => {}
        Router::Direct(by_key) => by_key.entry(key.clone()).or_default().push(destination),
        Router::Fanout(all) | Router::RecentHistory(RecentHistory { bound: all, .. })
            if !all.contains(&destination) =>
        {
            all.push(destination);
        }
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
    if removed && let Router::Random(all) | Router::ModulusHash(all) = &mut exchange.router {
        all.iter().position(|other| *other == destination).map(|at| all.remove(at));
    }
    if removed && let Router::ConsistentHash(ring) = &mut exchange.router {
        // The others of the destination stay, and weigh nothing.
        ring.remove(destination);
    }
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
        Router::Fanout(all)
        | Router::Random(all)
        | Router::ModulusHash(all)
        | Router::RecentHistory(RecentHistory { bound: all, .. })
            if !still_led_to =>
        {
            all.retain(|other| *other != destination);
        }
        Router::ConsistentHash(ring) => ring.remove(destination),
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
    Keys {
        first: stored.routing_key(),
        further: &stored.further,
        headers: stored.headers(),
        properties: Some(&stored.message.properties),
        every: false,
    }
}
