//! `check`: all problems of topologies and scenarios; nothing is played.

use crate::cli::ExitCode;
use crate::cli::arguments::CheckOptions;
use crate::cli::load::Loader;
use crate::cli::terminal::Terminal;
use crate::io::snapshots;
use crate::model::by_number;
use crate::source::{Level, Problem};
use std::path::PathBuf;

/// Loads every file and reports what is wrong with it.
pub fn check(command: &CheckOptions, terminal: &Terminal) -> ExitCode {
    let paths = default_paths(&command.files);
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let found = match snapshots::yaml_files(&paths) {
        Ok(found) => found,
        Err(error) => {
            terminal.error(&format!("error: {error}"));
            return ExitCode::BadFile;
        }
    };
    if found.is_empty() {
        terminal.error("there is no YAML or JSON file to check");
        return ExitCode::Nothing;
    }
    let problems = loader.each(&found, Loader::check).concat();
    let problems = crate::report::distinct(problems, &loader.sources);
    if let Some(unknown) = loader.unknown_variable() {
        return terminal.usage(&format!("--var: {unknown}"));
    }
    if command.json {
        terminal.print(&crate::report::problems_json(&problems, &loader.sources).to_string());
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        return if stops { ExitCode::BadFile } else { denied(command, &problems) };
    }
    let code = terminal.problems(&problems, &loader.sources).and(denied(command, &problems));
    if code == ExitCode::Fine {
        let noun = by_number(found.len(), "file is", "files are");
        terminal.status(&format!("{} {} {noun} fine", terminal.palette.good("ok"), found.len()));
    }
    code
}

/// Returns the failure that `--deny note` makes of notes.
fn denied(command: &CheckOptions, problems: &[Problem]) -> ExitCode {
    let is_denied = command.deny.is_some() && problems.iter().any(|problem| problem.level == Level::Note);
    if is_denied { ExitCode::Failed } else { ExitCode::Fine }
}

/// Takes the folders of scenarios and topologies that are there when no file is named.
pub(crate) fn default_paths(named: &[PathBuf]) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named.to_vec();
    }
    ["scenarios", "topologies"].map(PathBuf::from).into_iter().filter(|path| path.exists()).collect()
}
