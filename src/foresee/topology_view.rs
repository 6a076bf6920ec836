//! A topology as its questions need it: objects by name, bindings by their ends, what is in effect on each queue, and a
//! broker that can be asked for ways. Takes a topology and versions; judges nothing.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{
    Binding, DestinationKind, Exchange, Name, Object, Origins, Policy, Profile, Queue, QueueKind, Topology, Value,
};
use crate::rules::{
    Differences, EffectivePolicies, PoliciesInForce, QueueSettings, differences, queue_settings, type_of_new_queue,
};
use crate::sim::Sim;
use crate::source::Span;
use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;

/// Names an object within its vhost.
type Named<'t> = (&'t str, &'t str);

/// What is looked up by a name, quickly: large topologies are asked often.
type ByName<'t, V> = IndexMap<Named<'t>, V, FxBuildHasher>;

/// The same as a name, for a question that does not live as long as the topology.
#[derive(Hash)]
struct AskedName<'a>(&'a str, &'a str);

impl Equivalent<Named<'_>> for AskedName<'_> {
    fn equivalent(&self, key: &Named<'_>) -> bool {
        (self.0, self.1) == *key
    }
}

/// The policies of a topology by the rules of one version.
pub struct VersionView<'t> {
    pub profile: Profile,
    pub rules: &'static Differences,
    pub policies: EffectivePolicies<&'t Policy>,
}

/// A queue with what is in effect on it.
pub struct QueueView<'t> {
    pub queue: &'t Queue,
    pub kind: QueueKind,
    pub in_force: PoliciesInForce<'t>,
    pub settings: QueueSettings,
}

/// A topology, seen by the newest of the versions that it is judged for.
pub struct TopologyView<'t> {
    pub topology: &'t Topology,
    pub origins: &'t Origins,
    /// Oldest first; never empty.
    pub versions: &'t [VersionView<'t>],
    pub queues: Vec<QueueView<'t>>,
    pub exchanges: BTreeMap<Named<'t>, &'t Exchange>,
    /// By source.
    leading_from: ByName<'t, Vec<&'t Binding>>,
    /// By destination.
    leading_to_queues: ByName<'t, Vec<&'t Binding>>,
    leading_to_exchanges: ByName<'t, Vec<&'t Binding>>,
    by_name: ByName<'t, usize>,
    /// Routes as the topology says.
    pub broker: Sim,
}

/// Compiles the policies of a topology for versions.
pub fn versions<'t>(topology: &'t Topology, profiles: &[Profile]) -> Vec<VersionView<'t>> {
    let profiles = if profiles.is_empty() { Profile::ALL.as_slice() } else { profiles };
    let of = |profile: &Profile| VersionView {
        profile: *profile,
        rules: differences(*profile),
        policies: EffectivePolicies::new(differences(*profile), &topology.policies, &topology.operator_policies),
    };
    profiles.iter().map(of).collect()
}

/// Returns the type of queues that name none, by vhost.
pub fn default_type(topology: &Topology, vhost: &str) -> Option<QueueKind> {
    let vhost = topology.vhosts.iter().find(|known| *known.name == *vhost)?;
    vhost.default_queue_type.as_deref().and_then(QueueKind::named)
}

impl<'t> VersionView<'t> {
    /// Returns what is in effect on a queue.
    pub fn queue<'v>(&'v self, queue: &'v Queue, default: Option<QueueKind>) -> QueueView<'v> {
        let kind = type_of_new_queue(queue, default, self.rules);
        let in_force = self.policies.on_queue(&queue.vhost, &queue.name, kind);
        let settings = queue_settings(&queue.arguments, &in_force.definition(), kind, self.rules);
        QueueView { queue, kind, in_force, settings }
    }
}

