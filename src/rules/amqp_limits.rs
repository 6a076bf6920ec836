//! What AMQP 0-9-1 can carry of a publish: short strings, one frame of properties, whole numbers of a fixed size.
//! Takes what is about to be sent, returns the first part that no frame holds. Never shortens anything.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Message, Name, Properties, Table, Value};
use std::fmt;

/// The longest short string, in bytes: names, routing keys, text properties and the names of headers.
pub const SHORT_STRING_BYTES_MAX: usize = 255;

/// The largest content header in bytes: RabbitMQ's `frame_max` of 131,072 less the eight bytes around a frame.
pub const CONTENT_HEADER_BYTES_MAX: usize = 131_072 - 8;

/// How deep header tables and arrays may nest: as deep as a file may. RabbitMQ has no limit of its own.
pub const HEADER_LEVELS_MAX: usize = 100;

/// How many letters of a value are shown.
const LETTERS_SHOWN: usize = 40;

/// The part of a publish that is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishPart {
    Exchange,
    RoutingKey,
    ContentType,
    ContentEncoding,
    CorrelationId,
    ReplyTo,
    Expiration,
    MessageId,
    Type,
    UserId,
    AppId,
    ClusterId,
    /// The name of one header.
    HeaderName,
    /// All headers together.
    Headers,
    Priority,
    Timestamp,
}

impl PublishPart {
    /// Returns the key that stands for it in a scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            PublishPart::Exchange => "exchange",
            PublishPart::RoutingKey => "routing_key",
            PublishPart::ContentType => "content_type",
            PublishPart::ContentEncoding => "content_encoding",
            PublishPart::CorrelationId => "correlation_id",
            PublishPart::ReplyTo => "reply_to",
            PublishPart::Expiration => "expiration",
            PublishPart::MessageId => "id",
            PublishPart::Type => "type",
            PublishPart::UserId => "user_id",
            PublishPart::AppId => "app_id",
            PublishPart::ClusterId => "cluster_id",
            PublishPart::HeaderName => "header name",
            PublishPart::Headers => "headers",
            PublishPart::Priority => "priority",
            PublishPart::Timestamp => "timestamp",
        }
    }
}

/// A limit of AMQP, or of what is played of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmqpLimit {
    /// In bytes.
    ShortString,
    /// In bytes, together with all properties.
    ContentHeader,
    /// In levels.
    HeaderLevels,
    /// From the least to the greatest whole number.
    Number { min: i64, max: i64 },
}

/// A value that breaks a limit of AMQP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverLimit {
    pub part: PublishPart,
    pub limit: AmqpLimit,
    /// In the limit's unit; 0 where it is a number.
    pub size: usize,
    /// The value, cut; of headers the name of the largest, or of the one that is nested deepest.
    pub value: String,
}

impl OverLimit {
    /// Makes the breach of a number that is none, or out of range.
    pub fn number(part: PublishPart, value: &str, min: i64, max: i64) -> Self {
        Self { part, limit: AmqpLimit::Number { min, max }, size: 0, value: shown(value) }
    }
}

/// Writes the beginning of a value.
fn shown(value: &str) -> String {
    let beginning: String = value.chars().take(LETTERS_SHOWN).collect();
    if beginning.len() < value.len() { beginning + "…" } else { beginning }
}

impl fmt::Display for AmqpLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AmqpLimit::ShortString => write!(f, "at most {SHORT_STRING_BYTES_MAX} bytes"),
            AmqpLimit::ContentHeader => write!(f, "at most {CONTENT_HEADER_BYTES_MAX} bytes with all properties"),
            AmqpLimit::HeaderLevels => write!(f, "at most {HEADER_LEVELS_MAX} levels"),
            AmqpLimit::Number { min: 0, max: i64::MAX } => write!(f, "a whole number from 0"),
            AmqpLimit::Number { min, max } => write!(f, "a whole number from {min} to {max}"),
        }
    }
}

