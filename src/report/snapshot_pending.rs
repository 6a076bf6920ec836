//! What waits for a review after a cell was played on several brokers: the newest version speaks for the base, older
//! ones that differ become overlays, so that an upgrade's story takes one round. Never looks at a disk.

use crate::model::Version;
use crate::report::snapshot::same;
use crate::report::snapshot_name::{SnapshotName, snapshot_for};
use std::collections::BTreeMap;

/// What a cell gave on one broker.
#[derive(Debug, Clone, Copy)]
pub struct OutcomeOnVersion<'o> {
    /// Where it was played.
    pub version: Version,
    /// As a snapshot holds it.
    pub body: &'o str,
}

/// What lies in the folder for one cell.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Bodies of the snapshots, by file.
    pub kept: BTreeMap<String, String>,
    /// The base that waits for a review, and the version that gave it.
    pub waiting_base: Option<(Version, String)>,
}

/// What the outcomes of one cell ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotChanges {
    /// File (without `.new`), the version that gave it, and body.
    pub files: BTreeMap<String, (Version, String)>,
    /// Overlays among them that older versions will read too, which read something else and were not played.
    pub reaching: Vec<(String, Vec<Version>)>,
    /// Outcomes, by their place, that contradict another one of the same version; with that one's place.
    pub contradicting: Vec<(usize, usize)>,
}

/// Lays out what waits. `fitting` are the known versions that the scenario can be played on: the newest of them speaks
/// for the base, and so does a newer one. An older version never changes what a newer one reads: it speaks for the base
/// only as long as there is none, also none that waits.
pub fn pending(
    cell: &str,
    fitting: &[Version],
    present: &Present,
    outcomes: &[OutcomeOnVersion<'_>],
) -> SnapshotChanges {
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(outcomes[*at].version));
    let base = SnapshotName::base(cell).to_string();
    let newest_played = order.first().map(|at| outcomes[*at].version);
    let mut now = present.kept.clone();
    if let Some((version, body)) = &present.waiting_base
        && !now.contains_key(&base)
        && newest_played < Some(*version)
    {
        now.insert(base.clone(), body.clone());
    }
    let newest = fitting.iter().max().copied().unwrap_or(Version { major: 0, minor: 0 });
    let mut found = SnapshotChanges::default();
    let mut first_of: BTreeMap<Version, usize> = BTreeMap::new();
    let mut base_is_newer = false;
    for at in order {
        let OutcomeOnVersion { version, body } = outcomes[at];
        if let Some(first) = first_of.get(&version) {
            if !same(outcomes[*first].body, body) {
                found.contradicting.push((at, *first));
            }
            continue;
        }
        first_of.insert(version, at);
        let read = snapshot_for(cell, version, now.keys().map(String::as_str));
        if read.as_ref().is_some_and(|name| same(&now[name], body)) {
            continue;
        }
        let has_overlay = read.is_some_and(|name| name != base);
        let speaks_for_base = !has_overlay && !base_is_newer && (version >= newest || !now.contains_key(&base));
        let file = if speaks_for_base { base.clone() } else { SnapshotName::overlay(cell, version).to_string() };
        base_is_newer |= speaks_for_base;
        now.insert(file.clone(), body.to_owned());
        found.files.insert(file, (version, body.to_owned()));
    }
    let unplayed: Vec<Version> = fitting.iter().copied().filter(|version| !first_of.contains_key(version)).collect();
    found.reaching = reaching(cell, &found.files, &unplayed, (&present.kept, &now));
    found
}

