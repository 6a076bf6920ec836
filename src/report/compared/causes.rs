//! What makes two runs of a cell differ, in words: where its messages part, what fails on one side, and the outcomes.

use crate::compare::{Ending, effects, touched_queues};
use crate::model::{Cell, Scenario};
use crate::player::{Failure, RunResult};
use crate::report::compared::{CellCause, ComparedLine};
use crate::report::snapshot::{body, difference};
use crate::report::story::{Parting, of_orders, partings};
use crate::rules::{ChangedRule, Edition};
use crate::source::{Sources, Span};
use std::collections::BTreeSet;

/// How many lines of two outcomes that differ are told where nothing else tells.
const OUTCOME_LINES_MAX: usize = 12;

/// Returns how a run ended, as far as brokers are compared by it.
pub fn ending(played: &RunResult, scenario: &Scenario) -> Ending {
    let outcome = played.outcome.as_ref().filter(|_| !scenario.snapshot.off);
    Ending::new(played, outcome.map(|outcome| body(outcome, scenario)))
}

/// A scenario that was compared.
#[derive(Debug, Clone, Copy)]
pub struct ComparedScenario<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// Whether it lies in no file: its lines are told by what they say.
    pub is_made: bool,
    /// The files.
    pub sources: &'s Sources,
}

/// Tells which rules make a cell end otherwise by the second edition than by the first, and what each changes; empty where no rule
/// that the simulator knows does. `known`: rules that did so in other cells, which are tried first; those found are added.
pub fn causes_between(
    cell: &Cell,
    editions: [Edition; 2],
    known: &mut Vec<ChangedRule>,
    of: ComparedScenario<'_>,
) -> Vec<CellCause> {
    let found = effects(cell, editions, known, &|played| ending(played, of.scenario));
    let new: Vec<ChangedRule> = found.iter().map(|effect| effect.rule).filter(|rule| !known.contains(rule)).collect();
    known.extend(new);
    found.iter().map(|effect| cell_cause(effect.rule, effect.played.each_ref(), of)).collect()
}

/// Tells what a rule changes in a cell: the run with it as on the first broker, and as on the second.
fn cell_cause(rule: ChangedRule, played: [&RunResult; 2], of: ComparedScenario<'_>) -> CellCause {
    cause(Some(rule), played, of)
}

/// Tells what differs where no rule explains it.
pub fn unexplained(played: [&RunResult; 2], of: ComparedScenario<'_>) -> CellCause {
    cause(None, played, of)
}

fn cause(rule: Option<ChangedRule>, played: [&RunResult; 2], of: ComparedScenario<'_>) -> CellCause {
    let ([one, other], scenario) = (played, of.scenario);
    let one_vhost = scenario.topology.vhost_names().len() <= 1;
    let queues = touched_queues(one, other).into_iter().map(|queue| match one_vhost {
        true => queue.name.to_string(),
        false => format!("{} in {}", queue.name, queue.vhost),
    });
    // On a live broker moments differ by themselves: only the outcomes count there.
    let partings = if rule.is_some() { partings(played) } else { of_orders(one, other) };
    let messages: BTreeSet<String> =
        partings.iter().filter(|parting| parting.of_message).map(|parting| parting.subject.clone()).collect();
    let mut lines = failing(one, other, of);
    lines.extend(partings.into_iter().map(|Parting { subject, sides, .. }| ComparedLine { subject, sides }));
    if lines.is_empty() {
        lines.extend(outcomes(one, other, scenario));
    }
    // Two lines alike would tell nothing.
    lines.retain(|line| line.sides[0] != line.sides[1]);
    for side in lines.iter_mut().flat_map(|line| &mut line.sides) {
        // Some refusals of RabbitMQ have several lines.
        *side = side.replace('\n', " ");
    }
    CellCause { rule, queues: queues.collect(), messages: messages.into_iter().collect(), lines }
}

/// Lists what fails on one side only, or otherwise.
fn failing(one: &RunResult, other: &RunResult, of: ComparedScenario<'_>) -> Vec<ComparedLine> {
    let both = one.failures.iter().chain(&other.failures);
    let places: BTreeSet<_> = both.map(|failure| failure.span).collect();
    let lines = places.into_iter().map(|span| {
        let side = |played: &RunResult| match played.failures.iter().find(|failure| failure.span == span) {
            Some(failure) => format!("fails: {}", failure_in_words(failure)),
            // What failed there may have ended the run before it came so far.
            None if !played.failures.is_empty() => "does not fail, or is not reached".to_owned(),
            None => "holds".to_owned(),
        };
        ComparedLine { subject: of.place(span), sides: [side(one), side(other)] }
    });
    lines.filter(|line| line.sides[0] != line.sides[1]).collect()
}

impl ComparedScenario<'_> {
    /// Names a line: by file and number, or by what it says.
    fn place(self, span: Span) -> String {
        let source = self.sources.get(span.file);
        if self.is_made && source.name == self.scenario.file {
            let line = self.sources.position(span).line;
            let text = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            return format!("`{}`", text.trim().trim_start_matches("- "));
        }
        let file = source.name.rsplit('/').next().unwrap_or_default();
        format!("{file}:{}", self.sources.position(span).line)
    }
}

fn failure_in_words(failure: &Failure) -> String {
    let findings = failure.findings.iter();
    let found: Vec<String> =
        findings.map(|one| format!("{}: expected {}, found {}", one.field, one.expected, one.found)).collect();
    if found.is_empty() { failure.message.clone() } else { format!("{} ({})", failure.message, found.join("; ")) }
}

/// Tells the lines of the outcomes that differ, those of each side.
fn outcomes(one: &RunResult, other: &RunResult, scenario: &Scenario) -> Option<ComparedLine> {
    let shown = |played: &RunResult| played.outcome.as_ref().map(|outcome| body(outcome, scenario));
    let (one, other) = (shown(one).unwrap_or_default(), shown(other).unwrap_or_default());
    let changes = difference(&one, &other);
    let of_side = |sign: char| -> String {
        let lines: Vec<&str> = changes.lines().filter_map(|line| line.strip_prefix(sign)).map(str::trim).collect();
        let more = lines.len().saturating_sub(OUTCOME_LINES_MAX);
        let mut text = lines.iter().take(OUTCOME_LINES_MAX).copied().collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        if text.is_empty() { "nothing of this".to_owned() } else { text }
    };
    let sides = [of_side('-'), of_side('+')];
    let sides = if sides[0] == sides[1] { parted(&one, &other) } else { sides };
    (one != other).then(|| ComparedLine { subject: "outcome".to_owned(), sides })
}

/// Tells the lines from the first to the last that differ, where the same lines stand in another order.
fn parted(one: &str, other: &str) -> [String; 2] {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let alike = |(one, other): &(&&str, &&str)| one == other;
    let first = one.iter().zip(&other).take_while(alike).count();
    let shared = one.len().min(other.len()) - first;
    let last = one.iter().rev().zip(other.iter().rev()).take(shared).take_while(alike).count();
    let told = |lines: &[&str]| {
        let lines = &lines[first..lines.len() - last];
        let more = lines.len().saturating_sub(OUTCOME_LINES_MAX);
        let mut text = lines.iter().take(OUTCOME_LINES_MAX).copied().collect::<Vec<_>>().join(" | ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    };
    [told(&one), told(&other)]
}
