//! What consumers can do, word by word: each `tests/consumers/NAME.yaml` passes on every profile against its snapshot,
//! gives the same bytes a hundred times, and passes on the live brokers of RMQPLAY_TEST_BROKERS with that snapshot.
#![allow(clippy::disallowed_methods)]

#[path = "support/brokers.rs"]
mod brokers;

use rmqplay::io::Disk;
use rmqplay::io::snapshots::{names_in, yaml_files};
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers")
}

fn cells() -> Vec<(String, Cell)> {
    let cells = cells_of(&folder());
    assert!(cells.len() >= 16, "the scenarios are there");
    cells
}

fn cells_of(folder: &Path) -> Vec<(String, Cell)> {
    let mut cells = Vec::new();
    for path in yaml_files(&[folder.to_owned()]).expect("the folder") {
        let text = std::fs::read(&path).expect("readable scenario");
        let mut sources = Sources::default();
        let settings = Settings { vars: Vec::new(), default_vhost: None };
        let world = Disk::at("", Default::default());
        let (loaded, problems) = load_scenario(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
        let loaded = loaded.unwrap_or_else(|| panic!("{}", report::draw(&problems, &sources, 100, false)));
        let stem = path.file_stem().expect("a stem").to_string_lossy().into_owned();
        cells.extend(loaded.cells.into_iter().map(|cell| (stem.clone(), cell)));
    }
    cells
}

#[test]
fn consumers_do_on_every_profile_what_their_scenarios_say() {
    for (stem, cell) in cells() {
        for profile in Profile::ALL {
            let played = rehearse(&cell, profile, false);
            assert!(played.failures.is_empty(), "{stem} on sim {profile}: {:#?}", played.failures);
            if cell.scenario.snapshot.off {
                continue;
            }
            let body = report::body(&played.outcome.expect("an outcome"), &cell.scenario);
            let snapshots = folder().join("snapshots");
            let names = names_in(&snapshots).expect("a folder");
            let names = names.iter().map(String::as_str);
            let name = report::snapshot_for(&report::cell_stem(&stem, &cell.axes), profile.version(), names);
            let text = std::fs::read_to_string(snapshots.join(name.expect("a name"))).expect("a snapshot");
            let kept = report::read_snapshot(&text).expect("a whole snapshot").body;
            assert_eq!(report::compare(Some(&kept), &body), report::Comparison::Same, "{stem} on sim {profile}");
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

/// A consumer that holds everything because no rule of it fits is seldom meant: the run passes and says so.
#[test]
fn rules_that_never_match_are_noted() {
    let notes = |rule: &str| {
        let text = format!(
            "scenario: rules\ntopology: {{queues: [{{name: q}}]}}\nconsumers: {{w: {{queue: q, on_message: [{rule}]}}}}\n\
             steps: [{{publish: {{routing_key: q, id: a}}}}]\n"
        );
        let mut sources = Sources::default();
        let (world, settings) = (Disk::at("", Default::default()), Settings { vars: Vec::new(), default_vhost: None });
        let (loaded, _) = load_scenario(&mut sources, "rules.yaml", text.as_bytes(), &world, &settings);
        let played = rehearse(&loaded.expect("a scenario").cells[0], Profile::NEWEST, false);
        assert!(played.failures.is_empty(), "{:#?}", played.failures);
        played.notes.iter().filter(|(_, note)| note.starts_with("no rule of this consumer matched")).count()
    };
    assert_eq!(notes("{match: {id: b}, do: ack}"), 1);
    assert_eq!(notes("{match: {id: b}, do: ack}, {do: ack}"), 0);
}

/// What never ends is found out, said once, and leaves nothing going.
#[test]
fn a_loop_without_end_fails_the_run() {
    let endless = folder().with_file_name("consumers-endless");
    let cells = cells_of(&endless);
    assert!(cells.len() >= 4, "the loops are there");
    for (stem, cell) in cells {
        let played = rehearse(&cell, Profile::NEWEST, false);
        let codes: Vec<&str> = played.failures.iter().map(|failure| failure.code).collect();
        assert!(codes == ["run::loop"] || codes == ["run::no_end"], "{stem}: {:#?}", played.failures);
    }
}

#[test]
fn consumers_do_the_same_on_live_brokers() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let brokers = brokers::brokers("consumers");
    let brokers: Vec<&str> = brokers.iter().map(|broker| broker.url.as_str()).collect();
    if brokers.is_empty() {
        return;
    }
    let (fine, said) = run(&folder(), &brokers);
    assert!(fine, "{said}");
    brokers::say(&format!("consumers: {}", said.lines().last().unwrap_or_default()));
    let (fine, said) = run(&folder().with_file_name("consumers-endless").join("requeue.yaml"), &brokers[..1]);
    assert!(!fine && said.contains("round without end"), "{said}");
}

/// Each broker is stopped under a run and started again; the run goes on where it was.
#[test]
fn a_broker_that_is_restarted_is_survived() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let brokers = brokers::brokers("restart");
    if brokers.is_empty() {
        return;
    }
    let Ok(restart) = std::env::var("RMQPLAY_TEST_RESTART") else {
        return brokers::not_run("restart", "RMQPLAY_TEST_RESTART is not set");
    };
    for broker in brokers.iter().map(|broker| &broker.url) {
        let command = format!("{restart} {broker}");
        for name in ["reconnect-restart.yaml", "dead-letters-restart.yaml"] {
            let (fine, said) = run_with(&folder().join(name), &[broker], &[("RMQPLAY_RESTART", &command)]);
            assert!(fine && said.contains("1 passed"), "{said}");
            brokers::say(&format!("restart: {name}: {}", said.lines().next().unwrap_or_default()));
        }
    }
}

/// Held by those who play live: a restart takes a broker away from the others.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Plays on live brokers as a user does; with CI set a snapshot that is missing or differs fails, and none is written.
fn run(path: &Path, brokers: &[&str]) -> (bool, String) {
    run_with(path, brokers, &[])
}

fn run_with(path: &Path, brokers: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    command.arg("run").arg(path).args(["--max-wait", "5m"]).env("CI", "1").env_remove("RABBITMQ_URL");
    command.env_remove("RMQPLAY_RESTART").envs(variables.iter().copied());
    command.args(brokers.iter().flat_map(|broker| ["--broker", *broker]));
    let output = command.output().expect("rmqplay runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}
