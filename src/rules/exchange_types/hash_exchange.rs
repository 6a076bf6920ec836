//! What the exchange types of plugins take: what a hash is made of, weights, lengths of histories (PX-1 to PX-3).
//! Takes arguments, binding keys and messages; gives numbers, or RabbitMQ's text of the refusal. Never holds a ring.

use crate::model::{Name, Properties, QueueKind, Table, Value};
use crate::rules::exchange_types::phash2::{ErlangTerm, phash2, phash2_of_texts};
use crate::rules::{Differences, erlang_term, type_name};

/// What an `x-consistent-hash` exchange makes the hash of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HashInput {
    /// The first one.
    #[default]
    RoutingKey,
    /// By its name.
    Header(Name),
    /// A property.
    CorrelationId,
    /// A property.
    MessageId,
    /// A property, as a text.
    Timestamp,
}

/// How many messages an `x-recent-history` exchange keeps, unless its argument says otherwise.
const RECENT_HISTORY_LENGTH: usize = 20;

impl HashInput {
    /// Reads the arguments of an exchange.
    ///
    /// # Errors
    /// The text of the 406.
    pub fn read(arguments: &Table) -> Result<Self, String> {
        let text = |name: &str| arguments.get(name).and_then(Value::as_text);
        match (text("hash-header"), text("hash-property")) {
            (None, None) => Ok(Self::RoutingKey),
            (Some(header), None) => Ok(Self::Header(header.into())),
            (None, Some("correlation_id")) => Ok(Self::CorrelationId),
            (None, Some("message_id")) => Ok(Self::MessageId),
            (None, Some("timestamp")) => Ok(Self::Timestamp),
            (None, Some(other)) => Err(format!("Unsupported property: {other}")),
            (Some(_), Some(_)) => Err("hash-header and hash-property are mutually exclusive".into()),
        }
    }

    /// Returns whether a property is hashed.
    pub fn is_property(&self) -> bool {
        !matches!(self, Self::RoutingKey | Self::Header(_))
    }

    /// Names what is hashed: `header 'account'`.
    pub fn named(&self) -> String {
        match self {
            Self::RoutingKey => "the routing key".into(),
            Self::Header(name) => format!("the header '{name}'"),
            Self::CorrelationId => "the correlation_id".into(),
            Self::MessageId => "the message_id".into(),
            Self::Timestamp => "the timestamp".into(),
        }
    }

    /// Returns the text of a message that is hashed, where it is one: those of the same text have the same number.
    pub(crate) fn text<'m>(
        &self,
        routing_key: &'m str,
        headers: Option<&'m Table>,
        properties: Option<&'m Properties>,
    ) -> Option<&'m str> {
        match self {
            Self::RoutingKey => Some(routing_key),
            Self::Header(name) => headers?.get(name)?.as_text(),
            Self::CorrelationId => properties?.correlation_id.as_deref(),
            Self::MessageId => properties?.message_id.as_deref(),
            Self::Timestamp => None,
        }
    }

    /// Returns the number of a message, of which [`jump_hash`](crate::rules::jump_hash) makes its bucket.
    pub fn number(
        &self,
        routing_key: &str,
        headers: Option<&Table>,
        properties: Option<&Properties>,
        differences: &Differences,
    ) -> i128 {
        match self {
            Self::RoutingKey => of_text(Some(routing_key)),
            Self::CorrelationId => of_text(properties.and_then(|properties| properties.correlation_id.as_deref())),
            Self::MessageId => of_text(properties.and_then(|properties| properties.message_id.as_deref())),
            Self::Timestamp => {
                let seconds = properties.and_then(|properties| properties.timestamp);
                of_text(seconds.map(|seconds| seconds.to_string()).as_deref())
            }
            Self::Header(name) => {
                let value = headers.and_then(|headers| headers.get(name));
                value.map_or_else(|| of_text(None), |value| of_header(value, differences))
            }
        }
    }
}

/// What Erlang calls that which is not there.
const UNDEFINED: ErlangTerm<'static> = ErlangTerm::Atom("undefined");

/// Returns the number by which a text is hashed, or none.
fn of_text(text: Option<&str>) -> i128 {
    phash2(&text.map_or(UNDEFINED, |text| ErlangTerm::Binary(text.as_bytes()))).into()
}

