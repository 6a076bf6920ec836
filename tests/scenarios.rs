//! The shipped scenarios: they pass on every profile against their snapshots, a run repeated a hundred times gives the
//! same bytes, and the whole library passes on each live broker within five minutes. The shipped topologies check, and
//! all files have the layout of `fmt`. Tests `live::` need brokers.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/files.rs"]
mod files;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/live_tests.rs"]
mod live_tests;
#[path = "support/playing.rs"]
mod playing;
#[path = "support/program.rs"]
mod program;

use harness::{Checked, test};
use rmqplay::io::Disk;
use rmqplay::io::snapshots::names_in;
use rmqplay::language::{Settings, load_topology};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long the whole library may take on a live broker, all of which play it at the same time.
const LIVE_LIMIT: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let scenarios = files::below("scenarios", "yaml", 40);
    let mut tests = harness::per_file("", &scenarios, passes_on_every_profile_with_its_snapshot);
    tests.extend(harness::per_file("same_bytes::", &scenarios, gives_the_same_bytes));
    tests.extend(harness::per_file("topologies::", &files::below("topologies", "yaml", 15), has_no_problems));
    tests.push(test("shipped_files_are_laid_out_as_fmt_lays_them_out", are_laid_out));
    tests.push(test("insta_reads_our_snapshots", insta_reads_our_snapshots));
    let live = live_tests::per_broker("the library", |broker| {
        let (url, version, scenarios) = (broker.url.clone(), broker.version.clone(), scenarios.clone());
        vec![test(format!("live::{version}::library"), move || passes_live(&url, &version, scenarios))]
    });
    let threads = (live.len() > 1).then_some(live.len());
    tests.extend(live);
    harness::run(threads, tests)
}

fn is_bulk(cell: &Cell) -> bool {
    cell.scenario.tags.iter().any(|tag| tag == "bulk")
}

fn has_no_problems(path: &Path) -> Checked {
    let text = std::fs::read(path).expect("readable topology");
    let mut sources = Sources::default();
    let (world, settings) = (Disk::at("", Default::default()), Settings::default());
    let (loaded, problems) = load_topology(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
    match problems.is_empty() && loaded.is_some() {
        true => Ok(()),
        false => Err(report::draw(&problems, &sources, 100, false)),
    }
}

fn are_laid_out() -> Checked {
    let folders = ["scenarios", "topologies", "src/cli/commands/init"].map(files::root);
    let (same, said) = program::finish(program::rmqplay().args(["fmt", "--check"]).args(folders));
    if same { Ok(()) } else { Err(said) }
}

/// Scenarios that fail on a version, as they did on its broker, and how: 3.12 forgets what `expiration` a message had
/// that waited behind another (DL-16).
const FAILS: [(&str, Profile, &str); 1] =
    [("fifo-ttl-delay", Profile::V3_12, "queue actions.expired: not as expected")];

fn passes_on_every_profile_with_its_snapshot(path: &Path) -> Checked {
    for cell in playing::cells(path, true)? {
        for profile in Profile::ALL {
            match FAILS.iter().find(|(name, on, _)| *name == harness::stem(path) && *on == profile) {
                Some((_, _, why)) => assert_eq!(failures(&cell, profile), [*why], "{profile}"),
                None => playing::passes(path, &cell, profile)?,
            }
        }
    }
    Ok(())
}

fn failures(cell: &Cell, profile: Profile) -> Vec<String> {
    rehearse(cell, profile, false).failures.into_iter().map(|failure| failure.message).collect()
}

fn gives_the_same_bytes(path: &Path) -> Checked {
    let cells = playing::cells(path, true)?;
    cells.iter().filter(|cell| !is_bulk(cell)).try_for_each(|cell| playing::repeats(path, cell))
}

fn passes_live(url: &str, version: &str, scenarios: Vec<PathBuf>) -> Checked {
    let begun = Instant::now();
    // Cells with very many messages come last: beside them the others would not keep their times.
    let has_bulk = |path: &PathBuf| playing::cells(path, true).expect("a scenario").iter().any(is_bulk);
    let (bulk, usual): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(has_bulk);
    for files in [usual, bulk] {
        let mut run = program::rmqplay();
        run.arg("run").args(files).args(["--broker", url]).current_dir(files::root("")).env("CI", "true");
        let (passed, said) = program::finish(&mut run);
        if !passed {
            return Err(said);
        }
        brokers::say(&format!("the library on RabbitMQ {version}: {}", said.lines().last().unwrap_or_default()));
    }
    let took = begun.elapsed();
    if took < LIVE_LIMIT { Ok(()) } else { Err(format!("the library took {took:?}")) }
}

fn insta_reads_our_snapshots() -> Checked {
    let folder = files::root("scenarios/snapshots");
    let names = names_in(&folder)?;
    assert!(names.len() >= 6, "every shipped scenario has a snapshot");
    for name in names.iter().filter(|name| name.ends_with(".snap")) {
        let snapshot = insta::Snapshot::from_file(&folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        assert!(
            snapshot.metadata().source().is_some_and(|source| source.ends_with(".yaml")),
            "{name} names its scenario"
        );
        let whole = std::fs::read_to_string(folder.join(name)).expect("a snapshot");
        let body = whole.split_once("\n---\n").expect("front matter").1;
        let read = snapshot.as_text().expect("a text snapshot").to_string();
        assert_eq!(read.trim_end(), body.trim_end(), "{name}");
    }
    Ok(())
}
