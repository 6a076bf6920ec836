//! One cell on one broker, as the page shows it.
//! Takes its report; returns data that are written at once and not kept.

use crate::model::Scenario;
use crate::player::{Failure, Timeline, TimelineEvent, Verdict};
use crate::report::json::in_ms;
use crate::report::page::timeline::{PageTimeline, page_timeline};
use crate::report::story::before;
use crate::report::{CellReport, Palette, Simulated};
use crate::source::{FileId, Sources, Span};
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// All that is shown of a cell.
#[derive(Debug, Serialize)]
pub struct PageCell<'a> {
    /// Its place among the cells of the run.
    cell: usize,
    name: &'a str,
    file: &'a str,
    axes: &'a BTreeMap<String, String>,
    title: &'a str,
    /// Its place among the brokers of the page.
    broker: usize,
    verdict: &'static str,
    reason: Option<&'a str>,
    took_ms: Option<u64>,
    real_ms: f64,
    deliveries: u64,
    attempts: usize,
    again: String,
    /// The place of the text among the sources of the page.
    source: Option<usize>,
    expectations: Vec<JudgedLine>,
    failures: Vec<PageFailure<'a>>,
    notes: Vec<(usize, &'a str)>,
    snapshot: Option<&'a str>,
    outcome: Option<&'a str>,
    queues: Option<Vec<QueueAtEnd<'a>>>,
    /// The place of the topology among the graphs of the page.
    pub graph: Option<usize>,
    timeline: Option<PageTimeline<'a>>,
}

/// An expectation that was judged: its line, when, and whether it held.
#[derive(Debug, Serialize)]
struct JudgedLine(usize, u64, bool);

/// What failed, and what led there.
#[derive(Debug, Serialize)]
struct PageFailure<'a> {
    line: usize,
    at_ms: u64,
    code: &'static str,
    message: &'a str,
    findings: Vec<[&'a str; 3]>,
    help: Option<&'a str>,
    /// The stories of the messages that it is about.
    before: String,
}

/// What a queue held at the end.
#[derive(Debug, Serialize)]
struct QueueAtEnd<'a> {
    vhost: &'a str,
    name: &'a str,
    ready: u64,
    unacked: u64,
}

/// Reads the report of a cell.
pub fn page_cell<'a>(report: &'a CellReport, broker: usize, source: Option<usize>, sources: &Sources) -> PageCell<'a> {
    let played = report.played.as_ref();
    let line = |span: Span| sources.position(span).line;
    let judged = played.into_iter().flat_map(|played| played.timeline.entries());
    let expectations = judged.filter_map(|entry| match entry.what {
        TimelineEvent::Judged { span, holds } => Some(JudgedLine(line(span), entry.moment.0, holds)),
        _ => None,
    });
    let failures = played.map_or(Vec::new(), |played| {
        told_failures(&played.failures, &played.timeline, report.simulated.as_ref(), sources)
    });
    let queues = played.and_then(|played| played.outcome.as_ref()).map(|outcome| {
        let of_queue = outcome.queues.iter().map(|(queue, held)| QueueAtEnd {
            vhost: &queue.vhost,
            name: &queue.name,
            ready: held.ready,
            unacked: held.unacked,
        });
        of_queue.collect()
    });
    PageCell {
        cell: report.cell,
        name: &report.name,
        file: &report.file,
        axes: &report.axes,
        title: &report.title,
        broker,
        verdict: report.verdict.as_str(),
        reason: match &report.verdict {
            Verdict::Skipped(reason) => Some(reason),
            _ => None,
        },
        took_ms: played.map(|played| played.took.0),
        real_ms: in_ms(report.real),
        deliveries: played.map_or(0, |played| played.deliveries),
        attempts: report.earlier.len() + 1,
        again: report.again(),
        source,
        expectations: expectations.collect(),
        failures,
        notes: played.into_iter().flat_map(|it| &it.notes).map(|(span, note)| (line(*span), &**note)).collect(),
        snapshot: report.snapshot_words.as_deref(),
        outcome: report.body.as_deref(),
        queues,
        graph: None,
        timeline: played.map(|played| page_timeline(&played.timeline, sources)),
    }
}

fn told_failures<'a>(
    failures: &'a [Failure],
    timeline: &Timeline,
    simulated: Option<&Simulated>,
    sources: &Sources,
) -> Vec<PageFailure<'a>> {
    let plain = Palette { colour: false };
    let told = failures.iter().map(|failure| PageFailure {
        line: sources.position(failure.span).line,
        at_ms: failure.moment.0,
        code: failure.code.text(),
        message: &failure.message,
        findings: failure.findings.iter().map(|one| [&*one.field, &*one.expected, &*one.found]).collect(),
        help: failure.help.as_deref(),
        before: before(failure, timeline, simulated, sources, plain),
    });
    told.collect()
}

/// Writes what failed in a run under way, each with what led there.
pub(crate) fn page_failures(failures: &[Failure], timeline: &Timeline, sources: &Sources) -> Json {
    serde_json::to_value(told_failures(failures, timeline, None, sources)).unwrap_or_default()
}

/// Returns the file that the places of a run point into.
pub fn file_of(scenario: &Scenario) -> Option<FileId> {
    let steps = scenario.steps.iter().chain(&scenario.at_end).chain(&scenario.finally);
    steps.map(|step| step.span).find(|span| !span.is_in_no_file()).map(|span| span.file)
}
