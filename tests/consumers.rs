//! What consumers can do, word by word: each `tests/consumers/NAME.yaml` passes on every profile against its snapshot,
//! gives the same bytes a hundred times, and passes on each live broker with that snapshot. Tests `live::` need brokers,
//! tests `alone::` restart them.
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

use brokers::Broker;
use harness::{Checked, stem, test};
use libtest_mimic::{Completion, Failed, Trial};
use rmqplay::model::{Moment, Profile};
use rmqplay::player::versions_of;
use rmqplay::simulate::{drift, rehearse};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How many live scenarios run at once.
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    let scenarios = files::below("tests/consumers", "yaml", 16);
    let endless = files::below("tests/consumers-endless", "yaml", 4);
    let mut tests = harness::per_file("", &scenarios, does_on_every_profile_what_it_says);
    tests.extend(harness::per_file("same_bytes::", &scenarios, gives_the_same_bytes));
    tests.extend(harness::per_file("endless::", &endless, is_found_to_be_endless));
    tests.push(test("rules_that_never_match_are_noted", rules_that_never_match_are_noted));
    tests.push(test("drift_is_told_where_it_changes_the_run", drift_is_told_where_it_changes_the_run));
    let live = live_tests::per_broker("consumers", |broker| live_tests_of(broker, &scenarios));
    let threads = (live.len() > 1).then_some(AT_ONCE);
    tests.extend(live);
    harness::run(threads, tests)
}

fn does_on_every_profile_what_it_says(path: &Path) -> Checked {
    for cell in playing::cells(path, false)? {
        let fitting = versions_of(&cell.scenario);
        for profile in Profile::ALL.into_iter().filter(|profile| fitting.contains(&profile.version())) {
            playing::passes(path, &cell, profile)?;
        }
    }
    Ok(())
}

fn gives_the_same_bytes(path: &Path) -> Checked {
    playing::cells(path, false)?.iter().try_for_each(|cell| playing::repeats(path, cell))
}

/// What never ends is found out, reported once, and leaves nothing going.
fn is_found_to_be_endless(path: &Path) -> Checked {
    for cell in playing::cells(path, false)? {
        let played = rehearse(&cell, Profile::NEWEST, false);
        let codes: Vec<&str> = played.failures.iter().map(|failure| failure.code.text()).collect();
        if codes != ["run::loop"] && codes != ["run::no_end"] {
            return Err(format!("{:#?}", played.failures));
        }
    }
    Ok(())
}

/// A consumer that holds everything because no rule of it fits is seldom meant: the run passes, with a note.
fn rules_that_never_match_are_noted() -> Checked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let notes = |rule: &str| {
        let path = folder.path().join("rules.yaml");
        let text = format!(
            "scenario: rules\ntopology: {{queues: [{{name: q}}]}}\nconsumers: {{w: {{queue: q, on_message: [{rule}]}}}}\n\
             steps: [{{publish: {{routing_key: q, id: a}}}}]\n"
        );
        std::fs::write(&path, text).expect("a temporary file");
        let played = rehearse(&playing::cells(&path, false).expect("a scenario")[0], Profile::NEWEST, false);
        assert!(played.failures.is_empty(), "{:#?}", played.failures);
        played.notes.iter().filter(|(_, note)| note.starts_with("no rule of this consumer matched")).count()
    };
    assert_eq!(notes("{match: {id: b}, do: ack}"), 1);
    assert_eq!(notes("{match: {id: b}, do: ack}, {do: ack}"), 0);
    Ok(())
}

