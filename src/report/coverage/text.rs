//! Coverage as text: counts for each file, and what nothing exercised, at its line.

use crate::foresee::{CoverageCount, CoverageRecord, FileCoverage};
use crate::model::counted;
use crate::report::Palette;
use crate::report::coverage::words::{kind_word, what_is_missing};
use crate::rules::TOLD_RULES;
use crate::source::Sources;

/// How many things of a file are listed that nothing exercised.
const LISTED_MAX: usize = 25;

/// Tells what was exercised of each file, and of all together.
pub fn coverage_text(record: &CoverageRecord, sources: &Sources, palette: Palette) -> String {
    let mut out = String::new();
    for (name, file) in &record.files {
        out.push_str(&file_text(name, file, sources, palette));
    }
    let total = record.total();
    if record.files.is_empty() {
        out.push_str("coverage: no cell uses a topology file; what a scenario declares for itself is not counted\n");
        return out;
    }
    let head = palette.strong(&format!("coverage: {}", share(total)));
    let rules = record.rules.iter().filter(|rule| TOLD_RULES.contains(rule)).count();
    let files = counted(record.files.len(), "topology file");
    let told = TOLD_RULES.len();
    out.push_str(&format!("{head} of {files}; {rules} of the {told} rules that traces cite were at work\n"));
    if record.cut {
        out.push_str(
            "  a cell had more than 20,000 different routing keys or headers: later ones were not looked at\n",
        );
    }
    out
}

fn file_text(name: &str, file: &FileCoverage, sources: &Sources, palette: Palette) -> String {
    let kinds: Vec<String> = file
        .by_kind()
        .into_iter()
        .map(|(kind, count)| format!("{} {} of {}", kind_word(kind).0, count.exercised, count.of))
        .collect();
    let by = counted(file.scenarios.len(), "scenario");
    let mut out = format!("{}: {} by {by}\n", palette.strong(name), share(file.total()));
    out.push_str(&format!("  {}\n", palette.dim(&kinds.join(", "))));
    let missing = file.items.iter().filter(|(_, found)| !found.exercised);
    let mut missing: Vec<(usize, String)> =
        missing.map(|(item, found)| (sources.position(found.span).line, what_is_missing(item))).collect();
    missing.sort();
    let width = missing.last().map_or(0, |(line, _)| line.to_string().len());
    for (line, words) in missing.iter().take(LISTED_MAX) {
        out.push_str(&format!("  {} {words}\n", palette.dim(&format!("line {line:width$}"))));
    }
    if missing.len() > LISTED_MAX {
        let more = missing.len() - LISTED_MAX;
        out.push_str(&format!("  and {more} more: --coverage=json:FILE lists all\n"));
    }
    out
}

fn share(count: CoverageCount) -> String {
    format!("{} of {} ({} %)", count.exercised, count.of, short_percent(count.percent()))
}

/// Writes a percentage with one decimal place, rounded down so that only all is 100; whole ones without it.
pub fn short_percent(percent: f64) -> String {
    let tenths = (percent * 10.0 + 1e-9).floor() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}
