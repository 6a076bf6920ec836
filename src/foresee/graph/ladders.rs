//! Retry ladders as one node: the wait queues of one queue, with the exchange that leads to nothing else.
//! Takes the graph of a vhost; gives it back with each ladder folded. Never folds what serves anything else.

use crate::foresee::graph::parts::{EdgeKind, GraphEdge, GraphNode, GraphNodeKind, LadderFlow, LadderRung, VhostGraph};
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{DestinationKind, Millis, Name, Object};
use std::collections::{BTreeMap, BTreeSet};

/// A ladder that was found.
struct FoundLadder {
    /// The queue whose messages wait here.
    of: Name,
    /// The exchange that leads to the wait queues; without one they are published to by name.
    exchange: Option<Name>,
    rungs: Vec<(Name, Millis)>,
}

/// Folds the ladders of a vhost.
pub(super) fn fold(graph: VhostGraph, view: &TopologyView<'_>) -> VhostGraph {
    let ladders = find(&graph.vhost, view);
    if ladders.is_empty() {
        return graph;
    }
    let at = |kind: DestinationKind, name: &Name| {
        let is_kind = |node: &GraphNode| match kind {
            DestinationKind::Queue => matches!(node.kind, GraphNodeKind::Queue { .. }),
            DestinationKind::Exchange => matches!(node.kind, GraphNodeKind::Exchange { .. }),
        };
        graph.nodes.iter().position(|node| node.name == *name && is_kind(node))
    };
    let mut folded: BTreeMap<usize, usize> = BTreeMap::new();
    let mut flows: Vec<(usize, usize, LadderFlow)> = Vec::new();
    let mut nodes = graph.nodes.clone();
    for ladder in &ladders {
        let rungs = ladder.rungs.iter().filter_map(|(name, _)| at(DestinationKind::Queue, name));
        let exchange = ladder.exchange.as_ref().and_then(|name| at(DestinationKind::Exchange, name));
        let members: Vec<usize> = exchange.into_iter().chain(rungs).collect();
        let (Some(first), Some(of)) = (members.first().copied(), at(DestinationKind::Queue, &ladder.of)) else {
            continue;
        };
        let objects: Vec<Object> = members.iter().flat_map(|at| graph.nodes[*at].objects.clone()).collect();
        let rung =
            |(queue, delay): &(Name, Millis)| LadderRung { queue: queue.clone(), delay: *delay, is_unused: false };
        let mut rungs: Vec<LadderRung> = ladder.rungs.iter().map(rung).collect();
        rungs.sort_by_key(|rung| rung.delay);
        let name = ladder.exchange.clone().unwrap_or_else(|| ladder.of.clone());
        // So the language calls the exchange that a consumer's action `retry` publishes to.
        let is_climbed = ladder.exchange.as_deref() == Some(format!("{}.retry", ladder.of).as_str());
        nodes[first] =
            GraphNode { name, kind: GraphNodeKind::Ladder { of: ladder.of.clone(), rungs }, objects, mark: None };
        folded.extend(members.iter().map(|member| (*member, first)));
        flows.extend(is_climbed.then_some((of, first, LadderFlow::Up)));
        flows.push((first, of, LadderFlow::Back));
    }
    refold(VhostGraph { nodes, ..graph }, &folded, &flows)
}

/// Leads all edges to the folded nodes, and drops the nodes that went into them.
fn refold(graph: VhostGraph, folded: &BTreeMap<usize, usize>, flows: &[(usize, usize, LadderFlow)]) -> VhostGraph {
    let stays: Vec<usize> = (0..graph.nodes.len()).filter(|at| folded.get(at).is_none_or(|to| to == at)).collect();
    let moved: BTreeMap<usize, usize> = stays.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let place = |at: usize| moved[folded.get(&at).unwrap_or(&at)];
    let ladders: BTreeSet<usize> = folded.values().map(|at| place(*at)).collect();
    let mut edges: Vec<GraphEdge> = Vec::new();
    for edge in graph.edges {
        let (from, to) = (place(edge.from), place(edge.to));
        // Inside of a ladder, and back from it: the flows stand for these.
        let is_back = ladders.contains(&from) && matches!(edge.kind, EdgeKind::DeadLetters { .. });
        if !is_back && (from != to || edge.from == edge.to) {
            edges.push(GraphEdge { from, to, ..edge });
        }
    }
    let flow = |(from, to, flow): &(usize, usize, LadderFlow)| {
        GraphEdge::plain(place(*from), place(*to), EdgeKind::Ladder(*flow))
    };
    edges.extend(flows.iter().map(flow));
    let nodes = stays.into_iter().map(|at| graph.nodes[at].clone()).collect();
    VhostGraph { vhost: graph.vhost, nodes, edges }
}

