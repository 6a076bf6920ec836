//! `watch`: plays what changed when a file changes, until a signal comes.
//! It looks at the files a few times a second, by time and length: this sees what changes in containers and on network disks too,
//! which tell nobody, and needs no part of the system that differs between systems.

use crate::cli::ExitCode;
use crate::cli::arguments::RunOptions;
use crate::cli::commands::run;
use crate::cli::load::{Loader, missing_path_help};
use crate::cli::named_cells::NamedCells;
use crate::cli::runtime::Runtime;
use crate::cli::suite::StopFlag;
use crate::cli::suite::watched::{Changes, Look, Watched};
use crate::cli::terminal::Terminal;
use crate::model::counted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The least time between two looks.
const LOOKS_EVERY: Duration = Duration::from_millis(150);

/// A look that takes long is followed by a rest of so many times as long.
const REST_OF_A_LOOK: u32 = 10;

/// Files that change without end are played as they are after this long.
const UNREST_MAX: Duration = Duration::from_secs(5);

/// How many changed files are named.
const NAMED_MAX: usize = 3;

/// Plays all, and then what changes.
pub(crate) fn watch(command: &RunOptions, terminal: &Terminal) -> ExitCode {
    let named = NamedCells::read(&command.paths);
    let mut watched = Watched::new(&command.vars.vars_files);
    let found = match watched.look(&named.paths).scenarios {
        Ok(found) => found,
        Err(error) => {
            terminal.usage(&format!("{error}\n  help: {}", missing_path_help(&named.paths)));
            return ExitCode::BadFile;
        }
    };
    let (mut runtime, stop) = (Runtime::new(), StopFlag::default());
    stop.listen(&runtime);
    reload(&mut watched, &found, command);
    let mut base = watched.look(&named.paths);
    let code = run::run_until(command, terminal, &stop);
    if code == ExitCode::Usage {
        return code;
    }
    loop {
        if let Some(signal) = runtime.heard() {
            return signal;
        }
        let this = base.clone().with_snapshots_of(watched.look(&named.paths));
        tell_waiting(command, terminal, &watched, &this);
        let now = match next_look(&watched, &named.paths, &this, &mut runtime) {
            Ok(now) => now,
            Err(signal) => return signal,
        };
        let changes = watched.changes(&this, &now);
        watched.forget(&changes.gone);
        reload(&mut watched, &changes.concerned, command);
        // What a scenario names since the change is looked at before it plays, so that nothing is missed meanwhile.
        base = watched.look(&named.paths);
        tell_changes(command, terminal, &changes, &now);
        if !changes.concerned.is_empty() {
            let again = RunOptions { paths: words_of(&changes.concerned, &command.paths), ..command.clone() };
            run::run_until(&again, terminal, &stop);
        }
    }
}

/// Finds out what scenarios read; without variables that can be read, a run tells why.
fn reload(watched: &mut Watched, scenarios: &BTreeSet<PathBuf>, command: &RunOptions) {
    if let Ok(loader) = Loader::new(&command.vars, None) {
        watched.load(scenarios, loader.noting_reads());
    }
}

/// Waits until something differs from a look, and rests then.
///
/// # Errors
/// A signal came.
fn next_look(watched: &Watched, paths: &[PathBuf], base: &Look, runtime: &mut Runtime) -> Result<Look, ExitCode> {
    let (mut last, mut since) = (base.clone(), None);
    loop {
        let began = Instant::now();
        let now = watched.look(paths);
        let rest = (began.elapsed() * REST_OF_A_LOOK).max(LOOKS_EVERY);
        if now == *base {
            since = None;
        } else {
            let since = *since.get_or_insert(began);
            if now == last || since.elapsed() > UNREST_MAX {
                return Ok(now);
            }
        }
        last = now;
        if let Some(signal) = runtime.heard_within(rest) {
            return Err(signal);
        }
    }
}

fn tell_waiting(command: &RunOptions, terminal: &Terminal, watched: &Watched, look: &Look) {
    let words = match &look.scenarios {
        Err(error) => return terminal.error(&format!("{error}: waiting until it can be read; Ctrl-C ends")),
        Ok(there) if there.is_empty() => "waiting for a scenario; Ctrl-C ends".to_owned(),
        Ok(there) => {
            let (scenarios, files) = (counted(there.len(), "scenario"), counted(watched.files(), "file"));
            format!("waiting for changes of {scenarios} ({files}); Ctrl-C ends")
        }
    };
    if !command.json {
        terminal.status(&words);
    }
}

fn tell_changes(command: &RunOptions, terminal: &Terminal, changes: &Changes, now: &Look) {
    if command.json {
        return;
    }
    for path in &changes.gone {
        terminal.status(&format!("\ngone: {}", path.display()));
    }
    if changes.concerned.is_empty() {
        return;
    }
    let files: Vec<String> = changes.files.iter().take(NAMED_MAX).map(|path| path.display().to_string()).collect();
    let more = changes.files.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let all = now.scenarios.as_ref().map_or(0, BTreeSet::len);
    terminal.status(&format!(
        "\nchanged: {}{more}; playing {} of {}",
        files.join(", "),
        changes.concerned.len(),
        counted(all, "scenario")
    ));
}

/// Returns the words that mean some files: cells that were named in their place stay named.
fn words_of(files: &BTreeSet<PathBuf>, given: &[PathBuf]) -> Vec<PathBuf> {
    let is_of = |word: &PathBuf, file: &Path| {
        let named = NamedCells::read(std::slice::from_ref(word));
        named.is_partial() && named.paths.iter().any(|path| path == file)
    };
    let mut words: Vec<PathBuf> = Vec::new();
    for file in files {
        let cells: Vec<PathBuf> = given.iter().filter(|word| is_of(word, file)).cloned().collect();
        let own = if cells.is_empty() { vec![file.clone()] } else { cells };
        words.extend(own.into_iter().filter(|word| !words.contains(word)).collect::<Vec<_>>());
    }
    words
}
