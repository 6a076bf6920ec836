//! Writes the table of words as JSON Schema, draft-07, which is what editors read.

use crate::language::{
    OF_CONFIG, OF_SCENARIOS, OF_STEPS, OF_TOPOLOGIES, Word, WordGroup, kind_of_argument, queue_field,
};
use crate::model::Profile;
use crate::report::schema::kinds::schema_of;
use crate::rules::{QUEUE_ARGUMENTS, QueueArgument};
use serde_json::{Map, Value as Json, json};

/// Names the file that a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// Files that declare.
    Topology,
    /// Files that play.
    Scenario,
    /// `rmqplay.yaml`, which names brokers.
    Config,
}

/// The keys by which a file says that a broker wrote it: it may hold any other key then.
const MARKS: [&str; 3] = ["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format"];

/// Objects of which one key is the verb, with the keys that stand beside it.
const VERBS: [(&str, &[&str]); 4] = [
    ("step", &["as", "vhost", "refused", "for_each", "every"]),
    ("action", &["refused", "on_return"]),
    ("declare", &["passive"]),
    ("delete", &["if_unused", "if_empty"]),
];

/// Returns the schema of a kind of file.
pub fn schema(of: SchemaOf) -> Json {
    let (root, objects): (&str, [&[WordGroup]; 3]) = match of {
        SchemaOf::Topology => ("topology", [OF_TOPOLOGIES, &[], &[]]),
        SchemaOf::Scenario => ("scenario", [OF_TOPOLOGIES, OF_SCENARIOS, OF_STEPS]),
        SchemaOf::Config => ("config", [OF_CONFIG, &[], &[]]),
    };
    let objects = objects.into_iter().flatten();
    let definitions: Map<String, Json> = objects.map(|one| (one.name.to_owned(), definition(one))).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("rmqplay {root}"),
        "$ref": format!("#/definitions/{root}"),
        "definitions": definitions,
    })
}

fn definition(object: &WordGroup) -> Json {
    let strict = strict(object);
    match object.name {
        // An action is a word, or a map of one.
        "action" => {
            let words = object.words.iter().filter(|word| word.kind.contains("null")).map(Word::key);
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
fn strict(object: &WordGroup) -> Json {
    let mut properties: Map<String, Json> = Map::new();
    for word in object.words {
        properties.insert(word.key().to_owned(), property(&schema_of(word.kind), &word.hover()));
    }
    if object.takes_arguments() {
        properties.extend(typed_arguments());
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    let required: Vec<&str> = object.words.iter().filter(|word| word.is_required()).map(Word::key).collect();
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    if let Some((_, beside)) = VERBS.iter().find(|(name, _)| *name == object.name) {
        let is_verb = |word: &&Word| !beside.contains(&word.key());
        let one: Vec<Json> =
            object.words.iter().filter(is_verb).map(|word| json!({ "required": [word.key()] })).collect();
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
        let field = queue_field(argument);
        (field, property(&schema_of(&kind_of_argument(argument)), &hover(argument)))
    })
}

/// Returns what editors show beside a typed field of a queue.
fn hover(argument: &QueueArgument) -> String {
    match argument.since == Profile::ALL[0] {
        true => format!("The argument {}", argument.full_name()),
        false => format!("The argument {} (since RabbitMQ {})", argument.full_name(), argument.since),
    }
}
