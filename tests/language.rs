//! Loading as a whole: the tree agrees with serde_yaml, the examples of the design load with exactly what they say,
//! exports load as they come, and no mutilated file makes the loader panic.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "language/examples.rs"]
mod examples;
#[path = "language/exports.rs"]
mod exports;
#[path = "support/files.rs"]
mod files;
#[path = "support/golden.rs"]
mod golden;
#[path = "language/mutilated.rs"]
mod mutilated;
#[path = "language/oracle.rs"]
mod oracle;
#[path = "support/random.rs"]
mod random;
#[path = "language/retries.rs"]
mod retries;
#[path = "language/wrong_types.rs"]
mod wrong_types;

use rmqplay::language::{LoadedScenario, LoadedTopology, ReadError, Settings, World, load_scenario, load_topology};
use rmqplay::report::draw;
use rmqplay::source::{Problem, Sources};
use std::collections::BTreeMap;

/// A world of a few files and variables.
#[derive(Default)]
struct Held {
    files: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

impl Held {
    fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

impl World for Held {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.files.get(path).map(|text| text.clone().into_bytes()).ok_or(ReadError::NotFound)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

/// Loads a topology that must be fine; gives it with its notes.
fn topology(world: &Held, text: &str) -> (LoadedTopology, Vec<Problem>) {
    let mut sources = Sources::default();
    let (loaded, problems) = load_topology(&mut sources, "t.yaml", text.as_bytes(), world, &Settings::default());
    (loaded.unwrap_or_else(|| panic!("\n{}", draw(&problems, &sources, 100, false))), problems)
}

/// Loads a scenario that must be fine.
fn scenario(world: &Held, text: &str, settings: &Settings) -> LoadedScenario {
    let mut sources = Sources::default();
    let (loaded, problems) = load_scenario(&mut sources, "scenarios/s.yaml", text.as_bytes(), world, settings);
    loaded.unwrap_or_else(|| panic!("\n{}", draw(&problems, &sources, 100, false)))
}
