//! By which bindings a message comes to its queues, for those who ask why it is there (RT-4 to RT-6, RT-10, RT-11, RT-13).
//! Walks the exchanges as `route` does, and remembers each step. Asked only when insights are on; changes nothing.

use crate::broker::{RouteHop, RoutedBy};
use crate::model::Name;
use crate::rules::{headers_match, topic_matches};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, ExchangeId, QueueId};
use crate::sim::state::exchange::{Exchange, Keys, Router};

impl Sim {
    /// Lists the queues of a publish, each with the first way to it. A queue that the default exchange finds by the routing key
    /// is left out: its name says it all.
    pub(crate) fn ways_of(&self, start: ExchangeId, keys: &Keys) -> Vec<(QueueId, Vec<RouteHop>)> {
        let mut ways: Vec<(QueueId, Vec<RouteHop>)> = Vec::new();
        let mut visited: Vec<(ExchangeId, Vec<RouteHop>)> = vec![(start, Vec::new())];
        let mut at = 0;
        while let Some((id, before)) = visited.get(at).cloned() {
            at += 1;
            let Some(exchange) = self.exchanges.get(id) else { continue };
            let mut found = Vec::new();
            self.own_destinations(id, keys, &mut found);
            let by_alternate = found.is_empty();
            if by_alternate {
                let alternate = exchange.alternate.as_ref();
                let alternate = alternate.and_then(|alternate| self.exchange_id(exchange.vhost, alternate));
                found.extend(alternate.map(BindingDestination::Exchange));
            }
            for destination in found {
                let by = match by_alternate {
                    true => Some(RoutedBy::Alternate),
                    false => self.by_which(exchange, destination, keys, before.is_empty()),
                };
                let with = |to: &Name| {
                    let exchange = exchange.declared.name.clone();
                    let hop = by.clone().map(|by| RouteHop { exchange, to: to.clone(), by });
                    before.iter().cloned().chain(hop).collect::<Vec<_>>()
                };
                match destination {
                    BindingDestination::Queue(queue) if ways.iter().all(|(known, _)| *known != queue) => {
                        let Some(state) = self.queues.get(queue) else { continue };
                        ways.push((queue, with(&state.name.name)));
                    }
                    BindingDestination::Exchange(other) if visited.iter().all(|(known, _)| *known != other) => {
                        let Some(state) = self.exchanges.get(other) else { continue };
                        visited.push((other, with(&state.declared.name)));
                    }
                    _ => {}
                }
            }
        }
        ways
    }

    /// Takes the way to a queue out of those that the publish at hand has.
    pub(crate) fn take_way(&mut self, queue: QueueId) -> Vec<RouteHop> {
        match self.ways.iter().position(|(known, _)| *known == queue) {
            Some(at) => self.ways.swap_remove(at).1,
            None => Vec::new(),
        }
    }

    /// Returns which binding of an exchange leads to a destination; `None` where the default exchange goes by the routing key.
    fn by_which(
        &self,
        exchange: &Exchange,
        destination: BindingDestination,
        keys: &Keys,
        first: bool,
    ) -> Option<RoutedBy> {
        if let (Router::Default, BindingDestination::Queue(queue)) = (&exchange.router, destination) {
            let is_named = self.queues.get(queue).is_some_and(|queue| &*queue.name.name == keys.first);
            return (!first || !is_named).then_some(RoutedBy::Name);
        }
        let bindings = exchange.bindings.range((destination, Name::from(""))..);
        let mut bindings = bindings.take_while(|((to, _), _)| *to == destination);
        let strict = self.rules.headers_strict;
        bindings.find_map(|((_, key), arguments)| match &exchange.router {
            Router::Default => None,
            Router::Direct(_) => by_key(key, keys, |own| own == &**key, RoutedBy::Key),
            Router::Topic(_) => by_key(key, keys, |own| topic_matches(key, own), RoutedBy::Topic),
            Router::Fanout(_) | Router::RecentHistory(_) => Some(RoutedBy::Fanout),
            Router::ConsistentHash(ring) => Some(RoutedBy::Hash(ring.input.named())),
            Router::ModulusHash(_) => Some(RoutedBy::Modulus),
            Router::Random(_) => Some(RoutedBy::Random),
            Router::Headers => {
                let found = arguments.iter().find(|table| headers_match(table, keys.headers, strict));
                found.map(|table| RoutedBy::Headers(table.clone()))
            }
        })
    }
}

/// Returns how a binding key takes a message: by its routing key, or by one of its further keys.
fn by_key(key: &Name, keys: &Keys, fits: impl Fn(&str) -> bool, by: fn(Name) -> RoutedBy) -> Option<RoutedBy> {
    if fits(keys.first) {
        return Some(by(key.clone()));
    }
    keys.further.iter().any(|other| fits(other)).then(|| RoutedBy::FurtherKey(key.clone()))
}

/// Returns the rule by which a message comes to a queue.
pub(crate) fn rule_of(way: &[RouteHop]) -> &'static str {
    match way {
        [] => "RT-2",
        [RouteHop { by, .. }] => match by {
            RoutedBy::Key(_) | RoutedBy::Fanout => "RT-4",
            RoutedBy::Topic(_) => "RT-5",
            RoutedBy::Headers(_) => "RT-6",
            RoutedBy::Alternate => "RT-10",
            RoutedBy::Hash(_) => "PX-1",
            RoutedBy::Modulus | RoutedBy::Random => "PX-2",
            RoutedBy::History => "PX-3",
            RoutedBy::Name | RoutedBy::FurtherKey(_) => "RT-13",
        },
        all if all.iter().any(|hop| hop.by == RoutedBy::Alternate) => "RT-10",
        _ => "RT-11",
    }
}
