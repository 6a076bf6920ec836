//! Draws problems at their places, as text and as JSON.
//! Takes problems and the sources they point into; gives strings. Secrets in the shown source are masked first.

mod mask;
mod shown;

use crate::model::{by_number, counted, one_line};
use crate::report::shell::shell_word;
use crate::source::{Code, CodeFamily, FileId, Help, Label, Level, Problem, Sources};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode};
use shown::{Shelf, Shown};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

pub use mask::mask;

/// So many notes of a code are drawn, the others told in a line each.
const NOTES_DRAWN: usize = 3;

/// So many warnings.
const WARNINGS_DRAWN: usize = 5;

/// So many lines are told of a code, the others counted.
const LINES_MAX: usize = 20;

/// Draws all problems, one below the other, and a line that counts them; nothing when there is none. A help that
/// several share is told once, unless it is a spelling. Of many notes or warnings of one code the first are drawn, and the
/// others told in short.
/// `width` is the terminal's, in columns.
pub fn draw(problems: &[Problem], sources: &Sources, width: usize, colour: bool) -> String {
    let mut out = String::new();
    let mut shelf = Shelf::default();
    // The same advice ten times hides what differs.
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut counts: BTreeMap<(Level, Code), usize> = BTreeMap::new();
    let mut folded: BTreeMap<(Level, Code), Vec<&Problem>> = BTreeMap::new();
    let mut all: BTreeMap<(Level, Code), usize> = BTreeMap::new();
    problems.iter().for_each(|it| *all.entry((it.level, it.code)).or_default() += 1);
    for problem in problems {
        let kind = (problem.level, problem.code);
        let count = counts.entry(kind).or_default();
        *count += 1;
        let is_one_more = all.get(&kind).is_some_and(|all| *all > drawn_of(problem) + 1);
        if *count > drawn_of(problem) && is_one_more {
            folded.entry(kind).or_default().push(problem);
            continue;
        }
        let again = match &problem.help {
            Some(Help::Advice(advice)) => !told.insert(advice),
            Some(Help::DidYouMean { .. }) | None => false,
        };
        let shorter = again.then(|| Problem { help: None, ..problem.clone() });
        out.push_str(&draw_from(&mut shelf, shorter.as_ref().unwrap_or(problem), sources, width, colour));
    }
    for (kind, more) in folded.into_iter().rev() {
        out.push_str(&told_in_short(kind, &more, sources));
    }
    if !problems.is_empty() {
        out.push_str(&problem_summary(problems, sources));
        out.push('\n');
    }
    out
}

/// How many files the line about notes names.
const FILES_OF_NOTES_MAX: usize = 3;

/// Counts notes on files in one line, with the command that tells them.
pub fn notes_of_check(notes: &[Problem], sources: &Sources) -> String {
    let name = |note: &Problem| note.span().map(|span| sources.get(span.file).name.as_str());
    let files: BTreeSet<&str> = notes.iter().filter_map(name).collect();
    let them = by_number(notes.len(), "it", "them");
    let named: Vec<_> = files.iter().filter(|_| files.len() <= FILES_OF_NOTES_MAX).map(|it| shell_word(it)).collect();
    let place = if named.is_empty() { format!(" on {}", counted(files.len(), "file")) } else { String::new() };
    let words: Vec<&str> = ["rmqplay check"].into_iter().chain(named.iter().map(|name| name.as_ref())).collect();
    format!("{}{place}: `{}` tells {them}", counted(notes.len(), "note"), words.join(" "))
}

/// Returns how many findings of its code are drawn; one more than that is drawn as well. What is no lint is drawn each time:
/// it differs by more than its place.
fn drawn_of(problem: &Problem) -> usize {
    match problem.level {
        _ if problem.code.family() != CodeFamily::Lint => usize::MAX - 1,
        Level::Problem => usize::MAX - 1,
        Level::Warning => WARNINGS_DRAWN,
        Level::Note => NOTES_DRAWN,
    }
}

