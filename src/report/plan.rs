//! A plan and what came of it, as lines for the terminal.

use crate::plan::{Applied, Change, ChangeKind, Plan, explain};
use crate::report::Palette;

/// Writes the changes of a plan: signs, reasons, and what is at stake.
pub fn plan_text(plan: &Plan, palette: Palette) -> String {
    plan.changes.iter().fold(String::new(), |text, change| text + &change_text(change, palette))
}

fn change_text(change: &Change, palette: Palette) -> String {
    let line = explain(change);
    let line = match change.kind {
        ChangeKind::Create { .. } => palette.good(&line),
        ChangeKind::Update { .. } => palette.odd(&line),
        ChangeKind::Immutable { .. } => palette.bad(&line),
    };
    let mut text = format!("  {line}\n");
    if let Some(risk) = &change.risk {
        text.push_str(&format!("      {} {}\n", palette.bad("at stake:"), risk.what));
        for (queue, messages) in &risk.queues {
            let noun = if *messages == 1 { "message" } else { "messages" };
            text.push_str(&format!("        {messages} {noun} in {queue}\n"));
        }
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