impl<'t> TopologyView<'t> {
    /// Looks at a topology; `versions` must not be empty.
    pub fn new(topology: &'t Topology, origins: &'t Origins, versions: &'t [VersionView<'t>]) -> Option<Self> {
        let newest = versions.last()?;
        let defaults: BTreeMap<&str, Option<QueueKind>> =
            topology.vhosts.iter().map(|vhost| (&*vhost.name, default_type(topology, &vhost.name))).collect();
        let default = |vhost: &str| defaults.get(vhost).copied().flatten();
        let mut leading_from: ByName<'t, Vec<&'t Binding>> = ByName::default();
        let (mut leading_to_queues, mut leading_to_exchanges) = (leading_from.clone(), leading_from.clone());
        for binding in &topology.bindings {
            leading_from.entry((&*binding.vhost, &*binding.source)).or_default().push(binding);
            let leading_to = match binding.destination_kind {
                DestinationKind::Queue => &mut leading_to_queues,
                DestinationKind::Exchange => &mut leading_to_exchanges,
            };
            leading_to.entry((&*binding.vhost, &*binding.destination)).or_default().push(binding);
        }
        let named = topology.queues.iter().enumerate();
        Some(Self {
            topology,
            origins,
            versions,
            queues: topology.queues.iter().map(|queue| newest.queue(queue, default(&queue.vhost))).collect(),
            exchanges: topology.exchanges.iter().map(|it| ((&*it.vhost, &*it.name), it)).collect(),
            leading_from,
            leading_to_queues,
            leading_to_exchanges,
            by_name: named.map(|(at, queue)| ((&*queue.vhost, &*queue.name), at)).collect(),
            broker: Sim::routing(newest.profile, topology),
        })
    }

    /// Returns the rules of the newest version.
    pub fn newest(&self) -> &'t VersionView<'t> {
        &self.versions[self.versions.len() - 1]
    }

    /// Returns a queue by its name.
    pub fn queue(&self, vhost: &str, name: &str) -> Option<&QueueView<'t>> {
        self.by_name.get(&(vhost, name)).map(|at| &self.queues[*at])
    }

    /// Returns the place of a queue among `queues`.
    pub fn position(&self, vhost: &str, name: &str) -> Option<usize> {
        self.by_name.get(&(vhost, name)).copied()
    }

    /// Returns the type of an exchange; every vhost has the predeclared ones.
    pub fn exchange_kind(&self, vhost: &str, name: &str) -> Option<&'t str> {
        match name {
            "" | "amq.direct" => Some("direct"),
            "amq.fanout" => Some("fanout"),
            "amq.topic" | "amq.rabbitmq.trace" | "amq.rabbitmq.event" => Some("topic"),
            "amq.headers" | "amq.match" => Some("headers"),
            _ => self.exchanges.get(&(vhost, name)).map(|exchange| &*exchange.kind),
        }
    }

    /// Returns the bindings of an exchange.
    pub fn bindings_from(&self, vhost: &str, exchange: &str) -> &[&'t Binding] {
        self.leading_from.get(&AskedName(vhost, exchange)).map_or(&[], Vec::as_slice)
    }

    /// Returns the bindings that lead to a queue.
    pub fn bindings_to(&self, queue: &Queue) -> &[&'t Binding] {
        self.leading_to_queues.get(&AskedName(&queue.vhost, &queue.name)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether some binding leads to an object.
    pub fn is_bound_to(&self, kind: DestinationKind, vhost: &Name, name: &Name) -> bool {
        let leading_to = match kind {
            DestinationKind::Queue => &self.leading_to_queues,
            DestinationKind::Exchange => &self.leading_to_exchanges,
        };
        leading_to.contains_key(&AskedName(vhost, name))
    }

    /// Returns the keys by which messages come to a queue; `None` where a binding takes any.
    pub fn keys_to(&self, queue: &Queue) -> Option<Vec<Name>> {
        let bindings = self.bindings_to(queue);
        if bindings.is_empty() {
            return Some(vec![queue.name.clone()]);
        }
        let is_of_wildcards = |key: &str| key.split('.').any(|word| matches!(word, "*" | "#"));
        let mut keys = Vec::new();
        for binding in bindings {
            match self.exchange_kind(&binding.vhost, &binding.source)? {
                "direct" => keys.push(binding.routing_key.clone()),
                "topic" if !is_of_wildcards(&binding.routing_key) => keys.push(binding.routing_key.clone()),
                _ => return None,
            }
        }
        keys.sort();
        keys.dedup();
        Some(keys)
    }

    /// Returns the binding keys by which messages come to a queue, wildcards and all; `None` where a binding takes any.
    pub fn binding_keys_to(&self, queue: &Queue) -> Option<Vec<Name>> {
        let is_of_wildcards = |key: &str| key.split('.').any(|word| matches!(word, "*" | "#"));
        let mut keys = Vec::new();
        for binding in self.bindings_to(queue) {
            match self.exchange_kind(&binding.vhost, &binding.source)? {
                "topic" => keys.push(binding.routing_key.clone()),
                "direct" if !is_of_wildcards(&binding.routing_key) => keys.push(binding.routing_key.clone()),
                _ => return None,
            }
        }
        keys.sort();
        keys.dedup();
        Some(keys)
    }

    /// Returns whether messages are kept from being lost by the exchange's alternate.
    pub fn has_alternate(&self, vhost: &str, exchange: &str) -> bool {
        let Some(declared) = self.exchanges.get(&(vhost, exchange)) else { return false };
        if declared.arguments.contains_key("alternate-exchange") {
            return true;
        }
        let policy = self.newest().policies.on_exchange(vhost, &declared.name);
        policy.is_some_and(|policy| policy.definition.contains_key("alternate-exchange"))
    }

    /// Returns the alternate of an exchange: its own, or a policy's.
    pub fn alternate_of(&self, exchange: &Exchange) -> Option<Name> {
        if let Some(own) = exchange.arguments.get("alternate-exchange") {
            return Value::as_text(own).map(Name::from);
        }
        let policy = self.newest().policies.on_exchange(&exchange.vhost, &exchange.name)?;
        policy.definition.get("alternate-exchange")?.as_str().map(Name::from)
    }

    /// Returns where a field of an object stands, or the object.
    pub fn field(&self, object: &Object, keys: &[&str]) -> Option<Span> {
        field(self.origins, object, keys)
    }

    /// Returns where a setting of a queue is made: among its own keys, or in a policy that it is under.
    pub fn place_of(&self, view: &QueueView<'_>, key: &str) -> Option<Span> {
        if view.queue.arguments.contains_key(&format!("x-{key}")) {
            let typed = key.replace('-', "_");
            let short = if key.starts_with("dead-letter") { "dead_letter" } else { &typed };
            return self.field(&view.queue.object(), &[short, &typed, "arguments", "retry"]);
        }
        let holds = |policy: Option<&Policy>| policy.is_some_and(|policy| policy.definition.contains_key(key));
        let (policy, operator) = match view.in_force {
            PoliciesInForce { user: Some(policy), .. } if holds(Some(policy)) => (policy, false),
            PoliciesInForce { operator: Some(policy), .. } if holds(Some(policy)) => (policy, true),
            _ => return self.field(&view.queue.object(), &["name"]),
        };
        self.field(&policy.object(operator), &["definition"])
    }
}

impl QueueView<'_> {
    /// Returns the text of a setting, from the queue's own arguments or else from a policy.
    pub fn text(&self, key: &str) -> Option<String> {
        let own = self.own(key).and_then(Value::as_text);
        own.or_else(|| self.in_force.text(key)).map(str::to_owned)
    }

    /// Returns one of the queue's own arguments by its name without `x-`.
    fn own(&self, key: &str) -> Option<&Value> {
        self.queue.arguments.iter().find(|(name, _)| name.strip_prefix("x-") == Some(key)).map(|(_, value)| value)
    }

    /// Returns whether a setting is made at all.
    pub fn sets(&self, key: &str) -> bool {
        self.own(key).is_some() || self.in_force.sets(key)
    }

    /// Names the queue.
    pub fn name(&self) -> &str {
        &self.queue.name
    }
}

/// Returns where a field of an object stands, or the line that names the object.
pub fn field(origins: &Origins, object: &Object, keys: &[&str]) -> Option<Span> {
    let origin = origins.get(object)?;
    let named = ["name", "source", "destination", "user", "pattern"];
    let all = keys.iter().chain(&named);
    Some(all.into_iter().find_map(|key| origin.field(key)).unwrap_or(origin.whole))
}
