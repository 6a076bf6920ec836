//! Exchange types of plugins: bindings that they check, chance, and histories that they replay (PX-1 to PX-3).

use crate::broker::{Refusal, RouteHop, RoutedBy, code};
use crate::model::{Name, Value};
use crate::rules::{ModulusOrder, check_local_random_binding, hash_weight};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, ExchangeId, Index, QueueId};
use crate::sim::state::exchange::{Exchange, RecentHistory, Router, routed_as};
use crate::sim::state::queued_message::Stored;
use crate::sim::state::refusal::{connection_error, precondition_failed};

impl Sim {
    /// Checks a binding as the source's type does.
    pub(crate) fn check_binding_of_plugin(
        &self,
        source: ExchangeId,
        destination: BindingDestination,
        key: &Name,
    ) -> Result<(), Refusal> {
        let Some(exchange) = self.exchanges.get(source) else { return Ok(()) };
        let checked = match (&exchange.router, routed_as(&exchange.declared)) {
            (Router::ConsistentHash(_), _) => hash_weight(key, self.rules).map(|_| ()),
            (_, "x-local-random") => {
                let kind = match destination {
                    BindingDestination::Queue(queue) => self.queues.get(queue).map(|queue| queue.kind),
                    BindingDestination::Exchange(_) => None,
                };
                check_local_random_binding(key, kind)
            }
            _ => Ok(()),
        };
        checked.map_err(precondition_failed)
    }

    /// Puts the bindings of an `x-modulus-hash` exchange into the order in which the version counts them.
    pub(crate) fn order_bindings(&mut self, id: ExchangeId) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        if !matches!(exchange.router, Router::ModulusHash(_)) || self.rules.modulus_order == ModulusOrder::Creation {
            return;
        }
        let ordered = self.in_order(exchange);
        if let Some(Exchange { router: Router::ModulusHash(all), .. }) = self.exchanges.get_mut(id) {
            *all = ordered.into_iter().map(|(destination, _)| destination).collect();
        }
    }

    /// Lists the bindings of an exchange as RabbitMQ sorts them: by key and destination, or by destination alone.
    fn in_order(&self, exchange: &Exchange) -> Vec<(BindingDestination, Name)> {
        let name = |destination: BindingDestination| match destination {
            BindingDestination::Exchange(id) => (0, self.exchanges.get(id).map(|other| other.declared.name.clone())),
            BindingDestination::Queue(id) => (1, self.queues.get(id).map(|queue| queue.name.name.clone())),
        };
        let by_key = self.rules.modulus_order != ModulusOrder::Destination;
        let each = exchange.bindings.iter().flat_map(|(at, tables)| tables.iter().map(move |_| at));
        let mut sorted: Vec<_> = each
            .map(|(destination, key)| (by_key.then(|| key.clone()), name(*destination), (*destination, key.clone())))
            .collect();
        sorted.sort();
        sorted.into_iter().map(|(_, _, binding)| binding).collect()
    }

    /// Makes the rings anew as a restart does: from the bindings, those of the smallest keys first.
    pub(crate) fn make_rings_anew(&mut self) {
        let is_hash = |exchange: &Exchange| matches!(exchange.router, Router::ConsistentHash(_));
        let hashing: Vec<ExchangeId> =
            self.exchanges.iter().filter(|(_, exchange)| is_hash(exchange)).map(|(id, _)| id).collect();
        for id in hashing {
            let Some(exchange) = self.exchanges.get(id) else { continue };
            let (mut ordered, rules) = (self.in_order(exchange), self.rules);
            // Whatever order a modulus has, this one is by key.
            ordered.sort_by(|(_, one), (_, other)| one.cmp(other));
            if let Some(Exchange { router: Router::ConsistentHash(ring), .. }) = self.exchanges.get_mut(id) {
                if !rules.hash_ring_is_kept {
                    ring.clear();
                }
                for (destination, key) in ordered {
                    ring.add(destination, hash_weight(&key, rules).unwrap_or(1));
                }
            }
        }
    }

    /// Draws one of so many for the publish at hand: the same however often it is asked.
    pub(crate) fn drawn(&self, id: ExchangeId, of: usize) -> usize {
        let mut mixed = self.chance ^ (id.place() as u64) << 48;
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb_u64] {
            mixed = (mixed ^ mixed >> 29).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(factor);
        }
        ((mixed ^ mixed >> 31) % of.max(1) as u64) as usize
    }

    /// Keeps a message in the history of an exchange, unless it says otherwise.
    pub(crate) fn keep_in_history(&mut self, id: ExchangeId, stored: &Stored) {
        if stored.headers().and_then(|headers| headers.get("x-recent-history-no-store")) == Some(&Value::Bool(true)) {
            return;
        }
        let Some(Exchange { router: Router::RecentHistory(history), .. }) = self.exchanges.get_mut(id) else { return };
        let RecentHistory { kept, length, .. } = history;
        kept.push_back(Box::new(stored.clone()));
        if kept.len() > *length {
            kept.pop_front();
        }
    }

    /// Sends what an exchange keeps through a new binding.
    ///
    /// # Errors
    /// Where another exchange has no queue for it.
    pub(crate) fn replay_history(
        &mut self,
        source: ExchangeId,
        destination: BindingDestination,
    ) -> Result<(), Refusal> {
        let Some(Exchange { router: Router::RecentHistory(history), declared, .. }) = self.exchanges.get(source) else {
            return Ok(());
        };
        let from = declared.name.clone();
        let mut kept: Vec<Box<Stored>> = history.kept.iter().cloned().collect();
        if let BindingDestination::Exchange(_) = destination {
            // The newest goes first there.
            kept.reverse();
        }
        for stored in kept {
            match destination {
                BindingDestination::Queue(queue) => {
                    self.targets.clear();
                    self.targets.push(queue);
                }
                BindingDestination::Exchange(exchange) => self.route(exchange, &stored),
            }
            if self.targets.is_empty() {
                let refusal = connection_error(code::INTERNAL_ERROR, "could not find queue/exchange ''");
                return Err(match self.rules.failed_replay_undoes_binding {
                    true => Refusal { text: "INTERNAL_ERROR".into(), ..refusal },
                    false => refusal,
                });
            }
            let targets = std::mem::take(&mut self.targets);
            if self.insights {
                let hop = |queue: &QueueId| {
                    let to = self.queues.get(*queue)?.name.name.clone();
                    Some((*queue, vec![RouteHop { exchange: from.clone(), to, by: RoutedBy::History }]))
                };
                self.ways = targets.iter().filter_map(hop).collect();
            }
            for queue in &targets {
                self.enqueue(*queue, stored.clone(), None);
            }
            self.targets = targets;
        }
        Ok(())
    }
}
