//! Keeps the record of what is exercised, where it is wanted: which bindings fit, how queues lose messages, by which rules.
//! Changes nothing that a client could see.

use crate::broker::{Death, LengthLimit};
use crate::model::{Binding, DestinationKind, Name};
use crate::rules::{headers_match, topic_matches};
use crate::sim::broker::Sim;
use crate::sim::routing::way::rule_of;
use crate::sim::state::arena::{BindingDestination, DeadLetteringId, ExchangeId, QueueId};
use crate::sim::state::covered::{SAMPLES, Site};
use crate::sim::state::exchange::{Exchange, Keys, Router};
use crate::sim::state::queue::QueueContents;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::DeathCause;

impl Sim {
    /// Returns whether reasons are wanted at all.
    pub(crate) fn explains(&self) -> bool {
        self.insights || self.covered.is_some()
    }

    /// Returns whether a queue's reason is wanted: each time with insights, else the first times at a place.
    pub(crate) fn samples(&mut self, id: QueueId, site: Site) -> bool {
        self.sample(id, site as usize).is_some() || self.insights
    }

    /// Counts a look at a queue at a place, and returns how many were before; `None` after the last one.
    fn sample(&mut self, id: QueueId, site: usize) -> Option<u8> {
        self.covered.as_ref()?;
        let before = self.queues.get_mut(id)?.sampled.get_mut(site)?;
        (*before < SAMPLES).then(|| {
            *before += 1;
            *before - 1
        })
    }

    pub(crate) fn forget_routes(&mut self) {
        if let Some(covered) = &mut self.covered {
            covered.forget_routes();
        }
    }

    /// Records the queues, bindings and rules of the route at hand; returns whether it was looked at.
    pub(crate) fn cover_route(&mut self, start: ExchangeId, keys: &Keys) -> bool {
        let Some(covered) = &mut self.covered else { return false };
        if !covered.is_new(start, keys.first, keys.headers.is_some(), !keys.further.is_empty()) {
            return false;
        }
        let mut walk = RouteWalk::default();
        walk.exchanges.push(start);
        let mut at = 0;
        while let Some(&exchange) = walk.exchanges.get(at) {
            at += 1;
            self.walk_on(exchange, keys, &mut walk);
        }
        let queues: Vec<_> =
            self.targets.iter().filter_map(|id| self.queues.get(*id)).map(|it| it.name.clone()).collect();
        let ways = self.ways_of(start, keys);
        let Some(covered) = &mut self.covered else { return false };
        covered.remember(start, keys.first, walk.by_headers);
        covered.found.queues.extend(queues);
        covered.found.bindings.extend(walk.bindings.iter().map(Binding::object));
        covered.found.alternates.extend(walk.alternates);
        ways.iter().for_each(|(_, way)| covered.rule(rule_of(way)));
        true
    }

