//! Plays every file of `tests/conformance` on all three profiles of the sim and compares what follows each step.
//! `UPDATE_GOLDEN=1` rewrites the expectations from the sim: read the difference against semantics.md before keeping it.

#![allow(clippy::disallowed_methods)]

#[cfg(feature = "io")]
#[path = "support/brokers.rs"]
mod brokers;
#[path = "conformance/chaos.rs"]
mod chaos;
#[path = "conformance/commands.rs"]
mod commands;
#[path = "conformance/driver.rs"]
mod driver;
#[cfg(feature = "io")]
#[path = "conformance/live.rs"]
mod live;
#[path = "conformance/script.rs"]
mod script;
#[path = "conformance/table.rs"]
mod table;
#[path = "conformance/transcript.rs"]
mod transcript;

use driver::Driver;
use rmqplay::model::{Moment, Profile};
use rmqplay::sim::Sim;
use rmqplay::simulate::{Ended, Limits, simulate};
use script::Step;
use std::fs;
use std::path::{Path, PathBuf};
use table::{Outcome, Outcomes};
use transcript::{Line, rewritten, same};

#[test]
fn every_file_holds_on_every_profile() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut faults, mut outcomes) = (Vec::new(), Outcomes::new());
    for path in files() {
        if !is_picked(&path, &only) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        let steps = script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let runs: Vec<(Profile, Vec<Vec<Line>>)> =
            Profile::ALL.into_iter().map(|profile| (profile, play(&path, &steps, profile))).collect();
        if update {
            let anew = rewritten(&steps, &runs, &tail(&text));
            if anew != text {
                fs::write(&path, anew).expect("a writable file");
            }
        }
        for (profile, run) in &runs {
            let found = if update { Vec::new() } else { differences(&path, &steps, *profile, run) };
            let outcome = if found.is_empty() { Outcome::Passed } else { Outcome::Failed };
            outcomes.insert((name_of(&path), (false, *profile)), outcome);
            faults.extend(found);
        }
    }
    if update || only.is_empty() {
        faults.extend(table::keep(&outcomes, update).err());
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_same_commands_give_the_same_bytes() {
    for path in files().into_iter().take(10) {
        let text = fs::read_to_string(&path).expect("a readable file");
        let steps = script::parse(&text).expect("a script");
        assert_eq!(play(&path, &steps, Profile::NEWEST), play(&path, &steps, Profile::NEWEST));
    }
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.retain(|path| name_of(path) != "rules.txt");
    files.sort();
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// Says whether `ONLY` picks a file: by a part of its name, or one of several with commas between.
fn is_picked(path: &Path, only: &str) -> bool {
    only.split(',').any(|part| name_of(path).contains(part))
}

/// Gives a file's name.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Gives comments after the last step.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_comment = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let from = lines.iter().rposition(|line| !is_comment(line)).map_or(0, |at| at + 1);
    lines[from..].iter().map(|line| format!("{line}\n")).collect()
}

/// Gives the steps that a profile plays.
fn played(steps: &[Step], profile: Profile) -> Vec<Step> {
    steps.iter().filter(|step| step.profiles.contains(&profile)).cloned().collect()
}

fn play(path: &Path, steps: &[Step], profile: Profile) -> Vec<Vec<Line>> {
    let mut driver = Driver::new(played(steps, profile));
    let mut sim = Sim::new(profile).with_insights(true);
    let limits = Limits { events_at_one_moment_max: 100_000, moment_max: Some(Moment(100_000_000)) };
    let (_, ended) = simulate(&mut driver, &mut sim, Moment(0), &limits);
    assert_eq!(ended, Ended::Done, "{} on {profile}", path.display());
    driver.transcript
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
