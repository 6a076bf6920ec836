//! Problems and failed runs for machines of others: SARIF for code scanning, and annotations of a GitHub workflow.
//! Takes them and their sources; returns strings. Never quotes a source.

use crate::player::Verdict;
use crate::report::{BrokerError, CellReport};
use crate::source::{Code, Level, Position, Problem, Sources, Span, code_chapters};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Returns problems as a SARIF 2.1.0 log.
pub fn sarif(problems: &[Problem], sources: &Sources) -> Json {
    let codes: BTreeSet<Code> = problems.iter().map(|problem| problem.code).collect();
    let titles = code_chapters().into_iter().flat_map(|chapter| chapter.codes);
    let titles: Vec<(String, String)> = titles.map(|section| (section.name, section.title)).collect();
    let rules: Vec<Json> = codes
        .iter()
        .map(|code| {
            let title = titles.iter().find(|(name, _)| name == code.text()).map_or("", |(_, title)| title);
            json!({ "id": code.text(), "shortDescription": { "text": title } })
        })
        .collect();
    let results: Vec<Json> = problems.iter().map(|problem| sarif_result(problem, sources)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "rmqplay", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn sarif_result(problem: &Problem, sources: &Sources) -> Json {
    let level = match problem.level {
        Level::Problem => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let locations: Vec<Json> = problem
        .labels
        .iter()
        .map(|label| {
            let Ends { file, start, end } = ends(label.span, sources);
            json!({
                "physicalLocation": {
                    "artifactLocation": { "uri": uri(&file) },
                    "region": {
                        "startLine": start.line, "startColumn": start.column,
                        "endLine": end.line, "endColumn": end.column,
                    },
                },
                "message": { "text": label.text },
            })
        })
        .collect();
    let (own, related) = locations.split_at(locations.len().min(1));
    json!({
        "ruleId": problem.code.text(),
        "level": level,
        "message": { "text": told(problem) },
        "locations": own,
        "relatedLocations": related,
    })
}

/// Returns problems as commands of a GitHub workflow, one a line.
pub fn annotations(problems: &[Problem], sources: &Sources) -> String {
    let line = |problem: &Problem| {
        let word = match problem.level {
            Level::Problem => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let place = problem.span().map(|span| place_of(span, sources));
        let place = place.unwrap_or_default();
        format!("::{word} {place}title={}::{}", property(problem.code.text()), escaped(&told(problem)))
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns what went wrong in a run as commands of a GitHub workflow, one a line.
pub fn run_annotations(cells: &[CellReport], errors: &[BrokerError], sources: &Sources) -> String {
    let mut lines = Vec::new();
    for error in errors {
        let help = error.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
        lines.push(format!("::error title=rmqplay::{}", escaped(&format!("{}{help}", error.message))));
    }
    for cell in cells {
        let title = property(&format!("{} on {}", cell.name, cell.broker));
        let played = cell.played.as_ref();
        for failure in played.iter().flat_map(|played| &played.failures) {
            let findings = failure.findings.iter();
            let findings =
                findings.map(|one| format!("\n{}: expected {}, found {}", one.field, one.expected, one.found));
            let message = format!("{}{}\nagain: {}", failure.message, findings.collect::<String>(), cell.again());
            let place = place_of(failure.span, sources);
            lines.push(format!("::error {place}title={title}::{}", escaped(&message)));
        }
        let file = property(&cell.file);
        match (&cell.verdict, &cell.snapshot_words) {
            (Verdict::Changed, words) => {
                let message =
                    format!("the outcome differs from the snapshot\n{}", words.as_deref().unwrap_or_default());
                lines.push(format!("::error file={file},title={title}::{}", escaped(message.trim_end())));
            }
            (Verdict::Flaky(failed), _) => {
                let message = format!("passed after {failed} that failed");
                lines.push(format!("::warning file={file},title={title}::{}", escaped(&message)));
            }
            _ => {}
        }
    }
    lines.join("\n")
}

fn place_of(span: Span, sources: &Sources) -> String {
    let Ends { file, start, end } = ends(span, sources);
    format!(
        "file={},line={},col={},endLine={},endColumn={},",
        property(&file),
        start.line,
        start.column,
        end.line,
        end.column
    )
}

/// Where something begins and ends.
struct Ends {
    file: String,
    start: Position,
    end: Position,
}

fn ends(span: Span, sources: &Sources) -> Ends {
    let behind = Span { start: span.end, ..span };
    Ends { file: sources.get(span.file).name.clone(), start: sources.position(span), end: sources.position(behind) }
}

fn told(problem: &Problem) -> String {
    let help = problem.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    let rule = problem.rule.map_or_else(String::new, |rule| format!(" ({rule})"));
    format!("{}{help}{rule}", problem.message)
}

/// Escapes what would end a command of a workflow.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Writes a path as a relative reference: a colon would make its beginning a scheme.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
    let written = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.replace('\\', "/").bytes().map(written).collect()
}
