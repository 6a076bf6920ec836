//! A run of a large suite from its first file to its summary.

use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::brokers::PlayedOn;
use crate::cli::foresee::coverage::Covering;
use crate::cli::load::Loader;
use crate::cli::named_cells::NamedCells;
use crate::cli::progress::RunProgress;
use crate::cli::run_reporter::RunReporter;
use crate::cli::select::{CellFilter, ToPlay, shared_snapshots};
use crate::cli::snapshot_store::{SnapshotStore, unreferenced};
use crate::cli::suite::kept::{keep, play_of, plays_of};
use crate::cli::suite::large::cells::{CellEnd, LargeCell, LargeFile};
use crate::cli::suite::large::checking::{CheckedSuite, Checker};
use crate::cli::suite::large::file_player::FilePlayer;
use crate::cli::suite::large::playing::play_rest;
use crate::cli::suite::narrowed::CellKey;
use crate::cli::suite::on_sim::jobs_of;
use crate::cli::suite::{Narrowing, OutputLane, StopFlag};
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, verdicts, versions};
use crate::io::snapshots;
use crate::model::Millis;
use crate::player::Verdict;
use crate::report;
use crate::report::{CellReport, PassedCells};
use crate::rules::Edition;
use crate::source::Sources;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Suites of so many files are played as a whole: their models take little room, and the first line comes at once.
const FILES_OF_A_SMALL_SUITE_MAX: usize = 256;

/// A large suite that plays.
struct LargeRun<'a> {
    command: &'a RunOptions,
    mode: Snapshots,
    terminal: &'a Terminal,
    stop: &'a StopFlag,
    began: Instant,
}

/// Plays a suite of many files on simulated brokers; `None` for another one, or where a report needs all models.
pub(crate) fn play_large(
    command: &RunOptions,
    mode: Snapshots,
    targets: &[PlayedOn],
    loader: &mut Loader,
    (terminal, stop, began): (&Terminal, &StopFlag, Instant),
) -> Option<ExitCode> {
    let editions = simulated(targets).filter(|_| is_plain(command))?;
    let named = NamedCells::read(&command.paths);
    let found = snapshots::yaml_files(&named.paths).ok().filter(|_| !named.is_partial())?;
    if found.len() <= FILES_OF_A_SMALL_SUITE_MAX {
        return None;
    }
    let run = LargeRun { command, mode, terminal, stop, began };
    match run.play(targets, &editions, loader, found) {
        Ok(code) | Err(LargeEnd::With(code)) => Some(code),
        Err(LargeEnd::Unmeant) => None,
    }
}

/// Why a large suite ends before its summary.
enum LargeEnd {
    With(ExitCode),
    /// No cell is meant: the usual way tells which there are.
    Unmeant,
}

impl From<ExitCode> for LargeEnd {
    fn from(code: ExitCode) -> Self {
        Self::With(code)
    }
}

/// Returns the simulated brokers, where there are no others.
fn simulated(targets: &[PlayedOn]) -> Option<Vec<Edition>> {
    let edition = |target: &PlayedOn| match target {
        PlayedOn::Sim(edition) => Some(*edition),
        PlayedOn::Live(_) => None,
    };
    targets.iter().map(edition).collect()
}

/// Returns whether nothing asks for more of a cell that passed than its line.
fn is_plain(command: &RunOptions) -> bool {
    let told = command.json || command.trace || !command.report.is_empty() || command.coverage.is_asked();
    let kept = command.suite.record.is_some() || command.suite.metrics.is_some();
    let ways = command.exploring.asked().is_some() || command.exploring.schedule.is_some() || command.fail_fast;
    // Whether a variable is known is seen only in all texts together.
    !told && !kept && !ways && command.vars.vars.is_empty()
}

