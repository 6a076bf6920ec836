//! A run as JSON: one object per cell and one summary, for machines to read line by line.

use crate::player::{Failure, Verdict};
use crate::report::cell::is_telling;
use crate::report::event::event_in_words;
use crate::report::summary::{VERDICTS, count};
use crate::report::{BrokerError, CellReport, error_json};
use crate::source::Sources;
use serde_json::{Value as Json, json};

/// Returns one cell; `trace` adds what happened.
pub fn cell_json(cell: &CellReport, sources: &Sources, trace: bool) -> Json {
    let played = cell.played.as_ref();
    let failures: Vec<Json> =
        played.iter().flat_map(|played| &played.failures).map(|failure| failure_json(failure, sources)).collect();
    let reason = match &cell.verdict {
        Verdict::Skipped(reason) => Some(reason),
        _ => None,
    };
    let mut shown = json!({
        "type": "cell",
        "name": cell.name,
        "file": cell.file,
        "axes": cell.axes,
        "title": cell.title,
        "broker": cell.broker,
        "verdict": cell.verdict.as_str(),
        "reason": reason,
        "took_ms": played.map(|played| played.took.0),
        "real_ms": in_ms(cell.real),
        "deliveries": played.map(|played| played.deliveries),
        "failures": failures,
        "attempts": cell.earlier.len() + 1,
        "snapshot": cell.snapshot_words,
        "again": cell.again(),
    });
    if trace && let (Some(played), Some(shown)) = (played, shown.as_object_mut()) {
        let entries = played.timeline.entries().filter(|entry| is_telling(entry));
        let entries: Vec<Json> =
            entries.map(|one| json!({ "at_ms": one.moment.0, "what": event_in_words(&one.what) })).collect();
        shown.insert("timeline".into(), entries.into());
    }
    shown
}

/// Returns a whole run as one document: what `--json` writes line by line.
pub fn run_json(cells: Vec<Json>, errors: &[BrokerError], summary: &Json) -> Json {
    let errors: Vec<Json> = errors.iter().map(error_json).collect();
    json!({ "cells": cells, "errors": errors, "summary": summary })
}

/// Returns milliseconds to a microsecond: more is noise.
pub(crate) fn in_ms(real: std::time::Duration) -> f64 {
    (real.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

fn failure_json(failure: &Failure, sources: &Sources) -> Json {
    let place = sources.position(failure.span);
    let findings = failure.findings.iter();
    let findings: Vec<Json> =
        findings.map(|one| json!({ "field": one.field, "expected": one.expected, "found": one.found })).collect();
    json!({
        "code": failure.code.text(),
        "message": failure.message,
        "file": sources.get(failure.span.file).name,
        "line": place.line,
        "column": place.column,
        "at_ms": failure.moment.0,
        "findings": findings,
        "help": failure.help,
    })
}

/// Returns the counts of a run, and the files that wait for a review.
pub fn summary_json(cells: &[CellReport], pending: &[String], real: std::time::Duration) -> Json {
    let mut shown = json!({ "type": "summary", "cells": cells.len() });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(VERDICTS.map(|verdict| (verdict.as_str().to_owned(), count(cells, &verdict).into())));
        shown.insert("pending".into(), pending.into());
        shown.insert("real_ms".into(), json!(in_ms(real)));
    }
    shown
}
