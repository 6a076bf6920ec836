//! What there is to exercise in a topology, by the rules of one version.
//! A wait queue of a retry ladder counts as a rung only; the default delivery limit of RabbitMQ 4 does not count.

use crate::broker::Death;
use crate::foresee::coverage::coverable::{Coverable, QueueLimit};
use crate::foresee::coverage::ladders::retry_rungs;
use crate::foresee::topology_view::{QueueView, VersionView, default_type, field};
use crate::model::{Name, Object, Origins, Queue, QueueKind, QueueName, Topology};
use crate::rules::{Access, Overflow, topic_matches};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What can be exercised, each with its place in a file.
pub type Inventory = BTreeMap<Coverable, Span>;

/// Lists what there is to exercise; what has no place in a file is left out.
pub fn inventory(topology: &Topology, origins: &Origins, version: &VersionView<'_>) -> Inventory {
    let mut listing = Listing { topology, origins, version, all: Inventory::new(), folded: BTreeSet::new() };
    listing.rungs();
    listing.queues();
    listing.bindings();
    listing.policies();
    listing.rights();
    listing.all
}

struct Listing<'t> {
    topology: &'t Topology,
    origins: &'t Origins,
    version: &'t VersionView<'t>,
    all: Inventory,
    /// What ladders declare: it counts as rungs.
    folded: BTreeSet<Object>,
}

impl<'t> Listing<'t> {
    fn add(&mut self, item: Coverable, place: Option<Span>) {
        if let Some(place) = place {
            self.all.entry(item).or_insert(place);
        }
    }

    fn place(&self, object: &Object, keys: &[&str]) -> Option<Span> {
        field(self.origins, object, keys)
    }

    fn rungs(&mut self) {
        for rung in retry_rungs(self.topology) {
            // A rung stands where the ladder is declared.
            let place = self.origins.get(&rung.waiting.object()).map(|origin| origin.whole);
            let by = rung.waiting.name.clone();
            self.add(Coverable::Retry { queue: rung.work.id(), by, parks: rung.parks }, place);
            if !rung.parks {
                self.folded.insert(rung.waiting.object());
            }
            let Some((exchange, key)) = rung.through else { continue };
            let leads = self.topology.bindings.iter().filter(|binding| {
                binding.vhost == rung.work.vhost && binding.source == exchange && binding.routing_key == key
            });
            self.folded.extend(leads.map(|binding| binding.object()));
        }
    }

    fn queues(&mut self) {
        for queue in &self.topology.queues {
            if self.folded.contains(&queue.object()) {
                continue;
            }
            self.add(Coverable::Queue(queue.id()), self.place(&queue.object(), &["name"]));
            let view = self.version.queue(queue, default_type(self.topology, &queue.vhost));
            if view.kind != QueueKind::Stream {
                self.limits(queue, &view);
                self.dead_letters(queue, &view);
            }
        }
    }

    fn limits(&mut self, queue: &Queue, view: &QueueView<'_>) {
        let settings = &view.settings;
        let limits = [
            (QueueLimit::Length, settings.max_length.is_some()),
            (QueueLimit::Bytes, settings.max_length_bytes.is_some()),
            (QueueLimit::Delivery, has_delivery_limit(view)),
            (QueueLimit::MessageTtl, settings.message_ttl_ms.is_some()),
            (QueueLimit::Expires, settings.expires_ms.is_some()),
        ];
        for (limit, _) in limits.into_iter().filter(|(_, is_set)| *is_set) {
            let place = self.place_of_setting(view, &[limit.as_str()]);
            self.add(Coverable::Limit(queue.id(), limit), place);
        }
    }

    fn dead_letters(&mut self, queue: &Queue, view: &QueueView<'_>) {
        for death in deaths(self.topology, self.version, view) {
            let place = self.place_of_setting(view, &["dead-letter-exchange"]);
            self.add(Coverable::DeadLetter(queue.id(), death), place);
        }
    }

    /// Returns where a setting is made: among the queue's own keys, or in the policy that it is under.
    fn place_of_setting(&self, view: &QueueView<'_>, keys: &[&str]) -> Option<Span> {
        let own = keys.iter().find(|key| view.queue.arguments.contains_key(&format!("x-{key}")));
        if let Some(key) = own {
            let typed = key.replace('-', "_");
            let short = if key.starts_with("dead-letter") { "dead_letter" } else { &typed };
            return self.place(&view.queue.object(), &[short, &typed, "retry", "arguments"]);
        }
        let holds = |policy: &&crate::model::Policy| keys.iter().any(|key| policy.definition.contains_key(*key));
        let user = view.in_force.user.filter(holds).map(|policy| policy.object(false));
        let operator = || view.in_force.operator.filter(holds).map(|policy| policy.object(true));
        match user.or_else(operator) {
            Some(policy) => self.place(&policy, &["definition"]),
            None => self.place(&view.queue.object(), &["name"]),
        }
    }

