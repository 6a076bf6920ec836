//! Between the model's values and lapin's: tables, properties, messages, errors.
//! Total in both directions; the one thing that can fail is a name of more than 255 bytes.

use crate::broker::{Confirmation, Refusal, Scope};
use crate::model::{Message, Name, Properties, Table, Value};
use lapin::BasicProperties;
use lapin::protocol::AMQPErrorKind;
use lapin::types::{AMQPValue, DecimalValue, FieldArray, FieldTable, LongString, ShortString};

/// The complaint about a name that no frame can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) String);

/// Makes a short string.
pub(crate) fn short(text: &str) -> Result<ShortString, TooLong> {
    ShortString::try_new(text).map_err(|_| TooLong(format!("{} bytes, AMQP allows 255: {text}", text.len())))
}

pub(crate) fn to_table(table: &Table) -> Result<FieldTable, TooLong> {
    let mut out = FieldTable::default();
    for (key, value) in table {
        out.insert(short(key)?, to_value(value)?);
    }
    Ok(out)
}

fn to_value(value: &Value) -> Result<AMQPValue, TooLong> {
    Ok(match value {
        Value::Void => AMQPValue::Void,
        Value::Bool(yes) => AMQPValue::Boolean(*yes),
        Value::I8(n) => AMQPValue::ShortShortInt(*n),
        Value::U8(n) => AMQPValue::ShortShortUInt(*n),
        Value::I16(n) => AMQPValue::ShortInt(*n),
        Value::U16(n) => AMQPValue::ShortUInt(*n),
        Value::I32(n) => AMQPValue::LongInt(*n),
        Value::U32(n) => AMQPValue::LongUInt(*n),
        Value::I64(n) => AMQPValue::LongLongInt(*n),
        Value::F32(n) => AMQPValue::Float(*n),
        Value::F64(n) => AMQPValue::Double(*n),
        Value::Decimal(scale, value) => AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value }),
        Value::Text(text) => AMQPValue::LongString(LongString::from(text.as_bytes())),
        Value::Bytes(bytes) => AMQPValue::ByteArray(bytes.as_slice().into()),
        Value::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
        Value::Array(entries) => {
            let entries = entries.iter().map(to_value).collect::<Result<Vec<_>, _>>()?;
            AMQPValue::FieldArray(FieldArray::from(entries))
        }
        Value::Table(table) => AMQPValue::FieldTable(to_table(table)?),
    })
}

pub(crate) fn from_table(table: &FieldTable) -> Table {
    table.into_iter().map(|(key, value)| (key.as_str().to_owned(), from_value(value))).collect()
}

fn from_value(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Void => Value::Void,
        AMQPValue::Boolean(yes) => Value::Bool(*yes),
        AMQPValue::ShortShortInt(n) => Value::I8(*n),
        AMQPValue::ShortShortUInt(n) => Value::U8(*n),
        AMQPValue::ShortInt(n) => Value::I16(*n),
        AMQPValue::ShortUInt(n) => Value::U16(*n),
        AMQPValue::LongInt(n) => Value::I32(*n),
        AMQPValue::LongUInt(n) => Value::U32(*n),
        AMQPValue::LongLongInt(n) => Value::I64(*n),
        AMQPValue::Float(n) => Value::F32(*n),
        AMQPValue::Double(n) => Value::F64(*n),
        AMQPValue::DecimalValue(decimal) => Value::Decimal(decimal.scale, decimal.value),
        AMQPValue::ShortString(text) => Value::Text(text.as_str().into()),
        AMQPValue::LongString(text) => match String::from_utf8(text.as_bytes().to_vec()) {
            Ok(text) => Value::Text(text.into()),
            Err(error) => Value::Bytes(error.into_bytes()),
        },
        AMQPValue::FieldArray(entries) => Value::Array(entries.as_slice().iter().map(from_value).collect()),
        AMQPValue::Timestamp(seconds) => Value::Timestamp(*seconds),
        AMQPValue::FieldTable(table) => Value::Table(from_table(table)),
        AMQPValue::ByteArray(bytes) => Value::Bytes(bytes.as_slice().to_vec()),
    }
}

