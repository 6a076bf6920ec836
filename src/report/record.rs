//! Messages as a snapshot shows them: sorted keys, times redacted, long bodies by length and digest.

use crate::model::{Table, Value};
use crate::player::MessageRecord;
use crate::report::redaction::{Redaction, redact_path, server_names_hidden};
use serde_json::{Map, Value as Json, json};

/// The longest body that is shown whole, in bytes.
const BODY_SHOWN_MAX: usize = 256;

/// Shows one message, without what is to be hidden of it.
pub(crate) fn message_json(record: &MessageRecord, redaction: &Redaction<'_>) -> Json {
    let redact = redaction.paths;
    let properties = &record.message.properties;
    let mut shown = Map::new();
    shown.insert("id".into(), json!(&*record.name));
    shown.insert("exchange".into(), json!(&*record.exchange));
    shown.insert("routing_key".into(), json!(server_names_hidden(&record.routing_key)));
    if record.redelivered {
        shown.insert("redelivered".into(), json!(true));
    }
    let texts = [
        ("content_type", &properties.content_type),
        ("content_encoding", &properties.content_encoding),
        ("correlation_id", &properties.correlation_id),
        ("reply_to", &properties.reply_to),
        ("expiration", &properties.expiration),
        ("type", &properties.kind),
        ("user_id", &properties.user_id),
        ("app_id", &properties.app_id),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            shown.insert(name.into(), json!(server_names_hidden(text)));
        }
    }
    if let Some(mode) = properties.delivery_mode.filter(|mode| *mode != 2) {
        shown.insert("delivery_mode".into(), json!(mode));
    }
    if let Some(priority) = properties.priority {
        shown.insert("priority".into(), json!(priority));
    }
    if properties.timestamp.is_some() {
        shown.insert("timestamp".into(), json!("[timestamp]"));
    }
    if let Some(headers) = properties.headers.as_ref().filter(|headers| !headers.is_empty()) {
        shown.insert("headers".into(), table_json(headers));
    }
    let (key, body) = body_json(&record.message.body, properties.content_type.as_deref(), redact);
    shown.insert(key.into(), body);
    let mut shown = Json::Object(shown);
    redact.iter().for_each(|path| _ = redact_path(&mut shown, path));
    shown
}

/// Shows a body: JSON as a tree, text as text, bytes as base64, long ones by length and digest. What is redacted is
/// hidden before the digest is taken, for it would differ in each run.
fn body_json(body: &[u8], content_type: Option<&str>, redact: &[String]) -> (&'static str, Json) {
    if body.len() > BODY_SHOWN_MAX {
        let mut paths = redact.iter().filter_map(|path| path.strip_prefix("json.")).peekable();
        if content_type == Some("application/json")
            && paths.peek().is_some()
            && let Ok(mut tree) = serde_json::from_slice::<Json>(body)
            && paths.filter(|path| redact_path(&mut tree, path)).count() > 0
        {
            let text = sorted(tree).to_string();
            let digest = format!("{:016x}", crate::player::digest_of(text.as_bytes()));
            return ("body", json!({ "redacted": true, "digest": digest }));
        }
        let digest = format!("{:016x}", crate::player::digest_of(body));
        return ("body", json!({ "bytes": body.len(), "digest": digest }));
    }
    if content_type == Some("application/json")
        && let Ok(tree) = serde_json::from_slice::<Json>(body)
    {
        return ("json", sorted(tree));
    }
    match std::str::from_utf8(body) {
        Ok(text) => ("body", json!(text)),
        Err(_) => {
            use base64::Engine as _;
            ("body", json!({ "base64": base64::engine::general_purpose::STANDARD.encode(body) }))
        }
    }
}

fn table_json(table: &Table) -> Json {
    let mut keys: Vec<&str> = table.keys().map(|key| &**key).collect();
    keys.sort();
    Json::Object(keys.into_iter().map(|key| (key.to_owned(), value_json(key, &table[key]))).collect())
}

/// Shows a value, of a type that plain YAML has not by the file's own word for it (`{$int8: 5}`); the time of a death and
/// any timestamp differ in each run.
fn value_json(key: &str, value: &Value) -> Json {
    match value {
        Value::Timestamp(_) if key == "time" => json!("[time]"),
        Value::Timestamp(_) => json!("[timestamp]"),
        Value::Table(table) => table_json(table),
        Value::Array(entries) => Json::Array(entries.iter().map(|entry| value_json(key, entry)).collect()),
        Value::Text(text) => json!(server_names_hidden(text)),
        Value::Void | Value::Bool(_) | Value::I64(_) | Value::F64(_) => value.to_json(),
        Value::I8(n) => json!({ "$int8": n }),
        Value::U8(n) => json!({ "$uint8": n }),
        Value::I16(n) => json!({ "$int16": n }),
        Value::U16(n) => json!({ "$uint16": n }),
        Value::I32(n) => json!({ "$int32": n }),
        Value::U32(n) => json!({ "$uint32": n }),
        Value::F32(n) => json!({ "$float": n }),
        Value::Decimal(scale, n) => json!({ "$decimal": [scale, n] }),
        Value::Bytes(bytes) => {
            json!({ "$bytes": std::str::from_utf8(bytes).map_or_else(|_| json!(bytes), |text| json!(text)) })
        }
    }
}

fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(entries) => Json::Array(entries.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_differs_only_in_what_is_not_redacted() {
        let body = |at: u32, n: u32| format!("{{\"at\":{at},\"n\":{n},\"text\":\"{}\"}}", "x".repeat(300));
        let shown = |at, n| body_json(body(at, n).as_bytes(), Some("application/json"), &["json.at".to_owned()]);
        assert_eq!(shown(1, 1), shown(2, 1));
        assert_ne!(shown(1, 1), shown(1, 2));
    }
}
