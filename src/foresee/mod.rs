//! What would happen, before anything runs: what a topology or a scenario does that its author would regret, what is in
//! force on an object, who may do what, where a message goes, and how it all hangs together.
//! Takes topologies and scenarios; gives findings, tables, ways and a graph as data, answered by `rules` and by the simulator's own
//! code. Never holds a second copy of either, never draws.

mod access;
mod checked;
mod coverage;
mod effective;
mod graph;
mod lint;
mod route;
mod suggest;
mod topology_view;
mod uri_place;

pub use access::{Granted, ObjectAccess, UserAccess, access};
pub use checked::check_file;
pub use coverage::{
    Coverable, CoverableKind, CoverageCount, CoverageItem, CoverageRecord, FileCoverage, Inventory, QueueLimit,
    RetryRung, inventory, is_exercised, retry_rungs,
};
pub use effective::{EffectiveObject, EffectiveSetting, NotInForce, PassedPolicy, SettingSource, effective};
pub use graph::{
    BindingTerms, DeadLetterCause, DeadLetterEnd, EdgeKind, GraphEdge, GraphMark, GraphNode, GraphNodeKind, LadderFlow,
    LadderRung, LinkKind, QueueBound, TopologyGraph, VhostGraph, as_planned, joined, mark_exercised, mark_planned,
    only_vhosts, topology_graph,
};
pub use lint::{
    PlannedTopology, ScenarioFindings, lint_plan, lint_scenario, lint_topology, unused_allowances, without_allowed,
};
pub use route::{AskedRoute, FateCause, FateEnd, RouteFate, Routed, RoutedQueue, route};
pub use suggest::{
    NoSuggestion, SuggestRequest, Suggested, Suggestion, WhyNoSuggestion, is_suggested, probe_of, suggest,
    suggest_missing,
};
pub use topology_view::{TopologyView, VersionView, versions};
