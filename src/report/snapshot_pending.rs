//! What waits for a review after a cell was played on several brokers: the newest version speaks for the base, older
//! ones that differ become overlays, so that an upgrade's story takes one round. Never looks at a disk.

use super::snapshot::same;
use super::snapshot_name::{SnapshotName, snapshot_for};
use crate::model::Version;
use std::collections::BTreeMap;

/// Is what a cell gave on one broker.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'o> {
    pub version: Version,
    pub body: &'o str,
}

/// Is what the outcomes of one cell ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// File (without `.new`) and body.
    pub files: BTreeMap<String, String>,
    /// Outcomes, by their place, that contradict another one of the same version; with that one's place.
    pub contradicting: Vec<(usize, usize)>,
}

/// Lays out what waits: `kept` holds the snapshots that are there and their bodies, `newest` is the newest version
/// that the scenario can be played on.
pub fn pending(cell: &str, newest: Version, kept: &BTreeMap<String, String>, outcomes: &[Outcome<'_>]) -> Pending {
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(outcomes[*at].version));
    let mut now = kept.clone();
    let mut found = Pending::default();
    let mut first_of: BTreeMap<Version, usize> = BTreeMap::new();
    let mut base_is_newer = false;
    for at in order {
        let Outcome { version, body } = outcomes[at];
        if let Some(first) = first_of.get(&version) {
            if !same(outcomes[*first].body, body) {
                found.contradicting.push((at, *first));
            }
            continue;
        }
        first_of.insert(version, at);
        let present = snapshot_for(cell, version, now.keys().map(String::as_str));
        if present.as_ref().is_some_and(|name| same(&now[name], body)) {
            continue;
        }
        let base = SnapshotName::base(cell).to_string();
        let has_overlay = present.is_some_and(|name| name != base);
        // An older version never changes what a newer one reads.
        let speaks_for_base = !has_overlay && !base_is_newer && (version >= newest || !now.contains_key(&base));
        let file = if speaks_for_base { base } else { SnapshotName::overlay(cell, version).to_string() };
        base_is_newer |= speaks_for_base;
        now.insert(file.clone(), body.to_owned());
        found.files.insert(file, body.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3_10: Version = Version { major: 3, minor: 10 };
    const V4_0: Version = Version { major: 4, minor: 0 };
    const V4_3: Version = Version { major: 4, minor: 3 };

    /// Lays out outcomes over kept snapshots, and writes what waits as `file=body`.
    fn waits(kept: &[(&str, &str)], outcomes: &[(Version, &str)]) -> Vec<String> {
        let kept = kept.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned())).collect();
        let outcomes: Vec<Outcome<'_>> =
            outcomes.iter().map(|(version, body)| Outcome { version: *version, body }).collect();
        let found = pending("c", V4_3, &kept, &outcomes);
        let contradicting = found.contradicting.iter().map(|(at, other)| format!("{at} contradicts {other}"));
        found.files.iter().map(|(file, body)| format!("{file}={body}")).chain(contradicting).collect()
    }

    #[test]
    fn new_everywhere_the_newest_is_the_base_and_older_ones_that_differ_are_overlays() {
        assert_eq!(waits(&[], &[(V3_10, "a"), (V4_0, "a"), (V4_3, "a")]), ["c.snap=a"]);
        assert_eq!(waits(&[], &[(V3_10, "a"), (V4_0, "b"), (V4_3, "b")]), ["c--upto-3_10.snap=a", "c.snap=b"]);
        assert_eq!(waits(&[], &[(V3_10, "a"), (V4_0, "a"), (V4_3, "b")]), ["c--upto-4_0.snap=a", "c.snap=b"]);
        let three = ["c--upto-3_10.snap=a", "c--upto-4_0.snap=b", "c.snap=c"];
        assert_eq!(waits(&[], &[(V4_0, "b"), (V3_10, "a"), (V4_3, "c")]), three);
        assert_eq!(waits(&[], &[(V3_10, "a"), (V4_0, "b")]), ["c--upto-3_10.snap=a", "c.snap=b"]);
    }

    #[test]
    fn an_older_version_never_changes_what_a_newer_one_reads() {
        let kept = [("c.snap", "b")];
        assert_eq!(waits(&kept, &[(V3_10, "a")]), ["c--upto-3_10.snap=a"]);
        assert_eq!(
            waits(&kept, &[(V3_10, "b"), (V4_0, "x"), (V4_3, "b")]),
            ["c--upto-3_10.snap=b", "c--upto-4_0.snap=x"]
        );
        assert_eq!(waits(&[("c.snap", "b"), ("c--upto-4_0.snap", "a")], &[(V3_10, "x")]), ["c--upto-3_10.snap=x"]);
        // The base moves on; what stays as it was needs an overlay now.
        assert_eq!(waits(&kept, &[(V3_10, "b"), (V4_3, "n")]), ["c--upto-3_10.snap=b", "c.snap=n"]);
    }

    #[test]
    fn two_brokers_of_one_version_that_differ_are_told() {
        assert_eq!(waits(&[], &[(V4_3, "a"), (V4_3, "b")]), ["c.snap=a", "1 contradicts 0"]);
        assert_eq!(waits(&[], &[(V4_3, "a"), (V4_3, "a\n")]), ["c.snap=a"]);
    }
}
