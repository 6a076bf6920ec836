//! Scenario files loaded and rehearsed as a user's are: against their snapshots, and again and again with the same bytes.

use super::harness::stem;
use rmqplay::io::Disk;
use rmqplay::io::snapshots::names_in;
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::Path;

/// How often a run is repeated to prove that its bytes are the same.
const REPEATED: usize = 100;

/// Loads the cells of a file.
///
/// # Errors
/// Its problems, drawn; with `strict` its notes too.
pub fn cells(path: &Path, strict: bool) -> Result<Vec<Cell>, String> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut sources = Sources::default();
    let (world, settings) = (Disk::at("", Default::default()), Settings::default());
    let (loaded, problems) = load_scenario(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
    match loaded {
        Some(loaded) if !strict || problems.is_empty() => Ok(loaded.cells),
        _ => Err(report::draw(&problems, &sources, 100, false)),
    }
}

/// Rehearses a cell on a profile, and compares with the snapshot that it has beside its file.
///
/// # Errors
/// Its failures, or that the outcome is not that of the snapshot.
pub fn passes(path: &Path, cell: &Cell, profile: Profile) -> Result<(), String> {
    let on = format!("{} on sim {profile}", path.display());
    let played = rehearse(cell, profile, false);
    if !played.failures.is_empty() {
        return Err(format!("{on}: {:#?}", played.failures));
    }
    if cell.scenario.snapshot.off {
        return Ok(());
    }
    let body = report::body(&played.outcome.ok_or(format!("{on}: no outcome"))?, &cell.scenario);
    let folder = path.parent().unwrap_or(Path::new("")).join("snapshots");
    let names = names_in(&folder).map_err(|failure| format!("{on}: {failure}"))?;
    let cell_stem = report::cell_stem(&stem(path), &cell.axes);
    let name = report::snapshot_for(&cell_stem, profile.version(), names.iter().map(String::as_str));
    let kept = folder.join(name.ok_or(format!("{on}: no snapshot"))?);
    let text = std::fs::read_to_string(&kept).map_err(|error| format!("{}: {error}", kept.display()))?;
    let read = report::read_snapshot(&text).map_err(|broken| format!("{}: {}", kept.display(), broken.message))?;
    match report::compare(Some(&read.body), &body) {
        report::Comparison::Same => Ok(()),
        other => Err(format!("{on}: {other:?}")),
    }
}

/// Rehearses a cell again and again on the newest profile.
///
/// # Errors
/// Two runs differ in a byte.
pub fn repeats(path: &Path, cell: &Cell) -> Result<(), String> {
    let bytes = || {
        let played = rehearse(cell, Profile::NEWEST, true);
        format!("{:?}\n{:?}", played.timeline, played.outcome)
    };
    let first = bytes();
    assert!(first.len() > 200, "{}: there is nothing to compare", path.display());
    match (1..REPEATED).all(|_| bytes() == first) {
        true => Ok(()),
        false => Err(format!("{}: two runs differ", path.display())),
    }
}
