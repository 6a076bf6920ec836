//! A run as Markdown, for the summary of a workflow's job or a comment: a table of verdicts, then what failed.

use crate::player::Verdict;
use crate::report::cell::word;
use crate::report::junit::what_failed;
use crate::report::summary::{PassedCells, brokers, summary};
use crate::report::{BrokerError, CellReport, Palette};
use crate::source::Sources;
use std::time::Duration;

/// How many rows the table has at most: a summary has a largest size.
const ROWS_MAX: usize = 200;

/// How many failures are told in full.
const TOLD_MAX: usize = 20;

/// Writes the report; cells that passed on all brokers are counted where there are many.
pub fn run_markdown(cells: &[CellReport], errors: &[BrokerError], sources: &Sources, real: Duration) -> String {
    let plain = Palette { colour: false };
    let mut text = format!("## rmqplay: {}\n\n", summary(cells, &PassedCells::default(), real, plain).trim());
    for error in errors {
        let help = error.help.as_ref().map_or(String::new(), |help| format!(" {}", escaped(help)));
        text.push_str(&format!("- **error**: {}{help}\n", escaped(&error.message)));
    }
    if !errors.is_empty() {
        text.push('\n');
    }
    text.push_str(&table(cells));
    let bad: Vec<&CellReport> = cells.iter().filter(|cell| cell.is_bad()).collect();
    for cell in bad.iter().take(TOLD_MAX) {
        let (message, description) = what_failed(cell, sources);
        let fence = fence_around(&description);
        text.push_str(&format!(
            "\n<details><summary>{} on {}: {}</summary>\n\n{fence}text\n{}\n{fence}\n</details>\n",
            escaped(&cell.name),
            escaped(&cell.broker),
            escaped(&message),
            description.trim_end()
        ));
    }
    if bad.len() > TOLD_MAX {
        text.push_str(&format!("\nand {} more that failed or changed\n", bad.len() - TOLD_MAX));
    }
    text
}

/// Writes a row per cell and a column per broker, those that did not pass first.
fn table(cells: &[CellReport]) -> String {
    let brokers = brokers(cells);
    let heads: String = brokers.iter().map(|broker| format!(" {} |", escaped(broker))).collect();
    let mut text = format!("| scenario |{heads}\n|---|{}\n", "---|".repeat(brokers.len()));
    let mut rows: Vec<Vec<Option<&CellReport>>> =
        vec![vec![None; brokers.len()]; cells.iter().map(|cell| cell.cell + 1).max().unwrap_or(0)];
    for cell in cells {
        let column = brokers.iter().position(|broker| *broker == cell.broker).unwrap_or(0);
        rows[cell.cell][column] = Some(cell);
    }
    rows.retain(|row| row.iter().any(Option::is_some));
    rows.sort_by_key(|row| row.iter().flatten().all(|cell| cell.verdict == Verdict::Passed));
    for row in rows.iter().take(ROWS_MAX) {
        let name = row.iter().flatten().next().map_or("", |cell| &cell.name);
        text.push_str(&format!("| {} |", escaped(name)));
        row.iter().for_each(|cell| text.push_str(&format!(" {} |", cell.map_or("-", |cell| word(&cell.verdict)))));
        text.push('\n');
    }
    if rows.len() > ROWS_MAX {
        text.push_str(&format!("\nand {} more cells\n", rows.len() - ROWS_MAX));
    }
    text
}

/// Escapes what Markdown or HTML would take for its own.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    out
}

/// Returns a fence that the text does not end.
fn fence_around(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}
