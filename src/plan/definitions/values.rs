//! AMQP values in JSON, with the types that JSON does not have: `{"$int8": 5}`, the words of the topology language.
//! Takes values, gives JSON, and back. Never loses a type.

use crate::model::{Table, Value};
use serde_json::{Map, Value as Json, json};

/// Writes a value with its type.
pub(crate) fn typed_json(value: &Value) -> Json {
    match value {
        Value::Void => json!({ "$void": true }),
        Value::I8(n) => json!({ "$int8": n }),
        Value::U8(n) => json!({ "$uint8": n }),
        Value::I16(n) => json!({ "$int16": n }),
        Value::U16(n) => json!({ "$uint16": n }),
        Value::I32(n) => json!({ "$int32": n }),
        Value::U32(n) => json!({ "$uint32": n }),
        Value::F32(n) => json!({ "$float": n }),
        Value::F64(n) => json!({ "$double": n }),
        Value::Decimal(scale, n) => json!({ "$decimal": [scale, n] }),
        Value::Bytes(bytes) => json!({ "$bytes": bytes }),
        Value::Timestamp(seconds) => json!({ "$timestamp": seconds }),
        Value::Array(entries) => entries.iter().map(typed_json).collect(),
        Value::Table(table) => json!({ "$table": typed_table_json(table) }),
        plain => plain.to_json(),
    }
}

/// Writes a table with the types of its values.
pub(crate) fn typed_table_json(table: &Table) -> Json {
    Json::Object(table.iter().map(|(name, value)| (name.to_string(), typed_json(value))).collect())
}

/// Reads a value with its type; what is none of ours is read as RabbitMQ reads JSON.
pub(crate) fn typed_value(json: &Json) -> Value {
    match json {
        Json::Array(entries) => Value::Array(entries.iter().map(typed_value).collect()),
        Json::Object(map) => tagged(map).unwrap_or_else(|| Value::Table(typed_table(json))),
        plain => Value::from_json(plain),
    }
}

/// Reads a table with the types of its values.
pub(crate) fn typed_table(json: &Json) -> Table {
    let entries = json.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.as_str(), typed_value(value))).collect()
}

fn tagged(map: &Map<String, Json>) -> Option<Value> {
    let (tag, json) = map.iter().next().filter(|_| map.len() == 1)?;
    let whole = json.as_i64();
    Some(match tag.as_str() {
        "$void" => Value::Void,
        "$int8" => Value::I8(whole?.try_into().ok()?),
        "$uint8" => Value::U8(whole?.try_into().ok()?),
        "$int16" => Value::I16(whole?.try_into().ok()?),
        "$uint16" => Value::U16(whole?.try_into().ok()?),
        "$int32" => Value::I32(whole?.try_into().ok()?),
        "$uint32" => Value::U32(whole?.try_into().ok()?),
        "$float" => Value::F32(json.as_f64()? as f32),
        "$double" => Value::F64(json.as_f64()?),
        "$decimal" => {
            let [scale, n] = json.as_array()?.as_slice() else { return None };
            Value::Decimal(scale.as_u64()?.try_into().ok()?, n.as_u64()?.try_into().ok()?)
        }
        "$bytes" => {
            let bytes = json.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
            Value::Bytes(bytes.collect::<Option<_>>()?)
        }
        "$timestamp" => Value::Timestamp(json.as_u64()?),
        "$table" => Value::Table(typed_table(json)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back() {
        let values = [
            Value::Void,
            Value::Bool(true),
            Value::I8(-5),
            Value::U8(5),
            Value::I16(-5),
            Value::U16(5),
            Value::I32(-5),
            Value::U32(5),
            Value::I64(-5),
            Value::F32(1.5),
            Value::F64(2.0),
            Value::Decimal(2, 314),
            Value::from("text"),
            Value::Bytes(vec![0, 255]),
            Value::Timestamp(1_700_000_000),
            Value::Array(vec![Value::I8(1), Value::from("a")]),
            Value::Table([("$int8", Value::from("no number")), ("b", Value::U16(7))].into_iter().collect()),
            Value::Table([("$int8", Value::I64(5))].into_iter().collect()),
        ];
        for value in values {
            assert_eq!(typed_value(&typed_json(&value)), value);
        }
    }
}
