//! Lays out the cells of a scenario: every choice of its matrix, or those that `--var` picks.
//! Takes the key `matrix:`; gives axes with values. Never renders anything else.

use crate::language::Settings;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::read;
use crate::language::decode::suggestions;
use crate::language::expand::render::Renderer;
use crate::language::expand::scope::{RESERVED, VariableScope};
use crate::language::syntax::tree::{Node, NodeKind};
use crate::source::{Code, Problem};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The most cells that one scenario may have.
const CELLS_MAX: usize = 1_000;

/// One choice: axis and value, in file order.
pub type Choice = Vec<(String, Json)>;

/// Lists all choices; without a matrix there is one, empty.
pub fn choices(
    node: Option<&Node>,
    scope: &VariableScope<'_>,
    settings: &Settings,
    desk: &mut Diagnostics,
) -> Vec<Choice> {
    let Some(node) = node else { return vec![Vec::new()] };
    let NodeKind::Map(entries) = &node.kind else {
        if !node.is_faulty() {
            let message = format!("`matrix` is a map of axes and their values, found {}", node.describe());
            let problem = Problem::new(Code::ScenarioMatrix, message).at(node.span, "expected a map");
            desk.add(problem.help("write `matrix: {queue_type: [classic, quorum]}`"));
        }
        return Vec::new();
    };
    let mut choices: Vec<Choice> = vec![Vec::new()];
    for entry in entries {
        if RESERVED.contains(&entry.key.as_str()) {
            let message = format!("`{}` has a meaning in templates already and cannot be an axis", entry.key);
            // It is an axis all the same, so that nothing else is said of the templates that use it.
            desk.add(Problem::new(Code::TemplateReserved, message).at(entry.key_span, "choose another name"));
        }
        let values = Renderer::new(scope).data(&entry.value, desk);
        let NodeKind::List(values) = &values.kind else {
            if !values.is_faulty() {
                desk.wrong(&format!("the axis `{}`", entry.key), &values, read::DecodeError::Kind("a list of values"));
            }
            return Vec::new();
        };
        if let Some(twice) = twice(values) {
            let text = axis_text(&twice.to_json());
            let problem = Problem::new(Code::ScenarioMatrix, format!("the axis `{}` has `{text}` twice", entry.key));
            let help = "cells are named by their values as texts, and so are their snapshots: each value stands once";
            desk.add(problem.at(twice.span, "again here").help(help));
            return Vec::new();
        }
        let all: Vec<Json> = values.iter().map(Node::to_json).collect();
        let Some(picked) = pick(&entry.key, &all, entry.value.span, settings, desk) else { return Vec::new() };
        let widened = choices.iter().flat_map(|choice| {
            picked.iter().map(move |value| {
                let mut choice = choice.clone();
                choice.push((entry.key.to_string(), value.clone()));
                choice
            })
        });
        choices = widened.take(CELLS_MAX + 1).collect();
        if choices.len() > CELLS_MAX {
            let problem = Problem::new(Code::ScenarioMatrix, format!("the matrix has more than {CELLS_MAX} cells"));
            desk.add(problem.at(entry.key_span, "too many with this axis"));
            return Vec::new();
        }
    }
    choices
}

/// Finds the first value that reads like one before it.
fn twice(values: &[Node]) -> Option<&Node> {
    let mut seen = BTreeSet::new();
    values.iter().find(|value| !seen.insert(axis_text(&value.to_json())))
}

/// Returns the values of an axis that are played; `--var` on the axis picks one.
fn pick(
    axis: &str,
    all: &[Json],
    span: crate::source::Span,
    settings: &Settings,
    desk: &mut Diagnostics,
) -> Option<Vec<Json>> {
    if all.is_empty() {
        let problem = Problem::new(Code::ScenarioMatrix, format!("the axis `{axis}` has no values"));
        desk.add(problem.at(span, "an empty list would make no cell"));
        return None;
    }
    let Some(wanted) = settings.var(axis) else { return Some(all.to_vec()) };
    let texts: Vec<String> = all.iter().map(axis_text).collect();
    let wanted = axis_text(wanted);
    match texts.iter().position(|text| *text == wanted) {
        Some(at) => Some(vec![all[at].clone()]),
        None => {
            let problem = Problem::new(Code::ScenarioMatrix, format!("the axis `{axis}` has no value `{wanted}`"));
            desk.add(problem.at(span, "its values").help(suggestions::suggest(&wanted, texts.iter(), "there are")));
            None
        }
    }
}

/// Writes a value as the name of a cell shows it.
pub fn axis_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
