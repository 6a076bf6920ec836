//! `review`, `accept` and `reject`: pending outcomes become the snapshots, or go.

use crate::cli::ExitCode;
use crate::cli::arguments::ReviewOptions;
use crate::cli::load::missing_path_help;
use crate::cli::named_cells::NamedCells;
use crate::cli::snapshot_store::problem_of;
use crate::cli::terminal::Terminal;
use crate::io::snapshots;
use crate::model::by_number;
use crate::report;
use crate::report::{SnapshotFile, SnapshotName};
use crate::source::Sources;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

/// One pending outcome, with the scenario that it is of.
struct PendingOutcome {
    path: PathBuf,
    scenario: PathBuf,
}

/// What the reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReviewAnswer {
    Accept,
    Reject,
    Skip,
    AcceptAll,
    RejectAll,
    Quit,
}

/// Makes each pending outcome below the paths the snapshot.
pub fn accept(command: &ReviewOptions, terminal: &Terminal) -> ExitCode {
    each(command, terminal, accept_one)
}

/// Removes each pending outcome below the paths.
pub fn reject(command: &ReviewOptions, terminal: &Terminal) -> ExitCode {
    each(command, terminal, reject_one)
}

/// Shows each pending outcome and does with it what the reviewer says.
pub fn review(command: &ReviewOptions, terminal: &Terminal) -> ExitCode {
    let pending = match found(command, terminal) {
        Ok(pending) => pending,
        Err(code) => return code,
    };
    if !std::io::stdin().is_terminal() {
        return without_terminal(&pending, terminal);
    }
    let mut counts = [0; 3];
    let mut for_all = None;
    let mut code = ExitCode::Fine;
    for (at, one) in pending.iter().enumerate() {
        let answer = match for_all {
            Some(answer) => answer,
            None => {
                show(one, (at + 1, pending.len()), terminal);
                ask(terminal)
            }
        };
        match answer {
            ReviewAnswer::AcceptAll => for_all = Some(ReviewAnswer::Accept),
            ReviewAnswer::RejectAll => for_all = Some(ReviewAnswer::Reject),
            ReviewAnswer::Quit => break,
            _ => {}
        }
        code = code.and(match answer {
            ReviewAnswer::Accept | ReviewAnswer::AcceptAll => tallied(&mut counts[0], accept_one(one, terminal)),
            ReviewAnswer::Reject | ReviewAnswer::RejectAll => tallied(&mut counts[1], reject_one(one, terminal)),
            _ => tallied(&mut counts[2], ExitCode::Fine),
        });
    }
    let [accepted, rejected, _] = counts;
    let left = pending.len() - accepted - rejected;
    terminal.status(&format!("{accepted} accepted, {rejected} rejected, {left} still pending"));
    code
}

fn tallied(count: &mut usize, code: ExitCode) -> ExitCode {
    *count += usize::from(code == ExitCode::Fine);
    code
}

/// Does the same with each pending outcome.
fn each(
    command: &ReviewOptions,
    terminal: &Terminal,
    act: impl Fn(&PendingOutcome, &Terminal) -> ExitCode,
) -> ExitCode {
    match found(command, terminal) {
        Ok(pending) => pending.iter().fold(ExitCode::Fine, |code, one| code.and(act(one, terminal))),
        Err(code) => code,
    }
}

fn accept_one(one: &PendingOutcome, terminal: &Terminal) -> ExitCode {
    let file = match read(&one.path, terminal) {
        Ok(file) => file,
        Err(code) => return code,
    };
    if let Some(code) = overtaken(one, &file, terminal) {
        return code;
    }
    let text = match snapshots::read(&one.path) {
        Ok(text) => report::accepted(&text),
        Err(error) => return cannot(&error, terminal),
    };
    match snapshots::accept(&one.path, &text) {
        Ok(accepted) => {
            terminal.status(&format!("accepted {}", accepted.display()));
            ExitCode::Fine
        }
        Err(error) => cannot(&error, terminal),
    }
}