/// Finds wait queues by what they do: messages expire there and go back to one queue by its name.
fn find(vhost: &Name, view: &TopologyView<'_>) -> Vec<FoundLadder> {
    let mut by_queue: BTreeMap<Name, Vec<&QueueView<'_>>> = BTreeMap::new();
    for queue in view.queues.iter().filter(|queue| queue.queue.vhost == *vhost) {
        let goes_back = queue.settings.dead_letter_exchange.as_deref() == Some("");
        let of = queue.settings.dead_letter_routing_key.as_ref().filter(|_| goes_back);
        let of = of.filter(|of| **of != queue.queue.name && queue.settings.message_ttl_ms.is_some());
        if let Some(of) = of.filter(|of| view.queue(vhost, of).is_some()) {
            by_queue.entry(of.clone()).or_default().push(queue);
        }
    }
    let mut found: Vec<FoundLadder> = Vec::new();
    for (of, waiting) in by_queue {
        let mut by_exchange: BTreeMap<Option<Name>, Vec<(Name, Millis)>> = BTreeMap::new();
        for queue in waiting {
            let sources: BTreeSet<&Name> = view.bindings_to(queue.queue).iter().map(|it| &it.source).collect();
            let rung = (queue.queue.name.clone(), Millis(queue.settings.message_ttl_ms.unwrap_or(0)));
            match Vec::from_iter(sources).as_slice() {
                [] => by_exchange.entry(None).or_default().push(rung),
                [one] => by_exchange.entry(Some((*one).clone())).or_default().push(rung),
                _ => {}
            }
        }
        let ladder = |(exchange, rungs): (Option<Name>, Vec<(Name, Millis)>)| {
            let serves = match &exchange {
                Some(exchange) => {
                    let is_several = rungs.len() > 1 || exchange.starts_with(&format!("{of}."));
                    is_several && leads_nowhere_else(vhost, exchange, (&of, &rungs), view)
                }
                None => rungs.len() > 1 && !rungs.iter().any(|(rung, _)| gets_dead_letters(vhost, rung, view)),
            };
            serves.then(|| FoundLadder { of: of.clone(), exchange, rungs })
        };
        found.extend(by_exchange.into_iter().filter_map(ladder));
    }
    found
}

/// Returns whether an exchange is of a ladder alone: beside the rungs it leads to one queue at most, where messages park.
fn leads_nowhere_else(
    vhost: &str,
    exchange: &Name,
    (of, rungs): (&Name, &[(Name, Millis)]),
    view: &TopologyView<'_>,
) -> bool {
    let is_rung = |name: &Name| rungs.iter().any(|(rung, _)| rung == name);
    let bindings = view.bindings_from(vhost, exchange);
    let others: BTreeSet<&Name> = bindings.iter().map(|it| &it.destination).filter(|name| !is_rung(name)).collect();
    let to_queues = bindings.iter().all(|it| it.destination_kind == DestinationKind::Queue);
    let is_direct = view.exchange_kind(vhost, exchange) == Some("direct") && !exchange.starts_with("amq.");
    is_direct && to_queues && others.len() <= 1 && !others.contains(of)
}

/// Returns whether a queue is where another one's dead letters go: then it is a step of its own.
fn gets_dead_letters(vhost: &str, name: &Name, view: &TopologyView<'_>) -> bool {
    view.queues.iter().any(|queue| {
        queue.queue.vhost == *vhost
            && queue.settings.dead_letter_exchange.as_deref() == Some("")
            && queue.settings.dead_letter_routing_key.as_ref() == Some(name)
    })
}
