//! What somebody would regret about the objects that a plan writes: the lints, for the version of the broker.
//! Takes a plan and its files; gives warnings, and what `--deny` makes of them. Never shows them.

use crate::cli::desired::Desired;
use crate::cli::options::Denied;
use crate::foresee;
use crate::model::{Profile, Version};
use crate::plan::{ChangeKind, Decision, Observed, Plan, held_after};
use crate::source::{Level, Problem, Span};

/// Lists the warnings about what a plan creates, changes or replaces, and the notes that are denied; nothing where it writes
/// nothing. A version that is not known counts as all.
///
/// What the broker holds beside the files counts, too: a queue that only the broker binds is bound.
pub(crate) fn warned_of(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
    version: Option<Version>,
    deny: &[Denied],
) -> Vec<Problem> {
    let loaded = &desired.loaded;
    let is_written = |kind: &ChangeKind| !matches!(kind, ChangeKind::Delete { .. });
    let written = plan.changes.iter().filter(|change| is_written(&change.kind));
    let places: Vec<Span> =
        written.filter_map(|change| loaded.origins.get(&change.object)).map(|origin| origin.whole).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let profiles = version.map_or_else(|| Profile::ALL.to_vec(), |version| vec![Profile::nearest(version)]);
    let held = held_after(&loaded.topology, observed, plan);
    let found = foresee::lint_topology(&held, &loaded.origins, &profiles);
    let is_inside = |at: Span| places.iter().any(|of| of.file == at.file && of.start <= at.start && at.end <= of.end);
    let mut found = foresee::without_allowed(found, &loaded.allowed);
    found.retain(|problem| problem.level >= Level::Warning || is_denied(problem, deny));
    // A tie concerns both policies, whichever of them is new.
    found.retain(|problem| problem.labels.iter().any(|label| is_inside(label.span)));
    found
}

/// Decides what an apply would do, `--deny` included.
pub(crate) fn decision_of(plan: &Plan, loss: bool, deny: &[Denied]) -> Decision {
    Decision::of(plan, loss).unless(plan.problems.iter().any(|problem| is_denied(problem, deny)))
}

/// Returns whether `--deny` names a finding.
pub(crate) fn is_denied(problem: &Problem, deny: &[Denied]) -> bool {
    deny.iter().any(|denied| denied.covers(problem))
}
