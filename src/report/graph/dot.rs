//! A graph as DOT, Graphviz's language.
//! Takes the graph; returns text that Graphviz parses whatever the names are.

use crate::foresee::{GraphEdge, GraphMark, GraphNode, GraphNodeKind, TopologyGraph};
use crate::report::graph::labels::{edge_lines, node_lines, node_name};
use crate::report::graph::looks::{EdgeLook, NodeLook, marked_colour};
use crate::report::graph::visible::visible;

/// Writes a graph as a directed one.
pub fn graph_dot(graph: &TopologyGraph) -> String {
    let mut out = format!(
        "// rmqplay graph, by the rules of RabbitMQ {}\ndigraph rmqplay {{\n  rankdir=LR;\n  \
         node [fontname=\"Helvetica\", fontsize=11];\n  edge [fontname=\"Helvetica\", fontsize=10];\n",
        graph.profile
    );
    let is_several = graph.vhosts.len() > 1;
    let mut first = 1;
    for (number, vhost) in graph.vhosts.iter().enumerate() {
        let indent = if is_several { "    " } else { "  " };
        if is_several {
            let label = escape(&visible(&vhost.vhost));
            out.push_str(&format!("  subgraph cluster_{} {{\n    label=\"vhost {label}\";\n", number + 1));
        }
        for (at, node) in vhost.nodes.iter().enumerate() {
            out.push_str(&format!("{indent}n{} [{}];\n", first + at, node_attributes(node)));
        }
        for edge in &vhost.edges {
            let lines: Vec<String> = edge_lines(edge, vhost).iter().map(|line| escape(line)).collect();
            let (from, to) = (first + edge.from, first + edge.to);
            out.push_str(&format!("{indent}n{from} -> n{to} [{}];\n", edge_attributes(edge, &lines)));
        }
        if is_several {
            out.push_str("  }\n");
        }
        first += vhost.nodes.len();
    }
    out.push_str("}\n");
    out
}

fn node_attributes(node: &GraphNode) -> String {
    let mut lines = vec![escape(&node_name(node))];
    lines.extend(node_lines(node).iter().map(|line| escape(line)));
    let shape = match node.kind {
        GraphNodeKind::Exchange { .. } | GraphNodeKind::MissingExchange => "hexagon",
        GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue => "cylinder",
        GraphNodeKind::Ladder { .. } => "box3d",
        GraphNodeKind::Remote { .. } => "ellipse",
    };
    let colours = NodeLook::of(node).colours();
    let style = if colours.is_dashed { "filled,dashed" } else { "filled" };
    format!(
        "label=\"{}\", shape={shape}, style=\"{style}\", fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"",
        lines.join("\\n"),
        colours.fill,
        colours.stroke,
        colours.text
    )
}

fn edge_attributes(edge: &GraphEdge, lines: &[String]) -> String {
    let look = EdgeLook::of(edge);
    let colour = marked_colour(edge).unwrap_or_else(|| look.colour());
    let style = if look.is_dashed() { ", style=dashed" } else { "" };
    let is_strong = look.is_thick() || edge.mark == Some(GraphMark::Used);
    let width = if is_strong { ", penwidth=2.5" } else { "" };
    format!("label=\"{}\", color=\"{colour}\", fontcolor=\"{colour}\"{style}{width}", lines.join("\\n"))
}

/// Escapes what ends a string, and what Graphviz reads inside of labels: its own escapes and HTML's entities.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
    out
}
