//! `list`: the cells with their tags, time and snapshots; nothing is played.

use crate::cli::ExitCode;
use crate::cli::arguments::ListOptions;
use crate::cli::load::Loader;
use crate::cli::select::{ToPlay, load_all, select};
use crate::cli::terminal::Terminal;
use crate::io::snapshots;
use crate::report;
use crate::report::SnapshotName;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What lies in a folder of snapshots.
type Folders = BTreeMap<PathBuf, Vec<SnapshotName>>;

/// Writes a line per cell.
pub fn list(command: &ListOptions, terminal: &Terminal) -> ExitCode {
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let cells = load_all(&command.paths, &mut loader, terminal);
    let cells = match cells.and_then(|cells| select(cells, &command.selection, terminal)) {
        Ok(cells) => cells,
        Err(code) => return code,
    };
    let mut folders = Folders::new();
    let mut rows = Vec::new();
    for one in &cells {
        let states = match snapshot_states(one, &mut folders) {
            Ok(states) => states,
            Err(error) => {
                terminal.error(&format!("error: {error}"));
                return ExitCode::BadFile;
            }
        };
        rows.push((one, states));
    }
    let text: Vec<String> = if command.json { rows.iter().map(line_json).collect() } else { lines(&rows) };
    terminal.print(&text.join("\n"));
    ExitCode::Fine
}

/// Returns what is kept of a cell: `kept`, `+3.10` for an overlay, `pending`, `none`, `off`.
fn snapshot_states(one: &ToPlay, folders: &mut Folders) -> Result<Vec<String>, String> {
    if one.cell.scenario.snapshot.off {
        return Ok(vec!["off".to_owned()]);
    }
    let folder = snapshots::folder_of(&one.path);
    if !folders.contains_key(&folder) {
        let names = snapshots::names_in(&folder)?;
        let names = names.iter().filter_map(|name| SnapshotName::parse(name)).collect();
        folders.insert(folder.clone(), names);
    }
    let stem = report::cell_stem(&snapshots::stem_of(&one.path), &one.cell.axes);
    // A folder holds each name once, sorted: the overlays of a cell stand before its base.
    let ours: Vec<&SnapshotName> = folders[&folder].iter().filter(|name| name.cell == stem).collect();
    let mut states = Vec::new();
    if ours.iter().any(|name| !name.pending && name.upto.is_none()) {
        states.push("kept".to_owned());
    }
    let overlays = ours.iter().filter(|name| !name.pending).filter_map(|name| name.upto);
    states.extend(overlays.map(|upto| format!("+{upto}")));
    if ours.iter().any(|name| name.pending) {
        states.push("pending".to_owned());
    }
    if states.is_empty() {
        states.push("none".to_owned());
    }
    Ok(states)
}

fn lines(rows: &[(&ToPlay, Vec<String>)]) -> Vec<String> {
    let names: Vec<String> = rows.iter().map(|(one, _)| one.name()).collect();
    let states: Vec<String> = rows.iter().map(|(_, states)| states.join(" ")).collect();
    let widest = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let (name_width, state_width) = (widest(&names), widest(&states));
    let line = |((one, _), (name, state)): (&(&ToPlay, Vec<String>), (&String, &String))| {
        let scenario = &one.cell.scenario;
        let time = scenario.own_length().to_string();
        let line = format!("{name:name_width$}  {time:>6}  {state:state_width$}  {}", scenario.tags.join(", "));
        line.trim_end().to_owned()
    };
    rows.iter().zip(names.iter().zip(&states)).map(line).collect()
}

fn line_json((one, states): &(&ToPlay, Vec<String>)) -> String {
    let scenario = &one.cell.scenario;
    let shown = json!({
        "name": one.name(),
        "file": scenario.file,
        "axes": one.cell.axes,
        "title": scenario.title,
        "tags": scenario.tags,
        "at_most_ms": scenario.own_length().0,
        "snapshot": states,
    });
    shown.to_string()
}
