//! Which snapshot file belongs to a cell on a version.
//! `NAME.snap`, with axes `NAME--queue_type=quorum.snap`, overlays `NAME--upto-3_10.snap`. Never looks at a disk.

use crate::model::{Profile, Version};
use std::collections::BTreeMap;

/// Names the files of one cell on one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotNames {
    /// The snapshot to compare with, if there is one.
    pub present: Option<String>,
    /// Where a new or different outcome waits for a review.
    pub pending: String,
}

/// Chooses among the files that are there: the overlay of the nearest version not older than `version`, else the base.
///
/// ```
/// use rmqplay::{model::Version, report::snapshot_names};
/// let files = ["ttl.snap".to_owned(), "ttl--upto-3_10.snap".to_owned()];
/// let on = |major, minor| snapshot_names("ttl", &Default::default(), Version { major, minor }, &files).present.unwrap();
/// assert_eq!(on(3, 10), "ttl--upto-3_10.snap");
/// assert_eq!(on(4, 0), "ttl.snap");
/// ```
pub fn snapshot_names(
    stem: &str,
    axes: &BTreeMap<String, String>,
    version: Version,
    files: &[String],
) -> SnapshotNames {
    let cell = cell_stem(stem, axes);
    let base = format!("{cell}.snap");
    let overlay_of = |file: &str| -> Option<Version> {
        let middle = file.strip_prefix(&format!("{cell}--upto-"))?.strip_suffix(".snap")?;
        middle.replace('_', ".").parse().ok()
    };
    let overlays = files.iter().filter_map(|file| Some((overlay_of(file)?, file)));
    let nearest = overlays.filter(|(upto, _)| *upto >= version).min();
    let base_is_there = files.contains(&base);
    let present = nearest.map(|(_, file)| file.clone()).or_else(|| base_is_there.then(|| base.clone()));
    // The base speaks for the newest version: an older one that differs waits as an overlay of its own.
    let older = version < Profile::NEWEST.version() && base_is_there && nearest.is_none();
    let own_overlay = format!("{cell}--upto-{}_{}.snap", version.major, version.minor);
    let target = match nearest {
        Some((_, file)) => file.clone(),
        None if older => own_overlay,
        None => base,
    };
    SnapshotNames { present, pending: format!("{target}.new") }
}

/// Names a cell: the file's stem and its axes, other characters percent-encoded.
pub fn cell_stem(stem: &str, axes: &BTreeMap<String, String>) -> String {
    let axes: String = axes.iter().map(|(axis, value)| format!("--{}={}", encoded(axis), encoded(value))).collect();
    format!("{stem}{axes}")
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}
