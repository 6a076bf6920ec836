//! The shipped scenarios, through the library: they pass on every profile against their snapshots, and a run repeated a
//! hundred times gives the same bytes. On live brokers they run as commands do (`tests/commands/live-*.txt`).
#![allow(clippy::disallowed_methods)]

use rmqplay::io::Disk;
use rmqplay::io::snapshots::{names_in, yaml_files};
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Loads every shipped scenario; a problem fails the test.
fn cells() -> Vec<(PathBuf, Cell)> {
    let mut cells = Vec::new();
    for path in yaml_files(&[root().join("scenarios")]).expect("scenarios") {
        let text = std::fs::read(&path).expect("readable scenario");
        let mut sources = Sources::default();
        let settings = Settings { vars: Vec::new(), default_vhost: None };
        let world = Disk::at("", Default::default());
        let (loaded, problems) = load_scenario(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
        assert!(problems.is_empty(), "{}", report::draw(&problems, &sources, 100, false));
        cells.extend(loaded.expect("a scenario").cells.into_iter().map(|cell| (path.clone(), cell)));
    }
    assert!(cells.len() >= 6, "six scenarios are shipped");
    cells
}

#[test]
fn shipped_scenarios_pass_on_every_profile_with_their_snapshots() {
    for (path, cell) in cells() {
        for profile in Profile::ALL {
            let played = rehearse(&cell, profile, false);
            assert!(played.failures.is_empty(), "{} on sim {profile}: {:#?}", path.display(), played.failures);
            let body = report::body(&played.outcome.expect("an outcome"), &cell.scenario);
            let folder = path.parent().expect("a folder").join("snapshots");
            let stem = path.file_stem().expect("a stem").to_string_lossy();
            let names = names_in(&folder).expect("a folder");
            let names = names.iter().map(String::as_str);
            let name = report::snapshot_for(&report::cell_stem(&stem, &cell.axes), profile.version(), names);
            let text = std::fs::read_to_string(folder.join(name.expect("a name"))).expect("a snapshot");
            let kept = report::read_snapshot(&text).expect("a whole snapshot").body;
            let compared = report::compare(Some(&kept), &body);
            assert_eq!(compared, report::Comparison::Same, "{} on sim {profile}", path.display());
        }
    }
}

#[test]
fn a_run_repeated_a_hundred_times_gives_the_same_bytes() {
    for (path, cell) in cells() {
        let bytes = || {
            let played = rehearse(&cell, Profile::NEWEST, true);
            format!("{:?}\n{:?}", played.timeline, played.outcome)
        };
        let first = bytes();
        assert!(first.len() > 500, "there is something to compare");
        assert!((1..100).all(|_| bytes() == first), "{}: two runs differ", Path::new(&path).display());
    }
}

#[test]
fn insta_reads_our_snapshots() {
    let folder = root().join("scenarios/snapshots");
    let names = names_in(&folder).expect("a folder");
    assert!(names.len() >= 6, "every shipped scenario has a snapshot");
    for name in names.iter().filter(|name| name.ends_with(".snap")) {
        let snapshot = insta::Snapshot::from_file(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            snapshot.metadata().source().is_some_and(|source| source.ends_with(".yaml")),
            "{name} names its scenario"
        );
        let whole = std::fs::read_to_string(folder.join(name)).expect("a snapshot");
        let body = whole.split_once("\n---\n").expect("front matter").1;
        let read = snapshot.as_text().expect("a text snapshot").to_string();
        assert_eq!(read.trim_end(), body.trim_end(), "{name}");
    }
}
