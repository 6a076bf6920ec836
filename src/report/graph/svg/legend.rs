//! The legend of a drawing: each look that occurs, with its words, in rows below the picture.

use crate::report::graph::looks::{EdgeLook, NodeLook};
use crate::report::graph::svg::paths::n;
use crate::report::graph::svg::text::{escaped, width};
use std::collections::BTreeSet;

/// How high a row is.
const ROW: f64 = 22.0;

/// How wide a sample is.
const SAMPLE: f64 = 30.0;

/// Draws the legend from a place on, no wider than that; returns it and how high it is.
pub fn legend(
    nodes: &BTreeSet<NodeLook>,
    edges: &BTreeSet<EdgeLook>,
    (left, top): (f64, f64),
    width_max: f64,
) -> (String, f64) {
    let mut out = String::from("<g class=\"legend\">\n");
    let (mut x, mut y) = (left, top);
    let of_nodes = nodes.iter().map(|look| (node_words(*look), Sample::Node(look.class())));
    let of_edges = edges.iter().map(|look| (edge_words(*look), Sample::Edge(look.class())));
    for (words, sample) in of_nodes.chain(of_edges) {
        let needed = SAMPLE + width(words, 11.0) + 18.0;
        if x > left && x + needed > left + width_max {
            (x, y) = (left, y + ROW);
        }
        out.push_str(&sample.draw(x, y));
        out.push_str(&format!("<text x=\"{}\" y=\"{}\">{}</text>\n", n(x + SAMPLE), n(y + 4.0), escaped(words)));
        x += needed;
    }
    out.push_str("</g>\n");
    (out, y - top + ROW)
}

/// What a row of the legend shows, by its class.
enum Sample {
    Node(&'static str),
    Edge(&'static str),
}

impl Sample {
    fn draw(&self, x: f64, y: f64) -> String {
        match self {
            Sample::Node(class) => {
                let (x, y) = (n(x), n(y - 7.0));
                format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"24\" height=\"14\" rx=\"3\"/>")
            }
            Sample::Edge(class) => {
                format!("<path class=\"line {class}-line\" d=\"M{} {}H{}\"/>", n(x), n(y), n(x + 24.0))
            }
        }
    }
}

fn node_words(look: NodeLook) -> &'static str {
    match look {
        NodeLook::Exchange => "exchange",
        NodeLook::Queue => "queue",
        NodeLook::Ladder => "wait queues of retries",
        NodeLook::Missing => "named, not declared",
        NodeLook::Remote => "elsewhere",
        NodeLook::Created => "+ created",
        NodeLook::Changed => "~ changed",
        NodeLook::Replaced => "-/+ replaced",
        NodeLook::Deleted => "- deleted",
        NodeLook::Unused => "not used",
    }
}

fn edge_words(look: EdgeLook) -> &'static str {
    match look {
        EdgeLook::Binding => "binding",
        EdgeLook::DeadLetters => "dead letters",
        EdgeLook::Lost => "dead letters that are lost",
        EdgeLook::Alternate => "alternate exchange",
        EdgeLook::Ladder => "retry",
        EdgeLook::Shovel => "shovel",
        EdgeLook::Federation => "federation",
    }
}
