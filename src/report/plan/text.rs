//! A plan and what came of it, as lines for the terminal.

use crate::model::{Object, by_number, counted, one_line};
use crate::plan::{Applied, Change, ChangeKind, Extra, Plan, PolicyEffect, Stakes, explain, explain_extra, named};
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
    if let Some(stakes) = stakes.and_then(|stakes| stakes_text(&change.object, stakes)) {
        text.push_str(&format!("      {} {stakes}\n", palette.bad("goes with it:")));
    }
    for line in way_lines(change) {
        text.push_str(&format!("      {line}\n"));
    }
    for effect in &change.effects {
        text.push_str(&format!("      {}\n", one_line(&effect_text(effect))));
    }
    if let Some(risk) = &change.risk {
        text.push_str(&format!("      {} {}\n", palette.bad("at stake:"), one_line(&risk.what)));
        for (queue, messages) in &risk.queues {
            let messages = messages.map_or("an unknown number of messages".to_owned(), |n| counted(n, "message"));
            text.push_str(&one_line(&format!("        {messages} in {queue}")));
            text.push('\n');
        }
    }
    text
}

/// Writes what queues lose by a policy that is changed or deleted.
fn effect_text(effect: &PolicyEffect) -> String {
    let names: Vec<String> = effect.queues.iter().map(|queue| format!("'{}'", queue.name)).collect();
    let more = if effect.more > 0 { format!(" and {} more", effect.more) } else { String::new() };
    let noun = by_number(effect.queues.len() + effect.more, "queue", "queues");
    let fields: Vec<String> =
        effect.fields.iter().map(|field| format!("{} {} -> {}", field.name, field.old, field.new)).collect();
    format!("in force on {noun} {}{more}: {}", names.join(", "), fields.join(", "))
}

/// Writes what goes with an object; `None` when nothing does.
pub fn stakes_text(object: &Object, stakes: &Stakes) -> Option<String> {
    let is_uncounted = matches!(object, Object::Queue { .. }) && stakes.messages.is_none();
    let unknown = is_uncounted.then(|| "an unknown number of messages".to_owned());
    let counts = [
        (stakes.messages, "message"),
        (stakes.consumers, "consumer"),
        (u64::try_from(stakes.bindings).ok().filter(|bindings| *bindings > 0), "binding"),
    ];
    let counts = counts.iter().filter_map(|(count, noun)| Some(counted((*count)?, noun)));
    let words: Vec<String> = unknown.into_iter().chain(counts).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Writes what the vhosts of a file hold beside it, named up to a bound; empty when there is nothing.
pub fn extras_text(extras: &[Extra], palette: Palette) -> String {
    if extras.is_empty() {
        return String::new();
    }
    let mut text = format!("{}:\n", beside_text(extras.len()));
    for extra in extras.iter().take(EXTRAS_MAX) {
        text.push_str(&format!("    {}\n", palette.dim(&explain_extra(extra))));
    }
    match extras.len().saturating_sub(EXTRAS_MAX) {
        0 => {}
        more => text.push_str(&format!("    {}\n", palette.dim(&format!("… and {more} more (--json names all)")))),
    }
    text
}

/// Counts what the vhosts of a file hold beside it.
pub fn beside_text(extras: usize) -> String {
    format!("{} of these vhosts {} not in the file", counted(extras, "object"), by_number(extras, "is", "are"))
}

/// Returns how many changes can lose something, and which.
pub fn at_stake_text(plan: &Plan) -> String {
    let which: Vec<String> = plan.risky().map(|change| change.object.to_string()).collect();
    let which_text = one_line(&which.join(", ")).into_owned();
    format!("{} of the changes can lose messages or rights ({which_text})", which.len())
}

/// Writes what an apply did, and what the broker refused.
pub fn applied_text(applied: &Applied, palette: Palette) -> String {
    let mut text = String::new();
    for (object, refusal) in &applied.refused {
        let object = object.to_string();
        text.push_str(&format!("  {} {}: {refusal}\n", palette.bad("refused"), one_line(&object)));
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
