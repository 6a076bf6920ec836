//! What consumers can do, word by word: each `tests/consumers/NAME.yaml` passes on every profile against its snapshot,
//! gives the same bytes a hundred times, and passes on the live brokers of RMQPLAY_TEST_BROKERS with that snapshot.
#![allow(clippy::disallowed_methods)]

use rmqplay::io::Disk;
use rmqplay::io::snapshots::{names_in, yaml_files};
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers")
}

fn cells() -> Vec<(String, Cell)> {
    let mut cells = Vec::new();
    for path in yaml_files(&[folder()]).expect("the folder") {
        let text = std::fs::read(&path).expect("readable scenario");
        let mut sources = Sources::default();
        let settings = Settings { vars: Vec::new(), default_vhost: None };
        let world = Disk::at("", Default::default());
        let (loaded, problems) = load_scenario(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
        let loaded = loaded.unwrap_or_else(|| panic!("{}", report::draw(&problems, &sources, 100, false)));
        let stem = path.file_stem().expect("a stem").to_string_lossy().into_owned();
        cells.extend(loaded.cells.into_iter().map(|cell| (stem.clone(), cell)));
    }
    assert!(cells.len() >= 12, "the scenarios are there");
    cells
}

#[test]
fn consumers_do_on_every_profile_what_their_scenarios_say() {
    for (stem, cell) in cells() {
        for profile in Profile::ALL {
            let played = rehearse(&cell, profile, false);
            assert!(played.failures.is_empty(), "{stem} on sim {profile}: {:#?}", played.failures);
            let body = report::body(&played.outcome.expect("an outcome"), &cell.scenario);
            let snapshots = folder().join("snapshots");
            let names = report::snapshot_names(&stem, &cell.axes, profile.version(), &names_in(&snapshots));
            let kept = names.present.map(|name| std::fs::read_to_string(snapshots.join(name)).expect("a snapshot"));
            assert_eq!(report::compare(kept.as_deref(), &body), report::Comparison::Same, "{stem} on sim {profile}");
        }
    }
}

#[test]
fn a_consumer_does_the_same_a_hundred_times() {
    for (stem, cell) in cells() {
        let bytes = || {
            let played = rehearse(&cell, Profile::NEWEST, true);
            format!("{:?}\n{:?}", played.timeline, played.outcome)
        };
        let first = bytes();
        assert!((1..100).all(|_| bytes() == first), "{stem}: two runs differ");
    }
}

#[test]
fn consumers_do_the_same_on_live_brokers() {
    let Ok(brokers) = std::env::var("RMQPLAY_TEST_BROKERS") else {
        assert!(std::env::var_os("CI").is_none(), "in CI the live brokers must be there: RMQPLAY_TEST_BROKERS");
        println!("live brokers: NOT RUN (RMQPLAY_TEST_BROKERS is not set)");
        return;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    // With CI set a snapshot that is missing or differs fails the run, and nothing is written.
    command.arg("run").arg(folder()).env("CI", "1").env_remove("RABBITMQ_URL");
    brokers.split(',').for_each(|broker| drop(command.args(["--broker", broker.trim()])));
    let output = command.output().expect("rmqplay runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("{}", said.lines().last().unwrap_or_default());
}
