//! What playing on any broker needs: announces it, judges each cell, tells its line, and closes the run.

use crate::broker::Exercised;
use crate::cli::ExitCode;
use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::foresee::coverage::Covering;
use crate::cli::progress::RunProgress;
use crate::cli::select::ToPlay;
use crate::cli::snapshot_store::{Settled, SnapshotStore};
use crate::cli::suite::{OutputLane, OutputText, StopFlag};
use crate::cli::terminal::Terminal;
use crate::io::BrokerFailure;
use crate::io::snapshots::Unwritten;
use crate::model::{Cell, Millis, Version, by_number, counted};
use crate::player::{RunResult, Verdict};
use crate::report;
use crate::report::{BrokerCounters, BrokerError, CellReport, Page, PassedCells, VersionPair, shell_word};
use crate::rules::Edition;
use crate::source::{Sources, Span};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Why a cell is not played after --fail-fast.
pub(crate) const FAILED_BEFORE: &str = "not played: another cell failed before (--fail-fast)";

/// How many files are named at the end before the rest is counted.
const FILES_MAX: usize = 10;

/// What all brokers of a run share.
pub(crate) struct RunReporter<'a> {
    pub command: &'a RunOptions,
    pub terminal: &'a Terminal,
    pub sources: &'a Sources,
    pub keeping: &'a SnapshotStore,
    pub covering: Arc<Covering<'a>>,
    pub progress: Arc<RunProgress>,
    /// The longest name of a cell.
    pub width: usize,
    /// What kept brokers from being played on.
    pub errors: Mutex<Vec<BrokerError>>,
    /// What live brokers counted themselves, of those that tell it.
    pub counted: Arc<Mutex<Vec<BrokerCounters>>>,
    /// Where the words of a broker go that plays beside others.
    pub lane: OutputLane<'a>,
    pub stop: StopFlag,
    /// Whether cells are told by somebody else: only what goes wrong with a broker is said.
    pub is_silent: bool,
}

/// A broker as reports name it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// `sim 4.3`, `RabbitMQ 4.0.5`.
    pub broker: String,
    /// As `--broker` takes it, without secrets.
    pub argument: String,
    /// What else it is played with, with a space before each.
    pub arguments: String,
    pub version: Version,
    /// The rules that hold there; what the configuration of a live broker permits is not known.
    pub edition: Edition,
}

impl Named {
    /// Names the simulated broker, with what --permit and --plugins gave.
    pub fn sim(edition: Edition, command: &RunOptions) -> Self {
        let profile = edition.profile;
        let (broker, argument) = (format!("sim {profile}"), format!("sim:{profile}"));
        let permitted = command.permit.iter().map(|feature| format!(" --permit {feature}"));
        let enabled = command.plugins.iter().map(|plugin| format!(" --plugins {plugin}"));
        let arguments = permitted.chain(enabled).collect();
        Self { broker, argument, arguments, version: profile.version(), edition }
    }
}

/// A cell that was played once, or not at all.
#[derive(Default)]
pub(crate) struct Once {
    pub played: Option<RunResult>,
    /// What it exercised, where a report asks for it.
    pub exercised: Option<Exercised>,
    /// Why it was not played.
    pub skipped: Option<String>,
    pub real: Duration,
}

