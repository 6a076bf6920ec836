//! `serve SCENARIO`: which cell plays beside the outside clients, and what it came to.

use crate::cli::ExitCode;
use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::foresee::coverage::Covering;
use crate::cli::load::Loader;
use crate::cli::named_cells::NamedCells;
use crate::cli::options::{PaceOptions, Selection, ServeOptions, USUAL_WAIT};
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::{Named, Once, RunReporter};
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::snapshot_store::{SnapshotStore, mode_of};
use crate::cli::suite::OutputLane;
use crate::cli::terminal::Terminal;
use crate::cli::{live_settings, verdicts};
use crate::clock::ClockMode;
use crate::player::{RunResult, unfit_beside};
use crate::report::{CellReport, shell_word};
use crate::rules::Edition;
use std::path::Path;
use std::time::Duration;

/// The cell that plays beside the outside clients, with its snapshot.
pub(crate) struct ServedScenario {
    pub one: ToPlay,
    loader: Loader,
    keeping: SnapshotStore,
    mode: Snapshots,
    options: RunOptions,
    edition: Edition,
    /// What else it was served with, and beside which command.
    arguments: String,
    beside: String,
}

/// Loads the scenario that the arguments name; `None` where they name topologies.
pub(crate) fn load(
    command: &ServeOptions,
    edition: Edition,
    terminal: &Terminal,
) -> Result<Option<ServedScenario>, ExitCode> {
    let mut loader = Loader::new(&command.vars, None).map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let is_scenario =
        |file: &Path| file.is_file() && !loader.is_topology(file) || file.to_string_lossy().contains(" [");
    let named = NamedCells::read(&command.files).paths;
    if !command.files.iter().any(|file| is_scenario(file)) {
        return Ok(None);
    }
    if named.len() > 1 {
        let why = "a scenario names its topologies itself: give it alone, or topologies only";
        return Err(terminal.usage(why));
    }
    let options = options_of(command);
    let cells = load_all(&command.files, &mut loader, terminal)?;
    let mut cells = select(cells, &options.selection, terminal)?;
    if cells.len() > 1 {
        let names: Vec<String> = cells.iter().map(ToPlay::name).collect();
        let cells = format!("{} cells, and one is served: --cell picks it, of {}", names.len(), names.join(", "));
        return Err(terminal.usage(&format!("{} has {cells}", named[0].display())));
    }
    let Some(one) = cells.pop() else { return Err(ExitCode::Nothing) };
    if let Some(why) = live_settings::why_not_on_sim(&one.cell, edition.profile) {
        terminal.error(&format!("error: {} cannot be served: {why}", one.name()));
        return Err(ExitCode::Nothing);
    }
    let mode = mode_of(command.snapshots);
    let (keeping, mut problems) = SnapshotStore::read(std::slice::from_ref(&one), mode, &mut loader.sources);
    problems.extend(unfit_beside(&one.cell.scenario));
    match terminal.problems(&problems, &loader.sources) {
        ExitCode::Fine => {
            let arguments = match command.clock {
                ClockMode::Real => String::new(),
                clock => format!(" --clock {clock}"),
            };
            let beside: Vec<String> = command.command.iter().map(|word| shell_word(word).to_string()).collect();
            let beside = beside.join(" ");
            Ok(Some(ServedScenario { one, loader, keeping, mode, options, edition, arguments, beside }))
        }
        code => Err(code),
    }
}

/// Writes the flags of `serve` as those of a run, which its reports go by.
fn options_of(command: &ServeOptions) -> RunOptions {
    RunOptions {
        paths: command.files.clone(),
        broker: vec![command.broker.clone()],
        permit: command.permit.clone(),
        plugins: command.plugins.clone(),
        management: None,
        vars: command.vars.clone(),
        trace: command.trace,
        json: false,
        report: Vec::new(),
        coverage: Default::default(),
        pace: PaceOptions { time_scale: None, max_wait: USUAL_WAIT },
        jobs: None,
        selection: Selection { cells: command.cells.clone(), ..Selection::default() },
        suite: Default::default(),
        snapshots: command.snapshots,
        exploring: Default::default(),
        fail_fast: false,
        retries: 0,
        keep_vhost: None,
        in_vhost: None,
    }
}

impl ServedScenario {
    /// Judges what it came to, as `run` does, and keeps the outcome; returns the verdict's exit code.
    pub(crate) fn judge(self, played: RunResult, real: Duration, terminal: &Terminal) -> ExitCode {
        let Self { one, loader, keeping, mode, options, edition, arguments, beside } = self;
        let stage = RunReporter {
            command: &options,
            terminal,
            sources: &loader.sources,
            keeping: &keeping,
            covering: Covering::new(&options.coverage, &loader.sources).into(),
            progress: RunProgress::begin(1, true).into(),
            errors: Default::default(),
            counted: Default::default(),
            lane: OutputLane::ALONE,
            stop: Default::default(),
            width: one.name().chars().count(),
            is_silent: false,
        };
        let mut on = Named::sim(edition, &options);
        on.arguments.push_str(&arguments);
        let once = Once { played: Some(played), real, ..Once::default() };
        let mut reports = vec![CellReport { beside: Some(beside), ..stage.judge(0, &one, once, &on) }];
        reports.iter().for_each(|report| stage.emit(report));
        let settled = keeping.settle(std::slice::from_ref(&one), &mut reports);
        stage.emit_unwritten(&settled);
        let unwritten = if settled.errors.is_empty() { ExitCode::Fine } else { ExitCode::Environment };
        let code = verdicts::exit_code(&reports, 0, mode).and(unwritten);
        code.and(stage.close(&reports, &[], &settled, &[], real))
    }
}
