//! The lines of edges: from a side of a node to a side of another, level where they pass a column of nodes or a label.
//! Takes a placed graph; returns path data and the tips of arrows.

use crate::report::graph::svg::place::{PlacedBox, PlacedEdge, PlacedGraph, UnplacedEdge};
use std::collections::BTreeMap;

/// How long the tip of an arrow is.
const TIP: f64 = 9.0;

/// How far the ends of two edges at one side of a node are apart at most.
const PORTS_APART_MAX: f64 = 16.0;

/// A line, and the three corners of its arrow's tip.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgePath {
    pub line: String,
    pub tip: [(f64, f64); 3],
}

/// Draws the lines of all edges; `points` says by how much the middle of each node's sides stands out.
pub fn edge_paths(placed: &PlacedGraph, edges: &[UnplacedEdge], points: &[f64]) -> Vec<EdgePath> {
    let ports = ports(placed, edges, points);
    let columns = columns(placed);
    let path = |(at, edge): (usize, &UnplacedEdge)| match edge.from == edge.to {
        true => loop_path(placed.nodes[edge.from], &placed.edges[at], points[edge.from]),
        false if placed.edges[at].bow.is_some() => bow_path(ports[at], placed.edges[at].bow.unwrap_or(0.0)),
        false => path_between(&placed.edges[at].points, ports[at], &columns),
    };
    edges.iter().enumerate().map(path).collect()
}

/// Returns whether an edge goes from left to right.
fn is_onward(placed: &PlacedGraph, edge: &UnplacedEdge) -> bool {
    placed.nodes[edge.from].x <= placed.nodes[edge.to].x
}

/// One end of an edge: the height that it comes from, which edge, which end of it.
type EndAtSide = (f64, usize, usize);

/// Spreads the ends of edges along the sides of nodes, in the order in which they arrive.
fn ports(placed: &PlacedGraph, edges: &[UnplacedEdge], out: &[f64]) -> Vec<[(f64, f64); 2]> {
    // By node and side.
    let mut sides: BTreeMap<(usize, bool), Vec<EndAtSide>> = BTreeMap::new();
    for (at, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.from != edge.to) {
        if let PlacedEdge { bow: Some(_), label, .. } = &placed.edges[at] {
            let (from, to) = (placed.nodes[edge.from].y, placed.nodes[edge.to].y);
            let between = label.map_or((from + to) / 2.0, |label| label.y);
            sides.entry((edge.from, true)).or_default().push((between, at, 0));
            sides.entry((edge.to, true)).or_default().push((between, at, 1));
            continue;
        }
        let points = &placed.edges[at].points;
        let inner = |near: usize| points.get(near).map_or(0.0, |point| point.1);
        let onward = is_onward(placed, edge);
        let (second, last) = match points.len() {
            0..=2 => (placed.nodes[edge.to].y, placed.nodes[edge.from].y),
            n => (inner(1), inner(n - 2)),
        };
        sides.entry((edge.from, onward)).or_default().push((second, at, 0));
        sides.entry((edge.to, !onward)).or_default().push((last, at, 1));
    }
    let mut ports = vec![[(0.0, 0.0); 2]; edges.len()];
    for ((node, is_right), mut ends) in sides {
        ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let it = placed.nodes[node];
        let apart = (it.height - 12.0).max(0.0) / ends.len() as f64;
        let apart = apart.min(PORTS_APART_MAX);
        let first = it.y - apart * (ends.len() as f64 - 1.0) / 2.0;
        for (number, (_, edge, end)) in ends.into_iter().enumerate() {
            let y = first + apart * number as f64;
            let half = it.width / 2.0 - out[node] * (y - it.y).abs() / (it.height / 2.0);
            ports[edge][end] = (if is_right { it.x + half } else { it.x - half }, y);
        }
    }
    ports
}

/// The columns of nodes and labels: by their middle in tenths, half of their width.
type Columns = BTreeMap<i64, f64>;

fn tenths(x: f64) -> i64 {
    (x * 10.0).round() as i64
}

