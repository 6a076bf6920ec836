//! Command scripts: each file of `tests/commands` is a session at a terminal, and its output is compared line by line.
//! A line `$ …` is run by a shell in a fresh folder that holds the shipped scenarios and topologies and the script's
//! own files; what follows is what both outputs must say, then `[exit N]` unless N is 0. `UPDATE_GOLDEN=1` rewrites.
//! Lines `@live` at the top make a script play once per live broker, with $BROKER set.
#![allow(clippy::disallowed_methods)]

#[path = "support/brokers.rs"]
mod brokers;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn commands_say_what_their_scripts_say() {
    check(&|text| !text.starts_with("@live"), &[("", "")]);
}

#[test]
fn commands_on_live_brokers_say_what_their_scripts_say() {
    let brokers = brokers::brokers("commands");
    let brokers: Vec<(&str, &str)> =
        brokers.iter().map(|broker| (broker.url.as_str(), broker.version.as_str())).collect();
    check(&|text| text.starts_with("@live"), &brokers);
}

/// Plays all scripts that fit, once per broker, and compares.
fn check(fits: &dyn Fn(&str) -> bool, brokers: &[(&str, &str)]) {
    let mut faults = String::new();
    let mut played = 0;
    for path in scripts() {
        let script = fs::read_to_string(&path).expect("readable script");
        if !fits(&script) {
            continue;
        }
        let said: Vec<(String, &str)> = std::thread::scope(|scope| {
            let (script, path) = (&script, &path);
            let begun =
                brokers.iter().map(|(url, version)| (scope.spawn(move || play(script, path, url, version)), *version));
            let begun: Vec<_> = begun.collect();
            begun.into_iter().map(|(one, version)| (one.join().expect("a played script"), version)).collect()
        });
        for (now, version) in said {
            played += 1;
            if now != script {
                if std::env::var_os("UPDATE_GOLDEN").is_some() {
                    fs::write(&path, &now).expect("writable script");
                } else {
                    let diff = similar::TextDiff::from_lines(&script, &now);
                    let diff = diff.unified_diff().header("script", "now").to_string();
                    let _ = write!(faults, "\n{} {version}\n{diff}", path.display());
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults}\n(UPDATE_GOLDEN=1 rewrites the scripts; read the difference first)");
    println!("{played} scripts played");
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands");
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).expect("tests/commands").flatten().map(|one| one.path()).collect();
    found.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    found.sort();
    found
}

/// Runs each command of a script and writes the script anew, with what the commands said.
fn play(script: &str, path: &Path, url: &str, version: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let folder = std::env::temp_dir().join(format!("rmqplay-commands-{}-{name}-{version}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a temporary folder");
    // Of the library below scenarios/ the scripts take none: it grows, and `tests/scenarios.rs` plays it.
    for entry in fs::read_dir(root.join("scenarios")).expect("scenarios").flatten() {
        let (from, name) = (entry.path(), entry.file_name());
        if from.is_file() {
            fs::create_dir_all(folder.join("scenarios")).expect("a folder");
            fs::copy(&from, folder.join("scenarios").join(name)).expect("a copy");
        }
    }
    copy(&root.join("scenarios/snapshots"), &folder.join("scenarios/snapshots"));
    copy(&root.join("topologies"), &folder.join("topologies"));
    fs::copy(root.join("README.md"), folder.join("README.md")).expect("the README");
    copy(&path.with_extension(""), &folder);
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
        let _ = writeln!(said, "{line}\n{}", run(command, &folder, url, version));
    }
    let _ = fs::remove_dir_all(&folder);
    said.trim_end().to_owned() + "\n"
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(&from, &to).expect("a copy");
        }
    }
}

/// Runs one command and gives both outputs, with what differs in each run replaced.
fn run(command: &str, folder: &Path, url: &str, version: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_rmqplay"));
    let path =
        format!("{}:{}", program.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("BROKER", url)
        .env("MANAGEMENT", management_of(url))
        .env("COLUMNS", "100")
        .env_remove("CI")
        .env_remove("RABBITMQ_URL")
        .env_remove("RMQPLAY_BROKER")
        .env_remove("RTE_EXCHANGE")
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("bash runs");
    let place = url.rsplit('@').next().unwrap_or(url);
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !url.is_empty() {
        let management = management_of(url);
        let management = management.rsplit('@').next().unwrap_or_default().trim_end_matches("/api");
        said = said.replace(place, "[broker]").replace(management, "[management]").replace(version, "[version]");
    }
    said = times_hidden(&said);
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        let _ = write!(said, "{}[exit {code}]", if said.is_empty() || said.ends_with('\n') { "" } else { "\n" });
    }
    said.trim_end().to_owned() + "\n"
}

/// Gives the management URL of a test broker: the AMQP port + 10000, with the same login.
fn management_of(url: &str) -> String {
    let Some((head, port)) = url.rsplit_once(':') else { return String::new() };
    let port: u32 = port.trim_end_matches('/').parse().expect("a port at the end of the URL");
    format!("{}:{}/api", head.replacen("amqp", "http", 1), port + 10_000)
}

/// Replaces real times: `played in 0.4 ms`, `(5s of the scenarios' time in 1.2 ms)`.
fn times_hidden(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(at) = rest.find(" in ") {
            let (before, after) = rest.split_at(at + 4);
            out.push_str(before);
            let digits = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
            let unit = &after[digits..];
            let unit_length =
                [" ms", " s"].iter().find(|unit_text| unit.starts_with(*unit_text)).map(|unit| unit.len());
            rest = match unit_length.filter(|_| digits > 0) {
                Some(length) => {
                    out.push_str("[time]");
                    &unit[length..]
                }
                None => after,
            };
        }
        out.push_str(rest);
    }
    out
}
