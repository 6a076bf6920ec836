//! One line per cell, the head and the summary of a run, and one entry of a timeline.

use super::Palette;
use crate::model::{Millis, Scenario};
use crate::play::{Entry, Happening, Played, Verdict};
use crate::source::Sources;
use std::collections::BTreeMap;

/// Is all that a report needs of one cell on one broker.
#[derive(Debug)]
pub struct CellReport {
    /// `ttl-dlq`, with its axes behind it: `ttl-dlq [queue_type=quorum]`.
    pub name: String,
    pub file: String,
    pub axes: BTreeMap<String, String>,
    pub title: String,
    /// As the summary names it: `sim 4.3`, `RabbitMQ 4.0.5`.
    pub broker: String,
    /// As `--broker` takes it, without secrets.
    pub broker_argument: String,
    /// The arguments that set variables, with a space before each; secrets hidden.
    pub variables: String,
    pub verdict: Verdict,
    pub played: Option<Played>,
    pub real: std::time::Duration,
    /// The difference to the snapshot, or where a new one waits.
    pub snapshot_words: Option<String>,
}

impl CellReport {
    /// Gives the command that repeats just this cell.
    pub fn again(&self) -> String {
        let axes: String = self.axes.iter().map(|(axis, value)| format!(" --var {axis}={value}")).collect();
        format!("rmqplay run {} --broker {}{axes}{}", self.file, self.broker_argument, self.variables)
    }
}

/// Names a cell.
pub fn cell_name(scenario: &Scenario, axes: &BTreeMap<String, String>) -> String {
    let file = scenario.file.rsplit('/').next().unwrap_or(&scenario.file);
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    if axes.is_empty() {
        return stem.to_owned();
    }
    let axes: Vec<String> = axes.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
    format!("{stem} [{}]", axes.join(", "))
}

/// Says on which broker, version and clock a run plays.
pub fn header(broker: &str, live: bool, palette: Palette) -> String {
    let clock = if live { "real time" } else { "virtual time" };
    palette.dim(&format!("playing on {broker}, {clock}"))
}

/// Writes the line of one cell: verdict, name, time of the scenario and real time.
pub fn cell_line(cell: &CellReport, width: usize, palette: Palette) -> String {
    let mark = match &cell.verdict {
        Verdict::Passed => palette.good("   pass"),
        Verdict::New => palette.odd("    new"),
        Verdict::Failed => palette.bad("   FAIL"),
        Verdict::Changed => palette.bad("CHANGED"),
        Verdict::Skipped(_) => palette.odd("   skip"),
    };
    let own = cell.played.as_ref().map_or(String::new(), |played| played.took.to_string());
    let real = duration_in_words(cell.real);
    let reason = match &cell.verdict {
        Verdict::Skipped(reason) => format!("  {reason}"),
        _ => format!("  {own:>9} played in {real}"),
    };
    format!("{mark}  {:<width$}  {}{}", cell.name, palette.dim(&cell.broker), palette.dim(&reason))
}

/// Writes real time with three digits that mean something.
pub fn duration_in_words(real: std::time::Duration) -> String {
    let ms = real.as_secs_f64() * 1000.0;
    match ms {
        _ if ms < 10.0 => format!("{ms:.1} ms"),
        _ if ms < 1000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// Sums up all cells in a line.
pub fn summary(cells: &[CellReport], real: std::time::Duration, palette: Palette) -> String {
    let count = |verdict: &str| cells.iter().filter(|cell| cell.verdict.as_str() == verdict).count();
    let words = ["passed", "new", "changed", "failed", "skipped"];
    let parts = words.iter().map(|word| (*word, count(word))).filter(|(word, n)| *n > 0 || *word == "passed");
    let parts = parts.map(|(word, n)| match word {
        "passed" => palette.good(&format!("{n} passed")),
        "failed" | "changed" => palette.bad(&format!("{n} {word}")),
        _ => palette.odd(&format!("{n} {word}")),
    });
    let parts: Vec<String> = parts.collect();
    let own: u64 = cells.iter().filter_map(|cell| cell.played.as_ref()).map(|played| played.took.0).sum();
    let noun = if cells.len() == 1 { "cell" } else { "cells" };
    let times = format!("{} of the scenarios' time in {}", Millis(own), duration_in_words(real));
    format!("{} {noun}: {} {}", cells.len(), parts.join(", "), palette.dim(&format!("({times})")))
}

/// Writes one entry; an expectation is named by its line.
pub(super) fn entry_line(entry: &Entry, sources: &Sources) -> String {
    match &entry.what {
        Happening::Judged { span, holds } => {
            let holds = if *holds { "holds" } else { "does not hold" };
            format!("{:>8}  expectation of line {} {holds}", entry.moment.to_string(), sources.position(*span).line)
        }
        _ => entry.to_string(),
    }
}

/// Says whether an entry tells a reader something; counts and step marks do not.
pub(super) fn is_telling(entry: &Entry) -> bool {
    !matches!(entry.what, Happening::Step { .. } | Happening::Counted { .. })
}
