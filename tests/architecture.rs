//! The house rules as tests: rooms use only rooms above them, pure rooms have no effects, every file says what it is
//! and stays short. A failure names the file and the line.

#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order that data flows, and the rooms that each may use.
const ROOMS: [(&str, &[&str]); 12] = [
    ("source", &[]),
    ("model", &["source"]),
    ("rules", &["source", "model"]),
    ("language", &["source", "model", "rules"]),
    ("broker", &["model"]),
    ("sim", &["model", "rules", "broker"]),
    ("plan", &["source", "model", "rules", "broker"]),
    ("player", &["source", "model", "rules", "broker"]),
    ("simulate", &["source", "model", "rules", "broker", "sim", "plan", "player"]),
    ("report", &["source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate"]),
    ("io", &["source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate", "report"]),
    ("cli", &["source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate", "report", "io"]),
];

/// What has effects and therefore belongs to `io` and `cli` alone.
const EFFECTS: [&str; 14] = [
    "tokio",
    "lapin",
    "reqwest",
    "rustls",
    "clap",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime",
    "println!",
    "eprintln!",
    "rand::",
];

/// The longest that a file may be, in lines.
const LINES_MAX: usize = 500;

#[test]
fn rooms_use_only_rooms_above_them() {
    let mut faults = Vec::new();
    for (room, may_use) in ROOMS {
        for (path, text) in files_of(room) {
            for (number, line) in code_lines(&text) {
                for used in rooms_named_in(line) {
                    if used != room && !may_use.contains(&used) {
                        faults.push(format!("{}:{number}: `{room}` may not use `{used}`", path.display()));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn pure_rooms_have_no_effects() {
    let mut faults = Vec::new();
    for (room, _) in ROOMS.iter().filter(|(room, _)| *room != "io" && *room != "cli") {
        for (path, text) in files_of(room) {
            for (number, line) in code_lines(&text) {
                for effect in EFFECTS.iter().filter(|effect| line.contains(*effect)) {
                    faults.push(format!("{}:{number}: `{effect}` belongs to io or cli", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let text = fs::read_to_string(&path).expect("readable source");
        if !text.starts_with("//!") {
            faults.push(format!("{}: begins without a //! header", path.display()));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("{}: {lines} lines, at most {LINES_MAX}: split it by meaning", path.display()));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_folder_of_src_is_a_room() {
    let known: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).chain(["lib", "main"]).collect();
    for entry in fs::read_dir(root().join("src")).expect("src") {
        let name = entry.expect("entry").path();
        let stem = name.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(
            known.contains(&stem.as_str()),
            "src/{stem} is no room: add it to the table and to lib.rs, with a reason"
        );
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Reads all files of a room, be it a folder or one file.
fn files_of(room: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join("src").join(room);
    let paths = if folder.is_dir() { rust_files(&folder) } else { vec![folder.with_extension("rs")] };
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("readable source"))).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Gives numbered lines that are not comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Names the rooms that a line reaches by a `crate::` path, single or in braces.
fn rooms_named_in(line: &str) -> Vec<&'static str> {
    let mut named = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let heads: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => list.split(['}', ';']).next().unwrap_or("").split(',').map(str::trim).collect(),
            None => vec![rest],
        };
        for head in heads {
            let word = head.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            named.extend(ROOMS.iter().map(|(room, _)| *room).filter(|room| *room == word));
        }
    }
    named
}
