//! `run`: loads everything, plays every cell on every broker, compares snapshots, reports.

use super::arguments::Run;
use super::brokers::Target;
use super::load::Loader;
use super::terminal::Terminal;
use super::{ExitCode, pace, run_live, verdicts};
use crate::io::{snapshots, write_atomically};
use crate::language;
use crate::model::{Cell, Profile, Version};
use crate::play::{Played, Verdict};
use crate::report::{self, CellReport};
use crate::simulate::rehearse;
use crate::source::{Problem, Sources};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Is one cell to play, and where its file lies.
#[derive(Debug, Clone)]
pub(super) struct ToPlay {
    pub path: PathBuf,
    pub title: String,
    pub cell: Cell,
}

/// Plays what the arguments name.
pub fn run(command: &Run, terminal: &Terminal) -> ExitCode {
    let began = Instant::now();
    let targets = command.broker.iter().map(|text| Target::parse(text, command.management.as_deref()));
    let targets: Vec<Target> = match targets.collect() {
        Ok(targets) => targets,
        Err(message) => return terminal.usage(&message),
    };
    let junit_file = match command.report.as_deref().map(|report| report.split_once(':')) {
        None => None,
        Some(Some(("junit", file))) if !file.is_empty() => Some(PathBuf::from(file)),
        Some(_) => return terminal.usage("--report takes junit:FILE"),
    };
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let cells = match load_all(command, &mut loader, terminal) {
        Ok(cells) => cells,
        Err(code) => return code,
    };
    let stage = Stage { command, terminal, sources: &loader.sources, width: name_width(&cells) };
    let mut reports = Vec::new();
    let mut code = ExitCode::Fine;
    for target in &targets {
        code = code.and(match target {
            Target::Sim(profile) => stage.play_on_sim(*profile, &cells, &mut reports),
            Target::Live(address) => run_live::play_on_live(&stage, address, &cells, &mut reports),
        });
        if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
            break;
        }
    }
    code = code.and(verdicts::exit_code(&reports));
    if let Some(file) = junit_file {
        code = code.and(write_junit(&file, &reports, &loader.sources, terminal));
    }
    stage.close(&reports, began.elapsed());
    code
}

fn write_junit(file: &Path, reports: &[CellReport], sources: &Sources, terminal: &Terminal) -> ExitCode {
    let written = report::junit(reports, sources).and_then(|text| write_atomically(file, &text));
    match written {
        Ok(()) => ExitCode::Fine,
        Err(error) => {
            terminal.complain(&format!("the report could not be written to {}: {error}", file.display()));
            ExitCode::Environment
        }
    }
}

/// Loads all scenarios below the paths; any problem ends the run before a cell is played.
fn load_all(command: &Run, loader: &mut Loader, terminal: &Terminal) -> Result<Vec<ToPlay>, ExitCode> {
    let found = snapshots::yaml_files(&command.paths).map_err(|error| {
        terminal.complain(&format!("error: {error}"));
        ExitCode::BadFile
    })?;
    if found.is_empty() {
        let places: Vec<String> = command.paths.iter().map(|path| path.display().to_string()).collect();
        terminal.complain(&format!("there is no scenario in {}", places.join(", ")));
        return Err(ExitCode::Nothing);
    }
    let (mut cells, mut problems): (Vec<ToPlay>, Vec<Problem>) = Default::default();
    for path in found {
        let (loaded, found) = loader.scenario(&path);
        problems.extend(found);
        for cell in loaded.into_iter().flat_map(|loaded| loaded.cells) {
            cells.push(ToPlay { path: path.clone(), title: cell.scenario.title.clone(), cell });
        }
    }
    if let Some(unknown) = loader.unknown_variable() {
        return Err(terminal.usage(&format!("--var: {unknown}")));
    }
    match terminal.problems(&problems, &loader.sources) {
        ExitCode::Fine if cells.is_empty() => Err(ExitCode::Nothing),
        ExitCode::Fine => Ok(cells),
        code => Err(code),
    }
}

fn name_width(cells: &[ToPlay]) -> usize {
    let names = cells.iter().map(|one| report::cell_name(&one.cell.scenario, &one.cell.axes).chars().count());
    names.max().unwrap_or(0)
}

/// Is what playing on any broker needs.
pub(super) struct Stage<'a> {
    pub command: &'a Run,
    pub terminal: &'a Terminal,
    pub sources: &'a Sources,
    width: usize,
}

