//! `check`: what RabbitMQ would refuse in topologies and scenarios, and what somebody would regret; nothing is played.

use crate::cli::ExitCode;
use crate::cli::load::{Loader, missing_path_help};
use crate::cli::options::CheckOptions;
use crate::cli::terminal::Terminal;
use crate::io::snapshots;
use crate::model::by_number;
use crate::report;
use crate::source::{Level, Problem};
use std::path::PathBuf;

/// Loads every file and reports what is wrong with it.
pub fn check(command: &CheckOptions, terminal: &Terminal) -> ExitCode {
    let paths = default_paths(&command.files);
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader.judging_for(&command.versions),
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let found = match snapshots::yaml_files(&paths) {
        Ok(found) => found,
        Err(error) => {
            terminal.error(&format!("error: {error}\n  help: {}", missing_path_help(&paths)));
            return ExitCode::BadFile;
        }
    };
    if found.is_empty() {
        terminal.error("there is no YAML or JSON file to check");
        return ExitCode::Nothing;
    }
    let problems = loader.each(&found, Loader::check).concat();
    let problems = report::distinct(problems, &loader.sources);
    if let Some(unknown) = loader.unknown_variable() {
        return terminal.usage(&format!("--var: {unknown}"));
    }
    let written = match command.format.as_str() {
        _ if command.json => Some(report::problems_json(&problems, &loader.sources).to_string()),
        "json" => Some(report::problems_json(&problems, &loader.sources).to_string()),
        "sarif" => Some(report::sarif(&problems, &loader.sources).to_string()),
        "github" => Some(report::annotations(&problems, &loader.sources)),
        _ => None,
    };
    if let Some(text) = written {
        terminal.print_unless_empty(&text);
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        return if stops { ExitCode::BadFile } else { denied(command, &problems) };
    }
    let code = terminal
        .problems_with(&problems, &loader.sources, |problem| is_denied(command, problem))
        .and(denied(command, &problems));
    if let Some(first) = problems.iter().find(|it| it.level == Level::Problem).filter(|_| !terminal.quiet) {
        terminal.error(&format!("`rmqplay explain {}` tells more", first.code));
    }
    if code == ExitCode::Fine {
        let noun = by_number(found.len(), "file is", "files are");
        terminal.status(&format!("{} {} {noun} fine", terminal.palette.good("ok"), found.len()));
    }
    code
}

/// Returns the failure that `--deny` makes of findings that stop nothing.
fn denied(command: &CheckOptions, problems: &[Problem]) -> ExitCode {
    if problems.iter().any(|problem| is_denied(command, problem)) { ExitCode::Failed } else { ExitCode::Fine }
}

fn is_denied(command: &CheckOptions, problem: &Problem) -> bool {
    command.deny.iter().any(|denied| denied.covers(problem))
}

/// Takes the folders of scenarios and topologies that are there when no file is named.
pub(crate) fn default_paths(named: &[PathBuf]) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named.to_vec();
    }
    ["scenarios", "topologies"].map(PathBuf::from).into_iter().filter(|path| path.exists()).collect()
}