/// Tells findings of one code in a line each.
fn told_in_short((level, code): (Level, Code), more: &[&Problem], sources: &Sources) -> String {
    let mark = if level == Level::Note { '☞' } else { '⚠' };
    let mut out = format!("{}\n\n  {mark} {} more:\n", code.text(), more.len());
    for problem in more.iter().take(LINES_MAX) {
        let place = problem.span().map_or_else(String::new, |span| {
            let (name, at) = (&sources.get(span.file).name, sources.position(span));
            format!("{name}:{}:{} ", at.line, at.column)
        });
        out.push_str(&format!("    {place}{}\n", problem.message));
    }
    if more.len() > LINES_MAX {
        out.push_str(&format!("    and {} more, which `--json` lists\n", more.len() - LINES_MAX));
    }
    out.push('\n');
    out
}

/// Leaves out what is said again of the same place: several scenarios may read one topology.
pub fn distinct(problems: Vec<Problem>, sources: &Sources) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    let mut is_new = |problem: &Problem| {
        let place = |label: &Label| (sources.get(label.span.file).name.clone(), label.span.start, label.span.end);
        let places: Vec<_> = problem.labels.iter().map(place).collect();
        told.insert((problem.code, problem.message.clone(), places))
    };
    problems.into_iter().filter(|problem| problem.labels.is_empty() || is_new(problem)).collect()
}

/// Draws one problem.
pub fn draw_one(problem: &Problem, sources: &Sources, width: usize, colour: bool) -> String {
    draw_from(&mut Shelf::default(), problem, sources, width, colour)
}

fn draw_from(shelf: &mut Shelf, problem: &Problem, sources: &Sources, width: usize, colour: bool) -> String {
    let mut out = String::new();
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(40))
        .with_links(false)
        .with_break_words(false)
        .with_context_lines(1);
    let found = DrawnProblem::new(problem, sources, shelf);
    if handler.render_report(&mut out, &found).is_err() {
        out.push_str(&problem.message);
    }
    out.push('\n');
    out
}

/// How many files the summary names.
const FILES_OF_SUMMARY_MAX: usize = 10;

/// Counts the findings and names their files, the first of many: `3 problems, 1 note in orders.yaml`.
pub fn problem_summary(problems: &[Problem], sources: &Sources) -> String {
    let count = |level: Level| problems.iter().filter(|problem| problem.level == level).count();
    let counts: Vec<String> =
        [(count(Level::Problem), "problem"), (count(Level::Warning), "warning"), (count(Level::Note), "note")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| counted(n, word))
            .collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let names = problems.iter().filter_map(Problem::span).map(|span| sources.get(span.file).name.as_str());
    let files: Vec<&str> = names.filter(|name| told.insert(name)).collect();
    let more = files.len().saturating_sub(FILES_OF_SUMMARY_MAX);
    // One more that could be named is no reason to count.
    let (named, more) = if more > 1 { (&files[..FILES_OF_SUMMARY_MAX], more) } else { (&files[..], 0) };
    let more = if more > 0 { format!(" and {}", counted(more, "more file")) } else { String::new() };
    match files.is_empty() {
        true => counts.join(", "),
        false => format!("{} in {}{more}", counts.join(", "), named.join(", ")),
    }
}

/// Returns problems as a JSON list.
pub fn problems_json(problems: &[Problem], sources: &Sources) -> serde_json::Value {
    serde_json::Value::Array(problems.iter().map(|problem| problem_json(problem, sources)).collect())
}

