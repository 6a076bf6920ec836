//! A run as JUnit XML: a suite per broker, a case per cell.

use super::CellReport;
use super::failure::failure_text;
use super::palette::Palette;
use crate::play::Verdict;
use crate::source::Sources;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Writes the report; an error is the writer's own.
pub fn junit(cells: &[CellReport], sources: &Sources) -> Result<String, String> {
    let mut report = Report::new("rmqplay");
    let mut brokers: Vec<&str> = Vec::new();
    for cell in cells {
        if !brokers.contains(&cell.broker.as_str()) {
            brokers.push(&cell.broker);
        }
    }
    for broker in brokers {
        let mut suite = TestSuite::new(broker);
        for cell in cells.iter().filter(|cell| cell.broker == broker) {
            suite.add_test_case(case(cell, sources));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}

fn case(cell: &CellReport, sources: &Sources) -> TestCase {
    let mut status = match &cell.verdict {
        Verdict::Passed | Verdict::New | Verdict::Flaky(_) => TestCaseStatus::success(),
        Verdict::Skipped(_) => TestCaseStatus::skipped(),
        Verdict::Failed | Verdict::Changed => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    match &cell.verdict {
        Verdict::Skipped(reason) => drop(status.set_message(reason.clone())),
        Verdict::Failed => {
            let failures = cell.played.iter().flat_map(|played| &played.failures);
            status.set_message(failures.map(|failure| failure.message.as_str()).collect::<Vec<_>>().join("; "));
            status.set_description(failure_text(cell, sources, 100, Palette { colour: false }));
        }
        Verdict::Changed => {
            status.set_message("the outcome differs from the snapshot");
            status.set_description(cell.snapshot_words.clone().unwrap_or_default());
        }
        Verdict::Passed | Verdict::New | Verdict::Flaky(_) => {}
    }
    let mut case = TestCase::new(cell.name.clone(), status);
    case.set_classname(cell.file.clone());
    case.set_time(cell.real);
    case
}