/// Refuses what was compared with another snapshot than the one that is there now: it may be a newer version's.
fn overtaken(one: &PendingOutcome, file: &SnapshotFile, terminal: &Terminal) -> Option<ExitCode> {
    let waits = file.waits.as_ref()?;
    let snapshot = one.path.with_extension("");
    let kept = if snapshot.exists() { read(&snapshot, terminal).ok() } else { None };
    if waits.is_about(kept.as_ref().map(|kept| &*kept.body)) {
        return None;
    }
    let (snapshot, pending, version) = (snapshot.display(), one.path.display(), waits.version);
    terminal.error(&format!(
        "error: {snapshot} is not what it was when RabbitMQ {version} gave {pending}: nothing was overwritten\n  \
         help: run the scenario again, or `rmqplay reject {pending}`"
    ));
    Some(ExitCode::Unsafe)
}

fn reject_one(one: &PendingOutcome, terminal: &Terminal) -> ExitCode {
    match snapshots::reject(&one.path) {
        Ok(()) => {
            terminal.status(&format!("rejected {}", one.path.display()));
            ExitCode::Fine
        }
        Err(error) => cannot(&error, terminal),
    }
}

fn cannot(error: &str, terminal: &Terminal) -> ExitCode {
    terminal.error(&format!("error: {error}\n  help: make the folder writable"));
    ExitCode::Environment
}

/// Finds what is pending; nothing is a code of its own.
fn found(command: &ReviewOptions, terminal: &Terminal) -> Result<Vec<PendingOutcome>, ExitCode> {
    let named = NamedCells::read(&command.paths);
    let all = pending_below(&named.paths).map_err(|error| {
        terminal.error(&format!("error: {error}\n  help: {}", missing_path_help(&named.paths)));
        ExitCode::BadFile
    })?;
    let (pending, others): (Vec<PendingOutcome>, Vec<PendingOutcome>) = all.into_iter().partition(|one| {
        let name = one.path.file_name().and_then(|name| SnapshotName::parse(name.to_str()?));
        name.is_none_or(|name| named.means_snapshot(&one.scenario, &name.cell))
    });
    if pending.is_empty() && !others.is_empty() {
        let others: Vec<String> = others.iter().map(|one| format!("\n  {}", one.path.display())).collect();
        terminal.error(&format!("nothing is pending of that cell; of the file there waits:{}", others.concat()));
        return Err(ExitCode::Nothing);
    }
    if pending.is_empty() {
        terminal.status("nothing is pending");
        return Err(ExitCode::Nothing);
    }
    Ok(pending)
}

