//! `check`: what is wrong with the files, at its place.

use crate::foresee::check_file;
use crate::language::{World, kind_of};
use crate::playground::project::Request;
use crate::report::{distinct, problems_json};
use crate::source::{Problem, Sources};
use serde_json::{Value as Json, json};

/// Checks all files that declare or play something.
pub(super) fn check(request: &Request) -> Json {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    for (path, text) in &request.files {
        let is_meant = *path == request.play || path.ends_with(".yaml") || path.ends_with(".yml");
        if is_meant || kind_of(text.as_bytes()).is_some() {
            let world: &dyn World = request;
            problems.extend(check_file(&mut sources, path, text.as_bytes(), world, &request.settings()));
        }
    }
    json!({ "problems": placed(problems, &sources) })
}

/// Writes problems, each once, with places that a browser can use.
pub(super) fn placed(problems: Vec<Problem>, sources: &Sources) -> Json {
    let problems = distinct(problems, sources);
    let mut json = problems_json(&problems, sources);
    for (problem, shown) in problems.iter().zip(json.as_array_mut().into_iter().flatten()) {
        for (label, shown) in problem.labels.iter().zip(shown["labels"].as_array_mut().into_iter().flatten()) {
            let text = &sources.get(label.span.file).text;
            shown["from"] = units(text, label.span.start as usize).into();
            shown["to"] = units(text, label.span.end as usize).into();
        }
    }
    json
}

/// Counts the UTF-16 units before a byte.
pub(super) fn units(text: &str, at: usize) -> usize {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..at].encode_utf16().count()
}

/// Returns the byte behind so many UTF-16 units.
pub(super) fn byte_of(text: &str, units: usize) -> usize {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left < c.len_utf16() {
            return at;
        }
        left -= c.len_utf16();
    }
    text.len()
}
