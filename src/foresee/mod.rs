//! What would happen, before anything runs: what a topology or a scenario does that its author would regret.
//! Takes topologies and scenarios; gives findings as data, answered by `rules` and by the simulator's own code. Never
//! holds a second copy of either, never draws.

mod lint;
mod topology_view;

pub use lint::{lint_scenario, lint_topology, without_allowed};