impl RunReporter<'_> {
    /// Says on what is played, unless machines read.
    pub fn announce(&self, broker: &str, live: bool) {
        if !self.command.json && !self.is_silent {
            self.say(vec![OutputText::Status(report::header(broker, live, self.terminal.palette))]);
        }
    }

    /// Complains beside the progress.
    pub fn error(&self, text: &str) {
        self.say(vec![OutputText::Error(text.to_owned())]);
    }

    /// Complains about the broker beside the progress.
    pub fn failure(&self, broker: &str, failure: &BrokerFailure) {
        self.say(vec![OutputText::Error(self.terminal.failure_text(failure))]);
        self.keep_error(Some(broker), failure.to_string(), Some(failure.hint.clone()));
    }

    /// Complains that a broker is not played on, for its own sake.
    pub fn refuse(&self, broker: &str, why: &str) {
        self.error(&format!("error: {why}"));
        self.keep_error(Some(broker), why.to_owned(), None);
    }

    /// Keeps an error for the reports, and tells it to machines that read along.
    pub fn keep_error(&self, broker: Option<&str>, message: String, help: Option<String>) {
        let error = BrokerError { broker: broker.map(str::to_owned), message, help };
        if self.command.json {
            self.say(vec![OutputText::Print(report::error_json(&error).to_string())]);
        }
        self.locked_errors().push(error);
    }

    /// Makes the report of a cell: the verdict of its run and of its snapshot.
    pub fn judge(&self, index: usize, one: &ToPlay, once: Once, on: &Named) -> CellReport {
        judged((self.command, self.keeping), index, one, once, on)
    }

    /// Makes the report of a cell that passed, without a run.
    pub fn unjudged(&self, index: usize, one: &ToPlay, on: &Named) -> CellReport {
        unjudged(self.command, index, one, on)
    }

    /// Forgets how a cell passed that was told, where nothing is written of it later.
    pub fn forget_details(&self, report: &mut CellReport) {
        let is_written = !self.command.report.is_empty()
            || self.command.suite.record.is_some()
            || self.command.suite.metrics.is_some();
        if let (Verdict::Passed, false, Some(played)) = (&report.verdict, is_written, &mut report.played) {
            played.forget_details();
        }
    }

    /// Returns whether a report ends the run early.
    pub fn is_enough(&self, report: &CellReport) -> bool {
        self.command.fail_fast && report.is_bad()
    }

    /// Writes a cell's line, or its JSON.
    pub fn emit(&self, report: &CellReport) {
        self.progress.ended(report.is_bad() && !self.is_silent);
        if self.is_silent {
            return;
        }
        self.say(match self.command.json {
            true => vec![OutputText::Print(report::cell_json(report, self.sources, self.command.trace).to_string())],
            false => self.lines_of(report, notes_of(report, self.sources)),
        });
    }

    /// Writes the line of a cell that passed on a broker, of which nothing more is known.
    pub fn emit_passed(&self, name: &str, broker: &str, took: Millis, real: Duration) {
        self.progress.ended(false);
        if !self.terminal.quiet {
            let line = report::passed_line(name, broker, (took, real), self.width, self.terminal.palette);
            self.say(vec![OutputText::Status(line)]);
        }
    }

    /// Writes a cell's line with the notes on its run.
    pub fn emit_noted(&self, report: &CellReport, notes: Vec<OutputText>) {
        self.progress.ended(report.is_bad());
        self.say(self.lines_of(report, notes));
    }

    fn lines_of(&self, report: &CellReport, notes: Vec<OutputText>) -> Vec<OutputText> {
        let mut lines = vec![OutputText::Status(report::cell_line(report, self.width, self.terminal.palette))];
        if let (Verdict::New | Verdict::Passed, Some(words)) = (&report.verdict, &report.snapshot_words) {
            lines.push(OutputText::Status(format!("         {words}")));
        }
        lines.extend(notes);
        if let (true, Some(played)) = (self.command.trace, &report.played) {
            lines.push(OutputText::Print(report::trace(&played.timeline, self.sources, self.terminal.palette)));
        }
        lines
    }

    fn say(&self, words: Vec<OutputText>) {
        self.lane.say(words, self.terminal, &self.progress);
    }

    /// Returns the same for a broker that plays beside others: its words wait for their turn, its errors are its own.
    pub fn in_lane<'b>(&'b self, lane: OutputLane<'b>) -> RunReporter<'b> {
        RunReporter {
            covering: self.covering.clone(),
            progress: self.progress.clone(),
            errors: Mutex::default(),
            counted: self.counted.clone(),
            lane,
            stop: self.stop.clone(),
            ..*self
        }
    }

    /// Says that the broker of this lane has no more to say.
    pub fn end_lane(&self) {
        self.lane.end(self.terminal, &self.progress);
    }

    /// Returns whether a signal ends the run.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// Returns what kept brokers from being played on so far.
    pub fn errors(&self) -> Vec<BrokerError> {
        self.locked_errors().clone()
    }

    /// Takes over what kept brokers of other lanes from being played on.
    pub fn take_errors(&self, errors: Vec<BrokerError>) {
        self.locked_errors().extend(errors);
    }

    /// Keeps what a live broker counted itself.
    pub fn take_counters(&self, counters: BrokerCounters) {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).push(counters);
    }

    /// Returns what live brokers counted themselves, in the order of their names.
    pub fn counted(&self) -> Vec<BrokerCounters> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        counted.sort_by(|one, other| one.broker.cmp(&other.broker));
        counted
    }

    fn locked_errors(&self) -> MutexGuard<'_, Vec<BrokerError>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Complains about what could not be written.
    pub fn emit_unwritten(&self, settled: &Settled) {
        for error in &settled.errors {
            self.error(&cannot_write(error));
            self.keep_error(None, error.to_string(), None);
        }
    }

    /// Writes the failures, what waits for a review, and the summary; returns what coverage comes to.
    pub fn close(
        &self,
        reports: &[CellReport],
        differing: &[VersionPair],
        settled: &Settled,
        unreferenced: &[PathBuf],
        real: Duration,
    ) -> ExitCode {
        self.close_with(reports, &PassedCells::default(), (differing, settled, unreferenced), real)
    }

    /// The same, with cells beside them of which only is known that they passed.
    pub fn close_with(
        &self,
        reports: &[CellReport],
        passed: &PassedCells,
        (differing, settled, unreferenced): (&[VersionPair], &Settled, &[PathBuf]),
        real: Duration,
    ) -> ExitCode {
        self.progress.close();
        if self.command.json {
            let code = self.covering.close(true, self.terminal);
            let written: Vec<String> = settled.written.iter().map(|path| path.display().to_string()).collect();
            self.terminal.print(&report::summary_json(reports, &written, real).to_string());
            return code;
        }
        let (palette, width) = (self.terminal.palette, self.terminal.width);
        let page = Page { sources: self.sources, width, palette };
        self.terminal.print_unless_empty(&report::failures_text(reports, page));
        self.terminal.print_unless_empty(&report::versions_text(differing, palette));
        if let Some(table) = report::brokers_table(reports, passed, palette) {
            self.terminal.status(&format!("\n{table}"));
        }
        self.terminal.status_unless_empty(&self.files_text(reports, settled));
        settled.words.iter().for_each(|words| self.terminal.status(words));
        if !unreferenced.is_empty() {
            let head = "snapshots that no cell has any more (remove them, or see how their scenarios are called now)";
            self.terminal.status(&format!("{head}:\n{}", listed(unreferenced)));
        }
        let code = self.covering.close(false, self.terminal);
        if !reports.is_empty() || passed.cells > 0 {
            self.terminal.status(&report::summary(reports, passed, real, palette));
        }
        code
    }

    /// Returns what was written, and what to do about it.
    fn files_text(&self, reports: &[CellReport], settled: &Settled) -> String {
        let n = settled.written.len();
        let outcomes = counted(n, "outcome");
        let missing = reports.iter().filter(|report| report.verdict == Verdict::New).count();
        match self.keeping.mode {
            Snapshots::Check if missing > 0 => {
                "a snapshot is made by `rmqplay run` and `rmqplay review` outside of CI, and committed\n".to_owned()
            }
            _ if n == 0 => String::new(),
            Snapshots::Accept => {
                format!("{outcomes} became {}:\n{}", by_number(n, "a snapshot", "snapshots"), listed(&settled.written))
            }
            _ => {
                let verb = by_number(n, "waits", "wait");
                let paths: String =
                    self.command.paths.iter().map(|path| format!(" {}", shell_word(&path.to_string_lossy()))).collect();
                let paths = if self.command.paths == [PathBuf::from("scenarios")] { "" } else { &*paths };
                format!("{outcomes} {verb} for a review: rmqplay review{paths}\n{}", listed(&settled.written))
            }
        }
    }
}

