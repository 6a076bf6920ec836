//! Leaves out what only follows from another problem: a name that nobody declares because its declaration could not be
//! read. Takes all problems of a file; keeps the causes. Adds nothing.

use crate::language::syntax::tree::Node;
use crate::source::{Code, CodeFamily, Level, Problem, Span};

/// Leaves out what only follows from something that could not be read.
/// `whole` says that the text was read to its end; `root` is the tree of a scenario.
pub fn leave_out(problems: &mut Vec<Problem>, whole: bool, root: Option<&Node>) {
    let playing: Vec<Span> = root.map_or_else(Vec::new, |root| {
        ["consumers", "steps", "at_end", "finally"].iter().filter_map(|part| Some(root.get(part)?.span)).collect()
    });
    let is_of_play =
        |problem: &Problem| problem.span().is_some_and(|span| playing.iter().any(|part| is_inside(span, *part)));
    if problems.iter().any(|problem| hides_names(problem) && !is_of_play(problem)) {
        problems.retain(|problem| !misses_a_declaration(problem.code));
    }
    of_unknown_keys(problems);
    if let Some(root) = root {
        of_scenario(problems, whole, root);
    } else if !whole {
        problems.retain(|problem| !misses_a_declaration(problem.code));
    }
}

/// A rule that takes all only since its `match` is misspelt keeps nothing from the rules behind it.
fn of_unknown_keys(problems: &mut Vec<Problem>) {
    let unknown = problems.iter().filter(|problem| problem.code == Code::YamlUnknownKey);
    let unknown: Vec<Span> = unknown.filter_map(Problem::span).collect();
    let holds_one =
        |problem: &Problem| problem.labels.iter().any(|label| unknown.iter().any(|span| is_inside(*span, label.span)));
    problems.retain(|problem| problem.code != Code::ScenarioNeverReached || !holds_one(problem));
}

fn of_scenario(problems: &mut Vec<Problem>, whole: bool, root: &Node) {
    if !whole {
        problems.retain(|problem| !names_something_absent(problem.code));
    }
    if !whole || problems.iter().any(is_unread) {
        problems.retain(|problem| ![Code::ScenarioNoSteps, Code::ScenarioExpectsNothing].contains(&problem.code));
    }
    if root.get("matrix").is_some() {
        // Another cell may publish it, or list or count something.
        let of_one_cell = [Code::ScenarioUnknownMessage, Code::ScenarioIncludesNothing, Code::ScenarioExpectsNothing];
        problems.iter_mut().filter(|one| of_one_cell.contains(&one.code)).for_each(|one| one.level = Level::Note);
    }
    // Who publishes what is known only when all who may publish are.
    let publishers = ["steps", "consumers", "finally"].iter().filter_map(|part| Some(root.get(part)?.span));
    let publishers: Vec<Span> = publishers.collect();
    let is_within = |span: Span| publishers.iter().any(|part| is_inside(span, *part));
    if problems.iter().any(|problem| is_unread(problem) && problem.span().is_some_and(is_within)) {
        problems.retain(|problem| problem.code != Code::ScenarioUnknownMessage);
    }
}

/// Returns whether part of the file could not be read for it: what stands there is not known.
fn is_unread(problem: &Problem) -> bool {
    match problem.code.family() {
        CodeFamily::Template => !is_unset_secret(problem),
        CodeFamily::Value | CodeFamily::Yaml | CodeFamily::File => true,
        _ => matches!(problem.code, Code::ScenarioAction | Code::ScenarioStep),
    }
}

/// Returns whether a problem says that a name or a key is not there: in a broken file it may stand in the unread part.
fn names_something_absent(code: Code) -> bool {
    matches!(
        code,
        Code::FileMissing
            | Code::ValueMissing
            | Code::YamlUnknownKey
            | Code::TemplateUnknownFilter
            | Code::TopologyMissingExchange
            | Code::TopologyMissingQueue
            | Code::TopologyUnknownArgument
            | Code::TopologyUnknownTag
            | Code::TopologyUnknownUser
            | Code::ScenarioUnknownConsumer
            | Code::ScenarioUnknownExchange
            | Code::ScenarioUnknownMessage
            | Code::ScenarioUnknownParty
            | Code::ScenarioUnknownQueue
            | Code::ScenarioUnknownUser
            | Code::ScenarioUnknownVhost
    )
}

fn is_inside(span: Span, part: Span) -> bool {
    part.file == span.file && part.start <= span.start && span.end <= part.end
}

/// Returns whether a declaration may be lost to a problem, and with it the names that it declares.
fn hides_names(problem: &Problem) -> bool {
    match problem.code.family() {
        CodeFamily::Template => !is_unset_secret(problem),
        CodeFamily::File => true,
        CodeFamily::Yaml => !matches!(problem.code, Code::YamlUnknownKey | Code::YamlDuplicateKey),
        _ => problem.code == Code::ValueMissing && problem.level == Level::Problem,
    }
}

/// Returns whether a problem notes a secret that is not set: what does not need it is judged all the same.
pub fn is_unset_secret(problem: &Problem) -> bool {
    problem.code == Code::TemplateUndefined && problem.level == Level::Note
}

/// Returns whether a problem says that nobody declares something.
fn misses_a_declaration(code: Code) -> bool {
    matches!(
        code,
        Code::TopologyMissingExchange
            | Code::TopologyMissingQueue
            | Code::TopologyDeadLetterExchange
            | Code::TopologyDeadLetterNowhere
            | Code::TopologyAlternateExchange
            | Code::TopologyUnknownUser
            | Code::ScenarioNoLadder
            | Code::ScenarioToNowhere
            | Code::ScenarioUnknownConsumer
            | Code::ScenarioUnknownExchange
            | Code::ScenarioUnknownMessage
            | Code::ScenarioUnknownParty
            | Code::ScenarioUnknownQueue
            | Code::ScenarioUnknownUser
            | Code::ScenarioUnknownVhost
    )
}
