//! Names of snapshot files: `NAME.snap`, with axes `NAME--queue_type=quorum.snap`, overlays `NAME--upto-3_10.snap`,
//! pending ones with `.new` behind. Takes them apart, and finds the one for a version. Never looks at a disk.

use crate::model::Version;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;

/// The name of a snapshot file, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName {
    /// The scenario's stem with its axes.
    pub cell: String,
    /// The last version that the overlay speaks for; the base has none.
    pub upto: Option<Version>,
    /// It waits for a review.
    pub pending: bool,
}

impl SnapshotName {
    /// Reads a file's name; `None` when it is no snapshot's.
    ///
    /// ```
    /// use rmqplay::report::SnapshotName;
    /// let name = SnapshotName::parse("ttl--queue_type=quorum--upto-3_10.snap.new").unwrap();
    /// assert_eq!((&*name.cell, name.pending), ("ttl--queue_type=quorum", true));
    /// assert_eq!(name.to_string(), "ttl--queue_type=quorum--upto-3_10.snap.new");
    /// assert_eq!(SnapshotName::parse("notes.txt"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        let (rest, pending) = name.strip_suffix(".new").map_or((name, false), |rest| (rest, true));
        let rest = rest.strip_suffix(".snap")?;
        let overlay = rest.rsplit_once("--upto-");
        let overlay = overlay.and_then(|(cell, upto)| Some((cell, upto.replace('_', ".").parse().ok()?)));
        Some(match overlay {
            Some((cell, upto)) => Self { cell: cell.to_owned(), upto: Some(upto), pending },
            None => Self { cell: rest.to_owned(), upto: None, pending },
        })
    }

    /// Names the base of a cell.
    pub fn base(cell: &str) -> Self {
        Self { cell: cell.to_owned(), upto: None, pending: false }
    }

    /// Names the overlay of a cell for versions up to one.
    pub fn overlay(cell: &str, upto: Version) -> Self {
        Self { upto: Some(upto), ..Self::base(cell) }
    }

    /// Returns whether the cell may be one of a scenario with this stem.
    pub fn is_of(&self, stem: &str) -> bool {
        self.cell.strip_prefix(stem).is_some_and(|axes| axes.is_empty() || axes.starts_with("--"))
    }
}

impl std::fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.cell)?;
        if let Some(upto) = self.upto {
            write!(f, "--upto-{}_{}", upto.major, upto.minor)?;
        }
        f.write_str(if self.pending { ".snap.new" } else { ".snap" })
    }
}

/// Chooses among the files that are there: the overlay of the nearest version not older than `version`, else the base.
///
/// ```
/// use rmqplay::{model::Version, report::snapshot_for};
/// let on = |major, minor| snapshot_for("ttl", Version { major, minor }, ["ttl.snap", "ttl--upto-3_10.snap"]).unwrap();
/// assert_eq!(on(3, 10), "ttl--upto-3_10.snap");
/// assert_eq!(on(4, 0), "ttl.snap");
/// ```
pub fn snapshot_for<'f>(cell: &str, version: Version, files: impl IntoIterator<Item = &'f str>) -> Option<String> {
    let names = files.into_iter().filter_map(SnapshotName::parse).filter(|name| name.cell == cell && !name.pending);
    let holds = names.filter(|name| name.upto.is_none_or(|upto| upto >= version));
    // The base speaks for every version that has no overlay.
    holds.min_by_key(|name| (name.upto.is_none(), name.upto)).map(|name| name.to_string())
}

/// Names a cell: the file's stem and its axes, other characters percent-encoded.
pub fn cell_stem(stem: &str, axes: &BTreeMap<String, String>) -> String {
    let axes: String = axes.iter().map(|(axis, value)| format!("--{}={}", encoded(axis), encoded(value))).collect();
    format!("{stem}{axes}")
}

/// What may stand in a file's name on every system.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
