//! Odd contents: bodies of any bytes and of the largest size, names and headers of every kind. The scenarios of
//! `tests/contents` play on each profile and each live broker, against one snapshot. Tests `live::` need brokers.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/files.rs"]
mod files;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/live_tests.rs"]
mod live_tests;
#[path = "support/program.rs"]
mod program;

use harness::{Checked, test};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tempfile::TempDir;

/// What RabbitMQ takes since 4.0 unless told otherwise (ER-7).
const LARGEST: usize = 16_777_216;

/// How many runs go on at once.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let scenarios = files::below("tests/contents", "yaml", 3);
    let beside = Arc::new(staged(&scenarios));
    let mut tests = {
        let beside = beside.clone();
        harness::per_file("", &scenarios, move |path| {
            let staged = beside.path().join(path.file_name().expect("a name"));
            passes(&staged, &["sim:3.10", "sim:4.0", "sim:4.3"])
        })
    };
    tests.extend(live_tests::per_broker("odd contents", |broker| {
        let (url, beside) = (broker.url.clone(), beside.clone());
        vec![test(format!("live::{}::contents", broker.version), move || passes(beside.path(), &[&url]))]
    }));
    harness::run(Some(AT_ONCE), tests)
}

/// Plays on brokers; with CI set a snapshot that is missing or differs fails, and none is written.
fn passes(path: &Path, brokers: &[&str]) -> Checked {
    let mut run = program::rmqplay();
    run.arg("run").arg(path).args(brokers.iter().flat_map(|broker| ["--broker", broker])).env("CI", "1");
    let (passed, said) = program::finish(&mut run);
    if passed { Ok(()) } else { Err(said) }
}

/// Copies the scenarios to a folder of their own, with the large bodies beside them.
fn staged(scenarios: &[PathBuf]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder").flatten().filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    };
    let from = scenarios[0].parent().expect("a folder");
    copy(from, folder.path());
    copy(&from.join("snapshots"), &folder.path().join("snapshots"));
    fs::write(folder.path().join("largest.bin"), vec![0; LARGEST]).expect("a large body");
    fs::write(folder.path().join("larger.bin"), vec![0; LARGEST + 1]).expect("a larger body");
    folder
}