    fn bindings(&mut self) {
        for binding in &self.topology.bindings {
            let object = binding.object();
            if !self.folded.contains(&object) {
                let place = self.place(&object, &["routing_key", "source"]);
                self.add(Coverable::Binding(object), place);
            }
        }
    }

    fn policies(&mut self) {
        for (list, operator) in [(&self.topology.policies, false), (&self.topology.operator_policies, true)] {
            for policy in list {
                let place = self.place(&policy.object(operator), &["name"]);
                let (vhost, name) = (policy.vhost.clone(), policy.name.clone());
                self.add(Coverable::Policy { vhost, name, operator }, place);
            }
        }
    }

    fn rights(&mut self) {
        for row in &self.topology.permissions {
            for right in [Access::Configure, Access::Write, Access::Read] {
                let place = self.place(&row.object(), &[right.as_str(), "permissions"]);
                let (user, vhost) = (row.user.clone(), row.vhost.clone());
                self.add(Coverable::Right { user, vhost, exchange: None, right: right.as_str() }, place);
            }
        }
        for row in &self.topology.topic_permissions {
            for right in [Access::Write, Access::Read] {
                let place = self.place(&row.object(), &[right.as_str(), "topic_permissions"]);
                let (user, vhost, exchange) = (row.user.clone(), row.vhost.clone(), Some(row.exchange.clone()));
                self.add(Coverable::Right { user, vhost, exchange, right: right.as_str() }, place);
            }
        }
    }
}

/// Returns whether somebody set a delivery limit, and it holds.
fn has_delivery_limit(view: &QueueView<'_>) -> bool {
    view.settings.delivery_limit.is_some() && view.sets("delivery-limit")
}

/// Lists the ways in which messages of a queue become dead letters.
fn deaths(topology: &Topology, version: &VersionView<'_>, view: &QueueView<'_>) -> Vec<Death> {
    let settings = &view.settings;
    if settings.dead_letter_exchange.is_none() {
        return Vec::new();
    }
    let waits = settings.message_ttl_ms.is_some() && leads_round(topology, version, view);
    let limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
    let drops = match settings.overflow {
        Overflow::DropHead => true,
        Overflow::RejectPublish => false,
        Overflow::RejectPublishDlx => view.kind == QueueKind::Classic,
    };
    let ways = [
        // Nobody consumes from a queue that messages only wait in.
        (Death::Rejected, !waits),
        (Death::Expired, settings.message_ttl_ms.is_some()),
        (Death::MaxLen, limited && drops),
        (Death::DeliveryLimit, has_delivery_limit(view)),
    ];
    ways.into_iter().filter(|(_, is_there)| *is_there).map(|(death, _)| death).collect()
}

/// How many queues are followed to find out whether dead letters come back.
const FOLLOWED_MAX: usize = 50;

/// Returns whether the dead letters of a queue come to queues where messages may stay longer, and from there back to it: work,
/// wait, work.
fn leads_round(topology: &Topology, version: &VersionView<'_>, view: &QueueView<'_>) -> bool {
    let own = view.settings.message_ttl_ms;
    let (mut comes_back, mut has_longer) = (false, false);
    let mut known: Vec<QueueName> = next_of(topology, version, view.queue);
    let mut at = 0;
    while let Some(name) = known.get(at).filter(|_| at < FOLLOWED_MAX).cloned() {
        at += 1;
        if name == view.queue.id() {
            comes_back = at > 1;
            continue;
        }
        let Some(queue) = topology.queue(&name.vhost, &name.name) else { continue };
        let ttl = version.queue(queue, default_type(topology, &queue.vhost)).settings.message_ttl_ms;
        has_longer |= ttl.is_none() || ttl > own;
        for next in next_of(topology, version, queue) {
            if !known.contains(&next) {
                known.push(next);
            }
        }
    }
    comes_back && has_longer
}

/// Lists the queues that dead letters of a queue may come to in one step.
fn next_of(topology: &Topology, version: &VersionView<'_>, queue: &Queue) -> Vec<QueueName> {
    let view = version.queue(queue, default_type(topology, &queue.vhost));
    let Some(exchange) = &view.settings.dead_letter_exchange else { return Vec::new() };
    let key = view.settings.dead_letter_routing_key.as_ref();
    let id = |name: &Name| QueueName { vhost: queue.vhost.clone(), name: name.clone() };
    if exchange.is_empty() {
        return vec![id(key.unwrap_or(&queue.name))];
    }
    let declared = topology.exchanges.iter().find(|it| it.vhost == queue.vhost && it.name == *exchange);
    let kind = declared.map_or("direct", |it| &*it.kind);
    let leads = topology.bindings.iter().filter(|binding| {
        let fits = |key: &Name| match kind {
            "direct" => binding.routing_key == *key,
            "topic" => topic_matches(&binding.routing_key, key),
            _ => true,
        };
        binding.vhost == queue.vhost && binding.source == *exchange && key.is_none_or(fits)
    });
    leads.map(|binding| id(&binding.destination)).collect()
}
