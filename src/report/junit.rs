//! A run as JUnit XML: a suite per broker, a case per cell, attempts that failed as its reruns; what kept a broker from
//! being played on as a case that ended in an error. What failed has its file, its line and the story of its messages.

use crate::player::Verdict;
use crate::report::failure::{Page, failure_text};
use crate::report::palette::Palette;
use crate::report::summary::brokers;
use crate::report::{BrokerError, CellReport, trace};
use crate::source::Sources;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

/// Writes the report; an error is the writer's own.
pub fn junit(cells: &[CellReport], errors: &[BrokerError], sources: &Sources) -> Result<String, String> {
    let mut report = Report::new("rmqplay");
    let mut names = brokers(cells);
    for error in errors {
        let name = suite_of(error);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let mut suite = TestSuite::new(name);
        for cell in cells.iter().filter(|cell| cell.broker == name) {
            suite.add_test_case(case(cell, sources));
        }
        for error in errors.iter().filter(|error| suite_of(error) == name) {
            suite.add_test_case(error_case(error));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}

/// Names the suite of an error; one of no broker has its own.
fn suite_of(error: &BrokerError) -> &str {
    error.broker.as_deref().unwrap_or("rmqplay")
}

fn error_case(error: &BrokerError) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(error.message.clone());
    if let Some(help) = &error.help {
        status.set_description(format!("{}\n  help: {help}", error.message));
    }
    let mut case = TestCase::new("environment", status);
    case.set_classname("rmqplay");
    case
}

fn case(cell: &CellReport, sources: &Sources) -> TestCase {
    let mut status = match &cell.verdict {
        Verdict::Passed | Verdict::New | Verdict::Flaky(_) => TestCaseStatus::success(),
        Verdict::Skipped(_) => TestCaseStatus::skipped(),
        Verdict::Failed | Verdict::Changed => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if let Verdict::Skipped(reason) = &cell.verdict {
        status.set_message(reason.clone());
    }
    if cell.is_bad() {
        let (message, description) = what_failed(cell, sources);
        status.set_message(message);
        status.set_description(description);
    }
    // Beside a success these are written as `flakyFailure`, beside a failure as `rerunFailure`.
    status.add_reruns(cell.earlier.iter().map(|attempt| {
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        let (message, description) = what_failed(attempt, sources);
        rerun.set_message(message).set_description(description).set_time(attempt.real);
        rerun
    }));
    let mut case = TestCase::new(cell.name.clone(), status);
    case.set_classname(cell.file.clone());
    case.set_time(cell.real);
    if cell.is_bad() {
        case.extra.insert("file".into(), cell.file.as_str().into());
        if let Some(line) = line_of(cell, sources) {
            case.extra.insert("line".into(), line.to_string().into());
        }
        if let Some(story) = story_of_run(cell, sources) {
            case.set_system_out(story);
        }
    }
    case
}

/// Returns the line of the scenario that failed first.
fn line_of(cell: &CellReport, sources: &Sources) -> Option<usize> {
    let first = cell.played.as_ref()?.failures.first()?;
    Some(sources.position(first.span).line)
}

/// How many lines of a run's story stand in a report.
const STORY_LINES_MAX: usize = 500;

/// Tells what became of each message, as `--trace` does.
fn story_of_run(cell: &CellReport, sources: &Sources) -> Option<String> {
    let story = trace(&cell.played.as_ref()?.timeline, sources, Palette { colour: false });
    let lines = story.lines().count();
    let mut shown: String = story.lines().take(STORY_LINES_MAX).map(|line| format!("{line}\n")).collect();
    if lines > STORY_LINES_MAX {
        shown.push_str(&format!("and {} more lines: {} --trace\n", lines - STORY_LINES_MAX, cell.again()));
    }
    (lines > 0).then_some(shown)
}

/// Returns a sentence and the whole story of an attempt that failed.
pub(crate) fn what_failed(cell: &CellReport, sources: &Sources) -> (String, String) {
    if cell.verdict == Verdict::Changed {
        let words = cell.snapshot_words.clone().unwrap_or_default();
        return ("the outcome differs from the snapshot".to_owned(), words);
    }
    let failures = cell.played.iter().flat_map(|played| &played.failures);
    let messages: Vec<&str> = failures.map(|failure| failure.message.as_str()).collect();
    let page = Page { sources, width: 100, palette: Palette { colour: false } };
    (messages.join("; "), failure_text(cell, page))
}
