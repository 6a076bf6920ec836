//! The ways that deletions take from what stays: queues whose dead letters, and exchanges whose unroutable messages, come to
//! no queue any more. Takes the deletions of a plan with both topologies; gives each its risk. Never deletes.

use crate::model::{Binding, DestinationKind, Exchange, Name, Object, Queue, QueueKind, Topology, Value};
use crate::plan::diff::effective_policy::Policies;
use crate::plan::diff::wiring::predeclared_type;
use crate::plan::held_after::held_once;
use crate::plan::{Change, ChangeKind, Observed, Risk};
use crate::rules::topic_matches;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// How many exchanges a message is followed through.
const EXCHANGES_MAX: usize = 8;

/// Judges the deletions of a plan together: what of it leaves dead letters or unroutable messages of what stays without a queue
/// that they came to before. `desired` is what will be declared; `changes` are deletions alone.
pub(crate) fn judge_ways(changes: &mut [Change], desired: &Topology, observed: &Observed) {
    let cuts = |change: &Change| {
        let is_way = matches!(change.object, Object::Exchange { .. } | Object::Queue { .. } | Object::Binding { .. });
        is_way && matches!(change.kind, ChangeKind::Delete { .. })
    };
    if !changes.iter().any(cuts) {
        return;
    }
    let held = held_once(desired, observed, changes, &[]);
    let policies = Policies::new(observed.version, &held.policies, &held.operator_policies);
    let (before, after) = (Wiring::of(&observed.topology, &policies), Wiring::of(&held, &policies));
    let mut lost: BTreeMap<Object, String> = BTreeMap::new();
    for (way, senders) in senders(&held, &policies) {
        for (object, what) in way.lost(&before, &after) {
            lost.entry(object).or_insert_with(|| senders.text(&what));
        }
    }
    for (object, text) in of_policies(&held) {
        lost.entry(object).or_insert(text);
    }
    for change in changes.iter_mut().filter(|change| cuts(change)) {
        let Some(sent) = lost.get(&change.object) else { continue };
        let risk = Risk::of_rights(format!("{} goes, and {sent}", change.object), "routed", "lost");
        change.risk = Some(risk.join(change.risk.take()));
    }
}

/// Where something sends its messages: an exchange, and the routing key where it is always the same.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MessageWay {
    vhost: Name,
    exchange: Name,
    key: Option<Name>,
}

/// Who sends messages on one way: the first of them by name.
struct WaySenders {
    first: Object,
    more: usize,
}

impl WaySenders {
    /// Says what becomes of the messages.
    fn text(&self, lost: &LostWay) -> String {
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        let (who, ending) = match &self.first {
            Object::Exchange { .. } => (format!("what {}{more} cannot route", self.first), "s"),
            queue => (format!("dead letters of {queue}{more}"), ""),
        };
        match lost {
            LostWay::ToIt => format!("{who} go{} to it", if ending.is_empty() { "" } else { "es" }),
            LostWay::Nowhere { exchange, key } => {
                let key = key.as_ref().map(|key| format!(" with the key '{key}'")).unwrap_or_default();
                format!("{who}{key} come{ending} to no queue then (exchange '{exchange}')")
            }
        }
    }
}

/// How messages lose their way.
#[derive(Debug, Clone)]
enum LostWay {
    /// They are sent to what goes.
    ToIt,
    /// The exchange stays, and leads nowhere for them any more.
    Nowhere { exchange: Name, key: Option<Name> },
}

/// Lists what sends messages of its own accord, by the policies that will be in force.
fn senders(held: &Topology, policies: &Policies<'_>) -> BTreeMap<MessageWay, WaySenders> {
    let mut senders: BTreeMap<MessageWay, WaySenders> = BTreeMap::new();
    let mut add = |vhost: &Name, exchange: Name, key: Option<Name>, sender: Object| {
        let way = MessageWay { vhost: vhost.clone(), exchange, key };
        let known = senders.entry(way).and_modify(|known| known.more += 1);
        let known = known.or_insert_with(|| WaySenders { first: sender.clone(), more: 0 });
        if sender < known.first {
            known.first = sender;
        }
    };
    for queue in held.queues.iter().filter(|queue| queue.kind() != QueueKind::Stream) {
        if let Some((exchange, key)) = dead_letters_of(queue, policies) {
            add(&queue.vhost, exchange, key, queue.object());
        }
    }
    for exchange in &held.exchanges {
        if let Some(alternate) = alternate_of(exchange, policies) {
            add(&exchange.vhost, alternate, None, exchange.object());
        }
    }
    senders
}

