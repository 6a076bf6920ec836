//! An explored cell, and one schedule, as JSON.

use crate::report::cell::is_telling;
use crate::report::event::event_in_words;
use crate::report::explored::{ExploredCell, fact_in_words, lines_of, shared_beginning, why_not_counted};
use crate::report::{CellReport, cell_json};
use crate::simulate::{Explored, Fact, Schedule, Total};
use crate::source::Sources;
use serde_json::{Value as Json, json};

/// Returns one explored cell: the cell with what came of its schedules.
pub fn explored_json(cell: &ExploredCell, sources: &Sources) -> Json {
    let exploration = &cell.exploration;
    let varied = exploration.varied.iter().map(|(fact, values)| {
        let values: Vec<Json> = values
            .iter()
            .map(|value| json!({ "value": value.shown, "schedules": value.schedules, "first": value.first }))
            .collect();
        json!({ "kind": kind_of(fact), "name": fact_in_words(fact, sources), "values": values })
    });
    let kinds = exploration.kinds.iter();
    let kinds = kinds.map(|(kind, count)| json!({ "kind": kind.as_str(), "rule": kind.rule(), "schedules": count }));
    let pair = exploration.pair.as_ref().zip(cell.pair.as_ref()).map(|((one, other), (first, second))| {
        let (left, right) = (lines_of(first, sources), lines_of(second, sources));
        let shared = shared_beginning(&left, &right);
        let told = |schedule: &Schedule, lines: &[String]| {
            let lines: Vec<&str> = lines[shared..].iter().map(|line| line.trim()).collect();
            json!({ "schedule": chosen_json(schedule), "again": cell.again(schedule), "from_there": lines })
        };
        json!({ "shared_lines": shared, "timelines": [told(one, &left), told(other, &right)] })
    });
    let (total, at_least) = match exploration.total {
        Total::Exactly(total) => (Some(total), None),
        Total::AtLeast(met, _) => (None, Some(met)),
    };
    let mut shown = cell_json(&cell.report, sources, false);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert(
            "explored".into(),
            json!({
                "schedules": exploration.schedules,
                "whole": exploration.is_whole(),
                "total": total,
                "at_least": at_least,
                "not_counted": why_not_counted(exploration.total),
                "failed": exploration.failed,
                "seed": cell.seed,
                "varied": varied.collect::<Vec<_>>(),
                "choices": kinds.collect::<Vec<_>>(),
                "pair": pair,
            }),
        );
    }
    shown
}

fn kind_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::Expectation(_) => "expectation",
        Fact::Publishes(_) => "publishes",
        Fact::Queue(_) => "queue",
        Fact::Consumer(_) => "consumer",
        Fact::Refusals => "refusals",
        Fact::Replies => "replies",
    }
}

fn chosen_json(schedule: &Schedule) -> Json {
    let choices = schedule.kinds.iter().map(|kind| json!({ "kind": kind.as_str(), "rule": kind.rule() }));
    json!({ "number": schedule.number, "failed": schedule.failed, "choices": choices.collect::<Vec<_>>() })
}

/// Returns one schedule with its timeline.
pub fn schedule_json(explored: &Explored, report: &CellReport, sources: &Sources) -> Json {
    let entries = explored.played.timeline.entries().filter(|entry| is_telling(entry));
    let entries: Vec<Json> =
        entries.map(|one| json!({ "at_ms": one.moment.0, "what": event_in_words(&one.what) })).collect();
    let mut shown = cell_json(report, sources, false);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("schedule".into(), chosen_json(&explored.schedule));
        shown.insert("timeline".into(), entries.into());
    }
    shown
}
