//! How nodes and edges look, in any format: shapes and colours by what they are, and by what sets them apart.
//! Colours are readable on a light and on a dark page: each fill brings the colour of its text.

use crate::foresee::{DeadLetterEnd, EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, LinkKind};

/// What a node looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeLook {
    Exchange,
    Queue,
    Ladder,
    Missing,
    Remote,
    Created,
    Changed,
    Replaced,
    Deleted,
    Unused,
}

/// What an edge looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeLook {
    Binding,
    DeadLetters,
    Lost,
    Alternate,
    Ladder,
    Shovel,
    Federation,
}

/// The colours of a node.
#[derive(Debug, Clone, Copy)]
pub struct NodeColours {
    pub fill: &'static str,
    pub stroke: &'static str,
    pub text: &'static str,
    pub is_dashed: bool,
}

impl NodeLook {
    /// Every look.
    pub const ALL: [Self; 10] = [
        Self::Exchange,
        Self::Queue,
        Self::Ladder,
        Self::Missing,
        Self::Remote,
        Self::Created,
        Self::Changed,
        Self::Replaced,
        Self::Deleted,
        Self::Unused,
    ];

    /// Returns how a node looks: what sets it apart comes before what it is.
    pub fn of(node: &GraphNode) -> Self {
        match (node.mark, &node.kind) {
            (Some(GraphMark::Created), _) => Self::Created,
            (Some(GraphMark::Changed), _) => Self::Changed,
            (Some(GraphMark::Replaced), _) => Self::Replaced,
            (Some(GraphMark::Deleted), _) => Self::Deleted,
            (Some(GraphMark::Unused), _) => Self::Unused,
            (_, GraphNodeKind::Exchange { .. }) => Self::Exchange,
            (_, GraphNodeKind::Queue { .. }) => Self::Queue,
            (_, GraphNodeKind::Ladder { .. }) => Self::Ladder,
            (_, GraphNodeKind::MissingExchange | GraphNodeKind::MissingQueue) => Self::Missing,
            (_, GraphNodeKind::Remote { .. }) => Self::Remote,
        }
    }

    /// Returns its name in style sheets.
    pub fn class(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Queue => "queue",
            Self::Ladder => "ladder",
            Self::Missing => "missing",
            Self::Remote => "remote",
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
            Self::Unused => "unused",
        }
    }

    /// Returns its colours.
    pub fn colours(self) -> NodeColours {
        let (fill, stroke, text, is_dashed) = match self {
            Self::Exchange => ("#dbe9fb", "#2f6db5", "#10243d", false),
            Self::Queue => ("#fdf0d2", "#b07d1a", "#332505", false),
            Self::Ladder => ("#ece3f7", "#7b52ab", "#25143a", false),
            Self::Missing => ("#fbe4e2", "#c23b31", "#4a120d", true),
            Self::Remote => ("#e4ecec", "#557a7a", "#1c2b2b", true),
            Self::Created => ("#d9f2dc", "#2b8a3e", "#0d2e14", false),
            Self::Changed => ("#fff0b8", "#a87a00", "#332500", false),
            Self::Replaced => ("#ffd9b8", "#c25400", "#3d1a00", false),
            Self::Deleted => ("#fbd5d3", "#b3261e", "#410e0b", true),
            Self::Unused => ("#f3f3f3", "#b5b5b5", "#8a8a8a", true),
        };
        NodeColours { fill, stroke, text, is_dashed }
    }
}

impl EdgeLook {
    /// Every look.
    pub const ALL: [Self; 7] =
        [Self::Binding, Self::DeadLetters, Self::Lost, Self::Alternate, Self::Ladder, Self::Shovel, Self::Federation];

    /// Returns how an edge looks by what it is.
    pub fn of(edge: &GraphEdge) -> Self {
        match &edge.kind {
            EdgeKind::Bindings(_) => Self::Binding,
            EdgeKind::DeadLetters { end: DeadLetterEnd::Lost, .. } => Self::Lost,
            EdgeKind::DeadLetters { .. } => Self::DeadLetters,
            EdgeKind::Alternate { .. } => Self::Alternate,
            EdgeKind::Ladder(_) => Self::Ladder,
            EdgeKind::Link { kind: LinkKind::Shovel, .. } => Self::Shovel,
            EdgeKind::Link { kind: LinkKind::Federation, .. } => Self::Federation,
        }
    }

    /// Returns its name in style sheets.
    pub fn class(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::DeadLetters => "dead-letters",
            Self::Lost => "lost",
            Self::Alternate => "alternate",
            Self::Ladder => "retry",
            Self::Shovel => "shovel",
            Self::Federation => "federation",
        }
    }

    /// Returns the colour of its line.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Binding => "#6b7280",
            Self::DeadLetters => "#c2571a",
            Self::Lost => "#d0342c",
            Self::Alternate => "#2f7d8c",
            Self::Ladder => "#8458b3",
            Self::Shovel | Self::Federation => "#4f7f3f",
        }
    }

    /// Returns the colour of what stands on it, on a light page.
    pub fn text_colour(self) -> &'static str {
        match self {
            Self::Binding => "#2b3036",
            Self::DeadLetters => "#8f3d0f",
            Self::Lost => "#a51d16",
            Self::Alternate => "#1d5a66",
            Self::Ladder => "#5d3688",
            Self::Shovel | Self::Federation => "#355c29",
        }
    }

    /// Returns the same on a dark page.
    pub fn text_colour_on_dark(self) -> &'static str {
        match self {
            Self::Binding => "#d7dbe0",
            Self::DeadLetters => "#f2a778",
            Self::Lost => "#f58a84",
            Self::Alternate => "#7fc8d6",
            Self::Ladder => "#c6a3ea",
            Self::Shovel | Self::Federation => "#a3d08f",
        }
    }

    /// Returns whether its line is dashed: no binding makes it.
    pub fn is_dashed(self) -> bool {
        !matches!(self, Self::Binding | Self::Shovel | Self::Federation)
    }

    /// Returns whether it crosses the bounds of the broker or vhost.
    pub fn is_thick(self) -> bool {
        matches!(self, Self::Shovel | Self::Federation)
    }
}

/// Returns the colour that a mark gives to an edge in the place of its own.
pub fn marked_colour(edge: &GraphEdge) -> Option<&'static str> {
    Some(match edge.mark? {
        GraphMark::Created => NodeLook::Created.colours().stroke,
        GraphMark::Changed => NodeLook::Changed.colours().stroke,
        GraphMark::Replaced => NodeLook::Replaced.colours().stroke,
        GraphMark::Deleted => NodeLook::Deleted.colours().stroke,
        GraphMark::Unused => NodeLook::Unused.colours().stroke,
        GraphMark::Used => return None,
    })
}
