//! A failed cell for a reader: the line, what was expected and found, what led there, and how to repeat it.

use super::problem::draw_one;
use super::story::before;
use super::{CellReport, Palette};
use crate::play::{Failure, Verdict};
use crate::source::{Problem, Sources};

/// Writes all that is known of a failed or changed cell.
pub fn failure_text(cell: &CellReport, sources: &Sources, width: usize, palette: Palette) -> String {
    let mut text = format!("\n{}\n", palette.strong(&format!("{} on {}", cell.name, cell.broker)));
    for (number, failure) in cell.played.iter().flat_map(|played| &played.failures).enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text.push_str(&draw_one(&as_problem(failure), sources, width, palette.colour));
        if let Some(played) = cell.played.as_ref().filter(|_| number == 0) {
            text.push_str(&before(failure, &played.timeline, sources, palette));
        }
    }
    if cell.verdict == Verdict::Changed
        && let Some(words) = &cell.snapshot_words
    {
        text.push_str(&coloured_difference(words, palette));
    }
    text.push_str(&format!("\n  {} {}\n", palette.dim("again:"), cell.again()));
    text
}

/// Makes a problem of a failure, so that both are drawn alike.
fn as_problem(failure: &Failure) -> Problem {
    let findings = failure.findings.iter();
    let words: Vec<String> =
        findings.map(|one| format!("{}: expected {}, found {}", one.field, one.expected, one.found)).collect();
    let label = if words.is_empty() { "here".to_owned() } else { words.join("\n") };
    let problem = Problem::new(failure.code, failure.message.clone()).at(failure.span, label);
    match &failure.help {
        Some(help) => problem.help(help.clone()),
        None => problem,
    }
}

fn coloured_difference(difference: &str, palette: Palette) -> String {
    let line = |line: &str| match line.chars().next() {
        Some('-') => palette.bad(line),
        Some('+') => palette.good(line),
        _ => line.to_owned(),
    };
    difference.lines().map(|text| format!("  {}\n", line(text))).collect()
}
