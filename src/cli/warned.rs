//! What somebody would regret about a plan: the lints of what it writes, and those that it brings upon what it leaves alone, for
//! the version of the broker. Takes a plan and its files; gives warnings, and what `--deny` makes of them. Never shows them.

use crate::cli::options::Denied;
use crate::foresee::{PlannedTopology, lint_plan};
use crate::language::LoadedTopology;
use crate::model::{Profile, Topology, Version};
use crate::plan::{Decision, Observed, Plan};
use crate::source::{Level, Problem};

/// Lists the warnings about what a plan creates, changes or replaces, those about what stays and that it is the cause of, and
/// the notes that are denied; nothing where it writes nothing. A version that is not known counts as all.
///
/// What the broker holds beside the files counts, too: a queue that only the broker binds is bound. `desired` is what the plan
/// declares: nothing where all that the files name goes.
pub(crate) fn warned_of(
    plan: &Plan,
    desired: &Topology,
    loaded: &LoadedTopology,
    observed: &Observed,
    version: Option<Version>,
    deny: &[Denied],
) -> Vec<Problem> {
    let profiles = version.map_or_else(|| Profile::ALL.to_vec(), |version| vec![Profile::nearest(version)]);
    let is_meant = |problem: &Problem| loaded.allowed.iter().any(|one| one.covers(problem.code, problem.span()));
    let matters =
        |problem: &Problem| (problem.level >= Level::Warning || is_denied(problem, deny)) && !is_meant(problem);
    lint_plan(PlannedTopology { desired, origins: &loaded.origins, observed, plan }, &profiles, matters)
}

/// Decides what an apply would do, `--deny` included.
pub(crate) fn decision_of(plan: &Plan, loss: bool, deny: &[Denied]) -> Decision {
    Decision::of(plan, loss).unless(plan.problems.iter().any(|problem| is_denied(problem, deny)))
}

/// Returns whether `--deny` names a finding.
pub(crate) fn is_denied(problem: &Problem, deny: &[Denied]) -> bool {
    deny.iter().any(|denied| denied.covers(problem))
}