/// Returns the size of a text that is too long for a short string.
pub fn short_string_excess(text: &str) -> Option<usize> {
    (text.len() > SHORT_STRING_BYTES_MAX).then_some(text.len())
}

/// Finds the first part of a publish that AMQP cannot carry.
///
/// ```
/// use rmqplay::model::Message;
/// use rmqplay::rules::{PublishPart, over_limit};
/// let over = over_limit(&"logs".into(), &"a".repeat(300).into(), &Message::default()).expect("too long");
/// assert_eq!((over.part, over.size), (PublishPart::RoutingKey, 300));
/// ```
pub fn over_limit(exchange: &Name, routing_key: &Name, message: &Message) -> Option<OverLimit> {
    let properties = &message.properties;
    let places = [(PublishPart::Exchange, exchange), (PublishPart::RoutingKey, routing_key)];
    let texts = texts(properties).into_iter().filter_map(|(part, text)| Some((part, text.as_ref()?)));
    let long = places.into_iter().chain(texts).find_map(|(part, text)| too_long(part, text));
    long.or_else(|| headers_over_limit(properties))
}

fn texts(properties: &Properties) -> [(PublishPart, &Option<Name>); 10] {
    [
        (PublishPart::ContentType, &properties.content_type),
        (PublishPart::ContentEncoding, &properties.content_encoding),
        (PublishPart::CorrelationId, &properties.correlation_id),
        (PublishPart::ReplyTo, &properties.reply_to),
        (PublishPart::Expiration, &properties.expiration),
        (PublishPart::MessageId, &properties.message_id),
        (PublishPart::Type, &properties.kind),
        (PublishPart::UserId, &properties.user_id),
        (PublishPart::AppId, &properties.app_id),
        (PublishPart::ClusterId, &properties.cluster_id),
    ]
}

fn too_long(part: PublishPart, text: &str) -> Option<OverLimit> {
    let size = short_string_excess(text)?;
    Some(OverLimit { part, limit: AmqpLimit::ShortString, size, value: shown(text) })
}

fn headers_over_limit(properties: &Properties) -> Option<OverLimit> {
    let headers = properties.headers.as_ref()?;
    let over = |limit, size, name: Option<&Name>| {
        let value = name.map_or_else(String::new, |name| shown(name));
        Some(OverLimit { part: PublishPart::Headers, limit, size, value })
    };
    let levels = headers.iter().map(|(name, value)| (levels_of(value), name)).max_by_key(|(levels, _)| *levels);
    if let Some((levels, name)) = levels.filter(|(levels, _)| *levels > HEADER_LEVELS_MAX) {
        return over(AmqpLimit::HeaderLevels, levels, Some(name));
    }
    if let Some(name) = long_name(headers) {
        return too_long(PublishPart::HeaderName, &name);
    }
    let size = content_header_bytes(properties, headers);
    if size <= CONTENT_HEADER_BYTES_MAX {
        return None;
    }
    let largest = headers.iter().max_by_key(|(_, value)| value_bytes(value)).map(|(name, _)| name);
    over(AmqpLimit::ContentHeader, size, largest)
}

/// Counts the levels of a value without recursion: what is measured may be as deep as its size allows.
fn levels_of(value: &Value) -> usize {
    let (mut deepest, mut left) = (0, vec![(value, 1)]);
    while let Some((value, level)) = left.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Table(inner) => left.extend(inner.iter().map(|(_, value)| (value, level + 1))),
            Value::Array(inner) => left.extend(inner.iter().map(|value| (value, level + 1))),
            _ => {}
        }
    }
    deepest
}

/// Finds the name of a header, or of an entry inside of one, that is too long.
fn long_name(table: &Table) -> Option<Name> {
    table.iter().find_map(|(name, value)| {
        let own = short_string_excess(name).map(|_| name.clone());
        own.or_else(|| long_name_in(value))
    })
}

