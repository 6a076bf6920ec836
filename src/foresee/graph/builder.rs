//! The graph of a vhost while it grows: every declared exchange and queue, bindings and alternates.
//! Takes what is in force from `effective`; gives each thing one node. Judges nothing.

use crate::foresee::effective::{EffectiveObject, SettingSource, of_exchange, of_queue};
use crate::foresee::graph::parts::{
    BindingTerms, EdgeKind, GraphEdge, GraphNode, GraphNodeKind, QueueBound, VhostGraph,
};
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{DestinationKind, Exchange, Millis, Name, Object, QueueKind};
use std::collections::BTreeMap;

/// The graph of one vhost, while it grows.
pub(super) struct GraphBuilder<'v> {
    pub view: &'v TopologyView<'v>,
    pub graph: VhostGraph,
    by_name: BTreeMap<(DestinationKind, Name), usize>,
    by_place: BTreeMap<(String, Name), usize>,
}

impl<'v> GraphBuilder<'v> {
    /// Adds what is declared in the vhost, its bindings and alternates.
    pub fn of(view: &'v TopologyView<'v>, vhost: Name) -> Self {
        let graph = VhostGraph { vhost, nodes: Vec::new(), edges: Vec::new() };
        let mut builder = Self { view, graph, by_name: BTreeMap::new(), by_place: BTreeMap::new() };
        builder.add_objects();
        builder.add_bindings();
        builder.add_alternates();
        builder
    }

    /// Names the vhost.
    pub fn vhost(&self) -> &Name {
        &self.graph.vhost
    }

    /// Adds what is declared; predeclared exchanges come when something leads there.
    fn add_objects(&mut self) {
        let (topology, vhost) = (self.view.topology, self.vhost().clone());
        for exchange in topology.exchanges.iter().filter(|it| it.vhost == vhost) {
            if !exchange.name.is_empty() && !exchange.name.starts_with("amq.") {
                self.exchange(&exchange.name);
            }
        }
        for queue in topology.queues.iter().filter(|it| it.vhost == vhost) {
            self.queue(&queue.name);
        }
    }

    fn add_bindings(&mut self) {
        let (topology, vhost) = (self.view.topology, self.vhost().clone());
        let mut by_ends: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for binding in topology.bindings.iter().filter(|it| it.vhost == vhost && !it.source.is_empty()) {
            let from = self.exchange(&binding.source);
            let to = match binding.destination_kind {
                DestinationKind::Queue => self.queue(&binding.destination),
                DestinationKind::Exchange => self.exchange(&binding.destination),
            };
            let edges = &mut self.graph.edges;
            let at = *by_ends.entry((from, to)).or_insert_with(|| {
                edges.push(GraphEdge::plain(from, to, EdgeKind::Bindings(Vec::new())));
                edges.len() - 1
            });
            if let EdgeKind::Bindings(all) = &mut edges[at].kind {
                all.push(BindingTerms { key: binding.routing_key.clone(), arguments: binding.arguments.clone() });
            }
            edges[at].objects.push(binding.object());
        }
    }

    fn add_alternates(&mut self) {
        for exchange in self.exchanges() {
            let effective = of_exchange(exchange, self.view);
            let Some((to, by)) = text_of(&effective, "alternate-exchange") else { continue };
            let (from, to) = (self.exchange(&exchange.name), self.exchange(&to));
            self.lead(from, to, EdgeKind::Alternate { by });
        }
    }

    /// Adds an edge that no binding makes.
    pub fn lead(&mut self, from: usize, to: usize, kind: EdgeKind) {
        self.graph.edges.push(GraphEdge::plain(from, to, kind));
    }

    /// Lists the declared exchanges of the vhost.
    pub fn exchanges(&self) -> Vec<&'v Exchange> {
        self.view.topology.exchanges.iter().filter(|it| it.vhost == *self.vhost()).collect()
    }

    /// Returns the node of an exchange, adding it where it is not there yet.
    pub fn exchange(&mut self, name: &Name) -> usize {
        let declared = self.view.exchanges.get(&(self.vhost().as_str(), name.as_str()));
        let objects = declared.map(|exchange| exchange.object()).into_iter().collect();
        let kind = match self.view.exchange_kind(self.vhost(), name) {
            Some(kind) => GraphNodeKind::Exchange { kind: kind.into() },
            None => GraphNodeKind::MissingExchange,
        };
        self.node(DestinationKind::Exchange, name, kind, objects)
    }

    /// Returns the node of a queue, adding it where it is not there yet.
    pub fn queue(&mut self, name: &Name) -> usize {
        let view = self.view;
        let (kind, objects): (GraphNodeKind, Vec<Object>) = match view.queue(self.vhost(), name) {
            Some(queue) => {
                (GraphNodeKind::Queue { kind: queue.kind, bounds: bounds(queue, view) }, vec![queue.queue.object()])
            }
            None => (GraphNodeKind::MissingQueue, Vec::new()),
        };
        self.node(DestinationKind::Queue, name, kind, objects)
    }

    fn node(&mut self, what: DestinationKind, name: &Name, kind: GraphNodeKind, objects: Vec<Object>) -> usize {
        let nodes = &mut self.graph.nodes;
        *self.by_name.entry((what, name.clone())).or_insert_with(|| {
            nodes.push(GraphNode { name: name.clone(), kind, objects, mark: None });
            nodes.len() - 1
        })
    }

    /// Returns the node of what is elsewhere.
    pub fn remote(&mut self, name: &Name, place: &str) -> usize {
        let nodes = &mut self.graph.nodes;
        *self.by_place.entry((place.to_owned(), name.clone())).or_insert_with(|| {
            let kind = GraphNodeKind::Remote { place: place.to_owned() };
            nodes.push(GraphNode { name: name.clone(), kind, objects: Vec::new(), mark: None });
            nodes.len() - 1
        })
    }
}

/// Returns the text of a setting in force, and what sets it.
pub(super) fn text_of(object: &EffectiveObject, key: &str) -> Option<(Name, SettingSource)> {
    let setting = object.settings.iter().find(|setting| setting.key == key)?;
    Some((setting.value.as_str()?.into(), setting.from.clone()))
}

/// Returns what sets a key that is in force.
pub(super) fn source_of(object: &EffectiveObject, key: &str) -> Option<SettingSource> {
    object.settings.iter().find(|setting| setting.key == key).map(|setting| setting.from.clone())
}

fn bounds(queue: &QueueView<'_>, view: &TopologyView<'_>) -> Vec<QueueBound> {
    let settings = &queue.settings;
    let mut bounds = Vec::new();
    bounds.extend(settings.message_ttl_ms.map(|ttl| QueueBound::Ttl(Millis(ttl))));
    bounds.extend(settings.max_length.map(QueueBound::Length));
    bounds.extend(settings.max_length_bytes.map(QueueBound::Bytes));
    // The version's own limit holds for all queues of the type: it is told where it sends messages on.
    let limit_by = || source_of(&of_queue(queue, view), "delivery-limit");
    let limit = settings.delivery_limit.filter(|_| limit_by().is_some_and(|by| by != SettingSource::VersionDefault));
    bounds.extend(limit.map(QueueBound::Deliveries));
    bounds.extend(settings.expires_ms.map(|expires| QueueBound::Expires(Millis(expires))));
    let single = queue.queue.arguments.get("x-single-active-consumer");
    if queue.kind != QueueKind::Stream && single == Some(&crate::model::Value::Bool(true)) {
        bounds.push(QueueBound::SingleActiveConsumer);
    }
    bounds
}
