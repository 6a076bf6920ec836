//! Plays the cells of one file on all brokers of a run, and keeps of each what is needed.

use crate::cli::arguments::{RunOptions, Snapshots};
use crate::cli::load::Loader;
use crate::cli::run_reporter::{Named, judged, notes_of};
use crate::cli::select::ToPlay;
use crate::cli::snapshot_store::{SnapshotFolders, SnapshotStore};
use crate::cli::suite::large::cells::{CellEnd, PassedPlay, ToldCell};
use crate::cli::suite::on_sim::Rehearsal;
use crate::player::Verdict;
use crate::report::CellReport;
use crate::rules::Edition;
use crate::source::{Problem, Sources};
use std::sync::{Mutex, PoisonError};

/// Plays cells, with what all of them share.
pub(super) struct FilePlayer<'a> {
    pub command: &'a RunOptions,
    pub mode: Snapshots,
    /// As reports name them, in the order of the run.
    pub brokers: Vec<Named>,
    folders: SnapshotFolders,
}

impl<'a> FilePlayer<'a> {
    /// Plays on these brokers.
    pub fn new(command: &'a RunOptions, mode: Snapshots, editions: &[Edition]) -> Self {
        let brokers = editions.iter().map(|edition| Named::sim(*edition, command)).collect();
        Self { command, mode, brokers, folders: SnapshotFolders::default() }
    }

    /// Reads the snapshots of a cell.
    pub fn snapshots_of(&self, one: &ToPlay, sources: &mut Sources) -> (SnapshotStore, Vec<Problem>) {
        SnapshotStore::read_in(&self.folders, std::slice::from_ref(one), self.mode, sources)
    }

    /// Plays a cell on all brokers. Its texts are needed as long as its end is told.
    pub fn play(&self, one: ToPlay, keeping: SnapshotStore, sources: &Sources) -> CellEnd {
        let play = |on: &Named| {
            let (once, _) = Rehearsal::plain(on.edition).play(&one);
            judged((self.command, &keeping), 0, &one, once, on)
        };
        let mut reports: Vec<CellReport> = self.brokers.iter().map(play).collect();
        if reports.iter().all(is_plain) && !keeping.has_waiting() {
            return CellEnd::Passed(reports.iter().map(PassedPlay::of).collect());
        }
        for report in reports.iter_mut().filter(|report| report.verdict == Verdict::Passed) {
            if let Some(played) = &mut report.played {
                played.forget_details();
            }
        }
        let notes = reports.iter().map(|report| notes_of(report, sources)).collect();
        CellEnd::Told(Box::new(ToldCell { one, keeping, reports, notes }))
    }
}

/// Returns whether a cell passed, and nothing more is to be told: its outcome is the snapshot's, where it has one.
fn is_plain(report: &CellReport) -> bool {
    let notes = report.played.iter().flat_map(|played| &played.notes).count();
    report.verdict == Verdict::Passed && report.snapshot_words.is_none() && notes == 0
}

/// Loaders that workers take, and give back with the texts of what is told.
pub(super) struct LoaderPool(Mutex<Vec<Loader>>);

impl LoaderPool {
    /// Makes one for each worker.
    pub fn new(loader: &Loader, workers: usize) -> Self {
        let workers = u16::try_from(workers).unwrap_or(u16::MAX / 2);
        Self(Mutex::new(loader.split(workers).into_iter().map(Loader::noting_digest).collect()))
    }

    /// Does some work with a loader; without a free one there is no work.
    pub fn with<T>(&self, work: impl FnOnce(&mut Loader) -> T) -> Option<T> {
        let mut loader = self.locked().pop()?;
        let done = work(&mut loader);
        self.locked().push(loader);
        Some(done)
    }

    /// Moves all texts into the loader that the pool was made of.
    pub fn join(self, loader: &mut Loader) {
        let mut loaders = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        loaders.sort_by_key(|loader| loader.sources.part());
        loader.join(loaders);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Loader>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
