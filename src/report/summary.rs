//! The end of a run: how many cells ended how, and with several brokers a column for each.

use crate::model::{Millis, counted};
use crate::player::Verdict;
use crate::report::cell::{duration_in_words, mark, word};
use crate::report::{CellReport, Palette};
use std::mem::discriminant;

/// How many rows the table has at most before cells that passed everywhere are left out.
const ROWS_MAX: usize = 40;

/// The verdicts that the summary counts, in its order.
pub(crate) const VERDICTS: [Verdict; 6] = [
    Verdict::Passed,
    Verdict::Flaky(0),
    Verdict::New,
    Verdict::Changed,
    Verdict::Failed,
    Verdict::Skipped(String::new()),
];

/// Cells that passed on all brokers of a run, of which nothing more is known.
#[derive(Debug, Clone, Default)]
pub struct PassedCells {
    /// As reports name them, in the order of the run.
    pub brokers: Vec<String>,
    /// How many: each counts once for each broker.
    pub cells: usize,
    /// The scenarios' own time on all brokers.
    pub took: Millis,
}

impl PassedCells {
    fn plays(&self) -> usize {
        self.cells * self.brokers.len()
    }
}

/// Counts the cells of a verdict, whatever its details.
pub(crate) fn count(cells: &[CellReport], verdict: &Verdict) -> usize {
    cells.iter().filter(|cell| discriminant(&cell.verdict) == discriminant(verdict)).count()
}

/// Sums up all cells in a line, with those of which only is known that they passed.
pub fn summary(cells: &[CellReport], passed: &PassedCells, real: std::time::Duration, palette: Palette) -> String {
    let more = |verdict: &Verdict| if *verdict == Verdict::Passed { passed.plays() } else { 0 };
    let parts = VERDICTS.map(|verdict| (count(cells, &verdict) + more(&verdict), verdict));
    let parts = parts.into_iter().filter(|(n, verdict)| *n > 0 || *verdict == Verdict::Passed);
    let parts = parts.map(|(n, verdict)| mark(&verdict, &format!("{n} {}", verdict.as_str()), palette));
    let parts: Vec<String> = parts.collect();
    let own: u64 =
        cells.iter().filter_map(|cell| cell.played.as_ref()).map(|played| played.took.0).sum::<u64>() + passed.took.0;
    let times = format!("{} of the scenarios' time in {}", Millis(own), duration_in_words(real));
    format!(
        "{}: {} {}",
        counted(cells.len() + passed.plays(), "cell"),
        parts.join(", "),
        palette.dim(&format!("({times})"))
    )
}

/// Lists the brokers of a run, in its order.
pub(crate) fn brokers(cells: &[CellReport]) -> Vec<&str> {
    let mut brokers: Vec<&str> = Vec::new();
    for cell in cells {
        if !brokers.contains(&cell.broker.as_str()) {
            brokers.push(&cell.broker);
        }
    }
    brokers
}

/// Draws a row per cell and a column per broker; `None` when one broker played. Cells of which only is known that they passed are
/// more than the table has rows for.
pub fn brokers_table(cells: &[CellReport], passed: &PassedCells, palette: Palette) -> Option<String> {
    let brokers = match passed.cells {
        0 => brokers(cells),
        _ => passed.brokers.iter().map(String::as_str).collect(),
    };
    if brokers.len() < 2 {
        return None;
    }
    let rows = cells.iter().map(|cell| cell.cell + 1).max().unwrap_or(0);
    let mut table: Vec<Vec<Option<&CellReport>>> = vec![vec![None; brokers.len()]; rows];
    for cell in cells {
        let column = brokers.iter().position(|broker| *broker == cell.broker).unwrap_or(0);
        table[cell.cell][column] = Some(cell);
    }
    table.retain(|row| row.iter().any(Option::is_some));
    let all = table.len() + passed.cells;
    if all > ROWS_MAX {
        table.retain(|row| row.iter().flatten().any(|cell| cell.verdict != Verdict::Passed));
    }
    let name =
        |row: &[Option<&CellReport>]| row.iter().flatten().next().map_or(String::new(), |cell| cell.name.clone());
    let width = table.iter().map(|row| name(row).chars().count()).max().unwrap_or(0);
    let heads: String = brokers.iter().map(|broker| format!("  {broker}")).collect();
    let mut text = format!("{}\n", palette.dim(&format!("{:width$}{heads}", "")));
    for row in &table {
        text.push_str(&format!("{:width$}", name(row)));
        for (broker, cell) in brokers.iter().zip(row) {
            let width = broker.chars().count();
            text.push_str("  ");
            text.push_str(&match cell {
                Some(cell) => mark(&cell.verdict, &format!("{:width$}", word(&cell.verdict)), palette),
                None => format!("{:width$}", "-"),
            });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    if table.len() < all {
        text.push_str(&palette.dim(&format!("and {} that passed on all of them\n", all - table.len())));
    }
    Some(text)
}
