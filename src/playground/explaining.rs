//! `explain`: a rule of the book or the code of a problem.

use crate::language::nearest;
use crate::playground::project::Request;
use crate::report::{Palette, explain_code, explain_rule};
use crate::rules::rule_chapters;
use crate::source::code_chapters;
use serde_json::{Value as Json, json};

/// Tells what is named.
pub(super) fn explain(request: &Request) -> Result<Json, String> {
    let (rules, codes) = (rule_chapters(), code_chapters());
    let plain = Palette { colour: false };
    let wanted = request.name.trim().trim_matches(['[', ']']);
    for chapter in &rules {
        if let Some(rule) = chapter.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(wanted)) {
            let text = explain_rule(rule, &chapter.title, request.columns(), plain);
            return Ok(json!({ "name": rule.id, "title": rule.title, "text": text }));
        }
    }
    for chapter in &codes {
        if let Some(code) = chapter.codes.iter().find(|code| code.name.eq_ignore_ascii_case(wanted)) {
            let text = explain_code(code, &chapter.title, request.columns(), plain);
            return Ok(json!({ "name": code.name, "title": code.title, "text": text }));
        }
    }
    let ids = rules.iter().flat_map(|chapter| &chapter.rules).map(|rule| rule.id.as_str());
    let names = codes.iter().flat_map(|chapter| &chapter.codes).map(|code| code.name.as_str());
    let near = nearest(wanted, ids.chain(names)).map(|near| format!(": did you mean `{near}`?"));
    Err(format!("there is no rule or code `{wanted}`{}", near.unwrap_or_default()))
}