fn long_name_in(value: &Value) -> Option<Name> {
    match value {
        Value::Table(inner) => long_name(inner),
        Value::Array(inner) => inner.iter().find_map(long_name_in),
        _ => None,
    }
}

/// Measures the payload of the header frame: class, weight, body size and flags, then what was set.
fn content_header_bytes(properties: &Properties, headers: &Table) -> usize {
    let texts: usize = texts(properties).iter().filter_map(|(_, text)| Some(1 + text.as_ref()?.len())).sum();
    let octets = [properties.delivery_mode, properties.priority].iter().flatten().count();
    let timestamp = if properties.timestamp.is_some() { 8 } else { 0 };
    14 + texts + octets + timestamp + table_bytes(headers)
}

fn table_bytes(table: &Table) -> usize {
    4 + table.iter().map(|(name, value)| 1 + name.len() + value_bytes(value)).sum::<usize>()
}

/// Measures a value with the letter of its type.
fn value_bytes(value: &Value) -> usize {
    1 + match value {
        Value::Void => 0,
        Value::Bool(_) | Value::I8(_) | Value::U8(_) => 1,
        Value::I16(_) | Value::U16(_) => 2,
        Value::I32(_) | Value::U32(_) | Value::F32(_) => 4,
        Value::Decimal(..) => 5,
        Value::I64(_) | Value::F64(_) | Value::Timestamp(_) => 8,
        Value::Text(text) => 4 + text.len(),
        Value::Bytes(bytes) => 4 + bytes.len(),
        Value::Array(entries) => 4 + entries.iter().map(value_bytes).sum::<usize>(),
        Value::Table(table) => table_bytes(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: Table) -> Message {
        let properties = Properties {
            headers: Some(headers),
            delivery_mode: Some(2),
            message_id: Some("m".into()),
            ..Properties::default()
        };
        Message { properties, body: [].as_slice().into() }
    }

    fn found(message: &Message) -> Option<(PublishPart, AmqpLimit, usize)> {
        over_limit(&"".into(), &"q".into(), message).map(|over| (over.part, over.limit, over.size))
    }

    #[test]
    fn a_content_header_is_measured_as_rabbitmq_does() {
        // RabbitMQ 4.3.6 said `{frame_too_large,9028,8184}` of this one.
        let headers: Table = [("a", Value::Text("x".repeat(9_000).as_str().into()))].into_iter().collect();
        assert_eq!(content_header_bytes(&message(headers.clone()).properties, &headers), 9_028);
        let of =
            |length: usize| message([("a", Value::Text("x".repeat(length).as_str().into()))].into_iter().collect());
        assert_eq!(found(&of(CONTENT_HEADER_BYTES_MAX - 28)), None);
        let over = (PublishPart::Headers, AmqpLimit::ContentHeader, CONTENT_HEADER_BYTES_MAX + 1);
        assert_eq!(found(&of(CONTENT_HEADER_BYTES_MAX - 27)), Some(over));
    }

    #[test]
    fn levels_and_names_are_counted_inside_too() {
        let deep = |levels: usize| {
            let inner = (1..levels).fold(Value::I64(1), |value, _| Value::Array(vec![value]));
            message([("a", inner)].into_iter().collect())
        };
        assert_eq!(found(&deep(HEADER_LEVELS_MAX)), None);
        let over = (PublishPart::Headers, AmqpLimit::HeaderLevels, HEADER_LEVELS_MAX + 1);
        assert_eq!(found(&deep(HEADER_LEVELS_MAX + 1)), Some(over));
        let long: Table = [("n".repeat(256).as_str(), Value::Void)].into_iter().collect();
        let inside = message([("a", Value::Array(vec![Value::Table(long)]))].into_iter().collect());
        assert_eq!(found(&inside), Some((PublishPart::HeaderName, AmqpLimit::ShortString, 256)));
    }
}
