//! A message's properties in JSON, as the API takes and shows them.

use crate::model::{Name, Properties, Table, Value};
use serde_json::{Map, Value as Json, json};

/// Writes those that are set.
pub(crate) fn written(it: &Properties) -> Json {
    let mut map = Map::new();
    let texts: [(&str, &Option<Name>); 10] = [
        ("app_id", &it.app_id),
        ("user_id", &it.user_id),
        ("type", &it.kind),
        ("message_id", &it.message_id),
        ("expiration", &it.expiration),
        ("reply_to", &it.reply_to),
        ("correlation_id", &it.correlation_id),
        ("content_encoding", &it.content_encoding),
        ("content_type", &it.content_type),
        ("cluster_id", &it.cluster_id),
    ];
    let numbers = [
        ("timestamp", it.timestamp),
        ("priority", it.priority.map(u64::from)),
        ("delivery_mode", it.delivery_mode.map(u64::from)),
    ];
    map.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(**text.as_ref()?)))));
    map.extend(numbers.into_iter().filter_map(|(key, number)| Some((key.to_owned(), json!(number?)))));
    if let Some(headers) = &it.headers {
        map.insert("headers".to_owned(), Value::Table(headers.clone()).to_json());
    }
    // An empty list of Erlang's is one in JSON.
    if map.is_empty() { json!([]) } else { Json::Object(map) }
}

/// Reads what a client wants a message to have.
pub(crate) fn read(json: &Json) -> Properties {
    let text = |key: &str| json.get(key).and_then(Json::as_str).map(Name::from);
    let number = |key: &str| match json.get(key)? {
        Json::String(text) => text.parse::<u64>().ok(),
        number => number.as_u64(),
    };
    let small = |key: &str| number(key).and_then(|number| u8::try_from(number).ok());
    let headers = json.get("headers").and_then(Json::as_object);
    let headers: Option<Table> =
        headers.map(|map| map.iter().map(|(key, value)| (key.as_str(), Value::from_json(value))).collect());
    Properties {
        content_type: text("content_type"),
        content_encoding: text("content_encoding"),
        headers,
        delivery_mode: small("delivery_mode"),
        priority: small("priority"),
        correlation_id: text("correlation_id"),
        reply_to: text("reply_to"),
        expiration: text("expiration"),
        message_id: text("message_id"),
        timestamp: number("timestamp"),
        kind: text("type"),
        user_id: text("user_id"),
        app_id: text("app_id"),
        cluster_id: text("cluster_id"),
    }
}
