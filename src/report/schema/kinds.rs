//! What a key takes, from the table's words to JSON Schema. A template may stand for any scalar, list or map.

use crate::language::alternatives;
use serde_json::{Value as Json, json};

/// Makes a schema of a kind as the table writes it: alternatives parted by ` | `, lists in `[]`, maps in `{}`.
pub(crate) fn schema_of(kind: &str) -> Json {
    let mut options: Vec<Json> = alternatives(kind).into_iter().map(one).collect();
    // The same option twice is one: a template stands beside each scalar.
    let mut distinct: Vec<Json> = Vec::new();
    options.drain(..).for_each(|option| match option {
        Json::Object(ref map) if map.len() == 1 && map.contains_key("anyOf") => {
            for inner in map["anyOf"].as_array().into_iter().flatten() {
                if !distinct.contains(inner) {
                    distinct.push(inner.clone());
                }
            }
        }
        option if !distinct.contains(&option) => distinct.push(option),
        _ => {}
    });
    match distinct.len() {
        1 => distinct.remove(0),
        _ => json!({ "anyOf": distinct }),
    }
}

fn one(kind: &str) -> Json {
    if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return or_template(json!({ "type": "array", "items": schema_of(inner) }));
    }
    if let Some(inner) = kind.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return or_template(json!({ "type": "object", "additionalProperties": schema_of(inner) }));
    }
    if let Some(object) = kind.strip_prefix('@') {
        return json!({ "$ref": format!("#/definitions/{object}") });
    }
    if let Some(words) = kind.strip_prefix("word:") {
        let words: Vec<&str> = words.split(',').collect();
        return or_template(json!({ "enum": words }));
    }
    if let Some((low, high)) = kind.strip_prefix("int:").and_then(|range| range.split_once("..")) {
        let bound = |text: &str| text.parse::<i64>().unwrap_or_default();
        return or_template(json!({ "type": "integer", "minimum": bound(low), "maximum": bound(high) }));
    }
    match kind {
        "any" => json!({}),
        "null" => json!({ "type": "null" }),
        "text" => json!({ "type": "string" }),
        "template" => template(),
        "bool" => or_template(json!({ "type": "boolean" })),
        "int" => or_template(json!({ "type": "integer" })),
        "number" => or_template(json!({ "type": "number" })),
        "duration" => or_template(json!({
            "anyOf": [{ "type": "string", "pattern": "^\\s*([0-9.]+(ms|s|m|h|d|w)\\s*)+$" }, { "const": 0 }]
        })),
        "size" => or_template(json!({
            "anyOf": [{ "type": "string", "pattern": "^[0-9]+\\s*(B|[kK]B|MB|GB|KiB|MiB|GiB)$" }, { "type": "integer" }]
        })),
        "count" => or_template(json!({
            "anyOf": [
                { "type": "string", "pattern": "^\\s*((>=|<=|>|<)?\\s*[0-9]+|[0-9]+\\s*\\.\\.\\s*[0-9]+)\\s*$" },
                { "type": "integer", "minimum": 0 }
            ]
        })),
        // A slip in the table is seen in the schema, and by its test.
        other => json!({ "$comment": format!("no such kind: {other}"), "not": {} }),
    }
}

/// Lets a template stand for a scalar.
fn or_template(schema: Json) -> Json {
    match schema.get("anyOf").and_then(Json::as_array) {
        Some(options) => json!({ "anyOf": options.iter().cloned().chain([template()]).collect::<Vec<_>>() }),
        None => json!({ "anyOf": [schema, template()] }),
    }
}

fn template() -> Json {
    json!({ "type": "string", "pattern": "\\{[{%]" })
}
