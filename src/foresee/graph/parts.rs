//! The parts of a drawing: nodes, edges, and the graph of a vhost that grows by them.
//! Plain data with ends as positions; decides nothing about a broker.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::foresee::effective::SettingSource;
use crate::foresee::route::FateCause;
use crate::model::{Millis, Name, Object, Profile, QueueKind, Table};

/// A topology as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct TopologyGraph {
    /// By whose rules.
    pub profile: Profile,
    /// One for each vhost that holds anything to draw.
    pub vhosts: Vec<VhostGraph>,
}

/// What stands in one vhost.
#[derive(Debug, Clone, PartialEq)]
pub struct VhostGraph {
    pub vhost: Name,
    pub nodes: Vec<GraphNode>,
    pub edges: Vec<GraphEdge>,
}

/// One thing that messages are in or go through.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphNode {
    pub name: Name,
    pub kind: GraphNodeKind,
    /// What it stands for: one declared object, all of a folded ladder, or none.
    pub objects: Vec<Object>,
    pub mark: Option<GraphMark>,
}

/// What sets a part of a drawing apart: what a plan does to it, or whether scenarios used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GraphMark {
    Created,
    Changed,
    Replaced,
    Deleted,
    Used,
    Unused,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum GraphNodeKind {
    /// RabbitMQ's word for its type.
    Exchange {
        kind: Name,
    },
    Queue {
        kind: QueueKind,
        bounds: Vec<QueueBound>,
    },
    /// The wait queues of a queue's retries, with the exchange that leads to them.
    Ladder {
        of: Name,
        /// The shortest delay first.
        rungs: Vec<LadderRung>,
    },
    /// Named, and not declared.
    MissingExchange,
    MissingQueue,
    /// An end of a shovel or a federation link that is not of this vhost, and where it is.
    Remote {
        place: String,
    },
}

/// One wait queue of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderRung {
    pub queue: Name,
    pub delay: Millis,
    /// Scenarios used the ladder, and no message waited here.
    pub is_unused: bool,
}

/// What bounds a queue or its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueBound {
    Ttl(Millis),
    Length(u64),
    Bytes(u64),
    Deliveries(i64),
    Expires(Millis),
    SingleActiveConsumer,
}

/// What leads from a node to another.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphEdge {
    pub from: usize,
    pub to: usize,
    pub kind: EdgeKind,
    /// The bindings that it stands for.
    pub objects: Vec<Object>,
    pub mark: Option<GraphMark>,
}

/// Why messages go that way.
#[derive(Debug, Clone, PartialEq)]
pub enum EdgeKind {
    /// All bindings between the two.
    Bindings(Vec<BindingTerms>),
    DeadLetters {
        /// What sets the dead-letter exchange.
        by: SettingSource,
        /// The key that the dead letters get; `None` for their own.
        key: Option<Name>,
        causes: Vec<DeadLetterCause>,
        end: DeadLetterEnd,
    },
    Alternate {
        by: SettingSource,
    },
    Ladder(LadderFlow),
    Link {
        kind: LinkKind,
        name: Name,
        /// The routing key that a shovel takes or gives.
        key: Option<Name>,
        /// The policy that makes a federation link.
        policy: Option<Name>,
    },
}

/// The terms of one binding.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingTerms {
    pub key: Name,
    pub arguments: Table,
}

/// Why a queue gives a message up, and what sets that bound; a rejection needs none.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterCause {
    pub cause: FateCause,
    pub by: Option<SettingSource>,
}

/// Whether dead letters arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterEnd {
    Reached,
    /// What they are sent to is not there, or leads to no queue.
    Lost,
}

/// What goes in and out of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LadderFlow {
    /// A consumer publishes there what it failed on.
    Up,
    /// What has waited comes back.
    Back,
}

/// What carries messages between brokers or vhosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    Shovel,
    Federation,
}

impl GraphEdge {
    /// Makes one that no binding stands behind.
    pub(super) fn plain(from: usize, to: usize, kind: EdgeKind) -> Self {
        Self { from, to, kind, objects: Vec::new(), mark: None }
    }
}

impl GraphNodeKind {
    /// Returns whether messages rest in it.
    pub fn is_queue(&self) -> bool {
        matches!(self, GraphNodeKind::Queue { .. } | GraphNodeKind::MissingQueue)
    }

    /// Returns whether it is named and not declared.
    pub fn is_missing(&self) -> bool {
        matches!(self, GraphNodeKind::MissingExchange | GraphNodeKind::MissingQueue)
    }
}