    /// Finds the bindings of one exchange that fit, and the exchanges behind them.
    fn walk_on(&self, id: ExchangeId, keys: &Keys, walk: &mut RouteWalk) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        walk.by_headers |= exchange.delays || exchange.router.looks_beyond_keys();
        let mut found = Vec::new();
        self.own_destinations(id, keys, &mut found);
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            let alternate = exchange.alternate.as_ref().and_then(|name| self.exchange_id(exchange.vhost, name));
            if let Some(alternate) = alternate {
                walk.alternates.push((exchange.declared.vhost.clone(), exchange.declared.name.clone()));
                walk.go_to(alternate);
            }
        }
        for destination in found {
            self.fitting(exchange, destination, keys, walk);
            if let BindingDestination::Exchange(other) = destination {
                walk.go_to(other);
            }
        }
    }

    /// Adds the bindings between an exchange and a destination that fit a message.
    fn fitting(&self, exchange: &Exchange, destination: BindingDestination, keys: &Keys, walk: &mut RouteWalk) {
        let (name, kind) = match destination {
            BindingDestination::Queue(id) => {
                let Some(queue) = self.queues.get(id) else { return };
                (&queue.name.name, DestinationKind::Queue)
            }
            BindingDestination::Exchange(id) => {
                let Some(other) = self.exchanges.get(id) else { return };
                (&other.declared.name, DestinationKind::Exchange)
            }
        };
        let all = exchange.bindings.range((destination, Name::from(""))..);
        for ((_, key), tables) in all.take_while(|((to, _), _)| *to == destination) {
            let fits = match &exchange.router {
                Router::Default => false,
                Router::Fanout(_)
                | Router::RecentHistory(_)
                | Router::ConsistentHash(_)
                | Router::Random(_)
                | Router::ModulusHash(_) => true,
                Router::Direct(_) => any_key(keys, |own| own == &**key),
                Router::Topic(_) => any_key(keys, |own| topic_matches(key, own)),
                Router::Headers => true,
            };
            let is_headers = matches!(exchange.router, Router::Headers);
            for arguments in tables.iter().filter(|_| fits) {
                if is_headers && !headers_match(arguments, keys.headers, self.rules.headers_strict) {
                    continue;
                }
                walk.bindings.push(Binding {
                    vhost: exchange.declared.vhost.clone(),
                    source: exchange.declared.name.clone(),
                    destination: name.clone(),
                    destination_kind: kind,
                    routing_key: key.clone(),
                    arguments: arguments.clone(),
                });
            }
        }
    }

    /// Records a death, and returns whether its reason is wanted.
    pub(crate) fn cover_death(&mut self, id: QueueId, entry: &mut QueuedMessage, cause: &DeathCause) -> bool {
        let death = cause.death();
        let Some(before) = self.sample(id, death as usize) else { return self.insights };
        let Some(queue) = self.queues.get(id) else { return self.insights };
        let name = queue.name.clone();
        let mut full = Vec::new();
        match cause {
            DeathCause::Full { ready, bytes, .. } => {
                full.extend(queue.settings.max_length.filter(|max| ready > max).map(|_| LengthLimit::Messages));
                full.extend(queue.settings.max_length_bytes.filter(|max| bytes > max).map(|_| LengthLimit::Bytes));
            }
            DeathCause::FullOnArrival => full.push(self.filled_with(id)),
            _ => {}
        }
        if death == Death::Expired && entry.stored.ttls.is_none() {
            entry.stored.ttls = self.ttls(id, entry.stored.expiration_ms);
        }
        if let Some(covered) = &mut self.covered {
            if before == 0 {
                covered.found.deaths.insert((name.clone(), death));
            }
            covered.found.full.extend(full.into_iter().map(|limit| (name.clone(), limit)));
        }
        true
    }

    /// Records that a death is dead-lettered.
    pub(crate) fn cover_dead_letter(&mut self, by: DeadLetteringId, death: Death) {
        let Some(covered) = &mut self.covered else { return };
        let Some(by) = self.dead_letterings.get_mut(by) else { return };
        let bit = 1 << death as u8;
        if by.covered & bit == 0 {
            by.covered |= bit;
            let vhost = self.vhosts.get(by.vhost).map(|vhost| vhost.name.clone()).unwrap_or_default();
            let queue = crate::model::QueueName { vhost, name: by.queue.clone() };
            covered.found.dead_letters.insert((queue, death));
        }
    }

    /// Records that a full queue takes nothing, and returns whether the reason is wanted.
    pub(crate) fn cover_full(&mut self, id: QueueId) -> bool {
        if self.sample(id, Site::Full as usize).is_none() {
            return self.insights;
        }
        let limit = self.filled_with(id);
        if let (Some(covered), Some(queue)) = (&mut self.covered, self.queues.get(id)) {
            covered.found.full.insert((queue.name.clone(), limit));
        }
        true
    }

    /// Returns what one message more would be too much by.
    fn filled_with(&self, id: QueueId) -> LengthLimit {
        let Some(queue) = self.queues.get(id) else { return LengthLimit::Messages };
        let ready = match &queue.contents {
            QueueContents::Classic(classic) => classic.ready(),
            QueueContents::Quorum(quorum) => quorum.counted().0,
            QueueContents::Stream(stream) => stream.counted(),
        };
        let by_number = queue.settings.max_length.is_some_and(|max| ready + 1 > max);
        if by_number || queue.settings.max_length_bytes.is_none() { LengthLimit::Messages } else { LengthLimit::Bytes }
    }

    pub(crate) fn cover_queue_expiry(&mut self, id: QueueId) {
        if let (Some(covered), Some(queue)) = (&mut self.covered, self.queues.get(id)) {
            covered.found.expired_queues.insert(queue.name.clone());
        }
    }
}

/// What a walk along the exchanges found.
#[derive(Default)]
struct RouteWalk {
    exchanges: Vec<ExchangeId>,
    bindings: Vec<Binding>,
    alternates: Vec<(Name, Name)>,
    /// Whether the headers of a message may lead it elsewhere.
    by_headers: bool,
}

impl RouteWalk {
    fn go_to(&mut self, exchange: ExchangeId) {
        if !self.exchanges.contains(&exchange) {
            self.exchanges.push(exchange);
        }
    }
}

fn any_key(keys: &Keys, fits: impl Fn(&str) -> bool) -> bool {
    fits(keys.first) || keys.further.iter().any(|key| fits(key))
}
