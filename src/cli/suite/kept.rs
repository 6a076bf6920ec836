//! Keeps what a run came to for the next one: verdicts for `--rerun-failed`, times for `--shard`.

use crate::cli::arguments::RunOptions;
use crate::cli::select::ToPlay;
use crate::cli::suite::narrowed::{CellKey, key_of};
use crate::cli::terminal::Terminal;
use crate::io::{LastPlay, PlayKey, keep_last_run};
use crate::player::Verdict;
use crate::report::CellReport;
use std::path::Path;
use std::time::Duration;

/// Lists what reports came to, but those of cells that were not played.
pub(crate) fn plays_of<'r>(
    command: &'r RunOptions,
    cells: &'r [ToPlay],
    reports: &'r [CellReport],
) -> impl Iterator<Item = (PlayKey, LastPlay)> + 'r {
    let is_played = |report: &&CellReport| !matches!(report.verdict, Verdict::Skipped(_));
    reports.iter().filter(is_played).filter_map(|report| {
        let key = key_of(cells.get(report.cell)?);
        Some(play_of(command, key, &report.broker_argument, (&report.verdict, report.real)))
    })
}

/// Makes what is kept of a cell that was played on a broker.
pub(crate) fn play_of(
    command: &RunOptions,
    (file, name): CellKey,
    broker: &str,
    (verdict, real): (&Verdict, Duration),
) -> (PlayKey, LastPlay) {
    // All shards go by the same times, whichever is played first: none of them changes any.
    let is_timed = command.suite.shard.is_none();
    let micros = is_timed.then(|| u64::try_from(real.as_micros()).unwrap_or(u64::MAX));
    ((file, name, broker.to_owned()), LastPlay { verdict: verdict.as_str().into(), micros })
}

/// Keeps what was played, and forgets cells that are no more. It is a convenience: what cannot be written is said, and no failure.
pub(crate) fn keep(plays: impl Iterator<Item = (PlayKey, LastPlay)>, gone: &[CellKey], terminal: &Terminal) {
    let mut plays = plays.peekable();
    if plays.peek().is_none() && gone.is_empty() {
        return;
    }
    if let Err(why) = keep_last_run(Path::new(""), plays, gone)
        && !terminal.quiet
    {
        terminal.error(&format!("what this run came to is not kept for --rerun-failed and --shard: {why}"));
    }
}
