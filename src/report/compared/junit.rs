//! A comparison as JUnit XML: a suite per step, a case per cell and one for the findings; what differs is a failure.

use crate::report::compared::words::{CitedRules, NO_RULE, finding_head, said_for, step_in_words};
use crate::report::compared::{CellCause, ComparedCell, ComparedStep, Sameness};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Writes the report; an error is the writer's own.
pub fn comparison_junit(steps: &[ComparedStep]) -> Result<String, String> {
    let rules = CitedRules::read();
    let mut report = Report::new("rmqplay compare");
    for step in steps {
        let mut suite = TestSuite::new(step_in_words(step));
        step.cells.iter().for_each(|cell| _ = suite.add_test_case(case(cell, step, &rules)));
        if !step.findings.is_empty() {
            suite.add_test_case(findings_case(step));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}

fn case(cell: &ComparedCell, step: &ComparedStep, rules: &CitedRules) -> TestCase {
    let status = match &cell.sameness {
        Sameness::Same | Sameness::FailedAlike => TestCaseStatus::success(),
        Sameness::NotCompared(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.clone());
            status
        }
        Sameness::Unsteady(brokers) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("unsteady: played twice on {}, it ended in two ways", brokers.join(" and ")));
            status
        }
        Sameness::Differs(causes) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let titles: Vec<String> = causes.iter().map(|cause| title(cause, rules)).collect();
            status.set_message(titles.join("; "));
            let texts: Vec<String> = causes.iter().map(|cause| cause_text(cause, step, rules)).collect();
            status.set_description(texts.join("\n"));
            status
        }
    };
    let mut case = TestCase::new(cell.name.clone(), status);
    case.set_classname(cell.file.clone());
    case
}

fn title(cause: &CellCause, rules: &CitedRules) -> String {
    match rules.section(cause.rule) {
        Some(section) => format!("{} {}", section.id, section.title),
        None => NO_RULE.to_owned(),
    }
}

fn cause_text(cause: &CellCause, step: &ComparedStep, rules: &CitedRules) -> String {
    let mut text = format!("{}\n", title(cause, rules));
    for line in &cause.lines {
        let [from, to] = &line.sides;
        text.push_str(&format!("  {}\n    {}  {from}\n    {}  {to}\n", line.subject, step.from.name, step.to.name));
    }
    if let Some(advice) = rules.section(cause.rule).and_then(|section| section.upgrade.as_deref()) {
        text.push_str(&format!("  to do: {advice}\n"));
    }
    text
}

fn findings_case(step: &ComparedStep) -> TestCase {
    let lines = step.findings.iter().map(|finding| {
        let head = finding_head(said_for(step, finding.on_first).profile, finding.level);
        let rule = finding.rule.map_or(String::new(), |rule| format!(" [{rule}]"));
        let help = finding.help.as_ref().map_or(String::new(), |help| format!("\n  to do: {help}"));
        format!("{head}: {}{rule}, {}:{}{help}", finding.message, finding.file, finding.line)
    });
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message("check says something for one of the two versions only");
    status.set_description(lines.collect::<Vec<_>>().join("\n"));
    let mut case = TestCase::new("check", status);
    case.set_classname("rmqplay");
    case
}
