//! Where the dead letters of each queue go, as far as a file tells it.
//! Takes a topology's view; gives a way for each queue that dead-letters. Judges nothing.

use crate::foresee::lint::topic_keys::overlap;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Binding, DestinationKind, Name};
use std::collections::{BTreeMap, BTreeSet};

/// The way of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetterWay {
    /// The place of the queue in the view.
    pub from: usize,
    pub exchange: Name,
    /// The keys that the dead letters carry; `None` where the file does not tell.
    pub keys: Option<Vec<Name>>,
    /// The queues that get them.
    pub targets: BTreeSet<Name>,
    /// Keys for which no queue is found.
    pub lost: Vec<Name>,
    /// Where `keys` is absent: the binding keys by which messages come to the queue, if that is known.
    pub patterns: Vec<Name>,
    /// The queues that get some of what comes by these.
    pub maybe: BTreeSet<Name>,
}

/// The ways of all queues.
#[derive(Debug, Default)]
pub struct DeadLetterWays {
    pub all: Vec<DeadLetterWay>,
    /// Ways by the queue that they lead to, with its vhost.
    to: BTreeMap<(Name, Name), Vec<usize>>,
    /// The same of the queues that get some.
    maybe_to: BTreeMap<(Name, Name), Vec<usize>>,
    from: BTreeMap<usize, usize>,
}

impl DeadLetterWays {
    /// Follows the dead letters of every queue one step.
    pub fn of(view: &TopologyView<'_>) -> Self {
        let mut ways = Self::default();
        for (from, queue) in view.queues.iter().enumerate() {
            let Some(way) = way_of(from, queue, view) else { continue };
            let at = ways.all.len();
            for target in &way.targets {
                ways.to.entry((queue.queue.vhost.clone(), target.clone())).or_default().push(at);
            }
            for target in &way.maybe {
                ways.maybe_to.entry((queue.queue.vhost.clone(), target.clone())).or_default().push(at);
            }
            ways.from.insert(from, at);
            ways.all.push(way);
        }
        ways
    }

    /// Lists the ways that lead to a queue.
    pub fn to(&self, vhost: &str, queue: &str) -> impl Iterator<Item = &DeadLetterWay> {
        let at = self.to.get(&(vhost.into(), queue.into()));
        at.into_iter().flatten().map(|at| &self.all[*at])
    }

    /// Lists the ways that lead to a queue, or may lead there by some of the keys.
    pub fn perhaps_to(&self, vhost: &str, queue: &str) -> impl Iterator<Item = &DeadLetterWay> {
        let at = self.maybe_to.get(&(vhost.into(), queue.into()));
        self.to(vhost, queue).chain(at.into_iter().flatten().map(|at| &self.all[*at]))
    }

    /// Returns the way of a queue.
    pub fn from(&self, queue: usize) -> Option<&DeadLetterWay> {
        self.from.get(&queue).map(|at| &self.all[*at])
    }
}

fn way_of(from: usize, queue: &QueueView<'_>, view: &TopologyView<'_>) -> Option<DeadLetterWay> {
    let vhost = &*queue.queue.vhost;
    let exchange = queue.settings.dead_letter_exchange.clone()?;
    let kind = view.exchange_kind(vhost, &exchange)?;
    let own = queue.settings.dead_letter_routing_key.clone().map(|key| vec![key]);
    let keys = own.or_else(|| view.keys_to(queue.queue));
    let patterns = if keys.is_none() { view.binding_keys_to(queue.queue).unwrap_or_default() } else { Vec::new() };
    let mut way = DeadLetterWay {
        from,
        exchange: exchange.clone(),
        keys,
        targets: BTreeSet::new(),
        lost: Vec::new(),
        patterns,
        maybe: BTreeSet::new(),
    };
    // What is routed by headers, or by a plugin, is not known by its key.
    if kind == "headers" {
        return Some(way);
    }
    let any = [Name::default()];
    let asked: &[Name] = match &way.keys {
        _ if kind == "fanout" => &any,
        Some(keys) => keys,
        None => &[],
    };
    for key in asked {
        let reached = view.broker.queues_reached(vhost, &exchange, key, None);
        if reached.is_empty() {
            way.lost.push(key.clone());
        }
        way.targets.extend(reached);
    }
    if matches!(kind, "direct" | "topic") && !exchange.is_empty() {
        way.maybe = perhaps_reached(&way, vhost, view);
    }
    Some(way)
}

/// Lists the queues bound to the dead-letter exchange itself that get some of what comes by the binding keys.
fn perhaps_reached(way: &DeadLetterWay, vhost: &str, view: &TopologyView<'_>) -> BTreeSet<Name> {
    let bindings = view.bindings_from(vhost, &way.exchange).iter();
    let fits = |binding: &&&Binding| way.patterns.iter().any(|pattern| overlap(pattern, &binding.routing_key));
    let to_queues = bindings.filter(|binding| binding.destination_kind == DestinationKind::Queue).filter(fits);
    to_queues.map(|binding| binding.destination.clone()).filter(|name| !way.targets.contains(name)).collect()
}
