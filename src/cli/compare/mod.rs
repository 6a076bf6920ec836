//! `compare`: plays each cell on each broker and tells what differs from one to the next, by cause. Reads and writes no
//! snapshot.

mod findings;
pub(crate) mod options;
mod played;
mod steps;

use crate::cli::ExitCode;
use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::brokers::PlayedOn;
use crate::cli::commands::run;
use crate::cli::foresee::coverage::Covering;
use crate::cli::load::Loader;
use crate::cli::options::{CoverageOptions, ExploreOptions};
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::RunReporter;
use crate::cli::runtime::Runtime;
use crate::cli::select::{load_all, select};
use crate::cli::snapshot_store::SnapshotStore;
use crate::cli::terminal::Terminal;
use crate::io::write_atomically;
use crate::report;
use crate::report::ComparedStep;
use options::{CompareOptions, ComparisonReport};
use played::Contestants;
use std::path::Path;
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
    if let Some(topology) = command.paths.iter().find(|path| loader.is_topology(path)) {
        return terminal.usage(&only_a_topology(topology));
    }
    let all = load_all(&command.paths, &mut loader, terminal);
    let cells = match all.and_then(|all| select(all, &command.selection, terminal)) {
        Ok(cells) => cells,
        Err(code) => return code,
    };
    let keeping = SnapshotStore::unread();
    let stage = RunReporter {
        command: &command,
        terminal,
        sources: &loader.sources,
        keeping: &keeping,
        covering: Covering::new(&command.coverage, &loader.sources),
        progress: RunProgress::begin((cells.len() * targets.len()) as u64, terminal.quiet || command.json),
        errors: Default::default(),
        width: 0,
        is_silent: true,
    };
    let mut runtime: Option<Runtime> = None;
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
    emit(&steps, &stage, began.elapsed());
    let written = reports.iter().map(|report| write(report, &steps, terminal));
    written.fold(exit_code(&steps), ExitCode::and)
}

/// Returns the arguments of the run that plays on live brokers: no snapshot is read or written.
fn as_run(command: CompareOptions) -> RunOptions {
    RunOptions {
        paths: command.paths,
        broker: command.broker,
        permit: command.permit,
        management: command.management,
        vars: command.vars,
        trace: false,
        json: command.json,
        report: None,
        coverage: CoverageOptions::default(),
        pace: command.pace,
        jobs: command.jobs,
        selection: command.selection,
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

/// Says what to do about a topology that is to be compared.
fn only_a_topology(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path} is a topology, and compare plays scenarios\n  help: `rmqplay suggest {path} --write scenarios` writes some, \
         or write one that says `topology: {path}`; what versions refuse in a topology alone is told by `rmqplay check --for \
         VERSION`"
    )
}

fn emit(steps: &[ComparedStep], stage: &RunReporter<'_>, real: std::time::Duration) {
    let terminal = stage.terminal;
    if stage.command.json {
        return report::comparison_json(steps).iter().for_each(|line| terminal.print(&line.to_string()));
    }
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
