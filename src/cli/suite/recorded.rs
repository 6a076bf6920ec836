//! `run --record FILE`: which files a run read, and what each cell came to, as a record that `replay` plays again.

use crate::cli::ExitCode;
use crate::cli::arguments::RunOptions;
use crate::cli::select::ToPlay;
use crate::cli::terminal::Terminal;
use crate::io::{head_of, read_bytes, write_atomically};
use crate::player::Verdict;
use crate::report::{CellReport, RECORD_FORMAT, RecordHead, RecordedCell, RunRecord, recorded_run};
use crate::source::is_secret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files with the SHA-256 of each; `None` for one that is not there.
pub(crate) type FileDigests = BTreeMap<String, Option<String>>;

/// Takes the digest of each file, as it is now.
pub(crate) fn digests(files: &BTreeSet<PathBuf>) -> FileDigests {
    files.iter().map(|path| (path.to_string_lossy().into_owned(), digest_of(path))).collect()
}

fn digest_of(path: &Path) -> Option<String> {
    let bytes = read_bytes(path).ok()?;
    Some(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// How a record begins.
const HEAD: &[u8] = b"{\"rmqplay_record\":";

/// Says why a record cannot be written where it is asked for: something else is there.
pub(crate) fn why_no_record(command: &RunOptions) -> Option<String> {
    let file = command.suite.record.as_ref()?;
    let head = head_of(file, HEAD.len() as u64)?;
    let is_record = head.starts_with(HEAD) || head.is_empty();
    (!is_record).then(|| {
        let file = file.display();
        format!("--record {file} would overwrite {file}, which is no record\n  help: give the record a file of its own")
    })
}

/// Writes the record of a run, where one is asked for.
pub(crate) fn record(
    command: &RunOptions,
    files: FileDigests,
    cells: &[ToPlay],
    reports: &[CellReport],
    terminal: &Terminal,
) -> ExitCode {
    let Some(file) = &command.suite.record else { return ExitCode::Fine };
    match write(file, command, files, cells, reports) {
        Ok(()) => ExitCode::Fine,
        Err(error) => {
            terminal.error(&format!("error: the record could not be written: {error}\n  help: give another file"));
            ExitCode::Environment
        }
    }
}

fn write(
    file: &Path,
    command: &RunOptions,
    files: FileDigests,
    cells: &[ToPlay],
    reports: &[CellReport],
) -> Result<(), String> {
    let (secrets, vars): (Vec<&String>, Vec<&String>) =
        command.vars.vars.iter().partition(|text| text.split_once('=').is_some_and(|(name, _)| is_secret(name.trim())));
    let name_of = |text: &String| text.split('=').next().unwrap_or_default().trim().to_owned();
    let schedule = command.exploring.schedule.map(|number| (number, command.exploring.seed.unwrap_or(0)));
    let head = RecordHead {
        rmqplay_record: RECORD_FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        files,
        vars: vars.into_iter().cloned().collect(),
        secrets: secrets.into_iter().map(name_of).collect(),
        vars_files: command.vars.vars_files.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        schedule,
    };
    let cells = reports.iter().filter_map(|report| recorded(cells.get(report.cell)?, report)).collect();
    write_atomically(file, &RunRecord { head, cells }.text())
}

fn recorded(one: &ToPlay, report: &CellReport) -> Option<RecordedCell> {
    let run = match (&report.played, &report.verdict) {
        (Some(played), _) => Ok(played),
        (None, Verdict::Skipped(reason)) => Err(reason.as_str()),
        (None, _) => return None,
    };
    let live = !report.broker_argument.starts_with("sim:");
    let names = (&*one.path.to_string_lossy(), &*report.name, &*report.broker);
    Some(recorded_run(names, &one.cell, report.edition, live, run))
}
