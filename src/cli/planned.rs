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

/// Says that nothing is written and why; `None` when nothing stands against it.
pub(crate) fn refuse(
    plan: &Plan,
    decision: Decision,
    deny: &[Denied],
    terminal: &Terminal,
    sources: &Sources,
) -> Option<ExitCode> {
    let (code, why) = against(plan, decision, deny)?;
    show_stops(plan, decision, terminal, sources);
    terminal.error(&format!("nothing was written: {why}"));
    Some(code)
}

/// Says what apply would do about a plan that something stands against, with the reason in the same sentence.
pub(crate) fn would_refuse(plan: &Plan, decision: Decision, deny: &[Denied], terminal: &Terminal, sources: &Sources) {
    let Some((_, why)) = against(plan, decision, deny) else { return };
    show_stops(plan, decision, terminal, sources);
    match terminal.quiet {
        true => terminal.error(&format!("apply would refuse: {why}")),
        false => terminal.print(&format!("{}; apply would refuse: {why}", report::changes_text(plan))),
    }
}

/// Draws the problems that stand against a plan, where these are why it is refused.
fn show_stops(plan: &Plan, decision: Decision, terminal: &Terminal, sources: &Sources) {
    if matches!(decision, Decision::Lacks | Decision::Replaces) {
        let _ = terminal.problems(&stops(plan), sources);
    }
}

/// Returns what stands against a plan, and how the command ends; `None` when nothing does.
fn against(plan: &Plan, decision: Decision, deny: &[Denied]) -> Option<(ExitCode, String)> {
    let why = match decision {
        Decision::Nothing | Decision::Extras | Decision::Write => return None,
        Decision::Lacks => {
            return Some((ExitCode::Environment, "this broker lacks what the file needs".to_owned()));
        }
        Decision::Replaces => {
            let refused = |change: &&Change| change.writes.is_empty();
            let count = plan.replaced().filter(refused).count();
            format!(
                "{count} of the differences cannot be changed on a broker that holds the object\n{}",
                report::refused_replacements_text(plan)
            )
        }
        Decision::Denied => denied(plan, deny),
        Decision::Protected => protected(plan),
        Decision::Loses => format!("{}; apply with --yes if that is meant", report::at_stake_text(plan)),
        Decision::DeletesMuch => format!("{}; apply with --yes if that is meant", deletes_much(plan)),
    };
    Some((ExitCode::Unsafe, why))
}

/// Says which findings are not accepted.
pub(crate) fn denied(plan: &Plan, deny: &[Denied]) -> String {
    let findings = plan.problems.iter().filter(|problem| is_denied(problem, deny));
    let codes: BTreeSet<&str> = findings.map(|problem| problem.code.text()).collect();
    format!("--deny stands against {}", codes.into_iter().collect::<Vec<_>>().join(", "))
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