/// Lists the pending outcomes of scenarios, of all below folders, and those that are named themselves.
fn pending_below(paths: &[PathBuf]) -> Result<Vec<PendingOutcome>, String> {
    let is_named = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| SnapshotName::parse(name.to_str()?));
        name.is_some_and(|name| name.pending) && path.is_file()
    };
    let (named, others): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(is_named);
    let others: Vec<PathBuf> = others.into_iter().cloned().collect();
    let mut found: Vec<PendingOutcome> = Vec::new();
    for path in named {
        let beside = path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let scenarios =
            snapshots::yaml_files(&[if beside.as_os_str().is_empty() { ".".into() } else { beside.into() }])?;
        let owner = scenarios.into_iter().find(|scenario| owns(scenario, path));
        found.push(PendingOutcome { path: path.clone(), scenario: owner.unwrap_or_default() });
    }
    let mut scenarios = snapshots::yaml_files(&others)?;
    // Of two scenarios whose names begin alike, the longer name is the owner.
    scenarios.sort_by_key(|scenario| std::cmp::Reverse(snapshots::stem_of(scenario).len()));
    for scenario in scenarios {
        let folder = snapshots::folder_of(&scenario);
        for path in snapshots::names_in(&folder)?.iter().map(|name| folder.join(name)) {
            if owns(&scenario, &path) && found.iter().all(|known| known.path != path) {
                found.push(PendingOutcome { path, scenario: scenario.clone() });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Returns whether a pending file may be of a scenario.
fn owns(scenario: &Path, pending: &Path) -> bool {
    let name = pending.file_name().and_then(|name| SnapshotName::parse(name.to_str()?));
    name.is_some_and(|name| name.pending && name.is_of(&snapshots::stem_of(scenario)))
}

/// Reads a snapshot or a pending one; what is wrong with it is drawn.
fn read(path: &Path, terminal: &Terminal) -> Result<SnapshotFile, ExitCode> {
    let text = snapshots::read(path).map_err(|error| {
        terminal.error(&format!("error: {error}"));
        ExitCode::BadFile
    })?;
    report::read_snapshot(&text).map_err(|broken| {
        let mut sources = Sources::default();
        let problem = problem_of(&broken, path, &text, &mut sources);
        terminal.problems(&[problem], &sources)
    })
}

/// Shows the scenario's line, and what would change.
fn show(one: &PendingOutcome, (number, all): (usize, usize), terminal: &Terminal) {
    let palette = terminal.palette;
    let Ok(new) = read(&one.path, terminal) else { return };
    let snapshot = one.path.with_extension("");
    let kept = if snapshot.exists() { read(&snapshot, terminal).ok() } else { None };
    let below = if kept.is_some() { None } else { overlaid(&one.path) };
    let what = match (&kept, &below) {
        (Some(_), _) => "changed".to_owned(),
        (None, Some(path)) => format!("overlay, as it differs from {}", path.display()),
        (None, None) => "new".to_owned(),
    };
    let kept = kept.or_else(|| read(&below?, terminal).ok());
    let place = match line_of(&one.scenario) {
        Some(line) => format!("{}:{line}: {}", one.scenario.display(), new.title),
        None => new.title,
    };
    let difference = report::difference(kept.as_ref().map_or("", |kept| &kept.body), &new.body);
    let head = format!("{number} of {all}, {what}: {}", snapshot.display());
    let difference = report::coloured_difference(&difference, palette);
    terminal.print(&format!("\n{}\n{place}\n\n{difference}", palette.strong(&head)));
}

/// Finds what a version reads as long as its new overlay is not accepted: the overlay of a newer one or the base, if need
/// be one that waits itself. `None` for what is no overlay.
fn overlaid(pending: &Path) -> Option<PathBuf> {
    let folder = pending.parent()?;
    let own = SnapshotName::parse(pending.file_name()?.to_str()?)?;
    let names = snapshots::names_in(folder).ok()?;
    let is_own = |name: &&String| **name == own.to_string();
    let nearest = |names: &[&str]| report::snapshot_for(&own.cell, own.upto?, names.iter().copied());
    let kept: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(name) = nearest(&kept) {
        return Some(folder.join(name));
    }
    let waiting = names.iter().filter(|name| !is_own(name)).filter_map(|name| name.strip_suffix(".new"));
    let waiting: Vec<&str> = waiting.collect();
    nearest(&waiting).map(|name| folder.join(format!("{name}.new")))
}

/// Finds the line of a scenario that says what it shows.
fn line_of(scenario: &Path) -> Option<usize> {
    let text = snapshots::read(scenario).ok()?;
    text.lines().position(|line| line.starts_with("scenario:")).map(|at| at + 1)
}

/// Asks until there is an answer; the end of the input is one too.
fn ask(terminal: &Terminal) -> ReviewAnswer {
    let mut input = std::io::stdin().lock();
    loop {
        terminal.ask("(a)ccept, (r)eject, (s)kip, accept a(l)l, reject al(L), (q)uit? ");
        let mut line = String::new();
        if input.read_line(&mut line).unwrap_or(0) == 0 {
            return ReviewAnswer::Quit;
        }
        match line.trim() {
            "a" | "accept" | "y" | "yes" => return ReviewAnswer::Accept,
            "r" | "reject" | "n" | "no" => return ReviewAnswer::Reject,
            "s" | "skip" => return ReviewAnswer::Skip,
            "l" | "all" => return ReviewAnswer::AcceptAll,
            "L" => return ReviewAnswer::RejectAll,
            "q" | "quit" => return ReviewAnswer::Quit,
            other => terminal.print(&format!("`{other}` is no answer: type one of the letters, then Enter")),
        }
    }
}

/// Returns what to run where nobody can be asked.
fn without_terminal(pending: &[PendingOutcome], terminal: &Terminal) -> ExitCode {
    let verb = by_number(pending.len(), "outcome waits", "outcomes wait");
    let mut text = format!("{} {verb}, and a review needs a terminal; without one:\n", pending.len());
    for one in pending {
        let path = one.path.display();
        let against = one.path.with_extension("");
        let against = if against.exists() { Some(against) } else { overlaid(&one.path) };
        let against = against.unwrap_or_else(|| PathBuf::from("/dev/null"));
        text.push_str(&format!("  diff -u {} {path}\n  rmqplay accept {path}    (or: reject)\n", against.display()));
    }
    terminal.error(&text);
    ExitCode::Usage
}
