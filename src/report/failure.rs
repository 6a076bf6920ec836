//! Failed cells for a reader: the line, what was expected and found, what led there, and how to repeat it.
//! The first one in full, the others with the command that tells their story; what several brokers share is told once, and
//! so is each help.

use crate::player::{Circumstances, Failure, Verdict};
use crate::report::problem::draw_one;
use crate::report::story::before;
use crate::report::{CellReport, Palette};
use crate::source::{Problem, Sources};
use std::collections::BTreeSet;

/// How failures are written.
#[derive(Debug, Clone, Copy)]
pub struct Page<'s> {
    /// Where failures point to.
    pub sources: &'s Sources,
    /// In columns.
    pub width: usize,
    /// Colours, or none.
    pub palette: Palette,
}

/// Writes all failed and changed cells of a run.
pub fn failures_text(cells: &[CellReport], page: Page<'_>) -> String {
    let mut groups: Vec<Vec<&CellReport>> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.is_bad()) {
        match groups.iter_mut().find(|group| is_same(group[0], cell)) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    let mut helps = BTreeSet::new();
    let texts = groups.iter().enumerate().map(|(number, group)| group_text(group, number == 0, &mut helps, page));
    texts.collect()
}

/// Writes all that is known of one failed or changed cell.
pub fn failure_text(cell: &CellReport, page: Page<'_>) -> String {
    group_text(&[cell], true, &mut BTreeSet::new(), page)
}

/// Returns whether two cells failed alike: the same cell on two brokers, for the same reasons.
fn is_same(one: &CellReport, other: &CellReport) -> bool {
    let reasons = |cell: &CellReport| -> Vec<Failure> {
        let failures = cell.played.iter().flat_map(|played| &played.failures).cloned();
        let comparable = |failure: Failure| {
            let circumstances = Circumstances { under_way: Vec::new(), ..failure.circumstances };
            Failure { moment: Default::default(), sequence: 0, circumstances, ..failure }
        };
        failures.map(comparable).collect()
    };
    one.cell == other.cell
        && one.verdict == other.verdict
        && one.snapshot_words == other.snapshot_words
        && reasons(one) == reasons(other)
}

fn group_text(group: &[&CellReport], full: bool, helps: &mut BTreeSet<String>, page: Page<'_>) -> String {
    let Page { sources, width, palette } = page;
    let cell = group[0];
    let brokers: Vec<&str> = group.iter().map(|cell| cell.broker.as_str()).collect();
    let mut text = format!("\n{}\n", palette.strong(&format!("{} on {}{}", cell.name, listed(&brokers), cell.tries())));
    for (number, failure) in cell.played.iter().flat_map(|played| &played.failures).enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text.push_str(&draw_one(&as_problem(failure, helps), sources, width, palette.colour));
        if let Some(played) = cell.played.as_ref().filter(|_| full && number == 0) {
            text.push_str(&before(failure, &played.timeline, cell.simulated.as_ref(), sources, palette));
        }
    }
    if cell.verdict == Verdict::Changed
        && let Some(words) = &cell.snapshot_words
    {
        text.push_str(&coloured_difference(words, palette));
    }
    text.truncate(text.trim_end().len());
    let is_cut = !full && cell.played.as_ref().is_some_and(|played| !played.failures.is_empty());
    let again = if is_cut { "again, with its story:" } else { "again:" };
    text.push_str(&format!("\n\n  {} {}\n", palette.dim(again), cell.again_with(group)));
    text
}

/// Makes a problem of a failure, so that both are drawn alike; a help is told once.
fn as_problem(failure: &Failure, helps: &mut BTreeSet<String>) -> Problem {
    let findings = failure.findings.iter();
    let words: Vec<String> =
        findings.map(|one| format!("{}: expected {}, found {}", one.field, one.expected, one.found)).collect();
    let label = if words.is_empty() { "here".to_owned() } else { words.join("\n") };
    let problem = Problem::new(failure.code, failure.message.clone()).at(failure.span, label);
    match failure.help.as_ref().filter(|help| helps.insert((*help).clone())) {
        Some(help) => problem.help(help.clone()),
        None => problem,
    }
}

/// Colours a difference, indented by two.
pub fn coloured_difference(difference: &str, palette: Palette) -> String {
    let line = |line: &str| match line.chars().next() {
        Some('-') => palette.bad(line),
        Some('+') => palette.good(line),
        _ => line.to_owned(),
    };
    difference.lines().map(|text| format!("  {}\n", line(text))).collect()
}

/// Writes `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
