//! What a plan does to a topology, as marks: what the broker will hold when it is applied, and what goes from it.
//! Takes desired and observed topology with the plan; gives the topology that is drawn, and marks its graph. Plans nothing.

use crate::foresee::graph::parts::{
    EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, TopologyGraph, VhostGraph,
};
use crate::model::{Binding, DestinationKind, Name, Object, Topology};
use crate::plan::{ChangeKind, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Puts two topologies together; what both declare is as the first has it.
pub fn joined(first: &Topology, second: &Topology) -> Topology {
    let mut all = first.clone();
    macro_rules! join {
        ($($list:ident: $object:expr;)*) => { $({
            let known: BTreeSet<Object> = all.$list.iter().map($object).collect();
            all.$list.extend(second.$list.iter().filter(|it| !known.contains(&$object(*it))).cloned());
        })* };
    }
    join! {
        vhosts: |it: &crate::model::Vhost| it.object();
        exchanges: |it: &crate::model::Exchange| it.object();
        queues: |it: &crate::model::Queue| it.object();
        bindings: |it: &Binding| it.object();
        policies: |it: &crate::model::Policy| it.object(false);
        operator_policies: |it: &crate::model::Policy| it.object(true);
        parameters: |it: &crate::model::Parameter| it.object();
    }
    all
}

/// Returns what a broker holds in the vhosts of the desired topology when a plan is carried out: also what is beside it.
pub fn as_planned(desired: &Topology, observed: &Topology, plan: &Plan) -> Topology {
    let vhosts = desired.vhost_names();
    let goes: BTreeSet<&Object> = plan.deleted().map(|change| &change.object).collect();
    let mut stays = only_vhosts(observed, &vhosts);
    stays.exchanges.retain(|it| !goes.contains(&it.object()));
    stays.queues.retain(|it| !goes.contains(&it.object()));
    stays.policies.retain(|it| !goes.contains(&it.object(false)));
    stays.operator_policies.retain(|it| !goes.contains(&it.object(true)));
    stays.parameters.retain(|it| !goes.contains(&it.object()));
    // Bindings go with their ends.
    let end_goes = |it: &Binding, name: &Name, kind: DestinationKind| {
        let (vhost, name) = (it.vhost.clone(), name.clone());
        goes.contains(&match kind {
            DestinationKind::Queue => Object::Queue { vhost, name },
            DestinationKind::Exchange => Object::Exchange { vhost, name },
        })
    };
    stays.bindings.retain(|it| {
        let is_cut =
            end_goes(it, &it.source, DestinationKind::Exchange) || end_goes(it, &it.destination, it.destination_kind);
        !is_cut && !goes.contains(&it.object())
    });
    joined(desired, &stays)
}

/// Returns what a topology holds in some vhosts.
pub fn only_vhosts(topology: &Topology, vhosts: &[Name]) -> Topology {
    let mut part = topology.clone();
    let is_of = |vhost: &Name| vhosts.contains(vhost);
    part.vhosts.retain(|it| is_of(&it.name));
    part.exchanges.retain(|it| is_of(&it.vhost));
    part.queues.retain(|it| is_of(&it.vhost));
    part.bindings.retain(|it| is_of(&it.vhost));
    part.policies.retain(|it| is_of(&it.vhost));
    part.operator_policies.retain(|it| is_of(&it.vhost));
    part.parameters.retain(|it| is_of(&it.vhost));
    part
}

/// Marks in the graph of what will be held what a plan changes, and adds what goes; `before` is the graph of what is held.
/// What only the broker holds is left out, unless something of the plan leads there or comes from it.
pub fn mark_planned(after: TopologyGraph, before: &TopologyGraph, plan: &Plan, desired: &Topology) -> TopologyGraph {
    let marks: BTreeMap<&Object, GraphMark> = plan.changes.iter().map(|it| (&it.object, mark_of(&it.kind))).collect();
    let declared: BTreeSet<Object> =
        (desired.exchanges.iter().map(|it| it.object())).chain(desired.queues.iter().map(|it| it.object())).collect();
    let none = |vhost: &Name| VhostGraph { vhost: vhost.clone(), nodes: Vec::new(), edges: Vec::new() };
    let mut vhosts = after.vhosts;
    let gone = before.vhosts.iter().filter(|it| !vhosts.iter().any(|known| known.vhost == it.vhost));
    let gone: Vec<VhostGraph> = gone.map(|it| none(&it.vhost)).collect();
    vhosts.extend(gone);
    let marked = vhosts.into_iter().map(|graph| {
        let held = before.vhosts.iter().find(|it| it.vhost == graph.vhost).cloned();
        let held = held.unwrap_or_else(|| none(&graph.vhost));
        without_strangers(with_marks(graph, &held, &marks), &declared)
    });
    let vhosts = marked.filter(|graph| !graph.nodes.is_empty()).collect();
    TopologyGraph { profile: after.profile, vhosts }
}

fn mark_of(kind: &ChangeKind) -> GraphMark {
    match kind {
        ChangeKind::Create { .. } => GraphMark::Created,
        ChangeKind::Update { .. } => GraphMark::Changed,
        ChangeKind::Replace { .. } => GraphMark::Replaced,
        ChangeKind::Delete { .. } => GraphMark::Deleted,
    }
}

/// Returns the mark of what stands for several objects.
fn of_objects(objects: &[Object], marks: &BTreeMap<&Object, GraphMark>) -> Option<GraphMark> {
    let of_each: BTreeSet<Option<GraphMark>> = objects.iter().map(|object| marks.get(object).copied()).collect();
    match Vec::from_iter(of_each).as_slice() {
        [] | [None] => None,
        [Some(one)] => Some(*one),
        several if several.contains(&Some(GraphMark::Replaced)) => Some(GraphMark::Replaced),
        _ => Some(GraphMark::Changed),
    }
}

/// Tells a node from all others of its vhost.
type NodeKey = (u8, Name, String);

fn key_of(node: &GraphNode) -> NodeKey {
    let (kind, place) = match &node.kind {
        GraphNodeKind::Exchange { .. } | GraphNodeKind::MissingExchange => (0, String::new()),
        GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue => (1, String::new()),
        GraphNodeKind::Ladder { .. } => (2, String::new()),
        GraphNodeKind::Remote { place } => (3, place.clone()),
    };
    (kind, node.name.clone(), place)
}

/// Tells an edge from all others of its vhost.
type EdgeKey = (NodeKey, NodeKey, u8, Name);

fn edge_key(edge: &GraphEdge, graph: &VhostGraph) -> EdgeKey {
    let (kind, name) = match &edge.kind {
        EdgeKind::Bindings(_) => (0, Name::default()),
        EdgeKind::DeadLetters { .. } => (1, Name::default()),
        EdgeKind::Alternate { .. } => (2, Name::default()),
        EdgeKind::Ladder(flow) => (3 + *flow as u8, Name::default()),
        EdgeKind::Link { name, .. } => (5, name.clone()),
    };
    (key_of(&graph.nodes[edge.from]), key_of(&graph.nodes[edge.to]), kind, name)
}

fn with_marks(mut graph: VhostGraph, held: &VhostGraph, marks: &BTreeMap<&Object, GraphMark>) -> VhostGraph {
    let held_nodes: BTreeMap<NodeKey, &GraphNode> = held.nodes.iter().map(|it| (key_of(it), it)).collect();
    let held_edges: BTreeMap<EdgeKey, &GraphEdge> = held.edges.iter().map(|it| (edge_key(it, held), it)).collect();
    for node in &mut graph.nodes {
        let known = held_nodes.get(&key_of(node));
        // What policies do to a queue is no change of its own.
        let is_other = known.is_some_and(|known| known.kind != node.kind && !known.kind.is_missing());
        node.mark = of_objects(&node.objects, marks).or(is_other.then_some(GraphMark::Changed));
    }
    let mut edges = std::mem::take(&mut graph.edges);
    for edge in &mut edges {
        edge.mark = match (&edge.kind, held_edges.get(&edge_key(edge, &graph))) {
            (EdgeKind::Bindings(_), _) => of_objects(&edge.objects, marks),
            (_, None) => Some(GraphMark::Created),
            (kind, Some(known)) => (known.kind != *kind).then_some(GraphMark::Changed),
        };
    }
    let there: BTreeSet<EdgeKey> = edges.iter().map(|edge| edge_key(edge, &graph)).collect();
    let mut places: BTreeMap<NodeKey, usize> =
        graph.nodes.iter().enumerate().map(|(at, node)| (key_of(node), at)).collect();
    for node in &held.nodes {
        if of_objects(&node.objects, marks) == Some(GraphMark::Deleted) && !places.contains_key(&key_of(node)) {
            places.insert(key_of(node), graph.nodes.len());
            graph.nodes.push(GraphNode { mark: Some(GraphMark::Deleted), ..node.clone() });
        }
    }
    for edge in &held.edges {
        let key = edge_key(edge, held);
        let (Some(from), Some(to)) = (places.get(&key.0).copied(), places.get(&key.1).copied()) else { continue };
        let mark = Some(GraphMark::Deleted);
        let gone = gone_from(edge, marks, [&graph.nodes[from], &graph.nodes[to]]);
        if let (Some(kind), false) = (gone, there.contains(&key) && !matches!(edge.kind, EdgeKind::Bindings(_))) {
            edges.push(GraphEdge { from, to, kind, objects: Vec::new(), mark });
        }
    }
    VhostGraph { edges, ..graph }
}

/// Returns what goes of an edge that was held: of bindings those that are deleted, or all with one of the ends.
fn gone_from(edge: &GraphEdge, marks: &BTreeMap<&Object, GraphMark>, ends: [&GraphNode; 2]) -> Option<EdgeKind> {
    let EdgeKind::Bindings(all) = &edge.kind else { return Some(edge.kind.clone()) };
    let end_goes = ends.iter().any(|end| end.mark == Some(GraphMark::Deleted));
    let goes = |object: &Object| end_goes || marks.get(object) == Some(&GraphMark::Deleted);
    let gone = std::iter::zip(all, &edge.objects).filter(|(_, object)| goes(object)).map(|(terms, _)| terms.clone());
    let gone: Vec<_> = gone.collect();
    (!gone.is_empty()).then_some(EdgeKind::Bindings(gone))
}

/// Leaves out what no file declares, no plan changes, and nothing of either leads to or from.
fn without_strangers(graph: VhostGraph, declared: &BTreeSet<Object>) -> VhostGraph {
    let is_own = |node: &GraphNode| {
        node.mark.is_some() || node.objects.is_empty() || node.objects.iter().any(|object| declared.contains(object))
    };
    let own: Vec<bool> = graph.nodes.iter().map(is_own).collect();
    let declares = |at: usize| graph.nodes[at].mark.is_some() || own[at] && !graph.nodes[at].objects.is_empty();
    let mut stays: Vec<bool> = (0..graph.nodes.len()).map(declares).collect();
    for edge in &graph.edges {
        if edge.mark.is_some() || declares(edge.from) || declares(edge.to) {
            (stays[edge.from], stays[edge.to]) = (true, true);
        }
    }
    let mut places: Vec<Option<usize>> = Vec::new();
    let mut nodes = Vec::new();
    for (node, stays) in std::iter::zip(graph.nodes, stays) {
        places.push(stays.then_some(nodes.len()));
        nodes.extend(stays.then_some(node));
    }
    let edges = graph
        .edges
        .into_iter()
        .filter_map(|edge| Some(GraphEdge { from: places[edge.from]?, to: places[edge.to]?, ..edge }));
    VhostGraph { vhost: graph.vhost, edges: edges.collect(), nodes }
}
