//! `replay FILE`: plays the cells of a record again, on the simulated broker by the same rules, and tells what differs now.

use crate::cli::ExitCode;
use crate::cli::live_settings;
use crate::cli::load::{Loader, unread_path_help};
use crate::cli::options::{ReplayOptions, Vars};
use crate::cli::suite::in_order::in_order;
use crate::cli::suite::on_sim::jobs_of;
use crate::cli::suite::recorded::digests;
use crate::cli::terminal::Terminal;
use crate::io::read_file;
use crate::model::{Cell, Profile, Version, by_number, counted};
use crate::player::RunResult;
use crate::report;
use crate::report::{BadRecord, RECORD_FORMAT, RecordedCell, RunRecord, record_differences, recorded_run};
use crate::rules::{DeprecatedFeature, Edition, Permits, Plugin, Plugins};
use crate::simulate::{play_schedule, rehearse};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many files that changed are named.
const NAMED_MAX: usize = 10;

/// The file and the axes of a cell.
type CellKey = (String, BTreeMap<String, String>);

/// What became of a recorded cell.
enum Replayed {
    Same,
    Differs(Vec<String>),
    /// It is not there any more.
    Gone,
}

/// Plays a record again.
pub(crate) fn replay(command: &ReplayOptions, terminal: &Terminal) -> ExitCode {
    let text = match read_file(&command.file) {
        Ok(text) => text,
        Err(error) => {
            terminal.usage(&format!("{error}\n  help: {}", unread_path_help(&command.file)));
            return ExitCode::BadFile;
        }
    };
    let record = match RunRecord::read(&text) {
        Ok(record) => record,
        Err(bad) => {
            terminal.usage(&no_record(&command.file, &bad));
            return ExitCode::BadFile;
        }
    };
    let lacking: Vec<&String> = record.head.secrets.iter().filter(|name| !is_given(command, name)).collect();
    if !lacking.is_empty() {
        let given: String = lacking.iter().map(|name| format!(" --var {name}=…")).collect();
        return terminal.usage(&format!("a record holds no secrets: give them again, with{given}"));
    }
    tell_files(&record, command, terminal);
    let cells = match load(&record, command, terminal) {
        Ok(cells) => cells,
        Err(code) => return code,
    };
    let width = record.cells.iter().map(|cell| cell.name.chars().count()).max().unwrap_or(0);
    let (mut counts, mut all) = ([0usize; 3], 0);
    let schedule = record.head.schedule;
    in_order(
        record.cells.len(),
        jobs_of(command.jobs, 1),
        |at| replayed(&record.cells[at], &cells, schedule),
        |at, replayed| {
            counts[match &replayed {
                Replayed::Same => 0,
                Replayed::Differs(_) => 1,
                Replayed::Gone => 2,
            }] += 1;
            all += 1;
            tell(&record.cells[at], &replayed, width, command.json, terminal);
            true
        },
    );
    let [same, differ, gone] = counts;
    if command.json {
        terminal
            .print(&json!({"type": "summary", "cells": all, "same": same, "differ": differ, "gone": gone}).to_string());
    } else {
        let words = [
            (same, "as recorded".to_owned()),
            (differ, by_number(differ, "differs", "differ").to_owned()),
            (gone, "gone".to_owned()),
        ];
        let words = words
            .iter()
            .enumerate()
            .filter(|(at, (n, _))| *at == 0 || *n > 0)
            .map(|(_, (n, word))| format!("{n} {word}"));
        terminal.status(&format!("{}: {}", counted(all, "cell"), words.collect::<Vec<_>>().join(", ")));
    }
    match (all, differ + gone) {
        (0, _) => ExitCode::Nothing,
        (_, 0) => ExitCode::Fine,
        _ => ExitCode::Failed,
    }
}

fn is_given(command: &ReplayOptions, name: &str) -> bool {
    let own = command.vars.vars.iter().filter_map(|text| text.split_once('='));
    own.map(|(name, _)| name.trim()).any(|own| own == name)
}

fn no_record(file: &Path, bad: &BadRecord) -> String {
    let file = file.display();
    match bad {
        BadRecord::NoRecord => {
            format!("{file} is no record of a run\n  help: `rmqplay run --record FILE` writes one")
        }
        BadRecord::OtherFormat { format, version } => {
            let by = version.as_ref().map_or(String::new(), |version| format!(" (of rmqplay {version})"));
            format!(
                "{file} is a record of form {format}{by}; rmqplay {} reads form {RECORD_FORMAT}\n  help: replay it with the version \
                 that wrote it, or record the run again",
                env!("CARGO_PKG_VERSION")
            )
        }
        BadRecord::CutShort(cells) => format!(
            "{file} is cut short: its last line is missing, after {}\n  help: copy it again, or record the run again",
            counted(*cells, "whole cell")
        ),
        BadRecord::BrokenLine(line) => {
            format!("{file}:{line}: this is no line of a record\n  help: copy it again, or record the run again")
        }
    }
}

