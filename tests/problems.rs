//! What a reader sees when a file is wrong: every `tests/problems/NAME.yaml` is loaded as what it is, and its drawn
//! problems are compared with `NAME.txt`. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::disallowed_methods)]

use rmqplay::language::{Kind, Settings, World, kind_of, load_scenario, load_topology};
use rmqplay::report::{draw, problems_json};
use rmqplay::source::{Problem, Sources};
use std::fs;
use std::path::{Path, PathBuf};

/// Reads beside the goldens, and knows one environment variable.
struct Folder(PathBuf);

impl World for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(self.0.join(path)).map_err(|_| "no such file".to_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "RTE_EXCHANGE").then(|| "rte.topic".to_owned())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/problems")
}

/// Loads a text as what its keys say, or as what its name says, and draws what is wrong.
fn check(name: &str, text: &[u8]) -> String {
    let world = Folder(folder());
    let settings = Settings { vars: vec![("colour".into(), "green".into())], default_vhost: None };
    let mut sources = Sources::default();
    let scenario = match name {
        _ if name.starts_with("as-scenario") => true,
        _ if name.starts_with("as-topology") => false,
        _ => kind_of(text) == Some(Kind::Scenario),
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

#[test]
fn problems_read_as_they_were_reviewed() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).expect("the folder").flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('_')));
    files.sort();
    assert!(files.len() > 20, "the goldens are there");
    let mut faults = Vec::new();
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let found = check(&name, &fs::read(&path).expect("readable"));
        let golden = path.with_extension("txt");
        let wanted = fs::read_to_string(&golden).unwrap_or_default();
        if update {
            fs::write(&golden, &found).expect("writable");
        } else if found != wanted {
            let diff = similar::TextDiff::from_lines(&wanted, &found);
            faults.push(format!("{}\n{}", golden.display(), diff.unified_diff().context_radius(2)));
        }
    }
    assert!(faults.is_empty(), "UPDATE_GOLDEN=1 writes these anew:\n\n{}", faults.join("\n"));
}
