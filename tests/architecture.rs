//! The house rules as tests: rooms use only rooms above them, pure rooms have no effects, every file says what it is
//! and stays short, no folder is crowded, files import each other in few listed circles, a name of a type stands for one
//! thing. A failure names the file and the line. `SHOW_CIRCLES=1` with `--nocapture` prints all circles.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "architecture/graph.rs"]
mod graph;
#[path = "architecture/names.rs"]
mod names;

use graph::{Graph, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order that data flows, and the rooms that each may use.
const ROOMS: [(&str, &[&str]); 20] = [
    ("source", &[]),
    ("model", &["source"]),
    ("rules", &["source", "model"]),
    ("language", &["source", "model", "rules"]),
    ("convert", &["source", "model", "rules", "language"]),
    ("broker", &["model"]),
    ("wire", &["model", "rules", "broker"]),
    ("sim", &["model", "rules", "broker"]),
    ("plan", &["source", "model", "rules", "broker"]),
    ("player", &["source", "model", "rules", "broker"]),
    ("simulate", &["source", "model", "rules", "broker", "sim", "plan", "player"]),
    ("clock", &["model"]),
    ("foresee", &["source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate"]),
    ("compare", &["source", "model", "rules", "broker", "sim", "plan", "player", "simulate"]),
    (
        "report",
        &["source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate", "foresee", "compare"],
    ),
    (
        "serve",
        &[
            "source", "model", "rules", "broker", "wire", "sim", "plan", "player", "simulate", "clock", "report",
            "convert",
        ],
    ),
    ("play", &["source", "model", "rules", "broker", "sim", "player", "simulate", "clock", "report", "serve"]),
    ("playground", &["source", "model", "rules", "language", "broker", "player", "simulate", "foresee", "report"]),
    (
        "io",
        &[
            "source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate", "serve", "clock",
            "foresee", "report", "play",
        ],
    ),
    (
        "cli",
        &[
            "source", "model", "rules", "language", "broker", "sim", "plan", "player", "simulate", "foresee",
            "compare", "report", "io", "convert", "serve", "clock", "play",
        ],
    ),
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

/// The most files that a folder may hold: more cannot be scanned.
const FILES_OF_A_FOLDER_MAX: usize = 24;

#[test]
fn no_folder_is_crowded() {
    let mut files: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in rust_files(&root().join("src")) {
        *files.entry(path.parent().expect("a folder").to_owned()).or_default() += 1;
    }
    let crowded: Vec<String> = files
        .iter()
        .filter(|(_, count)| **count > FILES_OF_A_FOLDER_MAX)
        .map(|(folder, count)| format!("{}: {count} files, at most {FILES_OF_A_FOLDER_MAX}", folder.display()))
        .collect();
    assert!(crowded.is_empty(), "\n{}", crowded.join("\n"));
}

/// The circles of files that are allowed: each with one file of it, how many files it holds, and why.
const CIRCLES: [(&str, usize, &str); 2] = [
    ("io::live::adapter", 6, "the adapter's value and the files that step it and watch for it"),
    ("model::table", 2, "a table holds values, and a value may be a table"),
];

/// The most circles that may be listed.
const CIRCLES_MAX: usize = 6;

#[test]
fn files_import_each_other_in_few_listed_circles() {
    let (faces, files): (Vec<_>, Vec<_>) = rust_files(&root().join("src")).into_iter().partition(|path| is_face(path));
    let source = |paths: Vec<PathBuf>| -> Vec<Source> { paths.iter().map(|path| source_of(path)).collect() };
    let circles = Graph::new(&source(files), &source(faces)).circles();
    let shown = |circle: &BTreeSet<String>| Vec::from_iter(circle.iter().map(String::as_str)).join(", ");
    if std::env::var_os("SHOW_CIRCLES").is_some() {
        circles.iter().for_each(|circle| println!("{} files: {}", circle.len(), shown(circle)));
    }
    assert!(CIRCLES.len() <= CIRCLES_MAX, "at most {CIRCLES_MAX} circles are listed");
    let mut faults = Vec::new();
    for circle in &circles {
        match CIRCLES.iter().find(|(file, ..)| circle.contains(*file)) {
            Some((_, files, _)) if circle.len() == *files => {}
            Some((_, files, _)) => {
                faults.push(format!("{} files, {files} are listed: {}", circle.len(), shown(circle)))
            }
            None => faults.push(format!("an unlisted circle: {}", shown(circle))),
        }
    }
    let gone = CIRCLES.iter().filter(|(file, ..)| !circles.iter().any(|circle| circle.contains(*file)));
    faults.extend(gone.map(|(file, ..)| format!("no circle holds {file} any more: take it out of the list")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_graph_of_files_sees_what_is_imported() {
    let file = |module: &str, code: &str| Source {
        module: module.split("::").map(str::to_owned).collect(),
        code: code.to_owned(),
    };
    let files = [
        file("a::one", "use crate::b::{Two, other::{self, X}};"),
        file("b::two", "fn f() { crate::a::one::go(); }"),
        file("b::other", ""),
    ];
    let circles = Graph::new(&files, &[file("b", "mod two; mod other; pub use two::Two;")]).circles();
    assert_eq!(circles, [BTreeSet::from(["a::one".to_owned(), "b::two".to_owned()])]);
}

/// Types that may share a name: nouns of RabbitMQ that rooms hold in their own ways.
const SHARED_NAMES: [&str; 5] = ["Consumer", "Exchange", "Queue", "User", "Vhost"];

#[test]
fn a_name_of_a_type_stands_for_one_thing() {
    let mut types = Vec::new();
    let mut faults = Vec::new();
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("readable source");
        for (line, name, docs) in names::types_in(&text) {
            let place = format!("{}:{line}", path.strip_prefix(root()).expect("below").display());
            if docs.starts_with("Is ") {
                faults.push(format!("{place}: the docs of `{name}` begin with \"Is\": a noun phrase says what it is"));
            }
            types.push((name, place));
        }
    }
    let doubles = names::doubles(&types);
    let unlisted = doubles.iter().filter(|(name, _)| !SHARED_NAMES.contains(name));
    faults.extend(
        unlisted.map(|(name, places)| format!("`{name}` stands for {} types: {}", places.len(), places.join(", "))),
    );
    let unused = SHARED_NAMES.iter().filter(|name| !doubles.contains_key(**name));
    faults.extend(unused.map(|name| format!("`{name}` stands for one type now: take it out of the list")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Returns whether a file is the face of a folder, or of the crate.
fn is_face(path: &Path) -> bool {
    ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name))
}

/// Reads a file as the graph takes it: without comments, without its tests.
fn source_of(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("readable source");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = code_lines(code).map(|(_, line)| line).collect();
    let below = path.strip_prefix(root().join("src")).expect("below src").with_extension("");
    let mut module: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if is_face(path) {
        module.pop();
    }
    Source { module, code: code.join("\n") }
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

/// Returns numbered lines that are not comments.
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
