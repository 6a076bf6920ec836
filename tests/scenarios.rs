//! The shipped scenarios: they pass on every profile against their snapshots, a run repeated a hundred times gives the
//! same bytes, and the whole library passes on each live broker within five minutes. The shipped topologies check, and
//! all files have the layout of `fmt`.
#![allow(clippy::disallowed_methods)]

#[path = "support/brokers.rs"]
mod brokers;

use rmqplay::io::Disk;
use rmqplay::io::snapshots::{names_in, yaml_files};
use rmqplay::language::{Settings, load_scenario, load_topology};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

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
    assert!(cells.len() >= 30, "only {} cells are shipped", cells.len());
    cells
}

fn is_bulk(cell: &Cell) -> bool {
    cell.scenario.tags.iter().any(|tag| tag == "bulk")
}

#[test]
fn shipped_topologies_have_no_problems() {
    let paths = yaml_files(&[root().join("topologies")]).expect("topologies");
    assert!(paths.len() >= 15, "only {} topologies are shipped", paths.len());
    for path in paths {
        let text = std::fs::read(&path).expect("readable topology");
        let mut sources = Sources::default();
        let settings = Settings { vars: Vec::new(), default_vhost: None };
        let world = Disk::at("", Default::default());
        let (loaded, problems) = load_topology(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
        assert!(problems.is_empty() && loaded.is_some(), "{}", report::draw(&problems, &sources, 100, false));
    }
}

#[test]
fn shipped_files_are_laid_out_as_fmt_lays_them_out() {
    let mut fmt = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    fmt.args(["fmt", "--check"])
        .args(["scenarios", "topologies", "src/cli/commands/init"].map(|folder| root().join(folder)));
    let said = fmt.output().expect("rmqplay fmt runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[test]
fn shipped_scenarios_pass_on_every_profile_with_their_snapshots() {
    for (path, cell) in cells() {
        for profile in Profile::ALL {
            let played = rehearse(&cell, profile, false);
            assert!(played.failures.is_empty(), "{} on sim {profile}: {:#?}", path.display(), played.failures);
            if cell.scenario.snapshot.off {
                continue;
            }
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
    for (path, cell) in cells().into_iter().filter(|(_, cell)| !is_bulk(cell)) {
        let bytes = || {
            let played = rehearse(&cell, Profile::NEWEST, true);
            format!("{:?}\n{:?}", played.timeline, played.outcome)
        };
        let first = bytes();
        assert!(first.len() > 400, "{}: there is something to compare", path.display());
        assert!((1..100).all(|_| bytes() == first), "{}: two runs differ", Path::new(&path).display());
    }
}

/// How long the whole library may take on the live brokers, which all play it at the same time.
const LIVE_LIMIT: Duration = Duration::from_secs(300);

#[test]
fn the_library_passes_on_live_brokers() {
    let listed = brokers::brokers("the library");
    let begun = Instant::now();
    // Cells with very many messages come last: beside them the others would not keep their times.
    let (bulk, usual): (Vec<_>, Vec<_>) = cells().into_iter().partition(|(_, cell)| is_bulk(cell));
    let files = |cells: Vec<(PathBuf, Cell)>| cells.into_iter().map(|(path, _)| path).collect::<BTreeSet<_>>();
    let parts = [files(usual), files(bulk)];
    let play = |url: &str| {
        let mut said = String::new();
        let passed = parts.iter().all(|files| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
            command.arg("run").args(files).args(["--broker", url]).current_dir(root());
            let output = command.env("CI", "true").env("NO_COLOR", "1").output().expect("rmqplay runs");
            said += &String::from_utf8_lossy(&output.stdout);
            said += &String::from_utf8_lossy(&output.stderr);
            output.status.success()
        });
        (passed, said)
    };
    let said: Vec<(bool, String)> = std::thread::scope(|scope| {
        let begun: Vec<_> = listed.iter().map(|broker| scope.spawn(|| play(&broker.url))).collect();
        begun.into_iter().map(|one| one.join().expect("a played library")).collect()
    });
    for (passed, said) in &said {
        assert!(passed, "{said}");
        let last = said.lines().last().unwrap_or_default();
        brokers::say(&format!("the library: {}: {last}", said.lines().next().unwrap_or_default()));
    }
    let took = begun.elapsed();
    assert!(took < LIVE_LIMIT, "the library took {took:?} on {} brokers", said.len());
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
