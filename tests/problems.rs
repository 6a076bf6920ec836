//! What a reader sees when a file is wrong: every `tests/problems/NAME.yaml` is loaded as what it is, and its drawn
//! problems are compared with `NAME.txt`. `UPDATE_GOLDEN=1` writes them anew. `cargo test --test problems NAME` picks one.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/files.rs"]
mod files;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/harness.rs"]
mod harness;

use harness::Checked;
use rmqplay::language::{FileKind, ReadError, Settings, World, kind_of, load_scenario, load_topology};
use rmqplay::report::{draw, problems_json};
use rmqplay::source::{Problem, Sources};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reads beside the goldens, and knows one environment variable.
struct Folder(PathBuf);

impl World for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        fs::read(self.0.join(path)).map_err(|_| ReadError::NotFound)
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "RTE_EXCHANGE").then(|| "rte.topic".to_owned())
    }
}

/// Loads a text as what its keys say, or as what its name says, and draws what is wrong.
fn check(name: &str, text: &[u8]) -> String {
    let world = Folder(files::root("tests/problems"));
    let settings = Settings { vars: vec![("colour".into(), "green".into())], ..Settings::default() };
    let mut sources = Sources::default();
    let scenario = match name {
        _ if name.starts_with("as-scenario") => true,
        _ if name.starts_with("as-topology") => false,
        _ => kind_of(text) == Some(FileKind::Scenario),
    };
    let (loaded, problems): (bool, Vec<Problem>) = if scenario {
        let (loaded, problems) = load_scenario(&mut sources, name, text, &world, &settings);
        (loaded.is_some(), problems)
    } else {
        let (loaded, problems) = load_topology(&mut sources, name, text, &world, &settings);
        (loaded.is_some(), problems)
    };
    let stops = problems.iter().any(|problem| problem.level == rmqplay::source::Level::Problem);
    assert_eq!(loaded, !stops, "{name}: a value is given exactly when no problem stops it");
    let drawn = draw(&problems, &sources, 100, false);
    assert!(!drawn.contains("hunter"), "{name} shows a password:\n{drawn}");
    assert!(!problems_json(&problems, &sources).to_string().contains("hunter"), "{name} tells a password");
    drawn
}

fn reads_as_reviewed(path: &Path) -> Checked {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    golden::check(&path.with_extension("txt"), &check(&name, &fs::read(path).expect("readable")))
}

fn main() -> ExitCode {
    let mut files = files::below("tests/problems", "yaml", 50);
    files.extend(files::below("tests/problems", "json", 9));
    // What another file names.
    files.retain(|path| !harness::stem(path).starts_with('_'));
    harness::run(None, harness::per_file("", &files, reads_as_reviewed))
}
