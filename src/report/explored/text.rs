//! An explored cell, and one schedule, as text.

use crate::model::counted;
use crate::player::RunResult;
use crate::report::explored::{ExploredCell, fact_in_words, lines_of, shared_beginning, shared_end, why_not_counted};
use crate::report::{CellReport, Palette};
use crate::simulate::{ChoiceKind, Exploration, Explored, Fact, FactValue, Schedule, Total};
use crate::source::Sources;
use std::collections::BTreeMap;

/// How many lines of a timeline are shown from where it parts.
const LINES_MAX: usize = 14;

/// How many parts of a value are shown.
const PARTS_MAX: usize = 12;

/// How many that follow one another and are the same in all values are shown.
const SAME_MAX: usize = 2;

/// How many values of a fact are shown.
const VALUES_MAX: usize = 6;

/// Tells what varied in a cell; a line alone where nothing did.
pub fn explored_text(cell: &ExploredCell, width: usize, sources: &Sources, palette: Palette) -> String {
    let exploration = &cell.exploration;
    let failed = exploration.failed > 0;
    let mark = if failed { palette.bad("   FAIL") } else { palette.good("   PASS") };
    let mut text =
        format!("{mark}  {:<width$}  {}  {}\n", cell.report.name, palette.dim(&cell.report.broker), head(exploration));
    if let Some(why) = why_not_counted(exploration.total) {
        text.push_str(&format!("    {}\n", palette.dim(&format!("how many there are in all is not counted: {why}"))));
    }
    for (fact, values) in &exploration.varied {
        text.push_str(&fact_text(fact, values, sources, palette));
    }
    if !exploration.kinds.is_empty() && !exploration.varied.is_empty() {
        text.push_str(&format!("    {}\n", palette.dim("schedules that chose otherwise")));
        text.push_str(&kinds_text(&exploration.kinds));
    }
    if let (Some((one, other)), Some(pair)) = (&cell.exploration.pair, &cell.pair) {
        text.push_str(&pair_text(cell, (one, other), pair, sources, palette));
    }
    text.trim_end().to_owned()
}

fn head(exploration: &Exploration) -> String {
    let schedules = counted(exploration.schedules as usize, "schedule");
    let all = match exploration.total {
        Total::Exactly(_) if exploration.is_whole() => format!("{schedules}, all there are"),
        Total::Exactly(total) => format!("{} of {}", exploration.schedules, counted(total as usize, "schedule")),
        Total::AtLeast(total, _) => {
            format!("{} of at least {}", exploration.schedules, counted(total as usize, "schedule"))
        }
    };
    let failed = match exploration.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let varied = match exploration.varied.len() {
        0 if exploration.is_whole() => "nothing varies".to_owned(),
        0 => "nothing varies in these".to_owned(),
        1 => "1 fact varies".to_owned(),
        n => format!("{n} facts vary"),
    };
    format!("{all}{failed}; {varied}")
}

fn fact_text(fact: &Fact, values: &[FactValue], sources: &Sources, palette: Palette) -> String {
    let name = fact_in_words(fact, sources);
    let mut text = match fact {
        Fact::Expectation(_) => format!("    {}\n", palette.bad(&name)),
        _ => format!("    {}\n", palette.odd(&format!("note: {name}"))),
    };
    let told = &values[..values.len().min(VALUES_MAX)];
    for (value, shown) in told.iter().zip(told_apart(told)) {
        let from = if value.first > 0 { format!("from {}", value.first) } else { String::new() };
        text.push_str(&format!("      {:>7}  {:<9}  {shown}\n", value.schedules, from));
    }
    if values.len() > VALUES_MAX {
        text.push_str(&format!("      and {} more\n", counted(values.len() - VALUES_MAX, "value")));
    }
    text
}

/// Shows values as far as they differ: of lists, what stands at the same place in all is left out where it is long.
fn told_apart(values: &[FactValue]) -> Vec<String> {
    let all: Vec<Vec<&str>> = values.iter().map(|value| value.shown.split(", ").collect()).collect();
    let is_same = |at: &usize| all.iter().all(|parts| parts.get(*at).is_some() && parts.get(*at) == all[0].get(*at));
    let shown = |parts: &Vec<&str>| {
        let (mut shown, mut at) = (Vec::new(), 0);
        while at < parts.len() {
            let same = (at..parts.len()).take_while(is_same).count();
            match same {
                0 => shown.push(parts[at]),
                1..=SAME_MAX => shown.extend(&parts[at..at + same]),
                _ => shown.push("…"),
            }
            at += same.max(1);
        }
        let more = shown.len().saturating_sub(PARTS_MAX);
        shown.truncate(PARTS_MAX);
        let shown = shown.join(", ");
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    };
    all.iter().map(shown).collect()
}

fn kinds_text(kinds: &BTreeMap<ChoiceKind, u64>) -> String {
    let line =
        |(kind, count): (&ChoiceKind, &u64)| format!("      {count:>7}  {} [{}]\n", kind.sentence(), kind.rule());
    kinds.iter().map(line).collect()
}

fn pair_text(
    cell: &ExploredCell,
    (one, other): (&Schedule, &Schedule),
    (first, second): &(RunResult, RunResult),
    sources: &Sources,
    palette: Palette,
) -> String {
    let (left, right) = (lines_of(first, sources), lines_of(second, sources));
    let shared = shared_beginning(&left, &right);
    let end = shared_end(&left[shared..], &right[shared..]);
    let mut text = format!("    {}", palette.dim("the two shortest timelines that differ"));
    let same = if shared > 0 { format!(", after {} that they share", counted(shared, "line")) } else { String::new() };
    text.push_str(&format!("{same}\n"));
    for (schedule, lines) in [(one, left), (other, right)] {
        text.push_str(&format!("      {}\n", palette.strong(&schedule_in_words(schedule))));
        let own = &lines[shared..lines.len() - end];
        for line in own.iter().take(LINES_MAX) {
            text.push_str(&format!("      {line}\n"));
        }
        if own.len() > LINES_MAX {
            text.push_str(&format!("      … {} more of its own\n", counted(own.len() - LINES_MAX, "line")));
        }
    }
    if end > 0 {
        text.push_str(&format!("      then both: {}\n", counted(end, "line")));
    }
    text.push_str(&format!("    repeat schedule {}: {}\n", other.number, cell.again(other)));
    text
}

/// Names a schedule and what it chose otherwise.
fn schedule_in_words(schedule: &Schedule) -> String {
    let kinds: Vec<String> =
        schedule.kinds.iter().map(|kind| format!("{} [{}]", kind.sentence(), kind.rule())).collect();
    match kinds.as_slice() {
        [] => format!("schedule {}, as a plain run", schedule.number),
        kinds => format!("schedule {}: {}", schedule.number, kinds.join("; ")),
    }
}

/// Tells one schedule: what it chose otherwise, and its timeline.
pub fn schedule_text(explored: &Explored, report: &CellReport, sources: &Sources, palette: Palette) -> String {
    let mut text = format!("{}  {}\n", report.name, palette.strong(&schedule_in_words(&explored.schedule)));
    lines_of(&explored.played, sources).iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text.trim_end().to_owned()
}
