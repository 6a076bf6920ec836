//! A plan and what came of it, as lines for the terminal.

use crate::model::{by_number, counted};
use crate::plan::{Applied, Change, ChangeKind, Extra, Plan, Stakes, explain, explain_extra, named};
use crate::report::Palette;
use crate::report::plan::moving::way_lines;

/// What a proof by reading back covers.
pub const EQUAL_COVERS: &str = "compared were types, flags, arguments, bindings, patterns, definitions, tags, limits and passwords by their \
     hashes; not messages, consumers, or what the files do not name";

/// How many extras are named; the rest is counted.
const EXTRAS_MAX: usize = 20;

/// Writes the changes of a plan: signs, reasons, and what is at stake.
pub fn plan_text(plan: &Plan, palette: Palette) -> String {
    plan.changes.iter().fold(String::new(), |text, change| text + &change_text(change, palette))
}

fn change_text(change: &Change, palette: Palette) -> String {
    let line = explain(change);
    let (line, stakes) = match &change.kind {
        ChangeKind::Create { .. } => (palette.good(&line), None),
        ChangeKind::Update { .. } => (palette.odd(&line), None),
        ChangeKind::Replace { stakes, .. } | ChangeKind::Delete { stakes, .. } => (palette.bad(&line), Some(stakes)),
    };
    let mut text = format!("  {line}\n");
    if let Some(stakes) = stakes.and_then(stakes_text) {
        text.push_str(&format!("      {} {stakes}\n", palette.bad("goes with it:")));
    }
    for line in way_lines(change) {
        text.push_str(&format!("      {line}\n"));
    }
    if let Some(risk) = &change.risk {
        text.push_str(&format!("      {} {}\n", palette.bad("at stake:"), risk.what));
        for (queue, messages) in &risk.queues {
            text.push_str(&format!("        {} in {queue}\n", counted(*messages, "message")));
        }
    }
    text
}

/// Writes what goes with an object; `None` when nothing does.
pub fn stakes_text(stakes: &Stakes) -> Option<String> {
    let counts = [
        (stakes.messages, "message"),
        (stakes.consumers, "consumer"),
        (u64::try_from(stakes.bindings).ok().filter(|bindings| *bindings > 0), "binding"),
    ];
    let words: Vec<String> = counts.iter().filter_map(|(count, noun)| Some(counted((*count)?, noun))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Writes what the vhosts of a file hold beside it, named up to a bound; empty when there is nothing.
pub fn extras_text(extras: &[Extra], palette: Palette) -> String {
    if extras.is_empty() {
        return String::new();
    }
    let (objects, are) = (counted(extras.len(), "object"), by_number(extras.len(), "is", "are"));
    let mut text = format!("{objects} of these vhosts {are} not in the file:\n");
    for extra in extras.iter().take(EXTRAS_MAX) {
        text.push_str(&format!("    {}\n", palette.dim(&explain_extra(extra))));
    }
    match extras.len().saturating_sub(EXTRAS_MAX) {
        0 => {}
        more => text.push_str(&format!("    {}\n", palette.dim(&format!("… and {more} more (--json names all)")))),
    }
    text
}

/// Returns how many changes can lose something, and which.
pub fn at_stake_text(plan: &Plan) -> String {
    let which: Vec<String> = plan.risky().map(|change| change.object.to_string()).collect();
    format!("{} of the changes can lose messages or rights ({})", which.len(), which.join(", "))
}

/// Writes what an apply did, and what the broker refused.
pub fn applied_text(applied: &Applied, palette: Palette) -> String {
    let mut text = String::new();
    for (object, refusal) in &applied.refused {
        text.push_str(&format!("  {} {object}: {refusal}\n", palette.bad("refused")));
    }
    text
}

/// Names what was deleted.
pub fn deleted_text(applied: &Applied) -> String {
    applied.done.iter().fold(String::new(), |text, object| text + &format!("  deleted {}\n", named(object)))
}

/// Counts the changes of a plan by what becomes of the objects: `2 to create, 1 to change`.
pub fn changes_text(plan: &Plan) -> String {
    let counts = [
        (count(plan, |kind| matches!(kind, ChangeKind::Create { .. })), "create"),
        (count(plan, |kind| matches!(kind, ChangeKind::Update { .. })), "change"),
        (count(plan, |kind| matches!(kind, ChangeKind::Replace { .. })), "replace"),
        (count(plan, |kind| matches!(kind, ChangeKind::Delete { .. })), "delete"),
    ];
    let words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, verb)| format!("{count} to {verb}")).collect();
    words.join(", ")
}

fn count(plan: &Plan, is: impl Fn(&ChangeKind) -> bool) -> usize {
    plan.changes.iter().filter(|change| is(&change.kind)).count()
}
