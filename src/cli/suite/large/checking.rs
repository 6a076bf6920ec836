//! The first pass over a large suite: all files loaded and checked on all cores, their cells played ahead while that takes little time.

use crate::cli::load::Loader;
use crate::cli::select::{CellFilter, ToPlay};
use crate::cli::suite::StopFlag;
use crate::cli::suite::in_order::in_order;
use crate::cli::suite::large::cells::{CellEnd, LargeCell, LargeFile};
use crate::cli::suite::large::file_player::{FilePlayer, LoaderPool};
use crate::io::ReadDigest;
use crate::source::{Level, Problem};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long each worker may play before all files are known to be right: nothing is told meanwhile.
const AHEAD_MAX: Duration = Duration::from_secs(5);

/// What the first pass found.
#[derive(Default)]
pub(super) struct CheckedSuite {
    pub files: Vec<LargeFile>,
    pub cells: Vec<LargeCell>,
    pub problems: Vec<Problem>,
    /// Of the snapshots of cells that are meant.
    pub snapshot_problems: Vec<Problem>,
}

/// What is found out about one file.
#[derive(Default)]
struct CheckedFile {
    digest: ReadDigest,
    cells: Vec<LargeCell>,
    problems: Vec<Problem>,
    snapshot_problems: Vec<Problem>,
}

/// Checks files, and plays cells ahead.
pub(super) struct Checker<'a> {
    pub player: &'a FilePlayer<'a>,
    pub filter: CellFilter<'a>,
    /// Whether all cells that the filter means are played.
    pub plays_ahead: bool,
}

/// Until when cells are played ahead.
struct Ahead {
    /// By all workers together.
    spent_micros: AtomicU64,
    micros_max: u64,
    ended: AtomicBool,
}

impl Checker<'_> {
    /// Checks all files; `None` when a signal came.
    pub fn check(
        &self,
        loader: &mut Loader,
        found: Vec<PathBuf>,
        jobs: usize,
        stop: &StopFlag,
    ) -> Option<CheckedSuite> {
        let pool = LoaderPool::new(loader, jobs);
        let ahead = Ahead {
            spent_micros: AtomicU64::new(0),
            micros_max: AHEAD_MAX.as_micros() as u64 * jobs as u64,
            ended: AtomicBool::new(!self.plays_ahead),
        };
        let mut suite = CheckedSuite::default();
        let mut digests = Vec::with_capacity(found.len());
        let check = |file: usize| pool.with(|loader| self.check_file(loader, file, &found, &ahead)).unwrap_or_default();
        in_order(found.len(), jobs, check, |_, checked| {
            digests.push(checked.digest);
            suite.cells.extend(checked.cells);
            suite.problems.extend(checked.problems);
            suite.snapshot_problems.extend(checked.snapshot_problems);
            !stop.is_set()
        });
        pool.join(loader);
        suite.files = std::iter::zip(found, digests).map(|(path, digest)| LargeFile { path, digest }).collect();
        (!stop.is_set()).then_some(suite)
    }

    fn check_file(&self, loader: &mut Loader, file: usize, found: &[PathBuf], ahead: &Ahead) -> CheckedFile {
        let held = loader.sources.held();
        let path = &found[file];
        let (loaded, problems) = loader.scenario(path);
        let mut checked = CheckedFile { digest: loader.take_digest(), problems, ..CheckedFile::default() };
        ahead.note(&checked.problems);
        for (place, one) in to_play(path, loaded).enumerate() {
            let mut cell = LargeCell::of(file, place, &one, false);
            cell.is_wanted = self.filter.fits(&cell.name, &one.cell);
            if cell.is_wanted {
                let (keeping, problems) = self.player.snapshots_of(&one, &mut loader.sources);
                ahead.note(&problems);
                checked.snapshot_problems.extend(problems);
                if ahead.goes_on() {
                    let began = Instant::now();
                    cell.end = self.player.play(one, keeping, &loader.sources);
                    ahead.spend(began.elapsed());
                }
            }
            checked.cells.push(cell);
        }
        let is_told = |cell: &LargeCell| matches!(cell.end, CellEnd::Told(_));
        if checked.problems.is_empty() && checked.snapshot_problems.is_empty() && !checked.cells.iter().any(is_told) {
            loader.sources.forget_since(held);
        }
        checked
    }
}

impl Ahead {
    fn goes_on(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    /// Ends where the run will end with problems.
    fn note(&self, problems: &[Problem]) {
        if problems.iter().any(|problem| problem.level == Level::Problem) {
            self.ended.store(true, Ordering::Relaxed);
        }
    }

    fn spend(&self, time: Duration) {
        let micros = time.as_micros() as u64;
        if self.spent_micros.fetch_add(micros, Ordering::Relaxed) + micros > self.micros_max {
            self.ended.store(true, Ordering::Relaxed);
        }
    }
}

/// Lists the cells of a file as they are played.
pub(super) fn to_play(
    path: &std::path::Path,
    loaded: Option<crate::language::LoadedScenario>,
) -> impl Iterator<Item = ToPlay> {
    let cells = loaded.into_iter().flat_map(|loaded| loaded.cells);
    cells.map(move |cell| ToPlay { path: path.to_owned(), title: cell.scenario.title.clone(), cell, made_of: None })
}
