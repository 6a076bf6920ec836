//! A graph as JSON: nodes and edges as data, with names as they are.
//! Takes the graph; returns a document.

use crate::foresee::{EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, TopologyGraph, VhostGraph};
use crate::report::graph::labels::{edge_lines, node_lines};
use crate::report::graph::looks::EdgeLook;
use serde_json::{Value as Json, json};

/// Returns a graph as JSON; ends of edges are positions in `nodes`.
pub fn graph_json(graph: &TopologyGraph) -> Json {
    let vhosts: Vec<Json> = graph.vhosts.iter().map(vhost_json).collect();
    json!({ "version": graph.profile.to_string(), "vhosts": vhosts })
}

fn vhost_json(graph: &VhostGraph) -> Json {
    let nodes: Vec<Json> = graph.nodes.iter().map(node_json).collect();
    let edges: Vec<Json> = graph.edges.iter().map(|edge| edge_json(edge, graph)).collect();
    json!({ "vhost": graph.vhost.as_str(), "nodes": nodes, "edges": edges })
}

fn node_json(node: &GraphNode) -> Json {
    let (kind, of_kind) = match &node.kind {
        GraphNodeKind::Exchange { kind } => ("exchange", Some(kind.as_str())),
        GraphNodeKind::Queue { kind, .. } => ("queue", Some(kind.as_str())),
        GraphNodeKind::Ladder { .. } => ("retries", None),
        GraphNodeKind::MissingExchange => ("missing_exchange", None),
        GraphNodeKind::MissingQueue => ("missing_queue", None),
        GraphNodeKind::Remote { .. } => ("remote", None),
    };
    json!({
        "name": node.name.as_str(), "is": kind, "type": of_kind, "lines": node_lines(node), "mark": node.mark.map(mark),
    })
}

fn edge_json(edge: &GraphEdge, graph: &VhostGraph) -> Json {
    let keys: Vec<Json> = match &edge.kind {
        EdgeKind::Bindings(all) => all
            .iter()
            .map(|terms| {
                let arguments: serde_json::Map<String, Json> =
                    terms.arguments.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
                json!({ "routing_key": terms.key.as_str(), "arguments": arguments })
            })
            .collect(),
        _ => Vec::new(),
    };
    json!({
        "from": edge.from, "to": edge.to, "is": EdgeLook::of(edge).class(), "bindings": keys,
        "lines": edge_lines(edge, graph), "mark": edge.mark.map(mark),
    })
}

fn mark(mark: GraphMark) -> &'static str {
    match mark {
        GraphMark::Created => "created",
        GraphMark::Changed => "changed",
        GraphMark::Replaced => "replaced",
        GraphMark::Deleted => "deleted",
        GraphMark::Used => "used",
        GraphMark::Unused => "unused",
    }
}
