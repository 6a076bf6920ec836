//! `run`: loads everything, plays every cell on every broker, compares snapshots, reports.

use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::brokers::{NoBroker, PlayedOn, brokers, permits, plugins};
use crate::cli::commands::run_reports::{RunReports, WrittenRun};
use crate::cli::explore;
use crate::cli::foresee::coverage::Covering;
use crate::cli::load::Loader;
use crate::cli::named_cells::NamedCells;
use crate::cli::options::{CoverageFormat, report_file};
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::RunReporter;
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::snapshot_store;
use crate::cli::snapshot_store::SnapshotStore;
use crate::cli::suite;
use crate::cli::suite::{Narrowing, OutputLane, StopFlag};
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, verdicts, versions};
use std::path::PathBuf;
use std::time::Instant;

/// Plays what the arguments name.
pub fn run(command: &RunOptions, terminal: &Terminal) -> ExitCode {
    run_until(command, terminal, &StopFlag::default())
}

/// Plays what the arguments name, until a signal comes that somebody else hears.
pub(crate) fn run_until(command: &RunOptions, terminal: &Terminal, stop: &StopFlag) -> ExitCode {
    let began = Instant::now();
    let (targets, asked) = match (targets(command, terminal), reports_asked(command)) {
        (Ok(targets), Ok(asked)) => (targets, asked),
        (Err(none), _) => return none.emit(terminal),
        (_, Err(message)) => return terminal.usage(&message),
    };
    if let Some(message) = explore::why_not(command, &targets) {
        return terminal.usage(&message);
    }
    let explores = command.exploring.asked().is_some();
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let mode = if explores { Snapshots::Pending } else { snapshot_store::mode_of(command.snapshots) };
    if let Some(message) = suite::why_no_record(command).or_else(|| suite::why_no_metrics(command)) {
        return terminal.usage(&message);
    }
    if let Some(code) = suite::play_large(command, mode, &targets, &mut loader, (terminal, stop, began)) {
        return code;
    }
    let ReadyRun { cells, keeping, unreferenced, gone, read } =
        match prepare(command, mode, &targets, &mut loader, terminal) {
            Ok(prepared) => prepared,
            Err(code) => return code,
        };
    let stage = RunReporter {
        command,
        terminal,
        sources: &loader.sources,
        keeping: &keeping,
        covering: Covering::new(&command.coverage, &loader.sources).into(),
        progress: RunProgress::begin((cells.len() * targets.len()) as u64, terminal.quiet || command.json).into(),
        errors: Default::default(),
        counted: Default::default(),
        lane: OutputLane::ALONE,
        stop: stop.clone(),
        width: cells.iter().map(|one| one.name().chars().count()).max().unwrap_or(0),
        is_silent: false,
    };
    let mut reports = Vec::new();
    let mut code = if cells.is_empty() {
        ExitCode::Fine
    } else if explores {
        explore::run(&stage, &targets, &cells, &mut reports)
    } else {
        suite::play_on_all(&stage, &targets, &cells, &mut reports)
    };
    let settled = keeping.settle(&cells, &mut reports);
    stage.emit_unwritten(&settled);
    if !settled.errors.is_empty() {
        code = code.and(ExitCode::Environment);
    }
    if !cells.is_empty() {
        code = code.and(verdicts::exit_code(&reports, 0, mode));
    }
    if !explores {
        suite::keep(suite::plays_of(command, &cells, &reports), &gone, terminal);
    }
    code = code.and(suite::write_metrics(command, &reports, &stage.counted(), terminal));
    code = code.and(suite::record(command, read, &cells, &reports, terminal));
    let tells_apart = asked.has_page() || !command.json;
    let differing = if tells_apart { versions::differing(&cells, &reports) } else { Vec::new() };
    let written = WrittenRun {
        stage: &stage,
        cells: &cells,
        reports: &reports,
        differing: &differing,
        settled: &settled,
        real: began.elapsed(),
    };
    code = code.and(asked.write(&written));
    code.and(stage.close(&reports, &differing, &settled, &unreferenced, began.elapsed()))
}

