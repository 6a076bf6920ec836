//! Where the dead letters of each queue go, as far as a file tells it.
//! Takes a topology's view; gives a way for each queue that dead-letters. Judges nothing.

use crate::foresee::lint::topic_keys::{TopicKeyIndex, covers, overlap};
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Binding, DestinationKind, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The way of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetterWay {
    /// The place of the queue in the view.
    pub from: usize,
    pub exchange: Name,
    /// The keys that the dead letters carry; `None` where the file does not tell.
    pub keys: Option<Vec<Name>>,
    /// Where `keys` is absent: the binding keys by which messages come to the queue, if that is known.
    pub patterns: Vec<Name>,
    reach: Rc<DeadLetterLead>,
}

/// Where an exchange leads by some keys; many queues may share it.
#[derive(Debug, Default)]
struct DeadLetterLead {
    targets: BTreeSet<Name>,
    lost: Vec<Name>,
    maybe: BTreeSet<Name>,
    /// The first binding key of the queue with which no binding of the exchange overlaps.
    unmet: Option<Name>,
    /// The first one that none covers.
    uncovered: Option<Name>,
}

/// Names what decides where dead letters go: vhost, exchange, keys, binding keys.
type LeadKey = (Name, Name, Option<Vec<Name>>, Vec<Name>);

/// The ways of all queues.
#[derive(Debug, Default)]
pub struct DeadLetterWays {
    pub all: Vec<DeadLetterWay>,
    from: BTreeMap<usize, usize>,
    /// By what they lead to, with its vhost: the shared reaches.
    to: BTreeMap<(Name, Name), Vec<usize>>,
    /// The same of the queues that get some.
    maybe_to: BTreeMap<(Name, Name), Vec<usize>>,
    /// The ways that share a reach.
    sharing: Vec<Vec<usize>>,
    /// The keys by which dead-letter exchanges are bound, where patterns are compared with them.
    indexes: BTreeMap<(Name, Name), TopicKeyIndex>,
}

impl DeadLetterWay {
    /// Returns the queues that get the dead letters.
    pub fn targets(&self) -> &BTreeSet<Name> {
        &self.reach.targets
    }

    /// Returns the keys for which no queue is found.
    pub fn lost(&self) -> &[Name] {
        &self.reach.lost
    }

    /// Returns the binding key whose messages find no queue, if there is one.
    pub fn unmet(&self) -> Option<&Name> {
        self.reach.unmet.as_ref()
    }

    /// Returns the binding key of whose messages some may find no queue.
    pub fn uncovered(&self) -> Option<&Name> {
        self.reach.uncovered.as_ref()
    }
}

impl DeadLetterWays {
    /// Follows the dead letters of every queue one step.
    pub fn of(view: &TopologyView<'_>) -> Self {
        let mut ways = Self::default();
        let mut known: BTreeMap<LeadKey, (usize, Rc<DeadLetterLead>)> = BTreeMap::new();
        for (from, queue) in view.queues.iter().enumerate() {
            let Some((key, kind)) = asked_by(queue, view) else { continue };
            let (shared, reach) = match known.get(&key) {
                Some((shared, reach)) => (*shared, reach.clone()),
                None => {
                    let shared = ways.sharing.len();
                    let reach = Rc::new(ways.reach_of(&key, kind, view));
                    ways.lead_to(&queue.queue.vhost, &reach, shared);
                    known.insert(key.clone(), (shared, reach.clone()));
                    (shared, reach)
                }
            };
            let at = ways.all.len();
            ways.sharing[shared].push(at);
            ways.from.insert(from, at);
            let (_, exchange, keys, patterns) = key;
            ways.all.push(DeadLetterWay { from, exchange, keys, patterns, reach });
        }
        ways
    }

