//! Writes the table of words as JSON Schema, draft-07, which is what editors read.

use crate::report::schema::kinds::schema_of;
use crate::report::schema::scenario_words::SCENARIO_OBJECTS;
use crate::report::schema::topology_words::TOPOLOGY_OBJECTS;
use crate::report::schema::words::{Object, Word};
use crate::rules::{QUEUE_ARGUMENTS, ValueKind};
use serde_json::{Map, Value as Json, json};

/// Names the file that a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    Topology,
    Scenario,
}

/// The keys by which a file says that a broker wrote it: it may hold any other key then.
const MARKS: [&str; 3] = ["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format"];

/// Objects of which one key is the verb, with the keys that stand beside it.
const VERBS: [(&str, &[&str]); 4] =
    [("step", &["as", "vhost", "refused", "for_each", "every"]), ("action", &[]), ("declare", &[]), ("delete", &[])];

/// Returns the schema of a kind of file.
pub fn schema(of: SchemaOf) -> Json {
    let scenario_objects: &[Object] = if of == SchemaOf::Scenario { SCENARIO_OBJECTS } else { &[] };
    let objects = TOPOLOGY_OBJECTS.iter().chain(scenario_objects);
    let definitions: Map<String, Json> = objects.map(|one| (one.name.to_owned(), definition(one))).collect();
    let root = if of == SchemaOf::Scenario { "scenario" } else { "topology" };
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("rmqplay {root}"),
        "$ref": format!("#/definitions/{root}"),
        "definitions": definitions,
    })
}

fn definition(object: &Object) -> Json {
    let strict = strict(object);
    match object.name {
        // An action is a word, or a map of one.
        "action" => {
            let words = object.words.iter().filter(|(_, kind, _)| kind.contains("null")).map(|(word, ..)| *word);
            json!({ "anyOf": [{ "enum": words.collect::<Vec<_>>() }, strict] })
        }
        "topology" => {
            let is_export: Vec<Json> = MARKS.iter().map(|mark| json!({ "required": [mark] })).collect();
            json!({ "if": { "anyOf": is_export }, "then": { "type": "object" }, "else": strict })
        }
        _ => strict,
    }
}

/// Makes the schema of a map that takes its own keys only.
fn strict(object: &Object) -> Json {
    let mut properties: Map<String, Json> = Map::new();
    for (word, kind, means) in object.words {
        properties.insert(word.trim_end_matches('!').to_owned(), property(&schema_of(kind), means));
    }
    if matches!(object.name, "queue" | "own_queue") {
        properties.extend(typed_arguments());
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    let required: Vec<&str> = object.words.iter().filter_map(|(word, ..)| word.strip_suffix('!')).collect();
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    if let Some((_, beside)) = VERBS.iter().find(|(name, _)| *name == object.name) {
        let is_verb = |word: &&Word| !beside.contains(&word.0);
        let one: Vec<Json> =
            object.words.iter().filter(is_verb).map(|(word, ..)| json!({ "required": [word] })).collect();
        schema.insert("oneOf".into(), one.into());
    }
    Json::Object(schema)
}

/// Puts the meaning beside a schema; a reference takes none but inside of `allOf`.
fn property(schema: &Json, means: &str) -> Json {
    let mut property = match schema.get("$ref") {
        Some(_) => json!({ "allOf": [schema] }),
        None => schema.clone(),
    };
    if let Some(map) = property.as_object_mut() {
        map.insert("description".into(), means.into());
    }
    property
}

/// Returns a queue's typed fields, from the rules themselves.
fn typed_arguments() -> impl Iterator<Item = (String, Json)> {
    QUEUE_ARGUMENTS.iter().map(|argument| {
        let field = if argument.name == "queue-type" { "type".to_owned() } else { argument.field() };
        let kind = match argument.kind {
            ValueKind::Duration => "duration".to_owned(),
            ValueKind::Size => "size".to_owned(),
            ValueKind::Integer => "int".to_owned(),
            ValueKind::Text => "text".to_owned(),
            ValueKind::Bool => "bool".to_owned(),
            ValueKind::OneOf(words) => format!("word:{}", words.join(",")),
        };
        (field, property(&schema_of(&kind), &format!("The argument {}", argument.full_name())))
    })
}
