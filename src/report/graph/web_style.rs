//! The looks of a graph as a style sheet for a page that draws it itself, on light and on dark.
//! Returns the same for all graphs.

use crate::report::graph::looks::{EdgeLook, NodeLook};
use std::fmt::Write as _;

/// Writes a class for each look: `node-queue`, `edge-binding`.
pub fn graph_style_sheet() -> String {
    let mut out = String::new();
    for look in NodeLook::ALL {
        let colours = look.colours();
        let dash = if colours.is_dashed { ";stroke-dasharray:5 3" } else { "" };
        let _ = writeln!(
            out,
            ".node-{0} .shape{{fill:{1};stroke:{2}{dash}}}.node-{0} text{{fill:{3}}}",
            look.class(),
            colours.fill,
            colours.stroke,
            colours.text
        );
    }
    for look in EdgeLook::ALL {
        let dash = if look.is_dashed() { ";stroke-dasharray:6 4" } else { "" };
        let width = if look.is_thick() { ";stroke-width:3" } else { "" };
        let _ = writeln!(
            out,
            ".edge-{0} .line{{stroke:{1}{dash}{width}}}.edge-{0} .tip{{fill:{1}}}.edge-{0} text{{fill:light-dark({2},{3})}}",
            look.class(),
            look.colour(),
            look.text_colour(),
            look.text_colour_on_dark()
        );
    }
    out
}