/// Steps that began later on a live broker are told of when a time to live ends before one of them, and only then.
fn drift_is_told_where_it_changes_the_run() -> Checked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("drift.yaml");
    let text = "scenario: drift\ntopology: {queues: [{name: q, message_ttl: 1s}]}\n\
                steps: [{publish: {routing_key: q, id: a}}, {expect: {queue: q, ready: 1}}, {expect: {queue: q, ready: 1}}]\n";
    std::fs::write(&path, text).expect("a temporary file");
    let cell = &playing::cells(&path, false)?[0];
    let noted = |begun: [u64; 4]| drift(cell, Profile::NEWEST, &begun.map(Moment)).map(|(_, note)| note);
    assert_eq!(noted([0, 400, 800, 900]), None);
    let note = noted([0, 400, 1_200, 1_300]).expect("a note");
    assert!(note.starts_with("this step began at 1.2s instead of 0s, for each step takes"), "{note}");
    let note = noted([0, 400, 900, 1_300]).expect("a note");
    assert!(note.starts_with("the steps were over at 1.3s instead of 0s"), "{note}");
    Ok(())
}

/// Held by who restarts a broker: several that start at once take longer than a scenario waits.
static RESTARTS: Mutex<()> = Mutex::new(());

fn live_tests_of(broker: &Broker, scenarios: &[PathBuf]) -> Vec<Trial> {
    // A restart takes the broker away from the others.
    let held = Arc::new(RwLock::new(()));
    let (restarting, usual): (Vec<_>, Vec<_>) = scenarios.iter().cloned().partition(|path| restarts(path));
    let usual = usual.into_iter().map(|path| {
        let (url, held) = (broker.url.clone(), held.clone());
        Trial::ignorable_test(format!("live::{}::{}", broker.version, stem(&path)), move || {
            let _beside = held.read().unwrap_or_else(PoisonError::into_inner);
            plays(&mut run(&path, &url))
        })
    });
    let mut tests: Vec<Trial> = usual.collect();
    let url = broker.url.clone();
    for file in ["requeue", "requeue-unacked"] {
        let url = url.clone();
        tests.push(test(format!("live::{}::endless::{file}", broker.version), move || {
            let path = files::root("tests/consumers-endless").join(file).with_extension("yaml");
            let (passed, said) = program::finish(&mut run(&path, &url));
            if !passed && said.contains("round without end") { Ok(()) } else { Err(said) }
        }));
    }
    tests.extend(restarting.into_iter().map(|path| {
        let (url, held) = (broker.url.clone(), held.clone());
        Trial::ignorable_test(format!("alone::{}::{}", broker.version, stem(&path)), move || {
            let _alone = held.write().unwrap_or_else(PoisonError::into_inner);
            let _one_restart = RESTARTS.lock().unwrap_or_else(PoisonError::into_inner);
            survives_a_restart(&path, &url)
        })
    }));
    tests
}

/// Returns whether a scenario restarts the broker that it is played on.
fn restarts(path: &Path) -> bool {
    std::fs::read_to_string(path).expect("a readable scenario").contains("\n  - restart_broker")
}

/// The broker is stopped under a run and started again; the run goes on where it was.
fn survives_a_restart(path: &Path, url: &str) -> Result<Completion, Failed> {
    let Ok(restart) = std::env::var("RMQPLAY_TEST_RESTART") else {
        let why = "RMQPLAY_TEST_RESTART is not set";
        brokers::not_run("restart", why);
        return Ok(Completion::ignored_with(format!("NOT RUN: {why}")));
    };
    plays(run(path, url).env("RMQPLAY_RESTART", format!("{restart} {url}")))
}

/// Runs a scenario; one that is for other versions only is reported as ignored.
fn plays(command: &mut Command) -> Result<Completion, Failed> {
    let output = command.output().expect("rmqplay runs");
    let said = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(0) if said.contains("passed") => Ok(Completion::Completed),
        Some(5) => said
            .lines()
            .find_map(|line| Some(format!("requires{}", line.split_once("  requires")?.1)))
            .map(Completion::ignored_with)
            .ok_or_else(|| Failed::from(said.into_owned())),
        _ => Err(Failed::from(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))),
    }
}

/// Plays as a user does; with CI set a snapshot that is missing or differs fails, and none is written.
fn run(path: &Path, url: &str) -> Command {
    let mut command = program::rmqplay();
    command.arg("run").arg(path).args(["--max-wait", "5m", "--broker", url]).env("CI", "1");
    command
}