    /// Lists the bindings of an exchange that take some of what comes by a binding key.
    pub fn overlapping<'v>(
        &mut self,
        vhost: &Name,
        exchange: &Name,
        pattern: &str,
        view: &TopologyView<'v>,
    ) -> Vec<&'v Binding> {
        let bindings = view.bindings_from(vhost, exchange);
        let index = self.indexes.entry((vhost.clone(), exchange.clone())).or_insert_with(|| {
            let mut index = TopicKeyIndex::default();
            bindings.iter().enumerate().for_each(|(at, binding)| index.insert(&binding.routing_key, at));
            index
        });
        let candidates = index.candidates(pattern).into_iter().map(|at| bindings[at]);
        candidates.filter(|binding| overlap(pattern, &binding.routing_key)).collect()
    }

    fn reach_of(
        &mut self,
        (vhost, exchange, keys, patterns): &LeadKey,
        kind: &str,
        view: &TopologyView<'_>,
    ) -> DeadLetterLead {
        let mut reach = DeadLetterLead::default();
        // What is routed by headers, or by a plugin, is not known by its key.
        if kind == "headers" {
            return reach;
        }
        let any = [Name::default()];
        let asked: &[Name] = match keys {
            _ if kind == "fanout" => &any,
            Some(keys) => keys,
            None => &[],
        };
        for key in asked {
            let reached = view.broker.queues_reached(vhost, exchange, key, None);
            if reached.is_empty() {
                reach.lost.push(key.clone());
            }
            reach.targets.extend(reached);
        }
        if !matches!(kind, "direct" | "topic") || exchange.is_empty() {
            return reach;
        }
        for pattern in patterns {
            let taking = self.overlapping(vhost, exchange, pattern, view);
            let covered = taking.iter().any(|binding| covers(&binding.routing_key, pattern));
            reach.uncovered = reach.uncovered.or_else(|| (!covered).then(|| pattern.clone()));
            reach.unmet = reach.unmet.or_else(|| taking.is_empty().then(|| pattern.clone()));
            let to_queues = taking.into_iter().filter(|it| it.destination_kind == DestinationKind::Queue);
            reach.maybe.extend(to_queues.map(|binding| binding.destination.clone()));
        }
        reach.maybe.retain(|name| !reach.targets.contains(name));
        reach
    }

    fn lead_to(&mut self, vhost: &Name, reach: &DeadLetterLead, shared: usize) {
        self.sharing.push(Vec::new());
        for target in &reach.targets {
            self.to.entry((vhost.clone(), target.clone())).or_default().push(shared);
        }
        for target in &reach.maybe {
            self.maybe_to.entry((vhost.clone(), target.clone())).or_default().push(shared);
        }
    }

    /// Lists the ways that lead to a queue.
    pub fn to(&self, vhost: &str, queue: &str) -> impl Iterator<Item = &DeadLetterWay> {
        self.sharing_in(self.to.get(&(vhost.into(), queue.into())))
    }

    /// Lists the ways that lead to a queue, or may lead there by some of the keys.
    pub fn perhaps_to(&self, vhost: &str, queue: &str) -> impl Iterator<Item = &DeadLetterWay> {
        self.to(vhost, queue).chain(self.sharing_in(self.maybe_to.get(&(vhost.into(), queue.into()))))
    }

    fn sharing_in<'w>(&'w self, shared: Option<&'w Vec<usize>>) -> impl Iterator<Item = &'w DeadLetterWay> {
        shared.into_iter().flatten().flat_map(|shared| &self.sharing[*shared]).map(|at| &self.all[*at])
    }

    /// Returns the way of a queue.
    pub fn from(&self, queue: usize) -> Option<&DeadLetterWay> {
        self.from.get(&queue).map(|at| &self.all[*at])
    }
}

/// Returns what decides where a queue's dead letters go, and the type of the exchange.
fn asked_by<'v>(queue: &QueueView<'_>, view: &TopologyView<'v>) -> Option<(LeadKey, &'v str)> {
    let vhost = &queue.queue.vhost;
    let exchange = queue.settings.dead_letter_exchange.clone()?;
    let kind = view.exchange_kind(vhost, &exchange)?;
    let own = queue.settings.dead_letter_routing_key.clone().map(|key| vec![key]);
    let keys = own.or_else(|| view.keys_to(queue.queue));
    let patterns = if keys.is_none() { view.binding_keys_to(queue.queue).unwrap_or_default() } else { Vec::new() };
    Some(((vhost.clone(), exchange, keys, patterns), kind))
}