fn dead_letters_of(queue: &Queue, policies: &Policies<'_>) -> Option<(Name, Option<Name>)> {
    let values = policies.on(queue).values;
    let text = |key: &str| values.get(key).and_then(Json::as_str).map(Name::from);
    Some((text("dead-letter-exchange")?, text("dead-letter-routing-key")))
}

fn alternate_of(exchange: &Exchange, policies: &Policies<'_>) -> Option<Name> {
    match exchange.arguments.get("alternate-exchange") {
        Some(own) => Value::as_text(own).map(Name::from),
        None => policies.alternate_of(exchange)?.1?.as_str().map(Name::from),
    }
}

/// Lists the exchanges that policies name which stay, be there a queue for them by now or not.
fn of_policies(held: &Topology) -> Vec<(Object, String)> {
    let mut named = Vec::new();
    for policy in &held.policies {
        for key in ["dead-letter-exchange", "alternate-exchange"] {
            let Some(name) = policy.definition.get(key).and_then(Json::as_str) else { continue };
            let exchange = Object::Exchange { vhost: policy.vhost.clone(), name: name.into() };
            named.push((exchange, format!("policy '{}' sends messages to it", policy.name)));
        }
    }
    named
}

impl MessageWay {
    /// Lists what is taken from the way, and how its messages lose it.
    fn lost(&self, before: &Wiring<'_>, after: &Wiring<'_>) -> Vec<(Object, LostWay)> {
        let MessageWay { vhost, exchange, key } = self;
        if exchange.is_empty() {
            let Some(name) = key.as_ref().filter(|name| before.has_queue(vhost, name)) else { return Vec::new() };
            let is_gone = !after.has_queue(vhost, name);
            let queue = Object::Queue { vhost: vhost.clone(), name: name.clone() };
            return is_gone.then_some((queue, LostWay::ToIt)).into_iter().collect();
        }
        let Some(kind) = before.kind(vhost, exchange) else { return Vec::new() };
        if after.kind(vhost, exchange).is_none() {
            let exchange = Object::Exchange { vhost: vhost.clone(), name: exchange.clone() };
            return vec![(exchange, LostWay::ToIt)];
        }
        let nowhere = |key: &Name| LostWay::Nowhere {
            exchange: exchange.clone(),
            key: matches!(kind, "direct" | "topic").then(|| key.clone()),
        };
        let mut parts = Vec::new();
        let leading = |binding: &&&Binding| before.leads(binding, key.as_ref(), EXCHANGES_MAX);
        match key {
            Some(key) if !after.takes(vhost, exchange, Some(key), EXCHANGES_MAX) => {
                let taking = before.from(vhost, exchange).iter().filter(|one| accepts(kind, one, Some(key)));
                taking.filter(leading).for_each(|one| before.parts_of(one, &nowhere(key), EXCHANGES_MAX, &mut parts));
            }
            Some(_) => {}
            None => {
                let caught = after.alternate(vhost, exchange);
                if caught.is_some_and(|alternate| after.takes(vhost, alternate, None, EXCHANGES_MAX)) {
                    return parts;
                }
                let staying = after.from(vhost, exchange);
                let is_kept = |old: &Binding| {
                    let covers = staying.iter().filter(|new| covers(kind, new, old));
                    covers.into_iter().any(|new| after.leads(new, None, EXCHANGES_MAX))
                };
                let gone = before.from(vhost, exchange).iter().filter(leading).filter(|old| !is_kept(old));
                gone.for_each(|old| before.parts_of(old, &nowhere(&old.routing_key), EXCHANGES_MAX, &mut parts));
            }
        }
        parts
    }
}

/// Returns whether a binding takes messages of that key; of one that is not known it may.
fn accepts(kind: &str, binding: &Binding, key: Option<&Name>) -> bool {
    match (kind, key) {
        ("direct", Some(key)) => binding.routing_key == *key,
        ("topic", Some(key)) => topic_matches(&binding.routing_key, key),
        _ => true,
    }
}

/// Returns whether a binding takes all that another one of the same exchange takes, as far as that is plain to see.
fn covers(kind: &str, one: &Binding, other: &Binding) -> bool {
    let is_plain = |key: &str| !key.split('.').any(|word| matches!(word, "*" | "#"));
    match kind {
        "fanout" => true,
        "topic" => {
            let (wide, key) = (&one.routing_key, &other.routing_key);
            wide == key || wide == "#" || (is_plain(key) && topic_matches(wide, key))
        }
        "headers" => one.arguments == other.arguments,
        "x-consistent-hash" | "x-random" | "x-modulus-hash" => true,
        _ => one.routing_key == other.routing_key,
    }
}

