//! A graph as Mermaid's flowchart.
//! Takes the graph; returns text that Mermaid parses whatever the names are: all but plain letters is an entity.

use crate::foresee::{GraphEdge, GraphMark, GraphNodeKind, TopologyGraph};
use crate::report::graph::labels::{edge_lines, node_lines, node_name};
use crate::report::graph::looks::{EdgeLook, NodeLook, marked_colour};
use crate::report::graph::visible::visible;
use std::collections::BTreeMap;

/// More edges than this Mermaid refuses unless it is configured to take them (`maxEdges`).
pub const MERMAID_EDGES_MAX: usize = 500;

/// A longer text Mermaid refuses unless it is configured to take it (`maxTextSize`).
pub const MERMAID_TEXT_MAX: usize = 50_000;

/// Writes a graph as a flowchart.
pub fn graph_mermaid(graph: &TopologyGraph) -> String {
    let mut out = format!("%% rmqplay graph, by the rules of RabbitMQ {}\nflowchart LR\n", graph.profile);
    let is_several = graph.vhosts.len() > 1;
    let mut looks: BTreeMap<NodeLook, Vec<String>> = BTreeMap::new();
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut link = 0;
    let mut first = 1;
    for (number, vhost) in graph.vhosts.iter().enumerate() {
        let indent = if is_several { "    " } else { "  " };
        if is_several {
            out.push_str(&format!("  subgraph v{}[\"vhost {}\"]\n", number + 1, escape(&visible(&vhost.vhost))));
        }
        for (at, node) in vhost.nodes.iter().enumerate() {
            let id = format!("n{}", first + at);
            let mut label = escape(&node_name(node));
            for line in node_lines(node) {
                label.push_str("<br/>");
                label.push_str(&escape(&line));
            }
            let (open, close) = shape(&node.kind);
            out.push_str(&format!("{indent}{id}{open}\"{label}\"{close}\n"));
            looks.entry(NodeLook::of(node)).or_default().push(id);
        }
        for edge in &vhost.edges {
            let lines: Vec<String> = edge_lines(edge, vhost).iter().map(|line| escape(line)).collect();
            let label = if lines.is_empty() { String::new() } else { format!("|\"{}\"|", lines.join("<br/>")) };
            let (from, to) = (first + edge.from, first + edge.to);
            out.push_str(&format!("{indent}n{from} {}{label} n{to}\n", arrow(edge)));
            links.entry(link_style(edge)).or_default().push(link.to_string());
            link += 1;
        }
        if is_several {
            out.push_str("  end\n");
        }
        first += vhost.nodes.len();
    }
    for (look, ids) in looks {
        let colours = look.colours();
        let dash = if colours.is_dashed { ",stroke-dasharray:4 3" } else { "" };
        out.push_str(&format!(
            "  classDef {0} fill:{1},stroke:{2},color:{3}{dash}\n  class {4} {0}\n",
            look.class(),
            colours.fill,
            colours.stroke,
            colours.text,
            ids.join(",")
        ));
    }
    for (style, numbers) in links {
        out.push_str(&format!("  linkStyle {} {style}\n", numbers.join(",")));
    }
    out
}

fn shape(kind: &GraphNodeKind) -> (&'static str, &'static str) {
    match kind {
        GraphNodeKind::Exchange { .. } | GraphNodeKind::MissingExchange => ("{{", "}}"),
        GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue => ("[(", ")]"),
        GraphNodeKind::Ladder { .. } => ("[[", "]]"),
        GraphNodeKind::Remote { .. } => ("([", "])"),
    }
}

fn arrow(edge: &GraphEdge) -> &'static str {
    match EdgeLook::of(edge) {
        look if look.is_thick() => "==>",
        look if look.is_dashed() => "-.->",
        _ => "-->",
    }
}

fn link_style(edge: &GraphEdge) -> String {
    let colour = marked_colour(edge).unwrap_or_else(|| EdgeLook::of(edge).colour());
    let width = if edge.mark == Some(GraphMark::Used) { ",stroke-width:4px" } else { "" };
    format!("stroke:{colour}{width}")
}

/// Writes what Mermaid might read as its own, or as Markdown, as entities of its form: `#35;`.
fn escape(text: &str) -> String {
    let mut out = String::new();
    // At the beginning these make a list, a heading or a quotation.
    let mut is_beginning = true;
    let mut before = ' ';
    for c in text.chars() {
        let is_plain = match c {
            ' ' | '/' | ':' | ',' | '\'' | '(' | ')' => true,
            '.' | '-' => !is_beginning,
            '_' => before.is_alphanumeric(),
            _ => c.is_alphanumeric(),
        };
        // Mermaid makes a line break of a backslash with an n, even of its entity: what cannot be seen parts them.
        if before == '\\' && c == 'n' {
            out.push_str("#8288;");
        }
        if is_plain {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
        is_beginning &= c.is_ascii_digit() || c == ' ';
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_mermaid_would_read_is_an_entity() {
        assert_eq!(escape("a.#.\"b\"[c]"), "a.#35;.#34;b#34;#91;c#93;");
        assert_eq!(escape("1. one"), "1#46; one");
        assert_eq!(escape("- one-two"), "#45; one-two");
        assert_eq!(escape("%%{init}%% `x` <b>"), "#37;#37;#123;init#125;#37;#37; #96;x#96; #60;b#62;");
        assert_eq!(escape("größe 日本"), "größe 日本");
        assert_eq!(escape("a\\nb_c _d_"), "a#92;#8288;nb_c #95;d_");
    }
}
