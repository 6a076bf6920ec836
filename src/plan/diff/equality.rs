//! When two values are the same to RabbitMQ: numbers by value whatever their width, tables without order.
//! Also how values are written in explanations. Never looks at what a value means.

use crate::model::{Millis, Table, Value};
use crate::plan::FieldChange;
use crate::rules::{ValueKind, queue_argument};
use crate::source::{is_secret, without_passwords_in_urls};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Compares by value: `5` equals `5.0`, objects compare without order.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x == y,
            _ => x.as_f64() == y.as_f64(),
        },
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// Compares two AMQP values; widths do not count, since an export does not tell them.
pub(crate) fn same_value(a: &Value, b: &Value) -> bool {
    same(&a.to_json(), &b.to_json())
}

/// Lists the differences of two argument tables by key, old first; keys in `skip` are not looked at.
pub(crate) fn table_changes(old: &Table, new: &Table, skip: &[&str]) -> Vec<FieldChange> {
    let keys: BTreeSet<&str> = old.keys().chain(new.keys()).map(|key| &**key).collect();
    let differing =
        keys.into_iter().filter(|key| !skip.contains(key)).filter(|key| match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => !same_value(old, new),
            _ => true,
        });
    differing.map(|key| FieldChange::new(key, shown(old.get(key)), shown(new.get(key)))).collect()
}

/// Lists the differences of two JSON maps by key, old first.
pub(crate) fn json_changes<'a>(
    old: impl Fn(&str) -> Option<&'a Json>,
    new: impl Fn(&str) -> Option<&'a Json>,
    keys: &BTreeSet<&str>,
) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (old(key), new(key));
        let equal = match (before, after) {
            (Some(before), Some(after)) => same(before, after),
            _ => before.is_none() && after.is_none(),
        };
        if !equal {
            changes.push(match is_secret(key) {
                true => FieldChange::hidden(*key),
                false => FieldChange::new(*key, shown_json(before), shown_json(after)),
            });
        }
    }
    changes
}

/// Adds a change when the two texts differ.
pub(crate) fn push_text(changes: &mut Vec<FieldChange>, name: &str, old: &str, new: &str) {
    if old != new {
        let show = |text: &str| if text.is_empty() { "''".to_owned() } else { text.to_owned() };
        changes.push(FieldChange::new(name, show(old), show(new)));
    }
}

/// Adds a change when the two flags differ.
pub(crate) fn push_flag(changes: &mut Vec<FieldChange>, name: &str, old: bool, new: bool) {
    if old != new {
        changes.push(FieldChange::new(name, old.to_string(), new.to_string()));
    }
}

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Writes a value, `none` when there is none.
pub(crate) fn shown(value: Option<&Value>) -> String {
    shown_json(value.map(Value::to_json).as_ref())
}

/// Writes a JSON value, texts without quotes, `none` when there is none, secrets as `***`.
pub(crate) fn shown_json(value: Option<&Json>) -> String {
    match value.map(without_secrets).as_ref() {
        None => "none".into(),
        Some(Json::String(text)) if text.is_empty() => "''".into(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Replaces what stands under the names of secrets, and the passwords of URLs.
fn without_secrets(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let hidden = |key: &str, value: &Json| match is_secret(key) && !value.is_null() {
                true => HIDDEN.into(),
                false => without_secrets(value),
            };
            Json::Object(map.iter().map(|(key, value)| (key.clone(), hidden(key, value))).collect())
        }
        Json::Array(list) => Json::Array(list.iter().map(without_secrets).collect()),
        Json::String(text) => Json::String(without_passwords_in_urls(text)),
        other => other.clone(),
    }
}

/// Writes an argument as people say it: `message-ttl 5s`, `max-length 10`.
pub(crate) fn argument_words(name: &str, value: &Json) -> String {
    let bare = name.strip_prefix("x-").filter(|_| queue_argument(name).is_some()).unwrap_or(name);
    let is_duration = queue_argument(name).is_some_and(|argument| argument.kind == ValueKind::Duration);
    match value.as_u64().filter(|_| is_duration) {
        Some(ms) => format!("{bare} {}", Millis(ms)),
        None => format!("{bare} {}", shown_json(Some(value))),
    }
}