/// Returns the number by which a header's value is hashed.
fn of_header(value: &Value, differences: &Differences) -> i128 {
    if differences.hashes_typed_headers {
        return phash2(&typed(value)).into();
    }
    // The first element stands for an array or a table; a number for itself.
    let first = match value {
        Value::Array(entries) => entries.first().map(typed),
        Value::Table(table) => table.iter().next().map(entry),
        Value::Timestamp(seconds) => return i128::from(*seconds) * 1_000,
        other => match other.as_integer() {
            Some(number) => return number.into(),
            None => Some(bare(other)),
        },
    };
    phash2(&first.unwrap_or(ErlangTerm::List(Vec::new()))).into()
}

/// Returns a value with its type before it, as RabbitMQ decodes it.
fn typed(value: &Value) -> ErlangTerm<'_> {
    ErlangTerm::Tuple(vec![ErlangTerm::Atom(type_name(value)), bare(value)])
}

fn entry<'t>((key, value): (&'t Name, &'t Value)) -> ErlangTerm<'t> {
    ErlangTerm::Tuple(vec![ErlangTerm::Binary(key.as_bytes()), ErlangTerm::Atom(type_name(value)), bare(value)])
}

fn bare(value: &Value) -> ErlangTerm<'_> {
    match value {
        Value::Void => UNDEFINED,
        Value::Bool(true) => ErlangTerm::Atom("true"),
        Value::Bool(false) => ErlangTerm::Atom("false"),
        Value::F32(number) => ErlangTerm::Float((*number).into()),
        Value::F64(number) => ErlangTerm::Float(*number),
        Value::Decimal(digits, number) => {
            ErlangTerm::Tuple(vec![ErlangTerm::Integer((*digits).into()), ErlangTerm::Integer((*number).into())])
        }
        Value::Text(text) => ErlangTerm::Binary(text.as_bytes()),
        Value::Bytes(bytes) => ErlangTerm::Binary(bytes),
        Value::Timestamp(seconds) => ErlangTerm::Integer((*seconds).into()),
        Value::Array(entries) => ErlangTerm::List(entries.iter().map(typed).collect()),
        Value::Table(table) => ErlangTerm::List(table.iter().map(entry).collect()),
        integer => ErlangTerm::Integer(integer.as_integer().unwrap_or_default().into()),
    }
}

/// Returns which of so many bindings of an `x-modulus-hash` exchange gets a message with these keys (PX-2).
pub fn modulus_hash<'k>(keys: impl Iterator<Item = &'k str>, bindings: usize) -> usize {
    phash2_of_texts(keys) as usize % bindings.max(1)
}

/// Reads a binding key as a weight: how many buckets of the ring the destination gets (PX-1).
///
/// # Errors
/// The text of the 406.
pub fn hash_weight(binding_key: &str, differences: &Differences) -> Result<u64, String> {
    let digits = binding_key.strip_prefix(['+', '-']).unwrap_or(binding_key);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let shown = if binding_key.is_empty() { "<<>>".into() } else { erlang_term(&Value::Text(binding_key.into())) };
        return Err(format!("The binding key must be an integer: {shown}"));
    }
    let weight = digits.parse::<u64>().unwrap_or(u64::MAX);
    if binding_key.starts_with('-') || weight == 0 {
        return Err("The binding key must be greater than 0".into());
    }
    match differences.hash_weight_max {
        Some(max) if weight > max => Err(format!("The binding key must not exceed {max}")),
        _ => Ok(weight),
    }
}

/// Reads how many messages an `x-recent-history` exchange keeps (PX-3).
///
/// # Errors
/// The text of the 406.
pub fn recent_history_length(arguments: &Table) -> Result<usize, String> {
    let Some(value) = arguments.get("x-recent-history-length") else { return Ok(RECENT_HISTORY_LENGTH) };
    let length = match value {
        Value::I8(_) | Value::I16(_) | Value::I32(_) | Value::I64(_) => value.as_integer(),
        _ => None,
    };
    length.filter(|length| *length > 0).map(|length| usize::try_from(length).unwrap_or(usize::MAX)).ok_or_else(|| {
        format!("Invalid argument {}, 'x-recent-history-length' must be a positive integer", erlang_term(value))
    })
}

/// Checks a binding of an `x-local-random` exchange to a queue of a type, or to another exchange (PX-2).
///
/// # Errors
/// The text of the 406.
pub fn check_local_random_binding(binding_key: &str, queue: Option<QueueKind>) -> Result<(), String> {
    match queue {
        _ if !binding_key.is_empty() => Err(format!("Non empty binding '{binding_key}' key not permitted")),
        None => Err("Destination not found".into()),
        Some(QueueKind::Classic) => Ok(()),
        Some(QueueKind::Quorum) => Err("Queue type rabbit_quorum_queue not valid for this exchange type".into()),
        Some(QueueKind::Stream) => Err("Queue type rabbit_stream_queue not valid for this exchange type".into()),
    }
}
