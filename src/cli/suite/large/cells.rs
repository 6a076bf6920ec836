//! What a large suite keeps of its files and cells.

use crate::cli::select::ToPlay;
use crate::cli::snapshot_store::SnapshotStore;
use crate::cli::suite::OutputText;
use crate::cli::suite::narrowed::CellKey;
use crate::io::{ReadDigest, file_key};
use crate::model::Millis;
use crate::report::CellReport;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that was checked.
pub(super) struct LargeFile {
    pub path: PathBuf,
    /// Of all that was read for it.
    pub digest: ReadDigest,
}

/// A cell whose model was dropped.
pub(super) struct LargeCell {
    /// The place of its file among all.
    pub file: u32,
    /// Its place among the cells of the file, as they were loaded.
    pub place: u32,
    pub name: Box<str>,
    /// The choice of the matrix.
    pub axes: BTreeMap<String, String>,
    pub has_snapshot: bool,
    /// Whether --filter, --tag and --cell mean it.
    pub is_wanted: bool,
    pub end: CellEnd,
}

impl LargeCell {
    /// Keeps what is needed of a loaded cell.
    pub fn of(file: usize, place: usize, one: &ToPlay, is_wanted: bool) -> Self {
        Self {
            file: file as u32,
            place: place as u32,
            name: one.name().into(),
            axes: one.cell.axes.clone(),
            has_snapshot: !one.cell.scenario.snapshot.off,
            is_wanted,
            end: CellEnd::Unplayed,
        }
    }

    /// Returns the file that it is in.
    pub fn path<'f>(&self, files: &'f [LargeFile]) -> &'f Path {
        &files[self.file as usize].path
    }

    /// Returns its key in the last run.
    pub fn key(&self, files: &[LargeFile]) -> CellKey {
        (file_key(self.path(files)), self.name.to_string())
    }
}

/// How a cell ended on the brokers of the run.
pub(super) enum CellEnd {
    Unplayed,
    /// It passed on all of them, in their order, with nothing more to tell.
    Passed(Box<[PassedPlay]>),
    /// There is more to tell.
    Told(Box<ToldCell>),
    /// Its file is another one than it was when it was checked.
    Overtaken,
}

/// A cell that passed on a broker.
pub(super) struct PassedPlay {
    /// The scenario's own time.
    pub took: Millis,
    micros: u64,
}

impl PassedPlay {
    /// Keeps the times of a report.
    pub fn of(report: &CellReport) -> Self {
        let took = report.played.as_ref().map(|played| played.took).unwrap_or_default();
        Self { took, micros: u64::try_from(report.real.as_micros()).unwrap_or(u64::MAX) }
    }

    /// Returns the time by the wall clock.
    pub fn real(&self) -> Duration {
        Duration::from_micros(self.micros)
    }
}

/// A cell with all that its reports need.
pub(super) struct ToldCell {
    pub one: ToPlay,
    /// What its snapshots said.
    pub keeping: SnapshotStore,
    /// One for each broker, in their order.
    pub reports: Vec<CellReport>,
    /// The notes on each.
    pub notes: Vec<Vec<OutputText>>,
}
