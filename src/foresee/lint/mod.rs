//! What RabbitMQ takes and somebody would regret, one file a subject.
//! Takes topologies and scenarios with the versions that they are judged for; gives findings with places. What cannot be
//! known (an application may bind a queue at run time) is a note.

mod bindings;
mod dead_letter_ways;
mod dead_letters;
mod findings;
mod links;
mod name_words;
mod names;
mod pattern_words;
mod plans;
mod plugins;
mod policies;
mod refusing_targets;
mod retries;
mod rights;
mod scenario;
mod settings;
mod shards;
mod shovels;
mod streams;
mod topic_keys;
mod unused_dead_letters;
mod vhosts;

use crate::foresee::topology_view::{TopologyView, versions};
use crate::model::{Allowance, Origins, Profile, Topology};
use crate::source::{Code, Level, Problem, Span};
use findings::{LintFindings, OF_A_CODE_MAX};
use std::collections::BTreeMap;

pub(in crate::foresee) use dead_letter_ways::{DeadLetterWay, DeadLetterWays};
pub use plans::{PlannedTopology, lint_plan};
pub use scenario::{ScenarioFindings, lint_scenario};

/// Lists what a topology does that somebody would regret, in the order of the file. `needed` are the plugins that it says a
/// broker must have.
pub fn lint_topology(topology: &Topology, origins: &Origins, profiles: &[Profile], needed: &[&str]) -> Vec<Problem> {
    let versions = versions(topology, profiles);
    let Some(view) = TopologyView::new(topology, origins, &versions) else { return Vec::new() };
    let mut found = LintFindings::default();
    lint_view(&view, &mut found);
    plugins::check(&view, needed, &mut found);
    found.sorted()
}

/// Looks at a topology from all sides.
fn lint_view(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut ways = DeadLetterWays::of(view);
    dead_letters::check(view, &mut ways, found);
    retries::endless_waits(view, &ways, found);
    retries::unclimbable(view, &ways, found);
    refusing_targets::check(view, &ways, found);
    unused_dead_letters::check(view, &ways, found);
    settings::check(view, &ways, found);
    policies::check(view, found);
    links::check(view, found);
    shards::check(view, found);
    shovels::check(view, found);
    streams::check(view, &ways, found);
    rights::check(view, found);
    bindings::check(view, &ways, found);
    names::check(view, found);
    vhosts::check(view, found);
}

/// Notes each entry of `allow` that silences nothing. `problems` are those before anything was left out; `own` says whether
/// a place is in the file that is judged.
pub fn unused_allowances(problems: &[Problem], allowed: &[Allowance], own: impl Fn(Span) -> bool) -> Vec<Problem> {
    let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
    problems.iter().for_each(|problem| *counts.entry(problem.code).or_default() += 1);
    // What was silenced where the file was read is not among the problems, nor are more of a code than are kept.
    let is_used = |one: &Allowance| {
        one.used
            || problems.iter().any(|problem| problem.level < Level::Problem && one.covers(problem.code, problem.span()))
            || counts.get(&one.code).is_some_and(|count| *count >= OF_A_CODE_MAX)
    };
    let unused = allowed.iter().filter(|one| own(one.span) && !is_used(one));
    unused
        .take(OF_A_CODE_MAX)
        .map(|one| {
            let message = format!("nothing here is allowed by this: `{}` is not found", one.code);
            let note = Problem::note(Code::LintUnusedAllow, message).at(one.span, "silences nothing");
            note.help("leave the entry out; what it would silence later is then told")
        })
        .collect()
}

/// Leaves out the findings that a file says are meant to be so.
pub fn without_allowed(mut problems: Vec<Problem>, allowed: &[Allowance]) -> Vec<Problem> {
    let is_meant = |problem: &Problem| allowed.iter().any(|one| one.covers(problem.code, problem.span()));
    problems.retain(|problem| problem.level == Level::Problem || !is_meant(problem));
    problems
}
