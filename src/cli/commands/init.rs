//! `init`: a first topology and scenario, what editors complete by, a workflow for CI, and what git leaves out. Never overwrites a file.

use crate::cli::ExitCode;
use crate::cli::arguments::InitOptions;
use crate::cli::terminal::Terminal;
use crate::io::make_atomically;
use crate::report::{SchemaOf, schema};
use std::path::Path;

/// Returns the files, with what each is for.
fn files() -> [(&'static str, String, &'static str); 6] {
    let schema_of = |of: SchemaOf| format!("{:#}\n", schema(of));
    [
        ("topologies/first.yaml", include_str!("init/topology.yaml").into(), "what the broker should hold"),
        ("topologies/.schema.json", schema_of(SchemaOf::Topology), "editors complete topologies by it"),
        ("scenarios/first.yaml", include_str!("init/scenario.yaml").into(), "what must happen"),
        ("scenarios/.schema.json", schema_of(SchemaOf::Scenario), "editors complete scenarios by it"),
        (".github/workflows/rmqplay.yaml", include_str!("init/workflow.yaml").into(), "plays it in CI"),
        (".gitignore", PENDING.into(), "outcomes that wait for a review are not committed"),
    ]
}

/// The line that git needs.
const PENDING: &str = "*.snap.new\n";

/// Writes what is not there yet.
pub fn init(command: &InitOptions, terminal: &Terminal) -> ExitCode {
    for (name, text, means) in files() {
        let path =
            if command.folder.as_os_str() == "." { Path::new(name).to_owned() } else { command.folder.join(name) };
        match make_atomically(&path, &text) {
            Ok(true) => terminal.status(&format!("wrote {}: {means}", path.display())),
            Ok(false) => terminal.status(&kept(&path, name)),
            Err(error) => {
                terminal.error(&format!(
                    "error: {error}\n  help: give a folder that can be written to: rmqplay init FOLDER"
                ));
                return ExitCode::Environment;
            }
        }
    }
    let here = command.folder.as_os_str() == ".";
    let go_there = if here { String::new() } else { format!("cd {} && ", command.folder.display()) };
    terminal.status(&format!("\nnow: {go_there}rmqplay run, then rmqplay review"));
    ExitCode::Fine
}

/// Reports that a file was there already, and what it may lack.
fn kept(path: &Path, name: &str) -> String {
    let shown = path.display();
    let lacks = name == ".gitignore"
        && !crate::io::read_file(path).is_ok_and(|text| text.lines().any(|line| line.trim() == PENDING.trim()));
    match lacks {
        true => format!("kept {shown}, as it was there: add the line `{}` to it", PENDING.trim()),
        false => format!("kept {shown}, as it was there"),
    }
}
