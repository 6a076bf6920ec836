//! `run` on a simulated broker: cells on all cores, told in order. Takes cells, adds a report of each.

use crate::broker::Exercised;
use crate::cli::live_settings;
use crate::cli::run_reporter::{FAILED_BEFORE, Named, Once, RunReporter};
use crate::cli::select::ToPlay;
use crate::cli::suite::in_order::in_order;
use crate::player::RunResult;
use crate::report::CellReport;
use crate::rules::Edition;
use crate::simulate::{rehearse, rehearse_counting, rehearse_covering};
use std::time::Instant;

/// How the cells of a run are played.
pub(super) struct Rehearsal {
    edition: Edition,
    /// A page tells the reasons and the ways of all cells.
    has_page: bool,
    /// The reasons of all cells are told.
    trace: bool,
    /// What cells come to is added up as numbers.
    counts: bool,
    covers: bool,
}

/// Plays all cells, `jobs` at once; ends early when one failed and --fail-fast was given, or a signal came.
pub(crate) fn play_on_sim(
    stage: &RunReporter<'_>,
    edition: Edition,
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
    jobs: usize,
) {
    let on = Named::sim(edition, stage.command);
    stage.announce(&on.broker, false);
    let has_page = stage.command.report.iter().any(|report| report.starts_with("html:"));
    let rehearsal = Rehearsal {
        edition,
        has_page,
        trace: stage.command.trace,
        counts: stage.command.suite.metrics.is_some(),
        covers: stage.covering.is_asked(),
    };
    let before = reports.len();
    in_order(
        cells.len(),
        jobs,
        |index| rehearsal.play(&cells[index]),
        |index, (mut once, is_covered)| {
            let one = &cells[index];
            if let (true, Some(exercised)) = (is_covered, &once.exercised) {
                stage.covering.add(one, edition, exercised);
            }
            if !has_page {
                once.exercised = None;
            }
            let mut report = stage.judge(index, one, once, &on);
            stage.emit(&report);
            stage.forget_details(&mut report);
            let goes_on = !stage.is_enough(&report) && !stage.is_stopped();
            reports.push(report);
            goes_on
        },
    );
    if stage.is_stopped() {
        return;
    }
    for (index, one) in cells.iter().enumerate().skip(reports.len() - before) {
        let once = Once { skipped: Some(FAILED_BEFORE.to_owned()), ..Once::default() };
        reports.push(stage.judge(index, one, once, &on));
    }
}

/// Returns how many cells of a simulated broker play at once: as many as there are cores, shared by all that play.
pub(crate) fn jobs_of(asked: Option<usize>, brokers: usize) -> usize {
    asked.unwrap_or_else(|| (cores() / brokers.max(1)).max(1))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Rehearsal {
    /// Makes one of which nothing is told but how cells end.
    pub fn plain(edition: Edition) -> Self {
        Self { edition, has_page: false, trace: false, counts: false, covers: false }
    }

    /// Plays a cell; a failed one once more with the sim's reasons, which are the same each time.
    pub fn play(&self, one: &ToPlay) -> (Once, bool) {
        let began = Instant::now();
        if let Some(reason) = live_settings::why_not_on_sim(&one.cell, self.edition.profile) {
            return (Once { skipped: Some(reason), real: began.elapsed(), ..Once::default() }, false);
        }
        let insights = self.has_page || self.trace || self.counts;
        let mut exercised = (self.has_page || self.covers).then(Exercised::default);
        let played = match self.counts {
            true => rehearse_counting(&one.cell, self.edition, exercised.as_mut()),
            false => rehearse_covering(&one.cell, self.edition, insights, exercised.as_mut()),
        };
        let played: RunResult = match played.failures.is_empty() || insights {
            true => played,
            false => rehearse(&one.cell, self.edition, true),
        };
        (Once { played: Some(played), exercised, skipped: None, real: began.elapsed() }, self.covers)
    }
}