impl Stage<'_> {
    fn play_on_sim(&self, profile: Profile, cells: &[ToPlay], reports: &mut Vec<CellReport>) -> ExitCode {
        let broker = format!("sim {profile}");
        self.announce(&broker, false);
        for one in cells {
            let began = Instant::now();
            let unfit = pace::why_not_on_sim(&one.cell, profile);
            let played = unfit.is_none().then(|| self.rehearse(one, profile));
            let argument = format!("sim:{profile}");
            let report = self.judge(one, played, unfit, profile.version(), (&broker, &argument), began.elapsed());
            self.tell(&report);
            reports.push(report);
        }
        ExitCode::Fine
    }

    /// Plays a cell; a failed one once more with the sim's reasons, which are the same each time.
    fn rehearse(&self, one: &ToPlay, profile: Profile) -> Played {
        let played = rehearse(&one.cell, profile, self.command.trace);
        if played.failures.is_empty() || self.command.trace { played } else { rehearse(&one.cell, profile, true) }
    }

    /// Says on what is played, unless machines read.
    pub fn announce(&self, broker: &str, live: bool) {
        if !self.command.json {
            self.terminal.chat(&report::header(broker, live, self.terminal.palette));
        }
    }

    /// Makes the report of a cell: the verdict of its run and of its snapshot.
    pub fn judge(
        &self,
        one: &ToPlay,
        played: Option<Played>,
        unfit: Option<String>,
        version: Version,
        (broker, broker_argument): (&str, &str),
        real: Duration,
    ) -> CellReport {
        let (verdict, snapshot_words) = match (&played, unfit) {
            (_, Some(reason)) => (Verdict::Skipped(reason), None),
            (Some(played), None) => verdicts::verdict(one, played, version),
            (None, None) => (Verdict::Skipped("it was not played".to_owned()), None),
        };
        CellReport {
            name: report::cell_name(&one.cell.scenario, &one.cell.axes),
            file: one.cell.scenario.file.clone(),
            axes: one.cell.axes.clone(),
            title: one.title.clone(),
            broker: broker.to_owned(),
            broker_argument: broker_argument.to_owned(),
            variables: self.variables(&one.cell),
            verdict,
            played,
            real,
            snapshot_words,
        }
    }

    /// Writes out the variables of the command line, but those that chose the cell.
    fn variables(&self, cell: &Cell) -> String {
        let vars = &self.command.vars;
        let files = vars.vars_files.iter().map(|file| format!(" --vars-file {}", file.display()));
        let set = vars.vars.iter().filter_map(|text| text.split_once('='));
        let set = set.filter(|(name, _)| !cell.axes.contains_key(*name)).map(|(name, value)| {
            let value = if language::is_secret(name) { "***" } else { value };
            format!(" --var {name}={value}")
        });
        files.chain(set).collect()
    }

    /// Writes a cell's line, or its JSON.
    pub fn tell(&self, report: &CellReport) {
        if self.command.json {
            self.terminal.say(&report::cell_json(report, self.sources, self.command.trace).to_string());
            return;
        }
        self.terminal.chat(&report::cell_line(report, self.width, self.terminal.palette));
        if let (Verdict::New, Some(words)) = (&report.verdict, &report.snapshot_words) {
            self.terminal.chat(&format!("         {words}"));
        }
        for (span, note) in report.played.iter().flat_map(|played| &played.notes) {
            self.terminal.chat(&format!("         note: line {}: {note}", self.sources.position(*span).line));
        }
        if let (true, Some(played)) = (self.command.trace, &report.played) {
            self.terminal.say(&report::trace(&played.timeline, self.sources, self.terminal.palette));
        }
    }

    /// Writes the failures in full, then the summary.
    fn close(&self, reports: &[CellReport], real: Duration) {
        if self.command.json {
            return self.terminal.say(&report::summary_json(reports, real).to_string());
        }
        let failed = reports.iter().filter(|report| matches!(report.verdict, Verdict::Failed | Verdict::Changed));
        for report in failed {
            self.terminal.say(&report::failure_text(report, self.sources, self.terminal.width, self.terminal.palette));
        }
        if !reports.is_empty() {
            self.terminal.chat(&report::summary(reports, real, self.terminal.palette));
        }
    }
}
