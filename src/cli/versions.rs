//! Cells whose outcome differs between the versions of a run: played once more by the rules of both, with their reasons.

use crate::cli::select::ToPlay;
use crate::player::Verdict;
use crate::report::{CellReport, VersionPair};
use crate::rules::Edition;
use crate::simulate::rehearse;

/// How many cells are looked at.
const CELLS_MAX: usize = 5;

/// Finds the cells that end otherwise on two versions, where that is no accepted outcome.
pub(crate) fn differing(cells: &[ToPlay], reports: &[CellReport]) -> Vec<VersionPair> {
    let mut by_cell: Vec<Vec<&CellReport>> = vec![Vec::new(); cells.len()];
    for report in reports {
        if let Some(of_cell) = by_cell.get_mut(report.cell) {
            of_cell.push(report);
        }
    }
    let pairs = std::iter::zip(cells, by_cell).filter_map(|(one, of_cell)| {
        let is_news = |report: &&&CellReport| report.is_bad() || report.verdict == Verdict::New;
        of_cell.iter().find(is_news)?;
        let first = of_cell.first()?;
        let differs = |other: &&&CellReport| first.edition != other.edition && ends_otherwise(first, other);
        let other = of_cell.iter().find(differs)?;
        let editions = [first.edition, other.edition];
        Some(VersionPair {
            name: one.name(),
            brokers: editions.map(Edition::sim_name),
            played: editions.map(|edition| rehearse(&one.cell, edition, true)),
        })
    });
    pairs.take(CELLS_MAX).collect()
}

fn ends_otherwise(one: &CellReport, other: &CellReport) -> bool {
    let failures = |report: &CellReport| report.played.iter().flat_map(|played| &played.failures).count();
    let both_played = one.played.is_some() && other.played.is_some();
    both_played && (one.body != other.body || failures(one) != failures(other))
}
