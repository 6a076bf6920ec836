//! What RabbitMQ takes and somebody would regret, one file a subject.
//! Takes topologies and scenarios with the versions that they are judged for; gives findings with places. What cannot be
//! known (an application may bind a queue at run time) is a note.

mod bindings;
mod dead_letter_ways;
mod dead_letters;
mod findings;
mod names;
mod policies;
mod rights;
mod scenario;
mod settings;

use crate::foresee::topology_view::{TopologyView, versions};
use crate::model::{Allowance, Origins, Profile, Topology};
use crate::source::{Level, Problem};
use dead_letter_ways::DeadLetterWays;
use findings::LintFindings;

pub use scenario::lint_scenario;

/// Lists what a topology does that somebody would regret, in the order of the file.
pub fn lint_topology(topology: &Topology, origins: &Origins, profiles: &[Profile]) -> Vec<Problem> {
    let versions = versions(topology, profiles);
    let Some(view) = TopologyView::new(topology, origins, &versions) else { return Vec::new() };
    let ways = DeadLetterWays::of(&view);
    let mut found = LintFindings::default();
    dead_letters::check(&view, &ways, &mut found);
    settings::check(&view, &ways, &mut found);
    policies::check(&view, &mut found);
    rights::check(&view, &mut found);
    bindings::check(&view, &ways, &mut found);
    names::check(&view, &mut found);
    found.sorted()
}

/// Leaves out the findings that a file says are meant to be so.
pub fn without_allowed(mut problems: Vec<Problem>, allowed: &[Allowance]) -> Vec<Problem> {
    let is_meant = |problem: &Problem| allowed.iter().any(|one| one.covers(problem.code, problem.span()));
    problems.retain(|problem| problem.level == Level::Problem || !is_meant(problem));
    problems
}
