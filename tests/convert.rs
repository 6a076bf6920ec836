//! Files of other tools and back: what `import` writes is kept as text, means the same as its source, and what `export`
//! writes is what RabbitMQ itself exports. `convert/import` holds a source and what comes of it, `convert/definitions`
//! definitions that live brokers import too (tests `live::VERSION::NAME`). `UPDATE_GOLDEN=1` writes the texts anew.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

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
#[path = "convert/originals.rs"]
mod originals;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "convert/topologies.rs"]
mod topologies;

use harness::{Checked, stem, test};
use rmqplay::convert::{
    DefinitionsForm, Imported, Wording, Written, definitions, import_texts, objects_that_differ, write_proven,
};
use rmqplay::language::{ReadError, Settings, TopologyFile, World, load_topology};
use rmqplay::model::{Profile, Topology};
use rmqplay::report::draw;
use rmqplay::source::{Level, Sources};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let is_source = |path: &std::path::PathBuf| !path.to_string_lossy().ends_with(".golden.yaml");
    let mut sources = files::below("tests/convert/import", "json", 3);
    sources.extend(files::below("tests/convert/import", "yaml", 2).into_iter().filter(is_source));
    let kept = files::below("tests/convert/definitions", "json", 3);
    let mut tests = harness::per_file("import::", &sources, imports_as_reviewed);
    tests.extend(harness::per_file("again::", &kept, means_the_same));
    tests.push(test("no_secret_is_written", no_secret_is_written));
    tests.push(test("the_topologies_of_the_project_come_back", the_topologies_of_the_project_come_back));
    tests.push(test("random_topologies_come_back", topologies::random_topologies_come_back));
    tests.extend(live_tests::per_broker("convert", |broker| originals::tests(broker, &kept)));
    harness::run(None, tests)
}

/// A world without files and variables.
pub struct Nothing;

impl World for Nothing {
    fn read(&self, _path: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NoFiles)
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Imports a file; returns what was read, and what was said.
pub fn import(path: &Path) -> (Option<Imported>, String) {
    let bytes = fs::read(path).expect("readable");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let mut sources = Sources::default();
    let text = TopologyFile { name: &name, text: &bytes };
    let (imported, problems) = import_texts(&mut sources, &[text], &Nothing, &Settings::default());
    (imported, draw(&problems, &sources, 100, false))
}

/// Writes what was imported.
pub fn written(imported: &Imported) -> (Written, Sources) {
    let wording = Wording {
        head: vec![format!("Imported from {}.", imported.from)],
        names_no_vhost: imported.names_no_vhost,
        declared: imported.declared.clone(),
        without_retry: false,
    };
    let mut sources = Sources::default();
    let written = write_proven(&imported.topology, &wording, &mut sources, "written.yaml");
    (written, sources)
}

/// The text of an import: the YAML, the names of its secrets, and what was said of the source.
fn imports_as_reviewed(path: &Path) -> Checked {
    let (imported, said) = import(path);
    let mut text = String::new();
    if let Some(imported) = imported {
        let (written, sources) = written(&imported);
        let faulty: Vec<_> = written.problems.iter().filter(|it| it.level == Level::Problem).cloned().collect();
        if !faulty.is_empty() {
            return Err(format!(
                "what was written is faulty:\n{}\n{}",
                draw(&faulty, &sources, 100, false),
                written.text
            ));
        }
        text.push_str(&written.text);
    }
    text.push_str("\n--- said of the source\n");
    text.push_str(&said);
    golden::check(&path.with_extension("txt"), &(text.trim_end().to_owned() + "\n"))
}

/// Passwords of the sources, in whatever place.
const SECRETS: [&str; 9] = [
    "open sesame",
    "b3BlbiBzZXNhbWU=",
    "s3same",
    ":one@",
    ":two@",
    "hidden",
    "p%40ss",
    "t0ken",
    "AQIDBLXgXLQE6blp5wp8S0s",
];

fn no_secret_is_written() -> Checked {
    let mut found = 0;
    let all = files::below("tests/convert/import", "json", 3).into_iter().chain(files::below(
        "tests/convert/import",
        "yaml",
        2,
    ));
    for path in all {
        let source = fs::read_to_string(&path).expect("readable");
        let (imported, said) = import(&path);
        let text = imported.map(|imported| written(&imported).0.text).unwrap_or_default();
        for secret in SECRETS {
            found += usize::from(source.contains(secret));
            if text.contains(secret) || said.contains(secret) {
                return Err(format!("{}: `{secret}` is shown", path.display()));
            }
        }
    }
    if found < SECRETS.len() { Err(format!("only {found} secrets are in the sources")) } else { Ok(()) }
}

/// What a file declares is what its import declares, and what the export of that declares, for each version.
fn means_the_same(path: &Path) -> Checked {
    let (imported, said) = import(path);
    let imported = imported.ok_or(said)?;
    let (written, sources) = written(&imported);
    let faulty: Vec<_> = written.problems.iter().filter(|it| it.level == Level::Problem).cloned().collect();
    if !faulty.is_empty() {
        return Err(draw(&faulty, &sources, 100, false));
    }
    exports_come_back(&imported.topology)
}

/// Exports a topology for each version and reads it again.
pub fn exports_come_back(topology: &Topology) -> Checked {
    for profile in Profile::ALL {
        let json = definitions(topology, profile, &DefinitionsForm::Cluster, &mut || [1, 2, 3, 4]).to_string();
        let mut sources = Sources::default();
        let (loaded, problems) =
            load_topology(&mut sources, "definitions.json", json.as_bytes(), &Nothing, &Settings::default());
        let loaded = loaded.ok_or_else(|| draw(&problems, &sources, 100, false))?;
        let differing = objects_that_differ(topology, &loaded.topology);
        if !differing.is_empty() {
            let named: Vec<String> = differing.iter().map(ToString::to_string).collect();
            return Err(format!("{profile}: {}\n{json}", named.join(", ")));
        }
    }
    Ok(())
}

/// The shipped topologies hold `retry`, templates and typed fields: written anew, they declare the same.
fn the_topologies_of_the_project_come_back() -> Checked {
    for path in files::below("topologies", "yaml", 10) {
        let mut sources = Sources::default();
        let bytes = fs::read(&path).expect("readable");
        let name = path.to_string_lossy();
        let (loaded, _) = load_topology(&mut sources, &name, &bytes, &Nothing, &Settings::default());
        let topology = loaded.ok_or_else(|| format!("{name} does not load"))?.topology;
        let declared = topology.vhosts.iter().map(|vhost| vhost.name.clone()).collect();
        let wording = Wording { declared, ..Wording::default() };
        let written = write_proven(&topology, &wording, &mut sources, "written.yaml");
        let faulty: Vec<_> = written.problems.iter().filter(|it| it.level == Level::Problem).cloned().collect();
        if !faulty.is_empty() {
            return Err(format!("{name}\n{}\n{}", draw(&faulty, &sources, 100, false), written.text));
        }
        if stem(&path) == "game-dlq" && !written.text.contains("retry:") {
            return Err(format!("no `retry` in\n{}", written.text));
        }
    }
    Ok(())
}
