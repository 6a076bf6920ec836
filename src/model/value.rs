//! AMQP's typed field values, as headers and arguments carry them.
//! Compares by value and type; says how RabbitMQ names a type in its texts. Never encodes frames.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Name, Table};
use std::hash::{Hash, Hasher};

/// One AMQP 0-9-1 field value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Void,
    Bool(bool),
    I8(i8),
    U8(u8),
    I16(i16),
    U16(u16),
    I32(i32),
    U32(u32),
    I64(i64),
    F32(f32),
    F64(f64),
    /// Digits after the point, then the unscaled number.
    Decimal(u8, u32),
    /// A long string that is UTF-8.
    Text(Name),
    /// A byte array (`x`), or a long string that is not UTF-8.
    Bytes(Vec<u8>),
    /// Seconds since 1970.
    Timestamp(u64),
    Array(Vec<Value>),
    Table(Table),
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Void => {}
            Value::Bool(value) => value.hash(state),
            Value::I8(value) => value.hash(state),
            Value::U8(value) => value.hash(state),
            Value::I16(value) => value.hash(state),
            Value::U16(value) => value.hash(state),
            Value::I32(value) => value.hash(state),
            Value::U32(value) => value.hash(state),
            Value::I64(value) => value.hash(state),
            // Both zeros are equal.
            Value::F32(value) => (value + 0.0).to_bits().hash(state),
            Value::F64(value) => (value + 0.0).to_bits().hash(state),
            Value::Decimal(places, value) => (places, value).hash(state),
            Value::Text(value) => value.hash(state),
            Value::Bytes(value) => value.hash(state),
            Value::Timestamp(value) => value.hash(state),
            Value::Array(value) => value.hash(state),
            Value::Table(value) => value.hash(state),
        }
    }
}

impl Value {
    /// Returns the integer, whatever its width.
    pub fn as_integer(&self) -> Option<i64> {
        Some(match *self {
            Value::I8(n) => n.into(),
            Value::U8(n) => n.into(),
            Value::I16(n) => n.into(),
            Value::U16(n) => n.into(),
            Value::I32(n) => n.into(),
            Value::U32(n) => n.into(),
            Value::I64(n) => n,
            _ => return None,
        })
    }

    /// Returns the text of a long string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the entries of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns a nested table.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Maps to JSON as RabbitMQ's management API shows it; bytes become base64-free lossy text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Void => Json::Null,
            Value::Bool(yes) => Json::Bool(*yes),
            Value::F32(n) => serde_json::json!(n),
            Value::F64(n) => serde_json::json!(n),
            Value::Decimal(scale, n) => serde_json::json!(f64::from(*n) / 10f64.powi(i32::from(*scale))),
            Value::Text(text) => Json::String(text.to_string()),
            Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
            Value::Timestamp(seconds) => serde_json::json!(seconds),
            Value::Array(entries) => Json::Array(entries.iter().map(Value::to_json).collect()),
            Value::Table(table) => {
                Json::Object(table.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect())
            }
            integer => serde_json::json!(integer.as_integer()),
        }
    }

    /// Maps from JSON as RabbitMQ does: integer = signed 64-bit, fraction = double, text, bool, null = void.
    pub fn from_json(json: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Void,
            Json::Bool(yes) => Value::Bool(*yes),
            Json::Number(n) => n.as_i64().map_or_else(|| Value::F64(n.as_f64().unwrap_or(0.0)), Value::I64),
            Json::String(text) => Value::Text(text.as_str().into()),
            Json::Array(entries) => Value::Array(entries.iter().map(Value::from_json).collect()),
            Json::Object(map) => {
                Value::Table(map.iter().map(|(key, value)| (key.as_str(), Value::from_json(value))).collect())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<&Name> for Value {
    fn from(text: &Name) -> Self {
        Value::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::I64(n)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Value::Bool(yes)
    }
}