pub(crate) fn to_properties(properties: &Properties) -> Result<BasicProperties, TooLong> {
    type Setter<T> = fn(BasicProperties, T) -> BasicProperties;
    let mut out = BasicProperties::default();
    let names: [(&Option<Name>, Setter<ShortString>); 10] = [
        (&properties.content_type, BasicProperties::with_content_type),
        (&properties.content_encoding, BasicProperties::with_content_encoding),
        (&properties.correlation_id, BasicProperties::with_correlation_id),
        (&properties.reply_to, BasicProperties::with_reply_to),
        (&properties.expiration, BasicProperties::with_expiration),
        (&properties.message_id, BasicProperties::with_message_id),
        (&properties.kind, BasicProperties::with_type),
        (&properties.user_id, BasicProperties::with_user_id),
        (&properties.app_id, BasicProperties::with_app_id),
        (&properties.cluster_id, BasicProperties::with_cluster_id),
    ];
    for (name, set) in names {
        if let Some(name) = name {
            out = set(out, short(name)?);
        }
    }
    if let Some(headers) = &properties.headers {
        out = out.with_headers(to_table(headers)?);
    }
    let numbers: [(Option<u8>, Setter<u8>); 2] = [
        (properties.delivery_mode, BasicProperties::with_delivery_mode),
        (properties.priority, BasicProperties::with_priority),
    ];
    for (number, set) in numbers {
        if let Some(number) = number {
            out = set(out, number);
        }
    }
    Ok(match properties.timestamp {
        Some(seconds) => out.with_timestamp(seconds),
        None => out,
    })
}

fn from_properties(properties: &BasicProperties) -> Properties {
    let name = |text: &Option<ShortString>| text.as_ref().map(|text| Name::from(text.as_str()));
    Properties {
        content_type: name(properties.content_type()),
        content_encoding: name(properties.content_encoding()),
        headers: properties.headers().as_ref().map(from_table),
        delivery_mode: *properties.delivery_mode(),
        priority: *properties.priority(),
        correlation_id: name(properties.correlation_id()),
        reply_to: name(properties.reply_to()),
        expiration: name(properties.expiration()),
        message_id: name(properties.message_id()),
        timestamp: *properties.timestamp(),
        kind: name(properties.kind()),
        user_id: name(properties.user_id()),
        app_id: name(properties.app_id()),
        cluster_id: name(properties.cluster_id()),
    }
}

pub(crate) fn from_message(properties: &BasicProperties, body: Vec<u8>) -> Message {
    Message { properties: from_properties(properties), body: body.into() }
}

/// Reads a confirm; `None` when lapin asked for none, which says nothing about the message.
pub(crate) fn how(confirmation: &lapin::Confirmation) -> Option<Confirmation> {
    match confirmation {
        lapin::Confirmation::Ack(_) => Some(Confirmation::Ack),
        lapin::Confirmation::Nack(_) => Some(Confirmation::Nack),
        lapin::Confirmation::NotRequested => None,
    }
}

/// What an error of lapin says about the channel or the connection it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The broker closed the channel.
    Channel(Refusal),
    /// The broker closed the connection.
    Connection(Refusal),
    /// The connection broke: socket, heartbeat, nonsense.
    Broken(String),
    /// It only says that the channel is closed; somebody else knows why.
    Unclear,
}

/// Reads an error. Soft errors close channels, hard ones connections: RabbitMQ keeps to AMQP's table.
pub(crate) fn cause_of(error: &lapin::Error) -> Cause {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(inner) => {
            let (code, text) = (inner.get_id(), inner.get_message().as_str().to_owned());
            match inner.kind() {
                AMQPErrorKind::Soft(_) => Cause::Channel(Refusal::new(Scope::Channel, code, text)),
                AMQPErrorKind::Hard(_) => Cause::Connection(Refusal::new(Scope::Connection, code, text)),
            }
        }
        lapin::ErrorKind::InvalidChannel(_) | lapin::ErrorKind::InvalidChannelState(..) => Cause::Unclear,
        lapin::ErrorKind::InvalidConnectionState(_) => Cause::Unclear,
        lapin::ErrorKind::IOError(inner) => Cause::Broken(inner.to_string()),
        _ => Cause::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirm_that_nobody_asked_for_is_none() {
        assert_eq!(how(&lapin::Confirmation::Ack(None)), Some(Confirmation::Ack));
        assert_eq!(how(&lapin::Confirmation::Nack(None)), Some(Confirmation::Nack));
        assert_eq!(how(&lapin::Confirmation::NotRequested), None);
    }
}
