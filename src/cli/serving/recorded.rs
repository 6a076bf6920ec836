//! `serve --write-scenario`: what the clients did, as a file that is played before it is called one.

use crate::cli::ExitCode;
use crate::cli::load::Loader;
use crate::cli::options::Vars;
use crate::cli::terminal::Terminal;
use crate::io::make_atomically;
use crate::rules::Edition;
use crate::simulate::rehearse;
use std::path::Path;

/// Checks that a file can be written, before anything is recorded for it.
pub(crate) fn refuse_existing(file: &Path, terminal: &Terminal) -> Result<(), ExitCode> {
    if !file.exists() {
        return Ok(());
    }
    let help = "give another name, or move the file away";
    Err(terminal.usage(&format!("--write-scenario: {} is there already\n  help: {help}", file.display())))
}

/// Writes a recorded session, and plays it once: what does not play the same is told.
pub(crate) fn write(file: &Path, text: Option<&str>, edition: Edition, terminal: &Terminal) -> ExitCode {
    let Some(text) = text else {
        terminal.warning(&format!("no client did anything: {} is not written", file.display()));
        return ExitCode::Fine;
    };
    match make_atomically(file, text) {
        Ok(true) => {}
        Ok(false) => {
            terminal.error(&format!("error: {} is there by now, and is not replaced", file.display()));
            return ExitCode::Environment;
        }
        Err(error) => {
            terminal.error(&format!("error: {error}"));
            return ExitCode::Environment;
        }
    }
    let shown = file.display();
    let vars = Vars { vars: Vec::new(), vars_files: Vec::new() };
    let Ok(mut loader) = Loader::new(&vars, None) else { return ExitCode::Environment };
    let (loaded, problems) = loader.scenario(file);
    let code = terminal.problems(&problems, &loader.sources);
    let cell = loaded.and_then(|mut loaded| loaded.cells.pop()).filter(|_| code == ExitCode::Fine);
    let Some(cell) = cell else {
        terminal.warning(&format!("{shown} is written, and does not load: mend what is told above"));
        return ExitCode::Fine;
    };
    match rehearse(&cell, edition, false).failures.first() {
        None => terminal.status(&format!("{shown} is written, and plays: rmqplay run {shown}")),
        Some(failure) => terminal.warning(&format!(
            "{shown} is written, and does not end as the session did: {} (line {})",
            failure.message,
            loader.sources.position(failure.span).line
        )),
    }
    ExitCode::Fine
}
