//! What a stream keeps of a message: it is stored as AMQP 1.0, which has no place for some of it (ST-7).
//! Takes a message as it was routed, gives the one that every reader gets, and how many bytes it takes on disk.

use crate::model::{Message, Name, Properties, Table, Value};
use crate::rules::Differences;
use crate::rules::streams::reading::BadStreamArgument;

/// The header by which a message tells its filter value (ST-9).
const FILTER_VALUE: &str = "x-stream-filter-value";

/// Returns a message as a stream delivers it: with its offset, and without what is lost on the way. The headers are those
/// that it was routed with; `died` says that the broker wrote the x-death among them.
pub fn as_appended(
    message: &Message,
    headers: Option<&Table>,
    (died, offset): (bool, u64),
    differences: &Differences,
) -> Message {
    let keeps = differences.streams.keeps_annotations;
    let room = headers.map_or(0, Table::len) + 1;
    let mut kept = Table::with_capacity(room);
    for (name, value) in headers.into_iter().flatten() {
        match value {
            _ if keeps && is_taken(name) && !(died && &**name == HISTORY) => {}
            Value::Table(_) | Value::Array(_) => {
                if keeps && (name.starts_with("x-") || &**name == "CC") {
                    kept.insert(name.clone(), value.clone());
                }
            }
            Value::Bytes(bytes) if keeps => {
                let text = String::from_utf8_lossy(bytes);
                kept.insert(name.clone(), Value::Text(text.as_ref().into()));
            }
            _ => {
                kept.insert(name.clone(), value.clone());
            }
        }
    }
    kept.insert("x-stream-offset".into(), Value::I64(offset as i64));
    kept.sort_keys();
    let properties = &message.properties;
    let expiration = properties.expiration.as_ref().filter(|_| keeps || !died);
    // AMQP 1.0 knows durable messages and others.
    let durable = if properties.delivery_mode == Some(2) { 2 } else { 1 };
    let delivery_mode = if keeps { Some(durable) } else { properties.delivery_mode };
    Message {
        properties: Properties {
            headers: Some(kept),
            expiration: expiration.cloned(),
            delivery_mode,
            cluster_id: None,
            ..properties.clone()
        },
        body: message.body.clone(),
    }
}

/// The header of deaths that the broker records.
const HISTORY: &str = "x-death";

/// Returns whether the broker has a use of its own for an annotation of that name, so that a client's header does not come back.
fn is_taken(name: &str) -> bool {
    name.starts_with("x-basic-") || matches!(name, HISTORY | "x-exchange" | "x-routing-key")
}

/// Returns the filter value of a message; `None` for none, which an empty one is, too.
///
/// # Errors
/// It is no text, which ends the publisher's connection (541).
pub fn filter_value(headers: Option<&Table>, differences: &Differences) -> Result<Option<Name>, BadStreamArgument> {
    if !differences.streams.filters {
        return Ok(None);
    }
    match headers.and_then(|headers| headers.get(FILTER_VALUE)) {
        None => Ok(None),
        Some(Value::Text(value)) if value.is_empty() => Ok(None),
        Some(Value::Text(value)) => Ok(Some(value.clone())),
        Some(_) => Err(BadStreamArgument::Crashes),
    }
}

/// Bytes of the header of a chunk, and of the length of the one message in it.
const CHUNK_BYTES: u64 = 48 + 4;

/// Bytes of a section of AMQP 1.0, with the size and the count of what it holds.
const SECTION_BYTES: usize = 12;

/// Returns about how many bytes a message takes in a segment, as a chunk of its own; the headers are those that it was
/// routed with.
pub fn appended_bytes(message: &Message, headers: Option<&Table>, exchange: &str, routing_key: &str) -> u64 {
    let properties = &message.properties;
    let texts = [
        &properties.content_type,
        &properties.content_encoding,
        &properties.correlation_id,
        &properties.reply_to,
        &properties.expiration,
        &properties.message_id,
        &properties.kind,
        &properties.user_id,
        &properties.app_id,
    ];
    let texts: usize = texts.into_iter().flatten().map(|text| text.len() + 2).sum();
    let headers: usize = headers.into_iter().flatten().map(|(name, value)| name.len() + 2 + value_bytes(value)).sum();
    let annotations = "x-exchange".len() + "x-routing-key".len() + 8 + exchange.len() + routing_key.len();
    CHUNK_BYTES + (4 * SECTION_BYTES + texts + headers + annotations + message.body.len()) as u64
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + 2,
        Value::Bytes(bytes) => bytes.len() + 2,
        Value::Array(values) => SECTION_BYTES + values.iter().map(value_bytes).sum::<usize>(),
        Value::Table(table) => {
            SECTION_BYTES + table.iter().map(|(name, value)| name.len() + 2 + value_bytes(value)).sum::<usize>()
        }
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Profile;
    use crate::rules::differences;

    #[test]
    fn of_delivery_modes_a_stream_of_3_13_keeps_whether_a_message_is_durable() {
        let kept = |profile: Profile, delivery_mode: Option<u8>| {
            let properties = Properties { delivery_mode, ..Properties::default() };
            let message = Message { properties, ..Message::default() };
            as_appended(&message, None, (false, 0), differences(profile)).properties.delivery_mode
        };
        for (sent, old, new) in [(Some(2), Some(2), 2), (Some(1), Some(1), 1), (Some(7), Some(7), 1), (None, None, 1)] {
            assert_eq!(kept(Profile::V3_10, sent), old);
            assert_eq!(kept(Profile::V3_13, sent), Some(new));
            assert_eq!(kept(Profile::V4_3, sent), Some(new));
        }
    }
}
