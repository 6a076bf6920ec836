//! What scenarios exercised, as marks: what a message came through, and what none did.
//! Takes the simulator's record; marks a graph by it. Plays nothing.

use crate::broker::Exercised;
use crate::foresee::graph::parts::{
    EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, TopologyGraph, VhostGraph,
};
use crate::model::{Name, Object, QueueName};

/// Marks each part as used or not.
pub fn mark_exercised(graph: &mut TopologyGraph, exercised: &Exercised) {
    for vhost in &mut graph.vhosts {
        let edges: Vec<bool> = vhost.edges.iter().map(|edge| is_edge_used(edge, vhost, exercised)).collect();
        let queues: Vec<bool> = vhost.nodes.iter().map(|node| is_queue_used(node, exercised)).collect();
        // An exchange was used when anything came to it or went on from it.
        let mut nodes = queues;
        for (edge, _) in std::iter::zip(&vhost.edges, &edges).filter(|(_, used)| **used) {
            (nodes[edge.from], nodes[edge.to]) = (true, true);
        }
        for (node, _) in std::iter::zip(&mut vhost.nodes, &nodes).filter(|(_, used)| **used) {
            mark_rungs(node, &vhost.vhost, exercised);
        }
        let mark = |used: bool| Some(if used { GraphMark::Used } else { GraphMark::Unused });
        std::iter::zip(&mut vhost.nodes, nodes).for_each(|(node, used)| node.mark = mark(used));
        std::iter::zip(&mut vhost.edges, edges).for_each(|(edge, used)| edge.mark = mark(used));
    }
}

/// Marks which rungs of a ladder no message waited in.
fn mark_rungs(node: &mut GraphNode, vhost: &Name, exercised: &Exercised) {
    if let GraphNodeKind::Ladder { rungs, .. } = &mut node.kind {
        for rung in rungs {
            rung.is_unused = !exercised.queues.contains(&queue(vhost, &rung.queue));
        }
    }
}

fn queue(vhost: &Name, name: &Name) -> QueueName {
    QueueName { vhost: vhost.clone(), name: name.clone() }
}

/// Lists the queues that a node stands for.
fn queues_of(node: &GraphNode) -> impl Iterator<Item = QueueName> {
    node.objects.iter().filter_map(|object| match object {
        Object::Queue { vhost, name } => Some(queue(vhost, name)),
        _ => None,
    })
}

fn is_queue_used(node: &GraphNode, exercised: &Exercised) -> bool {
    queues_of(node).any(|queue| exercised.queues.contains(&queue))
}

fn is_edge_used(edge: &GraphEdge, graph: &VhostGraph, exercised: &Exercised) -> bool {
    let (from, to) = (&graph.nodes[edge.from], &graph.nodes[edge.to]);
    let died_in = |queue: &QueueName| exercised.dead_letters.iter().any(|(known, _)| known == queue);
    match &edge.kind {
        EdgeKind::Bindings(_) => edge.objects.iter().any(|object| exercised.bindings.contains(object)),
        // Through the default exchange each key leads to its own queue.
        EdgeKind::DeadLetters { .. } => {
            let arrived = !to.kind.is_queue() || to.kind.is_missing() || is_queue_used(to, exercised);
            arrived && queues_of(from).any(|queue| died_in(&queue))
        }
        EdgeKind::Alternate { .. } => {
            let is_it = |(vhost, name): &(Name, Name)| *vhost == graph.vhost && *name == from.name;
            exercised.alternates.iter().any(is_it)
        }
        EdgeKind::Ladder(_) => {
            let ladder = if matches!(from.kind, GraphNodeKind::Ladder { .. }) { from } else { to };
            let rungs = || queues_of(ladder);
            match std::ptr::eq(ladder, to) {
                true => rungs().any(|queue| exercised.queues.contains(&queue)),
                false => rungs().any(|queue| died_in(&queue)),
            }
        }
        EdgeKind::Link { .. } => false,
    }
}
