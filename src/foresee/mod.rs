//! What would happen, before anything runs: what a topology or a scenario does that its author would regret, what is in
//! force on an object, who may do what, and where a message goes.
//! Takes topologies and scenarios; gives findings, tables and ways as data, answered by `rules` and by the simulator's own
//! code. Never holds a second copy of either, never draws.

mod access;
mod effective;
mod lint;
mod route;
mod topology_view;

pub use access::{Granted, ObjectAccess, UserAccess, access};
pub use effective::{EffectiveObject, EffectiveSetting, NotInForce, PassedPolicy, SettingSource, effective};
pub use lint::{ScenarioFindings, lint_scenario, lint_topology, unused_allowances, without_allowed};
pub use route::{AskedRoute, FateCause, FateEnd, RouteFate, Routed, RoutedQueue, route};
pub use topology_view::{TopologyView, VersionView, versions};
