//! From text to tree, by granit-parser: the one file that knows that crate.
//! Takes a text of the sources; gives the tree of its first document and every problem of its form. Never reads meaning.

use crate::language::syntax::syntax_errors;
use crate::language::syntax::top_level::top_level_keys;
use crate::language::syntax::tree::{DEPTH_MAX, Node};
use crate::language::syntax::tree_builder::TreeBuilder;
use crate::source::{FileId, Problem, Sources};
use granit_parser::{Event, Parser};
use std::borrow::Cow;

/// What parsing gives.
#[derive(Debug)]
pub struct Parsed {
    /// The tree; parts that could not be read are missing.
    pub root: Option<Node>,
    pub problems: Vec<Problem>,
    /// False when parts of the text could not be read.
    pub whole: bool,
}

/// Reads a text as plain JSON, templates as the texts they are; `None` when it is broken.
pub fn plain_value(text: &str) -> Option<serde_json::Value> {
    let mut sources = Sources::default();
    let file = sources.add("", text);
    let parsed = parse(&sources, file);
    parsed.whole.then_some(parsed.root?.to_json())
}

/// Reads all documents of a text, up to the first place that is no YAML.
pub fn parse_documents(sources: &Sources, file: FileId) -> (Vec<Node>, Vec<Problem>) {
    let text = sources.get(file).text.clone();
    let (mut roots, mut problems) = (Vec::new(), Vec::new());
    let mut builder = TreeBuilder::new(file, &text);
    let mut end = |builder: TreeBuilder<'_>, problems: &mut Vec<Problem>| {
        roots.extend(builder.root);
        problems.extend(builder.problems);
    };
    for next in Parser::new_from_str_with_options(&text, options()) {
        match next {
            Ok((event, span)) => {
                let ends = matches!(event, Event::DocumentEnd);
                builder.take(event, span);
                if ends {
                    end(std::mem::replace(&mut builder, TreeBuilder::new(file, &text)), &mut problems);
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                problems.push(syntax_errors::explain(&text, file, error.kind(), at));
                break;
            }
        }
    }
    end(builder, &mut problems);
    (roots, problems)
}

/// How many broken places are looked for in one file.
const BROKEN_PLACES_MAX: usize = 8;

/// Parses a file. After a broken place the top-level key that holds it is left out and the rest is read, so that
/// independent problems come together.
pub fn parse(sources: &Sources, file: FileId) -> Parsed {
    let original = sources.get(file).text.clone();
    let mut text = Cow::Borrowed(&*original);
    let mut broken_places = Vec::new();
    loop {
        let mut grower = TreeBuilder::new(file, &original);
        match grow(&text, &mut grower) {
            Ok(()) => {
                let whole = broken_places.is_empty();
                let mut problems = broken_places;
                problems.append(&mut grower.problems);
                problems.sort_by_key(Problem::span);
                return Parsed { root: grower.root, problems, whole };
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                let problem = syntax_errors::explain(&original, file, error.kind(), at);
                let culprit = problem.span().map_or(at, |span| (span.start as usize).min(at));
                broken_places.push(problem);
                let blanked = broken_places.len() < BROKEN_PLACES_MAX && blank_top_level_key(text.to_mut(), culprit);
                if !blanked {
                    broken_places.append(&mut grower.problems);
                    broken_places.sort_by_key(Problem::span);
                    return Parsed { root: None, problems: broken_places, whole: false };
                }
            }
        }
    }
}

/// Returns how documents are parsed.
fn options() -> granit_parser::Options {
    granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        disallow_directives: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    }
}

/// Feeds the events of a text to a grower, up to the first place that is no YAML.
fn grow(text: &str, grower: &mut TreeBuilder) -> Result<(), granit_parser::ScanError> {
    for next in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = next?;
        if !grower.take(event, span) {
            break;
        }
    }
    Ok(())
}

/// Overwrites with spaces the top-level key around a byte; false when the text has none, or nothing else.
fn blank_top_level_key(text: &mut String, at: usize) -> bool {
    let starts: Vec<usize> = top_level_keys(text).collect();
    let Some(start) = starts.iter().rev().find(|start| **start <= at).copied() else { return false };
    if starts.len() < 2 {
        return false;
    }
    let end = starts.iter().find(|next| **next > at).copied().unwrap_or(text.len());
    let blank: String =
        text[start..end].bytes().map(|b| if b == b'\n' || b == b'\r' { b as char } else { ' ' }).collect();
    text.replace_range(start..end, &blank);
    true
}