/// Says which files are not what they were.
fn tell_files(record: &RunRecord, command: &ReplayOptions, terminal: &Terminal) {
    let files = &record.head.files;
    let now = digests(&files.keys().map(PathBuf::from).collect::<BTreeSet<_>>());
    let of_kind = |kind: fn(&Option<String>, &Option<String>) -> bool| -> Vec<&str> {
        let differs =
            files.iter().filter(|(path, then)| now.get(*path).is_some_and(|now| now != *then && kind(then, now)));
        differs.map(|(path, _)| path.as_str()).collect()
    };
    let kinds = [
        ("changed", of_kind(|then, now| then.is_some() && now.is_some())),
        ("gone", of_kind(|_, now| now.is_none())),
        ("new", of_kind(|then, _| then.is_none())),
    ];
    if command.json {
        let files: serde_json::Map<String, serde_json::Value> =
            kinds.iter().map(|(kind, paths)| ((*kind).to_owned(), json!(paths))).collect();
        let head = json!({"type": "record", "version": record.head.version, "files": files});
        return terminal.print(&head.to_string());
    }
    if record.head.version != env!("CARGO_PKG_VERSION") {
        terminal.status(&format!(
            "recorded by rmqplay {}, replayed by {}",
            record.head.version,
            env!("CARGO_PKG_VERSION")
        ));
    }
    for (kind, paths) in kinds.iter().filter(|(_, paths)| !paths.is_empty()) {
        let more = paths.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<&str> = paths.iter().take(NAMED_MAX).copied().collect();
        terminal.status(&format!("{kind} since then: {}{more}", named.join(", ")));
    }
}

/// Loads the scenarios of a record that are still there, with the variables of then and now.
fn load(record: &RunRecord, command: &ReplayOptions, terminal: &Terminal) -> Result<BTreeMap<CellKey, Cell>, ExitCode> {
    let of_record = |vars: &[String]| vars.to_vec();
    let vars = Vars {
        vars: of_record(&record.head.vars).into_iter().chain(command.vars.vars.iter().cloned()).collect(),
        vars_files: record
            .head
            .vars_files
            .iter()
            .map(PathBuf::from)
            .chain(command.vars.vars_files.iter().cloned())
            .collect(),
    };
    let mut loader = Loader::new(&vars, None).map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let files: BTreeSet<PathBuf> = record.cells.iter().map(|cell| PathBuf::from(&cell.file)).collect();
    let files: Vec<PathBuf> = files.into_iter().filter(|path| path.exists()).collect();
    let loaded = loader.each(&files, Loader::scenario);
    let (mut cells, mut problems) = (BTreeMap::new(), Vec::new());
    for (path, (loaded, found)) in files.iter().zip(loaded) {
        problems.extend(found);
        for cell in loaded.into_iter().flat_map(|loaded| loaded.cells) {
            cells.insert((path.to_string_lossy().into_owned(), cell.axes.clone()), cell);
        }
    }
    let problems = report::distinct(problems, &loader.sources);
    match terminal.problems_of_files(&problems, &loader.sources) {
        ExitCode::Fine => Ok(cells),
        code => Err(code),
    }
}

fn replayed(then: &RecordedCell, cells: &BTreeMap<CellKey, Cell>, schedule: Option<(u64, u64)>) -> Replayed {
    let Some(cell) = cells.get(&(then.file.clone(), then.axes.clone())) else { return Replayed::Gone };
    let edition = edition_of(then);
    let skipped = live_settings::why_not_on_sim(cell, edition.profile);
    let played: Result<RunResult, String> = match (skipped, schedule) {
        (Some(reason), _) => Err(reason),
        (None, None) => Ok(rehearse(cell, edition, false)),
        (None, Some((number, seed))) => play_schedule(cell, edition, seed, number)
            .map(|explored| explored.played)
            .ok_or_else(|| format!("it has no schedule {number}")),
    };
    let names = (then.file.as_str(), then.name.as_str(), then.broker.as_str());
    let now = recorded_run(names, cell, edition, false, played.as_ref().map_err(String::as_str));
    match record_differences(then, &now) {
        none if none.is_empty() => Replayed::Same,
        some => Replayed::Differs(some),
    }
}

/// Returns the rules by which a cell was played; of a real broker those of its release.
fn edition_of(then: &RecordedCell) -> Edition {
    let version = then.release.parse::<Version>().unwrap_or(Profile::NEWEST.version());
    let permits: Permits = then.permits.iter().filter_map(|name| name.parse::<DeprecatedFeature>().ok()).collect();
    let plugins: Plugins = then.plugins.iter().filter_map(|name| name.parse::<Plugin>().ok()).collect();
    Edition::of_release(Profile::nearest(version), &then.release, permits).with_plugins(plugins)
}

fn tell(then: &RecordedCell, replayed: &Replayed, width: usize, is_json: bool, terminal: &Terminal) {
    let (word, differences): (&str, &[String]) = match replayed {
        Replayed::Same => ("same", &[]),
        Replayed::Differs(differences) => ("differs", differences),
        Replayed::Gone => ("gone", &[]),
    };
    if is_json {
        let json = json!({
            "type": "cell", "name": then.name, "file": then.file, "axes": then.axes, "broker": then.broker,
            "replay": word, "differences": differences,
        });
        return terminal.print(&json.to_string());
    }
    let on = if then.live { format!("{}, by the rules of {}", then.broker, then.release) } else { then.broker.clone() };
    let line = format!("{word:>7}  {:width$}  {on}", then.name);
    match replayed {
        Replayed::Same => terminal.status(&line),
        _ => terminal.print(&line),
    }
    for difference in differences {
        let indented: Vec<String> = difference.lines().map(|line| format!("         {line}")).collect();
        terminal.print(&indented.join("\n"));
    }
}
