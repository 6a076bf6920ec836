//! Where nodes, edges and the labels of edges go: the layout is dagre's, left to right.
//! Takes sizes and ends; returns coordinates. A label has a place of its own on its edge, so labels cover nothing.
//! What no edge leads to or from stands in rows below. Where edges across would be long and many, those that lead from node to node of a column are bows beside it.

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir, Ranker};

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
    /// How far to the right it goes, where it leads from one right side to another.
    pub bow: Option<f64>,
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
    let mut lonely = vec![true; nodes.len()];
    edges.iter().for_each(|edge| (lonely[edge.from], lonely[edge.to]) = (false, false));
    for (at, (width, height)) in nodes.iter().enumerate().filter(|(at, _)| !lonely[*at]) {
        graph.set_node(at.to_string(), Some(NodeLabel { width: *width, height: *height, ..NodeLabel::default() }));
    }
    let bows = bows(nodes.len(), edges);
    for (at, edge) in edges.iter().enumerate() {
        if bows[at] {
            // Its label lies to the right of both ends, between them.
            let (width, height) = edge.label;
            let beside = NodeLabel { width: width.max(1.0), height: height.max(1.0), ..NodeLabel::default() };
            let name = bow_name(at);
            graph.set_node(name.clone(), Some(beside));
            for end in [edge.from, edge.to] {
                graph.set_edge(end.to_string(), name.clone(), Some(EdgeLabel::default()), None);
            }
            continue;
        }
        let (width, height) = edge.label;
        let label =
            EdgeLabel { width, height, weight: edge.weight, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(edge.from.to_string(), edge.to.to_string(), Some(label), Some(&at.to_string()));
    }
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: 26.0,
        edgesep: 14.0,
        ranksep: column_gap(edges.len()),
        // A bow leads to its label from both of its ends: such a graph is all circles, and to look for shorter edges in them costs
        // more than all the rest, and finds none.
        ranker: if bows.contains(&true) { Ranker::TightTree } else { Ranker::NetworkSimplex },
        // Of orders with as few crossings the first is that of the file.
        tie_keep_first: true,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));
    let nodes: Vec<PlacedBox> = (nodes.iter().enumerate())
        .map(|(at, (width, height))| {
            let placed = graph.node(&at.to_string());
            let at = |of: fn(&NodeLabel) -> Option<f64>| placed.and_then(of).unwrap_or(0.0);
            PlacedBox { x: at(|it| it.x), y: at(|it| it.y), width: *width, height: *height }
        })
        .collect();
    let edges = edges.iter().enumerate().map(|(at, edge)| {
        if bows[at] {
            let beside = graph.node(&bow_name(at));
            let (x, y) = beside.and_then(|it| Some((it.x?, it.y?))).unwrap_or((0.0, 0.0));
            let (width, height) = edge.label;
            let label = Some(PlacedBox { x, y, width, height }).filter(|_| width > 0.0);
            return PlacedEdge { points: Vec::new(), label, bow: Some(x - width / 2.0 - BOW_APART) };
        }
        let placed = graph.edge(&edge.from.to_string(), &edge.to.to_string(), Some(&at.to_string()));
        let points = placed.map(|it| it.points.iter().map(|point| (point.x, point.y)).collect()).unwrap_or_default();
        let middle = placed.and_then(|it| Some((it.x?, it.y?))).filter(|_| edge.label.0 > 0.0);
        let label = middle.map(|(x, y)| PlacedBox { x, y, width: edge.label.0, height: edge.label.1 });
        PlacedEdge { points, label, bow: None }
    });
    let mut placed = moved_to_origin(nodes, edges.collect(), &lonely);
    place_lonely(&mut placed, &lonely);
    placed
}

/// Returns how far columns stand apart: many edges between two need room to be told from each other.
fn column_gap(edges: usize) -> f64 {
    64.0 + (edges.saturating_sub(30) as f64 * 1.5).min(160.0)
}

/// How far boxes without edges stand apart, and from the others.
const LONELY_APART: f64 = 26.0;

