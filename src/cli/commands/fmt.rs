//! `fmt`: writes YAML files in one layout; comments stay, and so does the meaning.

use crate::cli::ExitCode;
use crate::cli::arguments::FmtOptions;
use crate::cli::commands::check::default_paths;
use crate::cli::load::missing_path_help;
use crate::cli::terminal::Terminal;
use crate::io::{read_file, snapshots, write_atomically};
use crate::language::format_yaml;
use crate::model::counted;
use std::path::{Path, PathBuf};

/// Lays out each file anew, or says with `--check` which are not laid out.
pub fn fmt(command: &FmtOptions, terminal: &Terminal) -> ExitCode {
    let files = match snapshots::yaml_files(&default_paths(&command.files)) {
        Ok(files) => files,
        Err(error) => {
            terminal.error(&format!("error: {error}\n  help: {}", missing_path_help(&command.files)));
            return ExitCode::BadFile;
        }
    };
    // JSON has no comments and no layout of its own here: an export stays as its broker wrote it.
    let files: Vec<PathBuf> =
        files.into_iter().filter(|file| file.extension().is_none_or(|end| end != "json")).collect();
    if files.is_empty() {
        terminal.error("there is no YAML file to format");
        return ExitCode::Nothing;
    }
    let mut changed = 0;
    let mut code = ExitCode::Fine;
    for file in &files {
        match one(file, command.check) {
            Ok(false) => {}
            Ok(true) => {
                changed += 1;
                let word = if command.check { "would be formatted" } else { "formatted" };
                terminal.status(&format!("{word}: {}", file.display()));
            }
            Err((why, error)) => {
                terminal.error(&format!("error: {error}"));
                code = code.and(why);
            }
        }
    }
    terminal.status(&format!(
        "{}, {changed} {}",
        counted(files.len(), "file"),
        if command.check { "to format" } else { "formatted" }
    ));
    if command.check && changed > 0 { code.and(ExitCode::Failed) } else { code }
}

/// Formats one file; true when that changes it.
fn one(file: &Path, only_check: bool) -> Result<bool, (ExitCode, String)> {
    let text = read_file(file).map_err(|error| (ExitCode::BadFile, error))?;
    let formatted = format_yaml(&text).map_err(|error| (ExitCode::BadFile, format!("{}: {error}", file.display())))?;
    if formatted == text {
        return Ok(false);
    }
    if !only_check {
        write_atomically(file, &formatted).map_err(|error| (ExitCode::Environment, error))?;
    }
    Ok(true)
}
