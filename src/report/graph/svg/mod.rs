//! A graph as SVG: one picture a vhost, below each other, with a legend.
//! Takes the graph; returns a document that needs nothing from elsewhere.

mod boxes;
mod legend;
mod paths;
mod place;
mod style;
mod text;

use crate::foresee::{GraphEdge, GraphMark, TopologyGraph, VhostGraph};
use crate::report::graph::labels::edge_lines;
use crate::report::graph::looks::{EdgeLook, NodeLook, marked_colour};
use crate::report::graph::visible::visible;
use boxes::NodeBox;
use legend::legend;
use paths::{EdgePath, edge_paths, n};
use place::{PlacedBox, UnplacedEdge, place};
use std::collections::BTreeSet;
use style::style_sheet;
use text::{escaped, width, wrapped};

/// More nodes and edges than this are not laid out: it would take long, and nobody could read it.
pub const SVG_PARTS_MAX: usize = 1_500;

/// The space around all.
const MARGIN: f64 = 24.0;

/// How wide a label may be.
const LABEL_MAX: f64 = 250.0;

/// How high a line of a label is.
const LINE: f64 = 14.0;

/// Draws a graph.
pub fn graph_svg(graph: &TopologyGraph) -> String {
    let nodes: BTreeSet<NodeLook> = graph.vhosts.iter().flat_map(|it| &it.nodes).map(NodeLook::of).collect();
    let edges: BTreeSet<EdgeLook> = graph.vhosts.iter().flat_map(|it| &it.edges).map(EdgeLook::of).collect();
    let (mut body, mut y, mut most) = (String::new(), MARGIN, 420.0_f64);
    for vhost in &graph.vhosts {
        let title = format!("vhost {}, by the rules of RabbitMQ {}", visible(&vhost.vhost), graph.profile);
        body.push_str(&format!(
            "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n",
            n(MARGIN),
            n(y + 12.0),
            escaped(&title)
        ));
        most = most.max(width(&title, 15.0));
        let (drawn, size) = draw_vhost(vhost, (MARGIN, y + 32.0));
        body.push_str(&drawn);
        most = most.max(size.0);
        y += 32.0 + size.1 + MARGIN;
    }
    let (key, height) = legend(&nodes, &edges, (MARGIN, y + 6.0), most);
    let (width, height) = (n((most + 2.0 * MARGIN).ceil()), n((y + height + MARGIN).ceil()));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>RabbitMQ topology</title>\n<style>\n{}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{body}{key}</svg>\n",
        style_sheet(&nodes, &edges)
    )
}

fn draw_vhost(graph: &VhostGraph, (left, top): (f64, f64)) -> (String, (f64, f64)) {
    let boxes: Vec<NodeBox> = graph.nodes.iter().map(NodeBox::of).collect();
    let sizes: Vec<(f64, f64)> = boxes.iter().map(NodeBox::size).collect();
    let labels: Vec<Vec<String>> = graph
        .edges
        .iter()
        .map(|edge| edge_lines(edge, graph).iter().flat_map(|line| wrapped(line, 11.0, LABEL_MAX)).collect())
        .collect();
    let unplaced: Vec<UnplacedEdge> = std::iter::zip(&graph.edges, &labels)
        .map(|(edge, lines)| UnplacedEdge {
            from: edge.from,
            to: edge.to,
            label: label_size(lines),
            weight: if matches!(EdgeLook::of(edge), EdgeLook::Binding | EdgeLook::Ladder) { 3 } else { 1 },
        })
        .collect();
    let placed = place(&sizes, &unplaced);
    let points: Vec<f64> = boxes.iter().map(NodeBox::points).collect();
    let paths = edge_paths(&placed, &unplaced, &points);
    let mut out = format!("<g transform=\"translate({} {})\">\n", n(left), n(top));
    for (edge, path) in std::iter::zip(&graph.edges, &paths) {
        out.push_str(&draw_line(edge, path));
    }
    for ((edge, lines), placed) in std::iter::zip(std::iter::zip(&graph.edges, &labels), &placed.edges) {
        out.extend(placed.label.map(|at| draw_label(edge, lines, at)));
    }
    for ((node, it), at) in std::iter::zip(std::iter::zip(&graph.nodes, &boxes), &placed.nodes) {
        out.push_str(&it.draw(node, *at));
    }
    out.push_str("</g>\n");
    (out, (placed.width, placed.height))
}

fn label_size(lines: &[String]) -> (f64, f64) {
    let widest = lines.iter().map(|line| width(line, 11.0)).fold(0.0, f64::max);
    if lines.is_empty() { (0.0, 0.0) } else { (widest + 8.0, LINE * lines.len() as f64 + 4.0) }
}

fn draw_line(edge: &GraphEdge, path: &EdgePath) -> String {
    let class = EdgeLook::of(edge).class();
    let more = match edge.mark {
        Some(GraphMark::Used) => " used",
        Some(GraphMark::Unused) => " faint",
        _ => "",
    };
    let colour = marked_colour(edge).filter(|_| edge.mark != Some(GraphMark::Unused));
    let [line_style, tip_style] = match colour {
        Some(colour) => [format!(" style=\"stroke:{colour};stroke-width:2.5\""), format!(" style=\"fill:{colour}\"")],
        None => Default::default(),
    };
    let tip: Vec<String> = path.tip.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect();
    format!(
        "<path class=\"line {class}-line{more}\"{line_style} d=\"{}\"/><polygon class=\"{class}-tip{more}\"{tip_style} points=\"{}\"/>\n",
        path.line,
        tip.join(" ")
    )
}

fn draw_label(edge: &GraphEdge, lines: &[String], at: PlacedBox) -> String {
    let class = EdgeLook::of(edge).class();
    let faint = if edge.mark == Some(GraphMark::Unused) { " faint" } else { "" };
    let (left, top) = (at.x - at.width / 2.0, at.y - at.height / 2.0);
    let mut out = format!(
        "<rect class=\"label\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/><text class=\"on {class}-text{faint}\">",
        n(left),
        n(top),
        n(at.width),
        n(at.height)
    );
    for (number, line) in lines.iter().enumerate() {
        let y = top + LINE * (number as f64 + 1.0) - 1.0;
        out.push_str(&format!("<tspan x=\"{}\" y=\"{}\">{}</tspan>", n(at.x), n(y), escaped(line)));
    }
    out.push_str("</text>\n");
    out
}
