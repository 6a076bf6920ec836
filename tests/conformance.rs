//! Plays every file of `tests/conformance` on all three profiles of the sim and compares what follows each step; tests
//! `live::VERSION::NAME` play it on live brokers. `UPDATE_GOLDEN=1` rewrites the expectations from the sim: read the
//! difference against the rule before keeping it. `ONLY=TTL,RT-5` picks files by parts of their names.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "tests tell what they saw beside their verdict")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "conformance/chaos.rs"]
mod chaos;
#[path = "conformance/commands.rs"]
mod commands;
#[path = "conformance/driver.rs"]
mod driver;
#[path = "support/files.rs"]
mod files;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/harness.rs"]
mod harness;
#[path = "conformance/live.rs"]
mod live;
#[path = "support/live_tests.rs"]
mod live_tests;
#[path = "conformance/patches.rs"]
mod patches;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "conformance/script.rs"]
mod script;
#[path = "conformance/table.rs"]
mod table;
#[path = "conformance/transcript.rs"]
mod transcript;

use driver::Driver;
use harness::{Checked, test};
use rmqplay::model::{Moment, Profile};
use rmqplay::rules::Edition;
use rmqplay::sim::Sim;
use rmqplay::simulate::{Ended, Limits, simulate};
use script::{Part, Step, in_parts};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use transcript::{Line, rewritten, same};

fn main() -> ExitCode {
    let files = picked();
    let mut tests = harness::per_file("", &files, holds_on_every_profile);
    let few: Vec<PathBuf> = files.iter().take(10).cloned().collect();
    tests.extend(harness::per_file("same_bytes::", &few, gives_the_same_bytes));
    tests.extend(chaos::tests());
    tests.push(test("each_patch_is_compared_by_its_own_rules", patches::are_as_kept));
    tests.push(test("the_table_is_what_the_files_show", table::is_kept));
    let live = live::tests(&files);
    let threads = (live.len() > 1).then_some(live::AT_ONCE);
    tests.extend(live);
    let ended = harness::run(threads, tests);
    match table::rewritten_if_asked() {
        Ok(()) => ended,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn holds_on_every_profile(path: &Path) -> Checked {
    let text = fs::read_to_string(path).expect("a readable file");
    let steps = script::parse(&text)?;
    let runs: Vec<(Profile, Vec<Vec<Line>>)> =
        Profile::ALL.into_iter().map(|profile| (profile, play(path, &steps, profile.into()))).collect();
    if golden::is_updating() {
        return golden::check(path, &rewritten(&steps, &runs, &tail(&text)));
    }
    let faults: Vec<String> = runs.iter().flat_map(|(profile, run)| differences(path, &steps, *profile, run)).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn gives_the_same_bytes(path: &Path) -> Checked {
    let steps = script::parse(&fs::read_to_string(path).expect("a readable file"))?;
    let newest = || play(path, &steps, Profile::NEWEST.into());
    assert_eq!(newest(), newest());
    Ok(())
}

/// Lists the files, without the list of rules.
fn files() -> Vec<PathBuf> {
    let mut files = files::below("tests/conformance", "txt", 150);
    files.retain(|path| name_of(path) != "rules.txt");
    files
}

/// Lists the files that `ONLY` picks: by a part of their names, or one of several with commas between.
fn picked() -> Vec<PathBuf> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut files = files();
    files.retain(|path| only.split(',').any(|part| name_of(path).contains(part)));
    files
}

fn folder() -> PathBuf {
    files::root("tests/conformance")
}

/// Returns a file's name.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns comments after the last step.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_comment = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let from = lines.iter().rposition(|line| !is_comment(line)).map_or(0, |at| at + 1);
    lines[from..].iter().map(|line| format!("{line}\n")).collect()
}

/// Returns the steps that a profile plays.
fn played(steps: &[Step], profile: Profile) -> Vec<Step> {
    steps.iter().filter(|step| step.profiles.contains(&profile)).cloned().collect()
}

fn play(path: &Path, steps: &[Step], edition: Edition) -> Vec<Vec<Line>> {
    let mut transcript = Vec::new();
    for Part { permits, plugins, steps } in in_parts(steps) {
        let mut driver = Driver::new(played(&steps, edition.profile));
        let mut sim = Sim::new(Edition { permits, plugins, ..edition }).with_insights(true);
        let limits = Limits { events_at_one_moment_max: 100_000, moment_max: Some(Moment(100_000_000)) };
        let (_, ended) = simulate(&mut driver, &mut sim, Moment(0), &limits);
        assert_eq!(ended, Ended::Done, "{} on {}", path.display(), edition.release());
        transcript.extend(driver.transcript);
    }
    transcript
}

fn differences(path: &Path, steps: &[Step], profile: Profile, run: &[Vec<Line>]) -> Vec<String> {
    let name = name_of(path);
    let played = steps.iter().filter(|step| step.profiles.contains(&profile));
    let mut faults = Vec::new();
    for (step, actual) in played.zip(run) {
        if !same(&step.expected, actual, profile) {
            let wanted = step.expected.iter().filter(|line| line.profiles.contains(&profile));
            let wanted: Vec<String> = wanted.map(|line| format!("    wanted {}", line.text)).collect();
            let found: Vec<String> = actual.iter().map(|line| format!("    found  {}", line.shown())).collect();
            faults.push(format!(
                "{name}:{} on {profile}: {}\n{}\n{}",
                step.line,
                step.words.join(" "),
                wanted.join("\n"),
                found.join("\n")
            ));
        }
    }
    faults
}
