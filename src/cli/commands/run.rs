//! `run`: loads everything, plays every cell on every broker, compares snapshots, reports.

use crate::broker::Exercised;
use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::brokers::{NoBroker, PlayedOn, permits, plugins};
use crate::cli::commands::run_live;
use crate::cli::commands::run_reports::{RunReports, WrittenRun};
use crate::cli::explore;
use crate::cli::foresee::coverage::Covering;
use crate::cli::load::Loader;
use crate::cli::named_cells::NamedCells;
use crate::cli::options::{CoverageFormat, report_file};
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::{FAILED_BEFORE, Named, Once, RunReporter};
use crate::cli::runtime::Runtime;
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::snapshot_store;
use crate::cli::snapshot_store::SnapshotStore;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, live_settings, verdicts, versions};
use crate::model::Profile;
use crate::player::RunResult;
use crate::report::CellReport;
use crate::rules::Edition;
use crate::simulate::rehearse;
use std::path::PathBuf;
use std::time::Instant;

/// Plays what the arguments name.
pub fn run(command: &RunOptions, terminal: &Terminal) -> ExitCode {
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
    let (cells, keeping, unreferenced) = match prepare(command, mode, explores, &mut loader, terminal) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let stage = RunReporter {
        command,
        terminal,
        sources: &loader.sources,
        keeping: &keeping,
        covering: Covering::new(&command.coverage, &loader.sources),
        progress: RunProgress::begin((cells.len() * targets.len()) as u64, terminal.quiet || command.json),
        errors: Default::default(),
        width: cells.iter().map(|one| one.name().chars().count()).max().unwrap_or(0),
        is_silent: false,
    };
    let mut reports = Vec::new();
    let mut code = if explores {
        explore::run(&stage, &targets, &cells, &mut reports)
    } else {
        play_on_all(&stage, &targets, &cells, &mut reports)
    };
    let settled = keeping.settle(&cells, &mut reports);
    stage.emit_unwritten(&settled);
    if !settled.errors.is_empty() {
        code = code.and(ExitCode::Environment);
    }
    code = code.and(verdicts::exit_code(&reports, mode));
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
    let mut targets: Vec<PlayedOn> = Vec::new();
    for text in &command.broker {
        let target = PlayedOn::parse(text, command.management.as_deref(), terminal)?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
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

/// Loads, selects, and reads the snapshots; all problems end the run before a cell is played.
fn prepare(
    command: &RunOptions,
    mode: Snapshots,
    explores: bool,
    loader: &mut Loader,
    terminal: &Terminal,
) -> Result<(Vec<ToPlay>, SnapshotStore, Vec<PathBuf>), ExitCode> {
    let all = load_all(&command.paths, loader, terminal)?;
    // A variable may choose among cells: those that are left out still have their snapshots.
    let named = NamedCells::read(&command.paths);
    let whole = command.vars.vars.is_empty() && command.vars.vars_files.is_empty() && !named.is_partial();
    let unreferenced = if whole { snapshot_store::unreferenced(&all) } else { Vec::new() };
    let cells = select(all, &command.selection, terminal)?;
    if explores {
        return Ok((cells, SnapshotStore::unread(), Vec::new()));
    }
    let (keeping, problems) = SnapshotStore::read(&cells, mode, &mut loader.sources);
    match terminal.problems(&problems, &loader.sources) {
        ExitCode::Fine => Ok((cells, keeping, unreferenced)),
        code => Err(code),
    }
}

/// Plays on one broker after another; ends early when a signal or --fail-fast says so.
fn play_on_all(
    stage: &RunReporter<'_>,
    targets: &[PlayedOn],
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    let mut code = ExitCode::Fine;
    let mut runtime: Option<Runtime> = None;
    for target in targets {
        if reports.iter().any(|report| stage.is_enough(report)) {
            skip_all(stage, target, cells, reports);
            continue;
        }
        code = code.and(match target {
            PlayedOn::Sim(edition) => play_on_sim(stage, *edition, cells, reports),
            PlayedOn::Live(live) => {
                let (runtime, before) = (runtime.get_or_insert_with(Runtime::new), reports.len());
                let code = run_live::play_on_live(stage, live, cells, reports, runtime);
                stage.covering.replay(cells, &reports[before..]);
                code
            }
        });
        if let Some(signal) = runtime.as_mut().and_then(Runtime::heard) {
            code = signal;
        }
        if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
            break;
        }
    }
    code
}

/// Counts the cells of a broker that is not begun any more as skipped.
fn skip_all(stage: &RunReporter<'_>, target: &PlayedOn, cells: &[ToPlay], reports: &mut Vec<CellReport>) {
    let on = match target {
        PlayedOn::Sim(edition) => Named::sim(*edition, stage.command),
        // Nobody asked it for its version, and nothing is compared.
        PlayedOn::Live(live) => Named {
            broker: format!("RabbitMQ at {}", live.address.place()),
            argument: live.argument.clone(),
            arguments: String::new(),
            version: Profile::NEWEST.version(),
            edition: Profile::NEWEST.into(),
        },
    };
    for (index, one) in cells.iter().enumerate() {
        let once = Once { skipped: Some(FAILED_BEFORE.to_owned()), ..Once::default() };
        reports.push(stage.judge(index, one, once, &on));
    }
}

fn play_on_sim(stage: &RunReporter<'_>, edition: Edition, cells: &[ToPlay], reports: &mut Vec<CellReport>) -> ExitCode {
    let on = Named::sim(edition, stage.command);
    stage.announce(&on.broker, false);
    let mut enough = false;
    for (index, one) in cells.iter().enumerate() {
        let began = Instant::now();
        let skipped = if enough {
            Some(FAILED_BEFORE.to_owned())
        } else {
            live_settings::why_not_on_sim(&one.cell, edition.profile)
        };
        let (played, exercised) = match &skipped {
            None => rehearse_telling(stage, one, edition),
            Some(_) => (None, None),
        };
        let once = Once { played, exercised, skipped, real: began.elapsed() };
        let report = stage.judge(index, one, once, &on);
        if !enough {
            stage.emit(&report);
        }
        enough |= stage.is_enough(&report);
        reports.push(report);
    }
    ExitCode::Fine
}

/// Plays a cell; a failed one once more with the sim's reasons, which are the same each time. A page tells them of all.
fn rehearse_telling(stage: &RunReporter<'_>, one: &ToPlay, edition: Edition) -> (Option<RunResult>, Option<Exercised>) {
    if stage.command.report.iter().any(|report| report.starts_with("html:")) {
        let (played, exercised) = stage.covering.rehearse_exercising(one, edition, true);
        return (Some(played), Some(exercised));
    }
    let trace = stage.command.trace;
    let played = stage.covering.rehearse(one, edition, trace);
    let is_told = played.failures.is_empty() || trace;
    (Some(if is_told { played } else { rehearse(&one.cell, edition, true) }), None)
}
