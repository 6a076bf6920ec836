//! One line per cell, the head of a run, and one entry of a timeline. The summary is `summary`'s.

use crate::broker::Exercised;
use crate::model::{Millis, Scenario, Version};
use crate::player::{RunResult, TimelineEntry, TimelineEvent, Verdict};
use crate::report::event::event_in_words;
use crate::report::{Palette, shell_word};
use crate::rules::Edition;
use crate::source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// All that a report needs of one cell on one broker.
#[derive(Debug)]
pub struct CellReport {
    /// Its place among the cells of the run.
    pub cell: usize,
    /// `ttl-dlq`, with its axes behind it: `ttl-dlq [queue_type=quorum]`.
    pub name: String,
    /// Of the scenario, as the user named it.
    pub file: String,
    /// The choice of the matrix.
    pub axes: BTreeMap<String, String>,
    /// The line `scenario:`.
    pub title: String,
    /// As the summary names it: `sim 4.3`, `RabbitMQ 4.0.5`.
    pub broker: String,
    /// As `--broker` takes it, without secrets.
    pub broker_argument: String,
    /// What else it was played with (`--in-vhost`, `--management`, `--permit`), with a space before each.
    pub arguments: String,
    /// The broker's, or the profile's.
    pub version: Version,
    /// The rules that the simulator knows of it: on a live broker those of its own patch.
    pub edition: Edition,
    /// The arguments that set variables, with a space before each; secrets hidden.
    pub variables: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Absent when it was skipped.
    pub played: Option<RunResult>,
    /// On a live broker, where it failed: the same on the simulator.
    pub simulated: Option<Simulated>,
    /// What it exercised inside the simulated broker, where a report asks for it.
    pub exercised: Option<Exercised>,
    /// By the wall clock.
    pub real: std::time::Duration,
    /// The difference to the snapshot, or what becomes of a new one.
    pub snapshot_words: Option<String>,
    /// The outcome as a snapshot holds it; absent when there is none to keep.
    pub body: Option<String>,
    /// The command that ran beside it on a served broker; absent where it was played alone.
    pub beside: Option<String>,
    /// The attempts before this one, which failed.
    pub earlier: Vec<CellReport>,
}

/// A cell of a live broker as the simulator plays it, with its reasons.
#[derive(Debug)]
pub struct Simulated {
    /// `sim 4.3`.
    pub broker: String,
    /// How it went there.
    pub played: RunResult,
}

impl CellReport {
    /// Returns the command that repeats just this cell.
    pub fn again(&self) -> String {
        self.again_with(&[self])
    }

    /// Returns the command that repeats this cell on all brokers of some reports of it.
    pub fn again_with(&self, reports: &[&CellReport]) -> String {
        let axes = self.axes.iter().map(|(axis, value)| format!(" --var {}", shell_word(&format!("{axis}={value}"))));
        let brokers = reports.iter().map(|report| format!(" --broker {}", shell_word(&report.broker_argument)));
        let arguments: BTreeSet<&str> = reports.iter().map(|report| &*report.arguments).collect();
        let arguments: String = arguments.into_iter().collect();
        let (axes, brokers): (String, String) = (axes.collect(), brokers.collect());
        let (verb, beside) = match &self.beside {
            None => ("run", String::new()),
            Some(command) if command.is_empty() => ("serve", String::new()),
            Some(command) => ("serve", format!(" -- {command}")),
        };
        format!("rmqplay {verb} {}{brokers}{arguments}{axes}{}{beside}", shell_word(&self.file), self.variables)
    }

    /// Returns how often it was played, where it was more than once and never passed.
    pub(crate) fn tries(&self) -> String {
        match self.earlier.len() {
            0 => String::new(),
            earlier => format!(", tried {} times", earlier + 1),
        }
    }

    /// Returns whether it failed or changed.
    pub fn is_bad(&self) -> bool {
        matches!(self.verdict, Verdict::Failed | Verdict::Changed)
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
    let own = cell.played.as_ref().map_or(String::new(), |played| played.took.to_string());
    let real = duration_in_words(cell.real);
    let reason = match &cell.verdict {
        Verdict::Skipped(reason) => format!("  {reason}"),
        Verdict::Flaky(failed) => format!("  {own:>9} played in {real}, after {failed} that failed"),
        _ => format!("  {own:>9} played in {real}{}", cell.tries()),
    };
    line_of(&cell.verdict, (&cell.name, &cell.broker, &reason), width, palette)
}

/// Writes the line of a cell that passed, with the scenario's own time and the real one.
pub fn passed_line(
    name: &str,
    broker: &str,
    (took, real): (Millis, std::time::Duration),
    width: usize,
    palette: Palette,
) -> String {
    let reason = format!("  {:>9} played in {}", took.to_string(), duration_in_words(real));
    line_of(&Verdict::Passed, (name, broker, &reason), width, palette)
}

fn line_of(verdict: &Verdict, (name, broker, reason): (&str, &str, &str), width: usize, palette: Palette) -> String {
    let mark = mark(verdict, &format!("{:>7}", word(verdict)), palette);
    format!("{mark}  {name:<width$}  {}{}", palette.dim(broker), palette.dim(reason))
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

/// Returns the short word of a verdict; what is wrong is loud.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "pass",
        Verdict::Flaky(_) => "flaky",
        Verdict::New => "new",
        Verdict::Failed => "FAIL",
        Verdict::Changed => "CHANGED",
        Verdict::Skipped(_) => "skip",
    }
}

/// Colours a text as its verdict asks for.
pub(crate) fn mark(verdict: &Verdict, text: &str, palette: Palette) -> String {
    match verdict {
        Verdict::Passed => palette.good(text),
        Verdict::New | Verdict::Skipped(_) | Verdict::Flaky(_) => palette.odd(text),
        Verdict::Failed | Verdict::Changed => palette.bad(text),
    }
}

/// Writes one entry; an expectation is named by its line.
pub(crate) fn entry_line(entry: &TimelineEntry, sources: &Sources) -> String {
    format!("{:>8}  {}", entry.moment.to_string(), entry_words(entry, sources))
}

/// Writes the same without its moment.
pub(crate) fn entry_words(entry: &TimelineEntry, sources: &Sources) -> String {
    match &entry.what {
        TimelineEvent::Judged { span, holds } => {
            let holds = if *holds { "holds" } else { "does not hold" };
            format!("expectation of line {} {holds}", sources.position(*span).line)
        }
        what => event_in_words(what),
    }
}

/// Returns whether an entry tells a reader something; counts do not.
pub(crate) fn is_telling(entry: &TimelineEntry) -> bool {
    !matches!(entry.what, TimelineEvent::Counted { .. })
}
