//! Where nodes, edges and the labels of edges go: the layout is dagre's, left to right.
//! Takes sizes and ends; returns coordinates. A label has a place of its own on its edge, so labels cover nothing.

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};

/// Width and height.
pub type BoxSize = (f64, f64);

/// An edge to be placed.
#[derive(Debug, Clone, Copy)]
pub struct UnplacedEdge {
    pub from: usize,
    pub to: usize,
    /// Zero where nothing stands on it.
    pub label: BoxSize,
    /// Edges of weight are kept short and straight.
    pub weight: i32,
}

/// A box by its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedBox {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// An edge with the points that it passes between its ends.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedEdge {
    pub points: Vec<(f64, f64)>,
    pub label: Option<PlacedBox>,
}

/// A graph with places.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedGraph {
    pub nodes: Vec<PlacedBox>,
    pub edges: Vec<PlacedEdge>,
    pub width: f64,
    pub height: f64,
}

/// Places a graph.
pub fn place(nodes: &[BoxSize], edges: &[UnplacedEdge]) -> PlacedGraph {
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    for (at, (width, height)) in nodes.iter().enumerate() {
        graph.set_node(at.to_string(), Some(NodeLabel { width: *width, height: *height, ..NodeLabel::default() }));
    }
    for (at, edge) in edges.iter().enumerate() {
        let (width, height) = edge.label;
        let label =
            EdgeLabel { width, height, weight: edge.weight, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(edge.from.to_string(), edge.to.to_string(), Some(label), Some(&at.to_string()));
    }
    let options =
        LayoutOptions { rankdir: RankDir::LR, nodesep: 26.0, edgesep: 14.0, ranksep: 64.0, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));
    let nodes: Vec<PlacedBox> = (nodes.iter().enumerate())
        .map(|(at, (width, height))| {
            let placed = graph.node(&at.to_string());
            let at = |of: fn(&NodeLabel) -> Option<f64>| placed.and_then(of).unwrap_or(0.0);
            PlacedBox { x: at(|it| it.x), y: at(|it| it.y), width: *width, height: *height }
        })
        .collect();
    let edges = edges.iter().enumerate().map(|(at, edge)| {
        let placed = graph.edge(&edge.from.to_string(), &edge.to.to_string(), Some(&at.to_string()));
        let points = placed.map(|it| it.points.iter().map(|point| (point.x, point.y)).collect()).unwrap_or_default();
        let middle = placed.and_then(|it| Some((it.x?, it.y?))).filter(|_| edge.label.0 > 0.0);
        let label = middle.map(|(x, y)| PlacedBox { x, y, width: edge.label.0, height: edge.label.1 });
        PlacedEdge { points, label }
    });
    moved_to_origin(nodes, edges.collect())
}

/// Moves all so that it begins at zero, and measures it.
fn moved_to_origin(mut nodes: Vec<PlacedBox>, mut edges: Vec<PlacedEdge>) -> PlacedGraph {
    let labels = edges.iter().filter_map(|edge| edge.label);
    let boxes: Vec<PlacedBox> = nodes.iter().copied().chain(labels).collect();
    let points = edges.iter().flat_map(|edge| &edge.points).copied();
    let corners = boxes.iter().flat_map(|it| {
        let (w, h) = (it.width / 2.0, it.height / 2.0);
        [(it.x - w, it.y - h), (it.x + w, it.y + h)]
    });
    let all: Vec<(f64, f64)> = corners.chain(points).collect();
    let least = all.iter().fold((f64::MAX, f64::MAX), |least, point| (least.0.min(point.0), least.1.min(point.1)));
    let most = all.iter().fold((f64::MIN, f64::MIN), |most, point| (most.0.max(point.0), most.1.max(point.1)));
    let shift = |it: &mut PlacedBox| (it.x, it.y) = (it.x - least.0, it.y - least.1);
    nodes.iter_mut().for_each(shift);
    for edge in &mut edges {
        edge.label.as_mut().into_iter().for_each(shift);
        edge.points.iter_mut().for_each(|point| *point = (point.0 - least.0, point.1 - least.1));
    }
    PlacedGraph { nodes, edges, width: most.0 - least.0, height: most.1 - least.1 }
}
