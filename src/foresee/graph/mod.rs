//! A topology as a drawing: exchanges, queues and what leads from one to another, vhost by vhost.
//! Takes a topology's view; gives nodes and edges as data, which the rules and the simulator's router answer for. Never
//! draws: `report` does.

mod build;
mod builder;
mod dead_letters;
mod exercised;
mod ladders;
mod links;
mod parts;
mod planned;

pub use build::topology_graph;
pub use exercised::mark_exercised;
pub use parts::{
    BindingTerms, DeadLetterCause, DeadLetterEnd, EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, LadderFlow,
    LadderRung, LinkKind, QueueBound, TopologyGraph, VhostGraph,
};
pub use planned::{as_planned, joined, mark_planned, only_vhosts};