impl LargeRun<'_> {
    fn play(
        &self,
        targets: &[PlayedOn],
        editions: &[Edition],
        loader: &mut Loader,
        found: Vec<PathBuf>,
    ) -> Result<ExitCode, LargeEnd> {
        let Self { command, terminal, .. } = *self;
        let player = FilePlayer::new(command, self.mode, editions);
        let filter = CellFilter::of(&command.selection, terminal)?;
        let is_narrowed = command.suite.shard.is_some() || command.suite.rerun_failed;
        let checker = Checker { player: &player, filter, plays_ahead: !is_narrowed };
        let jobs = jobs_of(command.jobs, 1);
        let checked = checker.check(loader, found, jobs, self.stop).ok_or(ExitCode::Fine)?;
        let CheckedSuite { files, cells, mut problems, snapshot_problems } = checked;
        problems.extend(shared_snapshots(cells.iter().map(|cell| (cell.path(&files), &cell.axes))));
        fine(terminal.problems_of_files(&report::distinct(problems, &loader.sources), &loader.sources))?;
        let owners = cells.iter().map(|cell| (cell.path(&files), &cell.axes, cell.has_snapshot));
        let unreferenced = if command.vars.vars_files.is_empty() { unreferenced(owners) } else { Vec::new() };
        if !cells.iter().any(|cell| cell.is_wanted) {
            return Err(LargeEnd::Unmeant);
        }
        let (mut cells, gone) = self.narrow(targets, &files, cells)?;
        fine(terminal.problems(&snapshot_problems, &loader.sources))?;
        let (none, nowhere) = (SnapshotStore::unread(), Sources::default());
        let plays = (cells.len() * player.brokers.len()) as u64;
        let stage = RunReporter {
            command,
            terminal,
            sources: &nowhere,
            keeping: &none,
            covering: Covering::new(&command.coverage, &nowhere).into(),
            progress: RunProgress::begin(plays, terminal.quiet).into(),
            errors: Default::default(),
            counted: Default::default(),
            lane: OutputLane::ALONE,
            stop: self.stop.clone(),
            width: cells.iter().map(|cell| cell.name.chars().count()).max().unwrap_or(0),
            is_silent: false,
        };
        if !cells.is_empty() {
            play_rest(&stage, &player, loader, (&files, &mut cells), jobs);
        }
        let overtaken = cells.iter().any(|cell| matches!(cell.end, CellEnd::Overtaken));
        let code = if overtaken { ExitCode::BadFile } else { ExitCode::Fine };
        let ended = EndedSuite::of(&player, self.mode, &files, cells);
        let keeping = ended.keeping.clone();
        let stage = RunReporter {
            sources: &loader.sources,
            keeping: &keeping,
            covering: Arc::new(Covering::new(&command.coverage, &loader.sources)),
            progress: stage.progress.clone(),
            errors: Default::default(),
            counted: Default::default(),
            stop: self.stop.clone(),
            ..stage
        };
        Ok(code.and(self.close(&stage, ended, &gone, &unreferenced)))
    }

    /// Keeps the cells that --shard and --rerun-failed mean.
    fn narrow(
        &self,
        targets: &[PlayedOn],
        files: &[LargeFile],
        cells: Vec<LargeCell>,
    ) -> Result<(Vec<LargeCell>, Vec<CellKey>), ExitCode> {
        let command = self.command;
        let keys = cells.iter().map(|cell| cell.key(files));
        let narrowing = Narrowing::of(&command.suite, targets, keys, &command.paths, Some(self.terminal));
        let wanted: Vec<LargeCell> = cells.into_iter().filter(|cell| cell.is_wanted).collect();
        match narrowing {
            Some(narrowing) => narrowing.keep(wanted, |cell| cell.key(files), self.terminal),
            None => Ok((wanted, Vec::new())),
        }
    }

    fn close(
        &self,
        stage: &RunReporter<'_>,
        mut ended: EndedSuite<'_>,
        gone: &[CellKey],
        unreferenced: &[PathBuf],
    ) -> ExitCode {
        let settled = stage.keeping.settle(&ended.told, &mut ended.reports);
        stage.emit_unwritten(&settled);
        let mut code = if settled.errors.is_empty() { ExitCode::Fine } else { ExitCode::Environment };
        if !ended.told.is_empty() || ended.passed.cells > 0 {
            code = code.and(verdicts::exit_code(&ended.reports, ended.passed.cells, self.mode));
        }
        keep(ended.passed_plays().chain(plays_of(self.command, &ended.told, &ended.reports)), gone, self.terminal);
        let differing = versions::differing(&ended.told, &ended.reports);
        let rest = (&*differing, &settled, unreferenced);
        code.and(stage.close_with(&ended.reports, &ended.passed, rest, self.began.elapsed()))
    }
}

/// Goes on where there is nothing wrong.
fn fine(code: ExitCode) -> Result<(), ExitCode> {
    if code == ExitCode::Fine { Ok(()) } else { Err(code) }
}

/// What a large suite came to.
struct EndedSuite<'a> {
    player: &'a FilePlayer<'a>,
    files: &'a [LargeFile],
    /// Cells that passed, with their times.
    plain: Vec<LargeCell>,
    passed: PassedCells,
    /// Cells of which more is told, their snapshots and their reports.
    told: Vec<ToPlay>,
    keeping: Arc<SnapshotStore>,
    reports: Vec<CellReport>,
}

impl<'a> EndedSuite<'a> {
    fn of(player: &'a FilePlayer<'a>, mode: Snapshots, files: &'a [LargeFile], cells: Vec<LargeCell>) -> Self {
        let brokers = player.brokers.iter().map(|on| on.broker.clone()).collect();
        let mut passed = PassedCells { brokers, cells: 0, took: Millis(0) };
        let (mut plain, mut told, mut keeping) =
            (Vec::with_capacity(cells.len()), Vec::new(), SnapshotStore::none(mode));
        let mut by_broker: Vec<Vec<CellReport>> = player.brokers.iter().map(|_| Vec::new()).collect();
        for cell in cells {
            match cell.end {
                CellEnd::Told(one) => {
                    for (reports, report) in by_broker.iter_mut().zip(one.reports) {
                        reports.push(CellReport { cell: told.len(), ..report });
                    }
                    keeping.append(one.keeping);
                    told.push(one.one);
                }
                CellEnd::Passed(ref plays) => {
                    passed.cells += 1;
                    passed.took.0 += plays.iter().map(|play| play.took.0).sum::<u64>();
                    plain.push(cell);
                }
                CellEnd::Unplayed | CellEnd::Overtaken => {}
            }
        }
        let reports = by_broker.into_iter().flatten().collect();
        Self { player, files, plain, passed, told, keeping: keeping.into(), reports }
    }

    /// Lists what the cells that passed came to.
    fn passed_plays(&self) -> impl Iterator<Item = (crate::io::PlayKey, crate::io::LastPlay)> {
        self.plain.iter().flat_map(move |cell| {
            let plays = match &cell.end {
                CellEnd::Passed(plays) => &**plays,
                _ => &[],
            };
            std::iter::zip(&self.player.brokers, plays).map(|(on, play)| {
                let key = cell.key(self.files);
                play_of(self.player.command, key, &on.argument, (&Verdict::Passed, play.real()))
            })
        })
    }
}
