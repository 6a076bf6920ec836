//! A run as TAP, version 14: a test point per cell and broker, and one for what kept a broker from being played on.

use crate::player::Verdict;
use crate::report::junit::what_failed;
use crate::report::{BrokerError, CellReport};
use crate::source::Sources;
use serde_json::{Value as Json, json};

/// Writes the report.
pub fn tap(cells: &[CellReport], errors: &[BrokerError], sources: &Sources) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", cells.len() + errors.len());
    for (number, cell) in cells.iter().enumerate() {
        let is_ok = if cell.is_bad() { "not ok" } else { "ok" };
        text.push_str(&format!("{is_ok} {} - {}", number + 1, described(&format!("{} on {}", cell.name, cell.broker))));
        if let Verdict::Skipped(reason) = &cell.verdict {
            text.push_str(&format!(" # SKIP {}", one_line(reason)));
        }
        text.push('\n');
        if cell.is_bad() {
            text.push_str(&diagnostics(cell, sources));
        }
    }
    for (number, error) in errors.iter().enumerate() {
        let broker = error.broker.as_deref().unwrap_or("rmqplay");
        text.push_str(&format!("not ok {} - {}\n", cells.len() + number + 1, described(broker)));
        text.push_str(&block(&[
            ("message", json!(error.message)),
            ("severity", json!("error")),
            ("help", json!(error.help)),
        ]));
    }
    text
}

/// Returns what is known of a failure.
fn diagnostics(cell: &CellReport, sources: &Sources) -> String {
    let (message, description) = what_failed(cell, sources);
    let first = cell.played.as_ref().and_then(|played| played.failures.first());
    let line = first.map(|failure| sources.position(failure.span).line);
    block(&[
        ("message", json!(message)),
        ("severity", json!("fail")),
        ("file", json!(cell.file)),
        ("line", json!(line)),
        ("again", json!(cell.again())),
        ("details", json!(description)),
    ])
}

/// Writes a block of YAML: a value as JSON is one. What is not known is left out.
fn block(entries: &[(&str, Json)]) -> String {
    let known = entries.iter().filter(|(_, value)| !value.is_null());
    let lines: String = known.map(|(key, value)| format!("  {key}: {value}\n")).collect();
    format!("  ---\n{lines}  ...\n")
}

/// Escapes what would begin a directive.
fn described(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