/// Reads the brokers, each once.
pub(crate) fn targets(command: &RunOptions, terminal: &Terminal) -> Result<Vec<PlayedOn>, NoBroker> {
    let mut targets = brokers(&command.broker, command.management.as_deref(), terminal)?;
    let (permits, plugins) = (permits(&command.permit)?, plugins(&command.plugins)?);
    let mut simulated = false;
    for target in &mut targets {
        if let PlayedOn::Sim(edition) = target {
            edition.permits = permits;
            edition.plugins = plugins;
            simulated = true;
        }
    }
    if !command.plugins.is_empty() && !simulated {
        let why =
            "--plugins is for the simulated broker: give --broker sim; on a live one, `rabbitmq-plugins enable NAME`";
        return Err(why.to_owned().into());
    }
    if !command.permit.is_empty() && !simulated {
        let why = "--permit is for the simulated broker: give --broker sim; on a live one set \
                   `deprecated_features.permit.NAME = true` in its rabbitmq.conf";
        return Err(why.to_owned().into());
    }
    let live = targets.iter().any(|target| matches!(target, PlayedOn::Live(_)));
    let for_live = [("--keep-vhost", command.keep_vhost.is_some()), ("--in-vhost", command.in_vhost.is_some())];
    match for_live.iter().find(|(_, given)| *given && !live) {
        Some((option, _)) => Err(format!("{option} is for live brokers: give an amqp:// URL with --broker").into()),
        None => Ok(targets),
    }
}

/// Reads where reports go; none, that of coverage neither, takes the place of an input.
fn reports_asked(command: &RunOptions) -> Result<RunReports, String> {
    let inputs = NamedCells::read(&command.paths).paths;
    if let Some(CoverageFormat::Json(file)) = &command.coverage.coverage {
        report_file("--coverage", &format!("json:{}", file.display()), &["json"], &inputs)?;
    }
    RunReports::read(command, &inputs)
}

/// What is ready to be played.
struct ReadyRun {
    cells: Vec<ToPlay>,
    keeping: SnapshotStore,
    unreferenced: Vec<PathBuf>,
    /// Cells that failed last time and are no more.
    gone: Vec<suite::CellKey>,
    /// The files that were read, with their digests, where a record is asked for.
    read: suite::FileDigests,
}

/// Loads, selects, and reads the snapshots; all problems end the run before a cell is played.
fn prepare(
    command: &RunOptions,
    mode: Snapshots,
    targets: &[PlayedOn],
    loader: &mut Loader,
    terminal: &Terminal,
) -> Result<ReadyRun, ExitCode> {
    if command.suite.record.is_some() {
        *loader = loader.clone().noting_reads();
    }
    let all = load_all(&command.paths, loader, terminal)?;
    // A variable may choose among cells: those that are left out still have their snapshots.
    let named = NamedCells::read(&command.paths);
    let whole = command.vars.vars.is_empty() && command.vars.vars_files.is_empty() && !named.is_partial();
    let unreferenced =
        if whole { snapshot_store::unreferenced(all.iter().map(ToPlay::snapshot_owner)) } else { Vec::new() };
    let aloud = (!command.json).then_some(terminal);
    let narrowing = Narrowing::of(&command.suite, targets, all.iter().map(suite::key_of), &named.paths, aloud);
    let cells = select(all, &command.selection, terminal)?;
    let (cells, gone) = match narrowing {
        Some(narrowing) => narrowing.keep(cells, suite::key_of, terminal)?,
        None => (cells, Vec::new()),
    };
    let read = suite::digests(&loader.take_reads());
    if command.exploring.asked().is_some() {
        let (keeping, unreferenced) = (SnapshotStore::unread(), Vec::new());
        return Ok(ReadyRun { cells, keeping, unreferenced, gone, read });
    }
    let (keeping, problems) = SnapshotStore::read(&cells, mode, &mut loader.sources);
    match terminal.problems(&problems, &loader.sources) {
        ExitCode::Fine => Ok(ReadyRun { cells, keeping, unreferenced, gone, read }),
        code => Err(code),
    }
}
