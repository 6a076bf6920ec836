//! `init`: a first topology and scenario, a workflow for CI, and what git leaves out. Never overwrites a file.

use super::ExitCode;
use super::arguments::Init;
use super::terminal::Terminal;
use crate::io::make_atomically;
use std::path::Path;

/// The files, with what each is for.
const FILES: [(&str, &str, &str); 4] = [
    ("topologies/first.yaml", include_str!("init/topology.yaml"), "what the broker should hold"),
    ("scenarios/first.yaml", include_str!("init/scenario.yaml"), "what must happen"),
    (".github/workflows/rmqplay.yaml", include_str!("init/workflow.yaml"), "plays it in CI"),
    (".gitignore", PENDING, "outcomes that wait for a review are not committed"),
];

/// The line that git needs.
const PENDING: &str = "*.snap.new\n";

/// Writes what is not there yet.
pub fn init(command: &Init, terminal: &Terminal) -> ExitCode {
    for (name, text, means) in FILES {
        let path =
            if command.folder.as_os_str() == "." { Path::new(name).to_owned() } else { command.folder.join(name) };
        match make_atomically(&path, text) {
            Ok(true) => terminal.chat(&format!("wrote {}: {means}", path.display())),
            Ok(false) => terminal.chat(&kept(&path, name)),
            Err(error) => {
                terminal.complain(&format!(
                    "error: {error}\n  help: give a folder that can be written to: rmqplay init FOLDER"
                ));
                return ExitCode::Environment;
            }
        }
    }
    let here = command.folder.as_os_str() == ".";
    let go_there = if here { String::new() } else { format!("cd {} && ", command.folder.display()) };
    terminal.chat(&format!("\nnow: {go_there}rmqplay run, then rmqplay review"));
    ExitCode::Fine
}

/// Says that a file was there already, and what it may lack.
fn kept(path: &Path, name: &str) -> String {
    let shown = path.display();
    let lacks = name == ".gitignore"
        && !crate::io::read_file(path).is_ok_and(|text| text.lines().any(|line| line.trim() == PENDING.trim()));
    match lacks {
        true => format!("kept {shown}, as it was there: add the line `{}` to it", PENDING.trim()),
        false => format!("kept {shown}, as it was there"),
    }
}