/// Queues, exchanges and bindings of a topology, for quick look-ups.
struct Wiring<'a> {
    queues: BTreeSet<(&'a Name, &'a Name)>,
    exchanges: ByVhost<'a, &'a str>,
    alternates: ByVhost<'a, Name>,
    bindings: ByVhost<'a, Vec<&'a Binding>>,
}

/// What is known of the exchanges of each vhost.
type ByVhost<'a, T> = BTreeMap<&'a Name, BTreeMap<&'a Name, T>>;

impl<'a> Wiring<'a> {
    fn of(topology: &'a Topology, policies: &Policies<'_>) -> Self {
        let mut wiring = Self {
            queues: topology.queues.iter().map(|it| (&it.vhost, &it.name)).collect(),
            exchanges: BTreeMap::new(),
            alternates: BTreeMap::new(),
            bindings: BTreeMap::new(),
        };
        for binding in &topology.bindings {
            let of_vhost = wiring.bindings.entry(&binding.vhost).or_default();
            of_vhost.entry(&binding.source).or_default().push(binding);
        }
        for exchange in &topology.exchanges {
            wiring.exchanges.entry(&exchange.vhost).or_default().insert(&exchange.name, exchange.kind.as_str());
            if let Some(alternate) = alternate_of(exchange, policies) {
                wiring.alternates.entry(&exchange.vhost).or_default().insert(&exchange.name, alternate);
            }
        }
        wiring
    }

    fn has_queue(&self, vhost: &Name, name: &Name) -> bool {
        self.queues.contains(&(vhost, name))
    }

    /// Returns the type of an exchange that is there.
    fn kind(&self, vhost: &Name, name: &Name) -> Option<&'a str> {
        let known = self.exchanges.get(vhost).and_then(|of_vhost| of_vhost.get(name));
        known.copied().or_else(|| predeclared_type(name))
    }

    fn alternate(&self, vhost: &Name, name: &Name) -> Option<&Name> {
        self.alternates.get(vhost)?.get(name)
    }

    fn from(&self, vhost: &Name, exchange: &Name) -> &[&'a Binding] {
        let of_vhost = self.bindings.get(vhost);
        of_vhost.and_then(|of_vhost| of_vhost.get(exchange)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether a message of that key comes from an exchange to a queue, or may.
    fn takes(&self, vhost: &Name, exchange: &Name, key: Option<&Name>, exchanges_max: usize) -> bool {
        if exchange.is_empty() {
            return key.is_none_or(|key| self.has_queue(vhost, key));
        }
        let Some(kind) = self.kind(vhost, exchange).filter(|_| exchanges_max > 0) else { return false };
        let mut taking = self.from(vhost, exchange).iter().filter(|binding| accepts(kind, binding, key));
        taking.any(|binding| self.leads(binding, key, exchanges_max))
            || self.alternate(vhost, exchange).is_some_and(|it| self.takes(vhost, it, key, exchanges_max - 1))
    }

    /// Returns whether what a binding takes comes to a queue, or may.
    fn leads(&self, binding: &Binding, key: Option<&Name>, exchanges_max: usize) -> bool {
        let (vhost, name) = (&binding.vhost, &binding.destination);
        match binding.destination_kind {
            DestinationKind::Queue => self.has_queue(vhost, name),
            DestinationKind::Exchange => self.takes(vhost, name, key, exchanges_max.saturating_sub(1)),
        }
    }

    /// Lists all that a way by a binding is made of, as far as it comes.
    fn parts_of(&self, binding: &Binding, what: &LostWay, exchanges_max: usize, parts: &mut Vec<(Object, LostWay)>) {
        parts.push((binding.object(), what.clone()));
        let (vhost, name) = (binding.vhost.clone(), binding.destination.clone());
        match binding.destination_kind {
            DestinationKind::Queue => parts.push((Object::Queue { vhost, name }, what.clone())),
            DestinationKind::Exchange if exchanges_max > 0 => {
                for next in self.from(&vhost, &name) {
                    self.parts_of(next, what, exchanges_max - 1, parts);
                }
                parts.push((Object::Exchange { vhost, name }, what.clone()));
            }
            DestinationKind::Exchange => {}
        }
    }
}