/// Makes the report of a cell: the verdict of its run and of its snapshot, which is the `index`th of those that are kept.
pub(crate) fn judged(
    (command, keeping): (&RunOptions, &SnapshotStore),
    index: usize,
    one: &ToPlay,
    once: Once,
    on: &Named,
) -> CellReport {
    let (verdict, snapshot_words, body) = match (&once.played, once.skipped) {
        (_, Some(reason)) => (Verdict::Skipped(reason), None, None),
        (Some(played), None) => keeping.judge(index, one, played, on.version),
        (None, None) => (Verdict::Skipped("it was not played".to_owned()), None, None),
    };
    CellReport {
        verdict,
        played: once.played,
        exercised: once.exercised,
        real: once.real,
        snapshot_words,
        body,
        ..unjudged(command, index, one, on)
    }
}

fn unjudged(command: &RunOptions, index: usize, one: &ToPlay, on: &Named) -> CellReport {
    CellReport {
        cell: index,
        name: one.name(),
        file: one.cell.scenario.file.clone(),
        axes: one.cell.axes.clone(),
        title: one.title.clone(),
        broker: on.broker.clone(),
        broker_argument: on.argument.clone(),
        arguments: on.arguments.clone(),
        version: on.version,
        edition: on.edition,
        variables: variables(command, &one.cell),
        verdict: Verdict::Passed,
        played: None,
        simulated: None,
        exercised: None,
        real: Duration::ZERO,
        snapshot_words: None,
        body: None,
        beside: None,
        earlier: Vec::new(),
    }
}

/// Writes out the variables of the command line, but those that chose the cell.
fn variables(command: &RunOptions, cell: &Cell) -> String {
    let vars = &command.vars;
    let files = vars.vars_files.iter().map(|file| format!(" --vars-file {}", shell_word(&file.to_string_lossy())));
    let set = vars.vars.iter().filter_map(|text| text.split_once('='));
    let set = set.filter(|(name, _)| !cell.axes.contains_key(*name)).map(|(name, value)| {
        let value = if crate::source::is_secret(name) { "***" } else { value };
        format!(" --var {}", shell_word(&format!("{name}={value}")))
    });
    files.chain(set).collect()
}

/// Writes the notes on a run, each with its line.
pub(crate) fn notes_of(report: &CellReport, sources: &Sources) -> Vec<OutputText> {
    let notes = report.played.iter().flat_map(|played| &played.notes);
    let line = |(span, note): &(Span, String)| {
        OutputText::Status(format!("         note: line {}: {note}", sources.position(*span).line))
    };
    notes.map(line).collect()
}

/// Returns what to do when an outcome cannot be written.
fn cannot_write(error: &Unwritten) -> String {
    match error {
        Unwritten::Overtaken(_) => format!("error: {error}"),
        Unwritten::Failed(_) => format!(
            "error: {error}\n  help: make the folder writable, or play with --snapshots check, which writes nothing"
        ),
    }
}

fn listed(files: &[PathBuf]) -> String {
    let mut text: String = files.iter().take(FILES_MAX).map(|file| format!("  {}\n", file.display())).collect();
    if files.len() > FILES_MAX {
        text.push_str(&format!("  and {} more\n", files.len() - FILES_MAX));
    }
    text
}
