//! A plan as `plan` and `apply` show it, and the exit code of what they would do about it.
//! Writes to the terminal; never to a broker.

use crate::cli::ExitCode;
use crate::cli::options::Denied;
use crate::cli::terminal::Terminal;
use crate::cli::warned::is_denied;
use crate::model::by_number;
use crate::plan::{Change, DELETIONS_MAX, Decision, Plan};
use crate::report;
use crate::source::{Level, Problem, Sources};
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};

/// Shows warnings and notes, the changes, and what the broker holds beside the file.
pub(crate) fn show(plan: &Plan, terminal: &Terminal, sources: &Sources) {
    let others = plan.problems.iter().filter(|problem| problem.level != Level::Problem);
    let _ = terminal.problems(&others.cloned().collect::<Vec<Problem>>(), sources);
    terminal.status_unless_empty(&report::plan_text(plan, terminal.palette));
    terminal.status_unless_empty(&report::extras_text(&plan.extras, terminal.palette));
}

/// Lists the problems that stand against a plan.
fn stops(plan: &Plan) -> Vec<Problem> {
    plan.problems.iter().filter(|problem| problem.level == Level::Problem).cloned().collect()
}

/// Says why nothing is written; `None` when nothing stands against it.
pub(crate) fn refuse(
    plan: &Plan,
    decision: Decision,
    deny: &[Denied],
    terminal: &Terminal,
    sources: &Sources,
) -> Option<ExitCode> {
    match decision {
        Decision::Nothing | Decision::Write => None,
        Decision::Lacks => {
            let _ = terminal.problems(&stops(plan), sources);
            terminal.error("nothing was written: this broker lacks what the file needs");
            Some(ExitCode::Environment)
        }
        Decision::Replaces => {
            let _ = terminal.problems(&stops(plan), sources);
            let refused = |change: &&Change| change.writes.is_empty();
            let count = plan.replaced().filter(refused).count();
            terminal.error(&format!(
                "nothing was written: {count} of the differences cannot be changed on a broker that holds the object\n{}",
                report::refused_replacements_text(plan)
            ));
            Some(ExitCode::Unsafe)
        }
        Decision::Denied => {
            let findings = plan.problems.iter().filter(|problem| is_denied(problem, deny));
            let codes: BTreeSet<&str> = findings.map(|problem| problem.code.text()).collect();
            let codes: Vec<&str> = codes.into_iter().collect();
            terminal.error(&format!("nothing was written: --deny stands against {}", codes.join(", ")));
            Some(ExitCode::Unsafe)
        }
        Decision::Protected => {
            terminal.error(&format!("nothing was written: {}", protected(plan)));
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

/// Says what is protected from deletion, and what to do.
pub(crate) fn protected(plan: &Plan) -> String {
    let vhosts: Vec<&str> =
        plan.protected().filter_map(|change| change.object.vhost()).map(|name| name.as_str()).collect();
    let (are, quoted) = (by_number(vhosts.len(), "is", "are"), vhosts.iter().map(|name| format!("'{name}'")));
    let which = format!("{} {}", by_number(vhosts.len(), "vhost", "vhosts"), quoted.collect::<Vec<_>>().join(", "));
    let commands: Vec<String> = vhosts
        .iter()
        .map(|name| format!("rabbitmqctl disable_vhost_deletion_protection {}", report::shell_word(name)))
        .collect();
    format!(
        "{which} {are} protected from deletion, and the broker would refuse it\n  help: take the protection off where that is \
         meant ({}), or keep it: `ignore: {{vhosts: [{}]}}` in the file",
        commands.join("; "),
        vhosts.iter().map(|name| format!("'^{}$'", fancy_regex::escape(name))).collect::<Vec<_>>().join(", ")
    )
}

/// Asks one question, where somebody can answer and nothing answers for them.
pub(crate) fn is_approved(question: &str, is_answered: bool, terminal: &Terminal) -> bool {
    if is_answered || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return true;
    }
    terminal.ask(&format!("{question} [y/N] "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).unwrap_or(0);
    read > 0 && matches!(line.trim(), "y" | "Y" | "yes")
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