/// How wide a row of them may be, at least.
const LONELY_ROW_MIN: f64 = 640.0;

/// Places what has no edges, in rows below the others: between them it would lie on edges.
fn place_lonely(placed: &mut PlacedGraph, lonely: &[bool]) {
    let most = placed.width.max(LONELY_ROW_MIN);
    let top = if placed.height > 0.0 { placed.height + 2.0 * LONELY_APART } else { 0.0 };
    let (mut x, mut y, mut row) = (0.0, top, 0.0_f64);
    for (node, _) in std::iter::zip(&mut placed.nodes, lonely).filter(|(_, lonely)| **lonely) {
        if x > 0.0 && x + node.width > most {
            (x, y, row) = (0.0, y + row + LONELY_APART, 0.0);
        }
        (node.x, node.y) = (x + node.width / 2.0, y + node.height / 2.0);
        x += node.width + LONELY_APART;
        row = row.max(node.height);
        placed.width = placed.width.max(x - LONELY_APART);
        placed.height = placed.height.max(y + row);
    }
}

/// More places where edges pass a column than these make a layout slow, and a picture that nobody can follow.
const PASSED_MAX: usize = 40;

/// How far a bow stays from its label.
const BOW_APART: f64 = 4.0;

fn bow_name(edge: usize) -> String {
    format!("bow {edge}")
}

/// Chooses edges that are drawn as bows: none, unless edges would pass many columns. Then it is those of little weight between
/// nodes that others of weight lead to: without them such nodes stand in one column.
fn bows(nodes: usize, edges: &[UnplacedEdge]) -> Vec<bool> {
    if passed(nodes, edges) <= PASSED_MAX {
        return vec![false; edges.len()];
    }
    let heaviest = edges.iter().map(|edge| edge.weight).max().unwrap_or(0);
    let mut is_held = vec![false; nodes];
    for edge in edges.iter().filter(|edge| edge.weight == heaviest && edge.from != edge.to) {
        is_held[edge.to] = true;
    }
    let is_bow =
        |edge: &UnplacedEdge| edge.weight < heaviest && edge.from != edge.to && is_held[edge.from] && is_held[edge.to];
    edges.iter().map(is_bow).collect()
}

