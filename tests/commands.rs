//! Command scripts: each file of `tests/commands` is a session at a terminal, and its output is compared line by line.
//! A line `$ …` is run by bash in a fresh folder that holds the shipped scenarios and topologies and the script's
//! own files; what follows is what both outputs must say, then `[exit N]` unless N is 0. `UPDATE_GOLDEN=1` rewrites.
//! A script that begins with `@live` plays once per live broker (test `live::VERSION::NAME`), with $BROKER set, and one
//! that begins with `@live alone` while nothing else uses the broker (`alone::VERSION::NAME`). One that begins with
//! `@live alone restart` needs RMQPLAY_TEST_RESTART too, with which it restarts the broker. One that begins with
//! `@live tls` needs RMQPLAY_TEST_TLS, the folder of certificates: $TLS, and $TLS_BROKER, whose management is 10000 further.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/files.rs"]
mod files;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/live_tests.rs"]
mod live_tests;
#[path = "support/program.rs"]
mod program;

use brokers::Broker;
use fancy_regex::Regex;
use harness::{Checked, stem, test};
use libtest_mimic::{Completion, Trial};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How many live scripts play at once.
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    let (live, pure): (Vec<_>, Vec<_>) = files::below("tests/commands", "txt", 15)
        .into_iter()
        .filter(|path| is_script(path))
        .partition(|path| begins_with(path, "@live"));
    let mut tests = harness::per_file("", &pure, |path| says_what_it_says(path, None));
    let (secured, live): (Vec<_>, Vec<_>) = live.into_iter().partition(|path| begins_with(path, "@live tls"));
    let (restarting, live): (Vec<_>, Vec<_>) =
        live.into_iter().partition(|path| begins_with(path, "@live alone restart"));
    let mut live = live_tests::per_broker("commands", |broker| live_tests_of(broker, &live));
    live.extend(restarting_tests(&restarting));
    live.extend(tls_tests(&secured));
    let threads = (live.len() > 1).then_some(AT_ONCE);
    tests.extend(live);
    harness::run(threads, tests)
}

/// Returns whether a file is a script and not a file of one.
fn is_script(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with("tests/commands"))
}

fn begins_with(path: &Path, mark: &str) -> bool {
    fs::read_to_string(path).expect("a readable script").starts_with(mark)
}

/// Returns the lock of a broker: scripts that play alone hold it for themselves, wherever they are listed.
fn lock_of(broker: &Broker) -> Arc<RwLock<()>> {
    static LOCKS: Mutex<BTreeMap<String, Arc<RwLock<()>>>> = Mutex::new(BTreeMap::new());
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    locks.entry(broker.version.to_string()).or_default().clone()
}

fn live_tests_of(broker: &Broker, scripts: &[PathBuf]) -> Vec<Trial> {
    let held = lock_of(broker);
    let (alone, beside): (Vec<_>, Vec<_>) = scripts.iter().partition(|path| begins_with(path, "@live alone"));
    let beside = beside.into_iter().map(|path| {
        let (path, broker, held) = (path.clone(), broker.clone(), held.clone());
        test(format!("live::{}::{}", broker.version, stem(&path)), move || {
            let _beside = held.read().unwrap_or_else(PoisonError::into_inner);
            says_what_it_says(&path, Some(&broker))
        })
    });
    let mut tests: Vec<Trial> = beside.collect();
    tests.extend(alone.into_iter().map(|path| {
        let (path, broker, held) = (path.clone(), broker.clone(), held.clone());
        test(format!("alone::{}::{}", broker.version, stem(&path)), move || {
            let _alone = held.write().unwrap_or_else(PoisonError::into_inner);
            says_what_it_says(&path, Some(&broker))
        })
    }));
    tests
}

/// Returns the tests that restart a broker; where nothing restarts one, they report that they did not run.
fn restarting_tests(scripts: &[PathBuf]) -> Vec<Trial> {
    match std::env::var("RMQPLAY_TEST_RESTART") {
        Ok(_) => live_tests::per_broker("commands with a restart", |broker| live_tests_of(broker, scripts)),
        Err(_) => vec![Trial::ignorable_test("alone::commands with a restart", || {
            Ok(Completion::ignored_with("NOT RUN: RMQPLAY_TEST_RESTART is not set"))
        })],
    }
}

/// Returns the tests that need TLS; where no certificates are given, they report that they did not run.
fn tls_tests(scripts: &[PathBuf]) -> Vec<Trial> {
    match std::env::var("RMQPLAY_TEST_TLS") {
        Ok(_) => live_tests::per_broker("commands with TLS", |broker| live_tests_of(broker, scripts)),
        Err(_) => vec![Trial::ignorable_test("live::commands with TLS", || {
            Ok(Completion::ignored_with("NOT RUN: RMQPLAY_TEST_TLS is not set"))
        })],
    }
}

