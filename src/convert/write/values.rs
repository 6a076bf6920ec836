//! Values of arguments, definitions and parameters as YAML; secrets in them become templates.
//! Takes AMQP values and JSON; gives what the language reads as the same. Never changes a type.

use crate::convert::secrets::SecretVariables;
use crate::convert::write::yaml::Yaml;
use crate::model::{Table, Value};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// Adds a field.
pub(crate) fn put(fields: &mut Vec<(String, Yaml)>, key: &str, value: Yaml) {
    fields.push((key.to_owned(), value));
}

/// Adds `arguments`, unless there are none.
pub(crate) fn raw_arguments(
    fields: &mut Vec<(String, Yaml)>,
    table: &Table,
    base: &str,
    secrets: &mut SecretVariables,
) {
    if !table.is_empty() {
        put(fields, "arguments", amqp_table(table, base, secrets));
    }
}

fn amqp_table(table: &Table, base: &str, secrets: &mut SecretVariables) -> Yaml {
    Yaml::Map(table.iter().map(|(key, value)| (key.to_string(), amqp(value, base, key, secrets))).collect())
}

/// Writes an AMQP value; what JSON has no type for is written with its type.
fn amqp(value: &Value, base: &str, key: &str, secrets: &mut SecretVariables) -> Yaml {
    let typed = |word: &str, value: Yaml| Yaml::Map(vec![(word.to_owned(), value)]);
    let number = |n: &dyn std::fmt::Display| Yaml::Scalar(n.to_string());
    match value {
        Value::Void => Yaml::Scalar("null".to_owned()),
        Value::Bool(yes) => Yaml::bool(*yes),
        Value::I64(n) => Yaml::integer(*n),
        Value::F64(n) => float(*n),
        Value::Text(text) => secret_text(text, base, key, secrets),
        Value::Array(entries) => Yaml::List(entries.iter().map(|entry| amqp(entry, base, key, secrets)).collect()),
        Value::Table(table) => amqp_table(table, base, secrets),
        Value::I8(n) => typed("$int8", number(n)),
        Value::U8(n) => typed("$uint8", number(n)),
        Value::I16(n) => typed("$int16", number(n)),
        Value::U16(n) => typed("$uint16", number(n)),
        Value::I32(n) => typed("$int32", number(n)),
        Value::U32(n) => typed("$uint32", number(n)),
        Value::F32(n) => typed("$float", float(f64::from(*n))),
        Value::Decimal(scale, n) => typed("$decimal", Yaml::List(vec![number(scale), number(n)])),
        Value::Timestamp(seconds) => typed("$timestamp", number(seconds)),
        Value::Bytes(bytes) => typed("$bytes", Yaml::text(&String::from_utf8_lossy(bytes))),
    }
}

/// Writes a fraction so that it is read as one.
fn float(n: f64) -> Yaml {
    let text = Json::from(n).to_string();
    Yaml::Scalar(if text.contains(['.', 'e']) { text } else { format!("{text}.0") })
}

fn secret_text(text: &str, base: &str, key: &str, secrets: &mut SecretVariables) -> Yaml {
    match secrets.template_in(base, key, text) {
        Some(template) => Yaml::template(&template),
        None => Yaml::text(text),
    }
}

/// Writes a policy's definition: RabbitMQ's keys and numbers.
pub(crate) fn policy_definition(
    definition: &IndexMap<String, Json>,
    base: &str,
    secrets: &mut SecretVariables,
) -> Yaml {
    Yaml::Map(definition.iter().map(|(key, value)| (key.clone(), secret_json(value, base, key, secrets))).collect())
}

/// Writes JSON; secrets in it become templates named after what they belong to.
pub(crate) fn secret_json(value: &Json, base: &str, key: &str, secrets: &mut SecretVariables) -> Yaml {
    match value {
        Json::String(text) => secret_text(text, base, key, secrets),
        Json::Array(entries) => {
            Yaml::List(entries.iter().map(|entry| secret_json(entry, base, key, secrets)).collect())
        }
        Json::Object(map) => {
            Yaml::Map(map.iter().map(|(key, value)| (key.clone(), secret_json(value, base, key, secrets))).collect())
        }
        Json::Number(n) if n.is_f64() => float(n.as_f64().unwrap_or(0.0)),
        plain => Yaml::Scalar(plain.to_string()),
    }
}