/// Counts how often an edge passes a column, were each node one column behind the last that leads to it.
fn passed(nodes: usize, edges: &[UnplacedEdge]) -> usize {
    let mut leading_to: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut left: Vec<usize> = vec![0; nodes];
    let mut going_from: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for edge in edges.iter().filter(|edge| edge.from != edge.to) {
        leading_to[edge.to].push(edge.from);
        going_from[edge.from].push(edge.to);
        left[edge.to] += 1;
    }
    let mut columns: Vec<Option<usize>> = vec![None; nodes];
    let mut ready: Vec<usize> = (0..nodes).rev().filter(|node| left[*node] == 0).collect();
    let mut unplaced = 0;
    loop {
        // A circle is opened at its first node.
        let next = ready.pop().or_else(|| {
            unplaced += columns[unplaced..].iter().take_while(|column| column.is_some()).count();
            (unplaced < nodes).then_some(unplaced)
        });
        let Some(node) = next else { break };
        if columns[node].is_some() {
            continue;
        }
        let before = leading_to[node].iter().filter_map(|from| columns[*from]).max();
        columns[node] = Some(before.map_or(0, |before| before + 1));
        for to in &going_from[node] {
            left[*to] -= 1;
            if left[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    let column = |node: usize| columns[node].unwrap_or(0);
    edges.iter().map(|edge| column(edge.from).abs_diff(column(edge.to)).saturating_sub(1)).sum()
}

/// Moves all but what has no edges so that it begins at zero, and measures it.
fn moved_to_origin(mut nodes: Vec<PlacedBox>, mut edges: Vec<PlacedEdge>, lonely: &[bool]) -> PlacedGraph {
    if edges.is_empty() {
        return PlacedGraph { nodes, edges, width: 0.0, height: 0.0 };
    }
    let labels = edges.iter().filter_map(|edge| edge.label);
    let joined = std::iter::zip(&nodes, lonely).filter(|(_, lonely)| !**lonely).map(|(node, _)| *node);
    let boxes: Vec<PlacedBox> = joined.chain(labels).collect();
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
        edge.bow.iter_mut().for_each(|right| *right -= least.0);
        edge.points.iter_mut().for_each(|point| *point = (point.0 - least.0, point.1 - least.1));
    }
    PlacedGraph { nodes, edges, width: most.0 - least.0, height: most.1 - least.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(one: &PlacedBox, other: &PlacedBox) -> bool {
        (one.x - other.x).abs() < (one.width + other.width) / 2.0
            && (one.y - other.y).abs() < (one.height + other.height) / 2.0
    }

    #[test]
    fn a_long_chain_of_bound_queues_stands_in_one_column_with_its_labels_beside_it() {
        let (queues, label) = (60, (90.0, 18.0));
        let nodes = vec![(120.0, 44.0); queues + 1];
        let bound = (1..=queues).map(|to| UnplacedEdge { from: 0, to, label, weight: 3 });
        let chain = (1..queues).map(|from| UnplacedEdge { from, to: from + 1, label, weight: 1 });
        let placed = place(&nodes, &bound.chain(chain).collect::<Vec<_>>());
        let columns: std::collections::BTreeSet<i64> = placed.nodes.iter().map(|it| it.x as i64).collect();
        assert_eq!(columns.len(), 2, "{columns:?}");
        assert_eq!(placed.edges.iter().filter(|edge| edge.bow.is_some()).count(), queues - 1);
        let labels: Vec<PlacedBox> = placed.edges.iter().filter_map(|edge| edge.label).collect();
        let boxes: Vec<&PlacedBox> = placed.nodes.iter().chain(&labels).collect();
        for (at, one) in boxes.iter().enumerate() {
            assert!(boxes[at + 1..].iter().all(|other| !overlap(one, other)), "{one:?} lies over another");
        }
    }

    #[test]
    fn what_one_node_leads_to_stands_in_the_order_of_the_file() {
        let nodes = [(120.0, 44.0); 13];
        let bound = (1..13).map(|to| UnplacedEdge { from: 0, to, label: (90.0, 18.0), weight: 3 });
        let placed = place(&nodes, &bound.collect::<Vec<_>>());
        let heights: Vec<f64> = placed.nodes[1..].iter().map(|it| it.y).collect();
        assert!(heights.is_sorted(), "{heights:?}");
    }

    #[test]
    fn what_has_no_edges_stands_below_the_others() {
        let nodes = [(120.0, 44.0); 9];
        let edges = [UnplacedEdge { from: 0, to: 8, label: (90.0, 18.0), weight: 3 }];
        let placed = place(&nodes, &edges);
        let lowest = [0, 8].map(|at| placed.nodes[at].y + 22.0).into_iter().fold(0.0, f64::max);
        assert!((1..8).all(|at| placed.nodes[at].y - 22.0 > lowest), "{placed:?}");
        let boxes: Vec<&PlacedBox> = placed.nodes.iter().collect();
        for (at, one) in boxes.iter().enumerate() {
            assert!(boxes[at + 1..].iter().all(|other| !overlap(one, other)), "{one:?} lies over another");
            assert!(one.x + 60.0 <= placed.width && one.y + 22.0 <= placed.height, "{one:?} lies outside");
        }
        let alone = place(&nodes, &[]);
        assert!(alone.height > 44.0 && alone.width <= LONELY_ROW_MIN, "rows: {} × {}", alone.width, alone.height);
    }

    #[test]
    fn a_chain_alone_and_a_small_picture_have_no_bows() {
        let chain: Vec<UnplacedEdge> =
            (0..80).map(|from| UnplacedEdge { from, to: from + 1, label: (0.0, 0.0), weight: 1 }).collect();
        assert!(!bows(81, &chain).contains(&true));
        let circle = UnplacedEdge { from: 80, to: 0, label: (0.0, 0.0), weight: 1 };
        assert!(!bows(81, &[chain, vec![circle]].concat()).contains(&true));
    }
}
