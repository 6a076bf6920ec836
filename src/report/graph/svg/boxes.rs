//! Nodes as boxes: their text, how large they are, and their shapes.
//! An exchange is a hexagon, a queue has slots at its end, a ladder is a pile, what is elsewhere is a pill.

use crate::foresee::{GraphMark, GraphNode, GraphNodeKind};
use crate::report::graph::labels::{node_lines, node_name};
use crate::report::graph::looks::NodeLook;
use crate::report::graph::svg::paths::n;
use crate::report::graph::svg::place::PlacedBox;
use crate::report::graph::svg::text::{escaped, width, wrapped};

/// How wide the text of a node may be.
const TEXT_MAX: f64 = 230.0;

/// How far a pile and the points of a hexagon stand out.
const PILE: f64 = 6.0;
const POINTS: f64 = 12.0;

/// How wide the slots at the end of a queue are.
const SLOTS: f64 = 11.0;

/// How high the lines of the name are, and the others.
const NAME_LINE: f64 = 17.0;
const LINE: f64 = 14.0;

/// A node with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeBox {
    name: Vec<String>,
    lines: Vec<String>,
    /// What a hexagon's points take from the sides, and the space beside the text.
    sides: f64,
    /// How far the lowest of a pile stands out.
    pile: f64,
    /// How far the points of a hexagon stand out.
    points: f64,
    /// What the slots of a queue take from the right.
    slots: f64,
}

impl NodeBox {
    /// Breaks the text of a node into lines.
    pub fn of(node: &GraphNode) -> Self {
        // Bold is wider.
        let name = wrapped(&node_name(node), 14.0, TEXT_MAX);
        let lines = node_lines(node).iter().flat_map(|line| wrapped(line, 11.0, TEXT_MAX)).collect();
        let (sides, pile, points, slots) = match node.kind {
            GraphNodeKind::Exchange { .. } | GraphNodeKind::MissingExchange => (16.0, 0.0, POINTS, 0.0),
            GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue => (11.0, 0.0, 0.0, SLOTS),
            GraphNodeKind::Ladder { .. } => (10.0, PILE, 0.0, 0.0),
            GraphNodeKind::Remote { .. } => (12.0, 0.0, 0.0, 0.0),
        };
        Self { name, lines, sides, pile, points, slots }
    }

    /// Returns width and height.
    pub fn size(&self) -> (f64, f64) {
        let names = self.name.iter().map(|line| width(line, 14.0));
        let widest = names.chain(self.lines.iter().map(|line| width(line, 11.0))).fold(60.0, f64::max);
        let height = NAME_LINE * self.name.len() as f64 + LINE * self.lines.len() as f64 + 12.0;
        ((widest + 12.0 + 2.0 * self.sides).ceil() + self.pile + self.slots, height + self.pile)
    }

    /// Returns how much the middle of a side stands out beyond its corners.
    pub fn points(&self) -> f64 {
        self.points
    }

    /// Draws it at its place.
    pub fn draw(&self, node: &GraphNode, at: PlacedBox) -> String {
        let look = NodeLook::of(node);
        let (middle, top) = (at.x - (self.pile + self.slots) / 2.0, at.y - at.height / 2.0 + self.pile);
        let used = if node.mark == Some(GraphMark::Used) { " used" } else { "" };
        let class = format!("{}{used}", look.class());
        let mut out = format!("<g><title>{}</title>", escaped(&node_name(node)));
        out.push_str(&shape(&node.kind, &class, at));
        out.push_str(&format!("<text class=\"on {0}-text\">", look.class()));
        let mut y = top + 4.0;
        for line in &self.name {
            y += NAME_LINE;
            out.push_str(&tspan(line, " class=\"name\"", middle, y - 3.0));
        }
        for line in &self.lines {
            y += LINE;
            out.push_str(&tspan(line, "", middle, y - 2.0));
        }
        out.push_str("</text></g>\n");
        out
    }
}

fn tspan(line: &str, class: &str, x: f64, y: f64) -> String {
    format!("<tspan{class} x=\"{}\" y=\"{}\">{}</tspan>", n(x), n(y), escaped(line))
}

fn shape(kind: &GraphNodeKind, class: &str, at: PlacedBox) -> String {
    let (left, top) = (at.x - at.width / 2.0, at.y - at.height / 2.0);
    let (right, bottom) = (left + at.width, top + at.height);
    let rect = |left: f64, top: f64, width: f64, height: f64, round: f64| {
        format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            n(left),
            n(top),
            n(width),
            n(height),
            n(round)
        )
    };
    match kind {
        GraphNodeKind::Exchange { .. } | GraphNodeKind::MissingExchange => {
            let points = [
                (left, at.y),
                (left + POINTS, top),
                (right - POINTS, top),
                (right, at.y),
                (right - POINTS, bottom),
                (left + POINTS, bottom),
            ];
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect();
            format!("<polygon class=\"{class}\" points=\"{}\"/>", points.join(" "))
        }
        GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue => {
            let slots =
                [right - SLOTS / 2.0, right - SLOTS].map(|x| format!("M{} {}V{}", n(x), n(top), n(bottom))).concat();
            format!("{}<path class=\"{class}\" d=\"{slots}\"/>", rect(left, top, at.width, at.height, 4.0))
        }
        GraphNodeKind::Ladder { .. } => {
            let (width, height) = (at.width - PILE, at.height - PILE);
            let steps = [PILE, PILE / 2.0, 0.0];
            steps.map(|step| rect(left + step, top + PILE - step, width, height, 4.0)).concat()
        }
        GraphNodeKind::Remote { .. } => rect(left, top, at.width, at.height, at.height / 2.0),
    }
}
