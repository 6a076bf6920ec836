//! The page of `run --report html:FILE`, in a real browser: every tab shows what it should, every control works by mouse and
//! keys (`tests/page/tour`), nothing is logged as an error or asked of elsewhere, and the page stays small beside its data. The
//! same of the page of `play`, whose session is held to its word without a browser first (`tests/page/session.rs`), and of the
//! playground (`tests/page/playground.rs`).
//! Needs chromium and node; without them the tours are reported as not run.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]
#![expect(clippy::print_stderr, reason = "a trial tells what it compared beside its verdict")]

#[path = "page/playground.rs"]
mod playground;
#[path = "page/session.rs"]
mod session;

#[path = "support/files.rs"]
mod files;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/program.rs"]
mod program;

use harness::{Checked, stem};
use libtest_mimic::{Completion, Failed, Trial};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

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
    let scenarios = files::below("tests/page/tabs", "yaml", 1);
    let mut tests = harness::per_file("size::", &scenarios, its_page_is_small);
    tests.extend(scenarios.into_iter().map(|path| {
        let name = format!("tour::{}", stem(&path));
        Trial::ignorable_test(name, move || every_tab_shows_what_it_should(&path))
    }));
    tests.push(Trial::ignorable_test("tour::controls", every_control_works));
    tests.push(Trial::ignorable_test("tour::play", every_control_of_play_works));
    let library = files::below("scenarios", "yaml", 20);
    tests.extend(session::trials(&library));
    tests.extend(playground::trials(&library));
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
    if let Some(ended) = without("chromium") {
        return ended;
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

/// Returns how a test ends where a program is missing: not run, or failed if it is required.
fn without(program: &str) -> Option<Result<Completion, Failed>> {
    if Command::new(program).arg("--version").output().is_ok() {
        return None;
    }
    let is_required = std::env::var("RMQPLAY_REQUIRE_CHROMIUM").is_ok_and(|value| value == "1");
    Some(match is_required {
        true => Err(Failed::from(format!("RMQPLAY_REQUIRE_CHROMIUM is set, and there is no {program}"))),
        false => Ok(Completion::ignored_with(format!("NOT RUN: {program} is not installed"))),
    })
}

/// Uses the page of two scenarios, of which one fails, by mouse and keys.
fn every_control_works() -> Result<Completion, Failed> {
    if let Some(ended) = without("chromium").or_else(|| without("node")) {
        return ended;
    }
    let (folder, tour) = (tempfile::tempdir().expect("a temporary folder"), files::root("tests/page/tour"));
    let page = folder.path().join("page.html");
    let report = format!("html:{}", page.display());
    for name in ["orders.yaml", "wrong.yaml"] {
        std::fs::copy(tour.join(name), folder.path().join(name)).expect("a copy");
    }
    let command = &mut program::rmqplay();
    let run = ["run", "orders.yaml", "wrong.yaml", "--broker", "sim:4.0,sim:4.3", "--report", &report];
    let (passed, said) = program::finish(command.current_dir(folder.path()).args(run));
    assert!(!passed && page.exists(), "{said}");
    let mut node = Command::new("timeout");
    node.args(["120", "node"]).arg(tour.join("tour.mjs")).arg(&page).arg(folder.path().join("profile"));
    let (held, said) = program::finish(&mut node);
    if held && said.contains("checks hold") { Ok(Completion::Completed) } else { Err(Failed::from(said)) }
}

/// Plays the game of the library with its parts, and uses its page by mouse and keys.
fn every_control_of_play_works() -> Result<Completion, Failed> {
    if let Some(ended) = without("chromium").or_else(|| without("node")) {
        return ended;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for place in ["scenarios/quest", "topologies"] {
        std::fs::create_dir_all(folder.path().join(place)).expect("a folder");
        for path in files::below(place, "yaml", 1) {
            let name = path.file_name().expect("a name");
            std::fs::copy(&path, folder.path().join(place).join(name)).expect("a copy");
        }
    }
    let quest = folder.path().join("scenarios/quest");
    let mut command = program::rmqplay();
    command.arg("play").arg(quest.join("game.yaml")).arg("--no-open").stdout(Stdio::piped());
    command.arg("--with").arg(quest.join("player.yaml")).arg("--with").arg(quest.join("wave.yaml"));
    let mut played = command.spawn().expect("rmqplay runs");
    let mut line = String::new();
    let mut said = BufReader::new(played.stdout.take().expect("its output"));
    said.read_line(&mut line).expect("a line");
    let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let mut node = Command::new("timeout");
    node.args(["240", "node"]).arg(files::root("tests/page/tour").join("play.mjs"));
    node.arg(&url).arg(folder.path().join("profile")).arg(quest.join("game.yaml"));
    let (held, said) = program::finish(&mut node);
    let _ = played.kill();
    let _ = played.wait();
    if held && said.contains("checks hold") { Ok(Completion::Completed) } else { Err(Failed::from(said)) }
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