fn columns(placed: &PlacedGraph) -> Columns {
    let mut columns = Columns::new();
    let labels = placed.edges.iter().filter_map(|edge| edge.label);
    let add = |it: PlacedBox| {
        let half = columns.entry(tenths(it.x)).or_insert(0.0);
        *half = half.max(it.width / 2.0);
    };
    placed.nodes.iter().copied().chain(labels).for_each(add);
    columns
}

fn path_between(points: &[(f64, f64)], [start, end]: [(f64, f64); 2], columns: &Columns) -> EdgePath {
    let sign = if start.0 <= end.0 { 1.0 } else { -1.0 };
    let neck = (end.0 - sign * TIP, end.1);
    let mut line = format!("M{} {}", n(start.0), n(start.1));
    let mut at = start;
    let inner = points.get(1..points.len().saturating_sub(1)).unwrap_or(&[]);
    for (x, y) in inner {
        let half = columns.get(&tenths(*x)).copied().unwrap_or(0.0);
        let (near, far) = ((x - sign * half, *y), (x + sign * half, *y));
        // Never back, where columns lie close.
        if (near.0 - at.0) * sign > 0.0 {
            line.push_str(&curve(at, near));
            line.push_str(&format!("H{}", n(far.0)));
            at = far;
        }
    }
    line.push_str(&curve(at, neck));
    let tip = [end, (neck.0, end.1 - TIP / 2.2), (neck.0, end.1 + TIP / 2.2)];
    EdgePath { line, tip }
}

/// A curve that begins and ends level.
fn curve(from: (f64, f64), to: (f64, f64)) -> String {
    let middle = n((from.0 + to.0) / 2.0);
    format!("C{middle} {} {middle} {} {} {}", n(from.1), n(to.1), n(to.0), n(to.1))
}

/// From a right side to a right side, past a column.
fn bow_path([start, end]: [(f64, f64); 2], right: f64) -> EdgePath {
    let neck = (end.0 + TIP, end.1);
    // A curve comes three quarters as near to its corners as they are.
    let corner = |from: f64| n(from + (right - from).max(TIP) / 0.75);
    let line = format!(
        "M{} {}C{} {} {} {} {} {}",
        n(start.0),
        n(start.1),
        corner(start.0),
        n(start.1),
        corner(neck.0),
        n(end.1),
        n(neck.0),
        n(neck.1)
    );
    EdgePath { line, tip: [end, (neck.0, end.1 - TIP / 2.2), (neck.0, end.1 + TIP / 2.2)] }
}

/// A queue that dead-letters to itself: from its right side round its label and back to the left one. `out` says by how much the
/// middle of its sides stands out.
fn loop_path(node: PlacedBox, edge: &PlacedEdge, out: f64) -> EdgePath {
    let lowest = edge.points.iter().map(|point| point.1).fold(node.y + node.height / 2.0 + TIP, f64::max);
    let (middle, half, below) = match edge.label {
        Some(label) => (label.x, label.width / 2.0, label.y),
        None => (node.x, 0.0, lowest),
    };
    let y = node.y + node.height / 2.0 - LOOP_ABOVE;
    let side = node.width / 2.0 - out * (y - node.y).abs() / (node.height / 2.0);
    let (left, right) = (node.x - side, node.x + side);
    let neck = left - TIP;
    let far = [right.max(middle + half) + LOOP_BULGE, neck.min(middle - half) - LOOP_BULGE].map(n);
    let [far_right, far_left] = &far;
    let line = format!(
        "M{} {1}C{far_right} {1} {far_right} {2} {3} {2}H{4}C{far_left} {2} {far_left} {1} {5} {1}",
        n(right),
        n(y),
        n(below),
        n(middle + half),
        n(middle - half),
        n(neck)
    );
    EdgePath { line, tip: [(left, y), (neck, y - TIP / 2.2), (neck, y + TIP / 2.2)] }
}

/// How far above the lower edge of a node a loop begins, and how far it goes out beside it.
const LOOP_ABOVE: f64 = 8.0;
const LOOP_BULGE: f64 = 20.0;

/// Writes a coordinate with one digit behind the point.
pub fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
