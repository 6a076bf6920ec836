//! A topology's graph as a picture: Mermaid, DOT, SVG, and as JSON.
//! Takes the graph that `foresee` made; returns text. The same graph comes to the same bytes.

mod dot;
mod json;
mod labels;
mod looks;
mod mermaid;
mod svg;
mod visible;
mod web_style;

pub use dot::graph_dot;
pub use json::graph_json;
pub use mermaid::{MERMAID_EDGES_MAX, MERMAID_TEXT_MAX, graph_mermaid};
pub use svg::{SVG_PARTS_MAX, graph_svg};
pub(crate) use web_style::graph_style_sheet;
