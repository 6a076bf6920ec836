//! `compare`: plays each cell on each broker and tells what differs from one to the next, by cause. Reads and writes no
//! snapshot.

mod findings;
pub(crate) mod options;
mod played;
mod steps;
mod topologies;

use crate::cli::ExitCode;
use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::brokers::PlayedOn;
use crate::cli::commands::run;
use crate::cli::foresee::coverage::Covering;
use crate::cli::live_settings;
use crate::cli::load::Loader;
use crate::cli::options::{CoverageOptions, ExploreOptions};
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::RunReporter;
use crate::cli::runtime::Runtime;
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::snapshot_store::SnapshotStore;
use crate::cli::suite::OutputLane;
use crate::cli::terminal::Terminal;
use crate::io::{meet, write_atomically};
use crate::report;
use crate::report::{ComparedStep, ComparedTopology};
use crate::rules::Edition;
use options::{CompareOptions, ComparisonReport};
use played::Contestants;
use std::path::PathBuf;
use std::time::Instant;

/// Compares what the arguments name.
pub fn compare(command: CompareOptions, terminal: &Terminal) -> ExitCode {
    let began = Instant::now();
    let reports = match command.reports() {
        Ok(reports) => reports,
        Err(message) => return terminal.usage(&message),
    };
    let command = as_run(command);
    let targets = match run::targets(&command, terminal) {
        Ok(targets) => targets,
        Err(none) => return none.emit(terminal),
    };
    if let Some(message) = too_few(&targets, command.management.as_deref()) {
        return terminal.usage(&message);
    }
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let mut runtime: Option<Runtime> = None;
    let (cells, topologies) = match load(&command, &targets, &mut loader, &mut runtime, terminal) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let keeping = SnapshotStore::unread();
    let stage = RunReporter {
        command: &command,
        terminal,
        sources: &loader.sources,
        keeping: &keeping,
        covering: Covering::new(&command.coverage, &loader.sources).into(),
        progress: RunProgress::begin((cells.len() * targets.len()) as u64, terminal.quiet || command.json).into(),
        errors: Default::default(),
        counted: Default::default(),
        lane: OutputLane::ALONE,
        stop: Default::default(),
        width: 0,
        is_silent: true,
    };
    let contestants = match Contestants::play(&stage, &targets, &cells, &mut runtime) {
        Ok(contestants) => contestants,
        Err(code) => {
            stage.progress.close();
            return code;
        }
    };
    let steps = contestants.compare(&stage, &cells, &mut runtime);
    stage.progress.close();
    let mut steps = match steps {
        Ok(steps) => steps,
        Err(code) => return code,
    };
    findings::add(&mut steps, &loader, &cells);
    emit(&steps, &topologies, &stage, began.elapsed());
    let written = reports.iter().map(|report| write(report, &steps, terminal));
    written.fold(exit_code(&steps), ExitCode::and)
}

/// Returns the arguments of the run that plays on live brokers: no snapshot is read or written.
fn as_run(command: CompareOptions) -> RunOptions {
    RunOptions {
        paths: command.paths,
        broker: command.broker,
        permit: command.permit,
        plugins: command.plugins,
        management: command.management,
        vars: command.vars,
        trace: false,
        json: command.json,
        report: Vec::new(),
        coverage: CoverageOptions::default(),
        pace: command.pace,
        jobs: command.jobs,
        selection: command.selection,
        suite: Default::default(),
        snapshots: Some(Snapshots::Check),
        exploring: ExploreOptions::default(),
        fail_fast: false,
        retries: 0,
        keep_vhost: None,
        in_vhost: None,
    }
}

/// Says why there is nothing to compare.
fn too_few(targets: &[PlayedOn], management: Option<&str>) -> Option<String> {
    let live = targets.iter().filter(|target| matches!(target, PlayedOn::Live(_))).count();
    if targets.len() < 2 {
        return Some(
            "compare takes two different brokers or more, each with --broker: `--broker sim:3.10 --broker sim:4.3`, or \
             `--broker env --broker sim:4.3` for yours and the rules of a newer version"
                .to_owned(),
        );
    }
    (live > 1 && management.is_some()).then(|| {
        "--management is for one live broker: name several in rmqplay.yaml, each with its `management`".to_owned()
    })
}

/// Loads the cells of all paths: those of scenarios, and those made of topologies that are named alone.
fn load(
    command: &RunOptions,
    targets: &[PlayedOn],
    loader: &mut Loader,
    runtime: &mut Option<Runtime>,
    terminal: &Terminal,
) -> Result<(Vec<ToPlay>, Vec<ComparedTopology>), ExitCode> {
    let (alone, scenarios): (Vec<PathBuf>, Vec<PathBuf>) =
        command.paths.iter().cloned().partition(|path| loader.is_topology(path));
    let mut cells = if scenarios.is_empty() { Vec::new() } else { load_all(&scenarios, loader, terminal)? };
    let mut topologies = Vec::new();
    if !alone.is_empty() {
        let editions = editions(targets, runtime, terminal)?;
        // Nobody logs in with what an export or a file of secrets holds.
        *loader = loader.clone().without_secrets();
        for file in &alone {
            let (made, compared) = topologies::cells_of(file, &editions, loader, terminal)?;
            cells.extend(made);
            topologies.push(compared);
        }
    }
    Ok((select(cells, &command.selection, terminal)?, topologies))
}

/// Returns the rules that hold on each broker; live ones are asked for their release.
fn editions(
    targets: &[PlayedOn],
    runtime: &mut Option<Runtime>,
    terminal: &Terminal,
) -> Result<Vec<Edition>, ExitCode> {
    let mut editions = Vec::new();
    for target in targets {
        editions.push(match target {
            PlayedOn::Sim(edition) => *edition,
            PlayedOn::Live(live) => {
                let runtime = runtime.get_or_insert_with(Runtime::new);
                let asked = runtime.run(async |signals| signals.interrupt(meet(&live.address)).await)?;
                let overview = asked.map_err(|failure| terminal.failure(&failure))?;
                live_settings::edition_of(&overview)
            }
        });
    }
    Ok(editions)
}

fn emit(steps: &[ComparedStep], topologies: &[ComparedTopology], stage: &RunReporter<'_>, real: std::time::Duration) {
    let terminal = stage.terminal;
    if stage.command.json {
        topologies.iter().for_each(|one| terminal.print(&report::compared_topology_json(one).to_string()));
        return report::comparison_json(steps).iter().for_each(|line| terminal.print(&line.to_string()));
    }
    topologies.iter().for_each(|one| terminal.status(&report::compared_topology_text(one)));
    terminal.print_unless_empty(&report::comparison_text(steps, terminal.width, terminal.palette));
    terminal.status(&report::comparison_summary(steps, real, terminal.palette));
}

fn exit_code(steps: &[ComparedStep]) -> ExitCode {
    if steps.iter().any(ComparedStep::differs) {
        ExitCode::Failed
    } else if steps.iter().all(ComparedStep::is_empty) {
        ExitCode::Nothing
    } else {
        ExitCode::Fine
    }
}

fn write(report: &ComparisonReport, steps: &[ComparedStep], terminal: &Terminal) -> ExitCode {
    let (file, text) = match report {
        ComparisonReport::Junit(file) => (file, report::comparison_junit(steps)),
        ComparisonReport::Markdown(file) => (file, Ok(report::comparison_markdown(steps))),
    };
    match text.and_then(|text| write_atomically(file, &text)) {
        Ok(()) => ExitCode::Fine,
        Err(error) => {
            terminal.error(&format!("the report could not be written to {}: {error}", file.display()));
            ExitCode::Environment
        }
    }
}
