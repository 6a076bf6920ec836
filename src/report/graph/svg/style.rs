//! The style sheet of a drawing: colours of nodes, lines and text, on a light page and on a dark one.

use crate::report::graph::looks::{EdgeLook, NodeLook};
use std::collections::BTreeSet;

/// Writes the style sheet for what occurs.
pub fn style_sheet(nodes: &BTreeSet<NodeLook>, edges: &BTreeSet<EdgeLook>) -> String {
    let mut out = String::from(
        "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:11px;fill:#2b3036}\n\
         .page{fill:#fdfdfc}.label{fill:#fdfdfc}.line{fill:none;stroke-width:1.5}\n\
         .name{font-size:13px;font-weight:bold}.title{font-size:14px;font-weight:bold}.on{text-anchor:middle}\n",
    );
    for look in nodes {
        let colours = look.colours();
        let dash = if colours.is_dashed { ";stroke-dasharray:5 3" } else { "" };
        out.push_str(&format!(
            ".{0}{{fill:{1};stroke:{2};stroke-width:1.5{dash}}}.{0}-text{{fill:{3}}}\n",
            look.class(),
            colours.fill,
            colours.stroke,
            colours.text
        ));
    }
    for look in edges {
        let dash = if look.is_dashed() { ";stroke-dasharray:6 4" } else { "" };
        let width = if look.is_thick() { ";stroke-width:3" } else { "" };
        out.push_str(&format!(
            ".{0}-line{{stroke:{1}{dash}{width}}}.{0}-tip{{fill:{1}}}.{0}-text{{fill:{2}}}\n",
            look.class(),
            look.colour(),
            look.text_colour()
        ));
    }
    out.push_str(
        ".used{stroke-width:4}.faint{opacity:.4}\n\
         @media (prefers-color-scheme:dark){text{fill:#d7dbe0}.page{fill:#1b1f24}.label{fill:#1b1f24}}\n",
    );
    out.push_str("@media (prefers-color-scheme:dark){");
    for look in edges {
        out.push_str(&format!(".{}-text{{fill:{}}}", look.class(), look.text_colour_on_dark()));
    }
    out.push_str("}\n");
    // What stands on a node keeps the node's own colours: its fill is light on either page.
    out.push_str("@media (prefers-color-scheme:dark){");
    for look in nodes {
        out.push_str(&format!(".{}-text{{fill:{}}}", look.class(), look.colours().text));
    }
    out.push_str("}\n");
    out
}
