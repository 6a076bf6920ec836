//! A plan as `plan` and `apply` show it, and the exit code of what they would do about it.
//! Writes to the terminal; never to a broker.

use crate::cli::ExitCode;
use crate::cli::terminal::Terminal;
use crate::model::Object;
use crate::plan::{Change, DELETIONS_MAX, Decision, Plan};
use crate::report;
use crate::source::{Level, Problem, Sources};

/// Shows the notes, the changes, and what the broker holds beside the file.
pub(crate) fn show(plan: &Plan, terminal: &Terminal, sources: &Sources) {
    let notes: Vec<Problem> = plan.problems.iter().filter(|problem| problem.level == Level::Note).cloned().collect();
    let _ = terminal.problems(&notes, sources);
    terminal.status_unless_empty(&report::plan_text(plan, terminal.palette));
    terminal.status_unless_empty(&report::extras_text(&plan.extras, terminal.palette));
}

/// Says why nothing is written; `None` when nothing stands against it.
pub(crate) fn refuse(plan: &Plan, decision: Decision, terminal: &Terminal, sources: &Sources) -> Option<ExitCode> {
    match decision {
        Decision::Nothing | Decision::Write => None,
        Decision::Lacks => {
            let _ = terminal.problems(&plan.problems, sources);
            terminal.error("nothing was written: this broker lacks what the file needs");
            Some(ExitCode::Environment)
        }
        Decision::Replaces => {
            let _ = terminal.problems(&plan.problems, sources);
            let refused = |change: &&Change| change.writes.is_empty();
            let count = plan.replaced().filter(refused).count();
            let is_queue = |change: &Change| matches!(change.object, Object::Queue { .. });
            let way = if plan.replaced().filter(refused).any(is_queue) {
                "say how a queue is replaced (`replace: move`, if-empty or drop in the file, or --replace), "
            } else {
                ""
            };
            terminal.error(&format!(
                "nothing was written: {count} of the differences cannot be changed on a broker that holds the object; \
                 {way}delete it there first, or give the new one another name"
            ));
            Some(ExitCode::Unsafe)
        }
        Decision::Loses => {
            let at_stake = report::at_stake_text(plan);
            terminal.error(&format!("nothing was written: {at_stake}; apply with --yes if that is meant"));
            Some(ExitCode::Unsafe)
        }
        Decision::DeletesMuch => {
            let much = deletes_much(plan);
            terminal.error(&format!("nothing was written: {much}; apply with --yes if that is meant"));
            Some(ExitCode::Unsafe)
        }
    }
}

/// Says how much would be deleted.
pub(crate) fn deletes_much(plan: &Plan) -> String {
    let count = plan.deleted().count();
    format!("{count} objects would be deleted, more than the {DELETIONS_MAX} that need no consent")
}

/// Says that all is there.
pub(crate) fn all_there(objects: usize) -> String {
    match objects {
        1 => "the one object is there as declared".to_owned(),
        _ => format!("all {objects} objects are there as declared"),
    }
}