/// Runs each command of a script, writes the script anew with what the commands said, and compares.
fn says_what_it_says(path: &Path, broker: Option<&Broker>) -> Checked {
    let script = fs::read_to_string(path).expect("a readable script");
    let folder = staged(path);
    // A script that begins with `@answers` has a management API at $MANAGEMENT that answers as its answers.txt says.
    let answers = begins_with(path, "@answers")
        .then(|| answers::serve(&fs::read_to_string(folder.path().join("answers.txt")).expect("answers")));
    let mut said = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else {
            said.push_str(line);
            said.push('\n');
            continue;
        };
        while lines.peek().is_some_and(|next| !next.starts_with("$ ") && !next.starts_with("# ")) {
            lines.next();
        }
        let _ = writeln!(said, "{line}\n{}", run(command, folder.path(), broker, answers.as_deref()));
    }
    golden::check(path, &(said.trim_end().to_owned() + "\n"))
}

/// Copies what a script finds in its folder.
fn staged(script: &Path) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("rmqplay-commands-").tempdir().expect("a temporary folder");
    let (from, to) = (files::root(""), folder.path());
    // Of the library below scenarios/ the scripts take none: it grows, and `tests/scenarios.rs` plays it.
    copy(&from.join("scenarios"), &to.join("scenarios"), false);
    copy(&from.join("scenarios/snapshots"), &to.join("scenarios/snapshots"), true);
    copy(&from.join("topologies"), &to.join("topologies"), true);
    fs::copy(from.join("README.md"), to.join("README.md")).expect("the README");
    copy(&script.with_extension(""), to, true);
    folder
}

fn copy(from: &Path, to: &Path, deep: bool) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if !from.is_dir() {
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(&from, &to).expect("a copy");
        } else if deep {
            copy(&from, &to, true);
        }
    }
}

/// Runs one command; returns both outputs, with what differs in each run replaced.
fn run(command: &str, folder: &Path, broker: Option<&Broker>, answers: Option<&str>) -> String {
    let plain = program::rmqplay();
    let program = Path::new(plain.get_program()).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    bash.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(folder).stdin(std::process::Stdio::null());
    bash.env("PATH", path).env("COLUMNS", "100");
    let url = broker.map(|broker| broker.url.as_str()).unwrap_or_default();
    let tls = std::env::var("RMQPLAY_TEST_TLS").unwrap_or_default();
    bash.env("TLS", tls).env("TLS_BROKER", tls_place(url, "localhost"));
    let management = answers.map_or_else(|| management_of(url), str::to_owned);
    let output = bash.env("BROKER", url).env("MANAGEMENT", management).output().expect("bash runs");
    let mut said = steady(&String::from_utf8_lossy(&output.stdout), broker);
    if let Some(answers) = answers {
        said = said.replace(answers.trim_start_matches("http://"), "[management]");
    }
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        let _ = write!(said, "{}[exit {code}]", if said.is_empty() || said.ends_with('\n') { "" } else { "\n" });
    }
    said.trim_end().to_owned() + "\n"
}

/// Returns the management URL of a test broker: the AMQP port + 10000, with the same login.
fn management_of(url: &str) -> String {
    let Some((head, port)) = url.rsplit_once(':') else { return String::new() };
    let port: u32 = port.trim_end_matches('/').parse().expect("a port at the end of the URL");
    format!("{}:{}/api", head.replacen("amqp", "http", 1), port + 10_000)
}

/// Returns the port of a test broker's management API.
fn management_port(url: &str) -> String {
    management_of(url).trim_end_matches("/api").rsplit(':').next().unwrap_or_default().to_owned()
}

/// Returns where a test broker speaks TLS: the AMQP port + 1.
fn tls_place(url: &str, host: &str) -> String {
    let Some((_, port)) = url.rsplit_once(':') else { return String::new() };
    let port: u32 = port.trim_end_matches('/').parse().expect("a port at the end of the URL");
    format!("{host}:{}", port + 1)
}

/// Replaces the broker's place and version, and real times: `played in 0.4 ms`.
fn steady(said: &str, broker: Option<&Broker>) -> String {
    let mut said = said.to_owned();
    if let Some(Broker { url, version }) = broker {
        let place = |url: &str| url.rsplit('@').next().unwrap_or(url).trim_end_matches("/api").to_owned();
        said = said.replace(&place(url), "[broker]").replace(&place(&management_of(url)), "[management]");
        for host in ["localhost", "127.0.0.1"] {
            let amqp = tls_place(url, host);
            said = said.replace(&tls_place(&format!("{}:{}", host, management_port(url)), host), "[management-tls]");
            said = said.replace(&amqp, "[tls]");
            said = said.replace(&format!("{host}:{}", management_port(url)), "[management]");
        }
        if let Ok(folder) = std::env::var("RMQPLAY_TEST_TLS") {
            said = said.replace(&folder, "[certificates]");
        }
        said = said.replace(version, "[version]");
    }
    let time = Regex::new(r" in [0-9.]+ (?:ms|s)").expect("a pattern");
    let said = time.replace_all(&said, " in [time]");
    if broker.is_none() {
        return said.into_owned();
    }
    let confirmed = Regex::new(r"confirmed at [0-9.]+m?s").expect("a pattern");
    confirmed.replace_all(&said, "confirmed at [at]").into_owned()
}
