//! Keeps what a run came to for the next one: verdicts for `--rerun-failed`, times for `--shard`.

use crate::cli::arguments::RunOptions;
use crate::cli::select::ToPlay;
use crate::cli::suite::narrowed::{CellKey, key_of};
use crate::cli::terminal::Terminal;
use crate::io::{LastPlay, PlayKey, keep_last_run};
use crate::player::Verdict;
use crate::report::CellReport;
use std::path::Path;

/// Keeps what was played, and forgets cells that are no more. It is a convenience: what cannot be written is said, and no failure.
pub(crate) fn keep(
    command: &RunOptions,
    cells: &[ToPlay],
    reports: &[CellReport],
    gone: &[CellKey],
    terminal: &Terminal,
) {
    let is_played = |report: &&CellReport| !matches!(report.verdict, Verdict::Skipped(_));
    // All shards go by the same times, whichever is played first: none of them changes any.
    let is_timed = command.suite.shard.is_none();
    let plays: Vec<(PlayKey, LastPlay)> = reports
        .iter()
        .filter(is_played)
        .filter_map(|report| {
            let (file, name) = key_of(cells.get(report.cell)?);
            let micros = is_timed.then(|| u64::try_from(report.real.as_micros()).unwrap_or(u64::MAX));
            let play = LastPlay { verdict: report.verdict.as_str().to_owned(), micros };
            Some(((file, name, report.broker_argument.clone()), play))
        })
        .collect();
    if plays.is_empty() && gone.is_empty() {
        return;
    }
    if let Err(why) = keep_last_run(Path::new(""), plays, gone)
        && !terminal.quiet
    {
        terminal.error(&format!("what this run came to is not kept for --rerun-failed and --shard: {why}"));
    }
}