/// Returns a problem as JSON: code, level, message, help, and labels with file, line, column and bytes.
fn problem_json(problem: &Problem, sources: &Sources) -> serde_json::Value {
    let labels: Vec<serde_json::Value> = problem
        .labels
        .iter()
        .map(|label| {
            let place = sources.position(label.span);
            serde_json::json!({
                "file": sources.get(label.span.file).name,
                "line": place.line,
                "column": place.column,
                "start": label.span.start,
                "end": label.span.end,
                "text": label.text,
            })
        })
        .collect();
    let level = match problem.level {
        Level::Problem => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    serde_json::json!({
        "code": problem.code.text(),
        "level": level,
        "message": problem.message,
        "help": problem.help.as_ref().map(Help::to_string),
        "rule": problem.rule,
        "labels": labels,
    })
}

/// A problem in miette's eyes: the labels of one file, those of others as related findings.
#[derive(Debug)]
struct DrawnProblem {
    code: Option<Code>,
    level: Level,
    message: String,
    help: Option<String>,
    source: Option<Shown>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<DrawnProblem>,
}

impl DrawnProblem {
    fn new(problem: &Problem, sources: &Sources, shelf: &mut Shelf) -> Self {
        let home = problem.labels.first().map(|label| label.span.file);
        let mut others: Vec<FileId> = Vec::new();
        for label in &problem.labels {
            if Some(label.span.file) != home && !others.contains(&label.span.file) {
                others.push(label.span.file);
            }
        }
        let of = |file: FileId| problem.labels.iter().filter(move |label| label.span.file == file);
        let mut part = |file: FileId| {
            let spans: Vec<(&Label, Range<usize>)> = of(file).map(|label| (label, clamped(label, sources))).collect();
            let main = spans.first().map_or(0..0, |(_, range)| range.clone());
            let source = shelf.take(sources, file).around(main.start, main.end);
            let labels =
                spans.into_iter().enumerate().filter_map(|(i, (label, range))| labelled(label, range, i == 0, &source));
            DrawnProblem {
                code: None,
                level: Level::Note,
                message: format!("in {}", sources.get(file).name),
                help: None,
                labels: labels.collect(),
                source: Some(source),
                elsewhere: Vec::new(),
            }
        };
        let (source, labels) = home.map(&mut part).map_or((None, Vec::new()), |home| (home.source, home.labels));
        DrawnProblem {
            code: Some(problem.code),
            level: problem.level,
            message: problem.message.lines().map(one_line).collect::<Vec<_>>().join("\n"),
            help: with_rule(problem),
            source,
            labels,
            elsewhere: others.into_iter().map(part).collect(),
        }
    }
}

/// Returns the help, with the rule that `explain` tells more of.
fn with_rule(problem: &Problem) -> Option<String> {
    match (&problem.help, problem.rule) {
        (Some(help), Some(rule)) => Some(format!("{help} ({rule})")),
        (None, Some(rule)) => Some(format!("rmqplay explain {rule}")),
        (help, None) => help.as_ref().map(Help::to_string),
    }
}

/// Clamps a span to the text and to the end of its first line: past the end miette would draw nothing.
fn clamped(label: &Label, sources: &Sources) -> Range<usize> {
    let text = &sources.get(label.span.file).text;
    let mut start = (label.span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (label.span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..text[start..end].find(['\n', '\r']).map_or(end, |at| start + at)
}

/// Marks a place; one that an excerpt leaves out is not marked.
fn labelled(label: &Label, range: Range<usize>, primary: bool, source: &Shown) -> Option<LabeledSpan> {
    let start = range.start.checked_sub(source.cut().byte).filter(|start| *start <= source.len())?;
    let length = range.len().min(source.len() - start);
    let words = (!label.text.is_empty()).then(|| label.text.clone());
    Some(match primary {
        true => LabeledSpan::new_primary_with_span(words, (start, length)),
        false => LabeledSpan::new_with_span(words, (start, length)),
    })
}

impl fmt::Display for DrawnProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DrawnProblem {}

impl Diagnostic for DrawnProblem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.level {
            Level::Problem => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        (!self.elsewhere.is_empty()).then(|| {
            Box::new(self.elsewhere.iter().map(|found| found as &dyn Diagnostic)) as Box<dyn Iterator<Item = _>>
        })
    }
}