/// Finds the overlays that change what versions read which were not played.
fn reaching(
    cell: &str,
    files: &BTreeMap<String, (Version, String)>,
    unplayed: &[Version],
    (before, after): (&BTreeMap<String, String>, &BTreeMap<String, String>),
) -> Vec<(String, Vec<Version>)> {
    let reads = |files: &BTreeMap<String, String>, version: Version| {
        snapshot_for(cell, version, files.keys().map(String::as_str)).map(|name| (files[&name].clone(), name))
    };
    let overlays = files.keys().filter(|file| **file != SnapshotName::base(cell).to_string());
    let reached = overlays.map(|file| {
        let reached = unplayed.iter().copied().filter(|version| {
            let (read, reads_now) = (reads(before, *version), reads(after, *version));
            let changed = read.is_some_and(|(body, _)| reads_now.as_ref().is_some_and(|(now, _)| !same(&body, now)));
            changed && reads_now.is_some_and(|(_, name)| name == *file)
        });
        (file.clone(), reached.collect::<Vec<_>>())
    });
    reached.filter(|(_, versions)| !versions.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3_10: Version = Version { major: 3, minor: 10 };
    const V4_0: Version = Version { major: 4, minor: 0 };
    const V4_3: Version = Version { major: 4, minor: 3 };

    const FITTING: [Version; 3] = [V3_10, V4_0, V4_3];

    fn lines(found: &SnapshotChanges) -> Vec<String> {
        let contradicting = found.contradicting.iter().map(|(at, other)| format!("{at} contradicts {other}"));
        found.files.iter().map(|(file, (_, body))| format!("{file}={body}")).chain(contradicting).collect()
    }

    /// Lays out outcomes over kept snapshots, and writes what waits as `file=body`.
    fn waits(kept: &[(&str, &str)], outcomes: &[(Version, &str)]) -> Vec<String> {
        let kept = kept.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned())).collect();
        let outcomes: Vec<OutcomeOnVersion<'_>> =
            outcomes.iter().map(|(version, body)| OutcomeOnVersion { version: *version, body }).collect();
        lines(&pending("c", &FITTING, &Present { kept, waiting_base: None }, &outcomes))
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

    #[test]
    fn a_base_that_waits_is_not_overwritten_by_an_older_version() {
        let waits = |by: Version, version: Version, body: &str| {
            let present = Present { kept: BTreeMap::new(), waiting_base: Some((by, "b".into())) };
            lines(&pending("c", &FITTING, &present, &[OutcomeOnVersion { version, body }]))
        };
        assert_eq!(waits(V4_3, V3_10, "a"), ["c--upto-3_10.snap=a"]);
        assert_eq!(waits(V4_3, V3_10, "b"), [""; 0]);
        assert_eq!(waits(V4_0, V3_10, "a"), ["c--upto-3_10.snap=a"]);
        // Its own and a newer version's word is newer.
        assert_eq!(waits(V3_10, V3_10, "a"), ["c.snap=a"]);
        assert_eq!(waits(V3_10, V4_3, "a"), ["c.snap=a"]);
    }

    /// Every folder of up to three snapshots, every version alone with every outcome: whatever is accepted changes what
    /// other versions read only where a base follows the newest version, or where it is said.
    #[test]
    fn what_one_version_writes_changes_no_other_version_unsaid() {
        let names = ["c.snap", "c--upto-3_10.snap", "c--upto-4_0.snap"];
        let mut looked_at = 0;
        for choice in 0..27 {
            let bodies = [choice % 3, choice / 3 % 3, choice / 9];
            let there = names.iter().zip(bodies).filter(|(_, body)| *body > 0);
            let kept: BTreeMap<String, String> =
                there.map(|(name, body)| ((*name).to_owned(), ["a", "b"][body - 1].to_owned())).collect();
            for (version, body) in FITTING.into_iter().flat_map(|version| ["a", "b", "x"].map(|body| (version, body))) {
                let present = Present { kept: kept.clone(), waiting_base: None };
                let found = pending("c", &FITTING, &present, &[OutcomeOnVersion { version, body }]);
                let mut after = kept.clone();
                after.extend(found.files.iter().map(|(file, (_, body))| (file.clone(), body.clone())));
                let read = |files: &BTreeMap<String, String>, version| {
                    snapshot_for("c", version, files.keys().map(String::as_str)).map(|name| files[&name].clone())
                };
                assert_eq!(read(&after, version).as_deref(), Some(body), "{kept:?}: {version} gives {body}");
                for other in FITTING.into_iter().filter(|other| *other != version) {
                    looked_at += 1;
                    let (was, is) = (read(&kept, other), read(&after, other));
                    let said = found.reaching.iter().any(|(_, versions)| versions.contains(&other));
                    let by_base = version == V4_3 && found.files.contains_key("c.snap");
                    assert!(
                        was == is || was.is_none() || said || by_base && other < version,
                        "{kept:?}: {version} gives {body}, and {other} reads {is:?} instead of {was:?}"
                    );
                    assert!(!said || other < version && was != is, "{kept:?}: {version} gives {body}: said of {other}");
                }
            }
        }
        assert_eq!(looked_at, 27 * 9 * 2);
    }
}
