//! The page of `run --report html:FILE`, in a real browser: every tab shows what it should, nothing is logged as an error, and
//! the page stays small beside its data. Needs chromium; without it the tour is reported as not run.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/files.rs"]
mod files;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/program.rs"]
mod program;

use harness::{Checked, stem};
use libtest_mimic::{Completion, Failed, Trial};
use std::path::Path;
use std::process::{Command, ExitCode};

/// The bytes of a page beside its data.
const PAGE_MAX: usize = 300_000;

/// Each tab of a failed cell, and what it must show.
const TOUR: [(&str, &[&str]); 6] = [
    (
        "scenario",
        &["queue orders.failed: not as expected within 10s", "1 expectation judged, 1 failed", "What led there"],
    ),
    ("diagram", &["<canvas", "delivered again", "Choose a message"]),
    ("messages", &["poison"]),
    ("topology", &["<svg", "orders.failed", "quorum"]),
    ("outcome", &["no outcome"]),
    ("table", &["requeue", "CO-10"]),
];

fn main() -> ExitCode {
    let scenarios = files::below("tests/page", "yaml", 1);
    let mut tests = harness::per_file("size::", &scenarios, its_page_is_small);
    tests.extend(scenarios.into_iter().map(|path| {
        let name = format!("tour::{}", stem(&path));
        Trial::ignorable_test(name, move || every_tab_shows_what_it_should(&path))
    }));
    harness::run(Some(1), tests)
}

/// Writes the page of a run that fails on one of two brokers.
fn page_of(path: &Path, folder: &Path) -> std::path::PathBuf {
    let page = folder.join("page.html");
    let scenario = folder.join("given-up.yaml");
    std::fs::copy(path, &scenario).expect("a copy");
    let report = format!("html:{}", page.display());
    let command = &mut program::rmqplay();
    command.arg("run").arg(scenario).args(["--broker", "sim:4.0,sim:4.3", "--report", &report]);
    let (passed, said) = program::finish(command);
    assert!(!passed && page.exists(), "{said}");
    page
}

fn its_page_is_small(path: &Path) -> Checked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = std::fs::read_to_string(page_of(path, folder.path())).expect("the page");
    let begin = text.find("<script type=\"application/json\"").ok_or("no data in the page")?;
    let data = text[begin..].find("</script>").ok_or("the data have no end")?;
    let beside = text.len() - data;
    if beside <= PAGE_MAX { Ok(()) } else { Err(format!("{beside} bytes beside the data")) }
}

fn every_tab_shows_what_it_should(path: &Path) -> Result<Completion, Failed> {
    if Command::new("chromium").arg("--version").output().is_err() {
        if std::env::var("RMQPLAY_REQUIRE_CHROMIUM").is_ok_and(|value| value == "1") {
            return Err(Failed::from("RMQPLAY_REQUIRE_CHROMIUM is set, and there is no chromium"));
        }
        return Ok(Completion::ignored_with("NOT RUN: chromium is not installed"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = page_of(path, folder.path());
    let mut faults = Vec::new();
    for (tab, shown) in TOUR {
        let (document, log) = opened(&page, &format!("cell=1&tab={tab}"), folder.path());
        let mut fault = |what: String| faults.push(format!("{tab}: {what}"));
        shown.iter().filter(|text| !document.contains(**text)).for_each(|text| fault(format!("`{text}` is not there")));
        if document.contains("[object") || document.contains("undefined") {
            fault("a value that is no text is shown".to_owned());
        }
        if let Some(line) = log.lines().find(|line| line.contains("CONSOLE")) {
            fault(line.to_owned());
        }
    }
    if faults.is_empty() { Ok(Completion::Completed) } else { Err(Failed::from(faults.join("\n"))) }
}

/// Opens the page at an address, and returns the document as it stands once it is drawn, without scripts, and what was logged.
fn opened(page: &Path, address: &str, profile: &Path) -> (String, String) {
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=4000"];
    let output = Command::new("timeout")
        .args(["60", "chromium"])
        .args(flags)
        .args(["--enable-logging=stderr", &format!("--user-data-dir={}", profile.join("profile").display())])
        .arg(format!("file://{}#{address}", page.display()))
        .output()
        .expect("chromium runs");
    let document = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut shown = String::new();
    // Scripts and data are not shown.
    for part in document.split("<script") {
        shown.push_str(part.split_once("</script>").map_or(part, |(_, after)| after));
    }
    (shown, String::from_utf8_lossy(&output.stderr).into_owned())
}
