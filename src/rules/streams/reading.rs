//! What a consumer may ask of a queue by its arguments: the ones that its type takes, and of a stream where to begin and
//! which messages it wants (ST-1, ST-3, ST-9). Takes a table, gives values or RabbitMQ's complaint.

use crate::model::{Name, QueueKind, Table, Value};
use crate::rules::declare::module;
use crate::rules::streams::retention::{starts_with_digit, stream_interval_ms};
use crate::rules::{ConsumerTimeout, Differences, erlang_term, shown_queue};

/// The words that an offset may be.
pub const STREAM_OFFSET_WORDS: [&str; 3] = ["first", "last", "next"];

/// Returns the text of the 540 over what streams do not have (ST-2, ST-4).
pub fn unsupported_by_streams(method: &str, vhost: &str, name: &str) -> String {
    format!("{method} not supported by stream queues {}", shown_queue(vhost, name))
}

/// Where a reader of a stream begins (ST-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamOffset {
    /// With the oldest message that is there.
    First,
    /// With the last chunk.
    Last,
    /// With what comes from now on.
    Next,
    /// With the message of that number, or the first one after it.
    At(u64),
    /// With the chunk of that moment, in milliseconds since 1970.
    Since(u64),
    /// So many milliseconds back.
    Back(u64),
}

/// Which messages a reader wants (ST-9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFilter {
    /// One of these in `x-stream-filter-value`.
    pub values: Vec<Name>,
    /// And those without any.
    pub unfiltered: bool,
}

impl StreamFilter {
    /// Returns whether a message with that filter value is wanted. An empty value is as good as none.
    pub fn wants(&self, value: Option<&Name>) -> bool {
        match value {
            Some(value) => self.values.contains(value),
            None => self.unfiltered || self.values.iter().any(|value| value.is_empty()),
        }
    }
}

/// Why a stream takes no such consumer (ST-1): RabbitMQ's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderRefusal {
    /// It closes the channel, 406.
    OfChannel(String),
    /// It ends the connection, 540.
    OfConnection(String),
}

/// Returns why a stream refuses a consumer with this prefetch of its own and of its whole channel; `None`: it takes it.
pub fn refused_reader(
    vhost: &str,
    stream: &str,
    (no_ack, prefetch, global): (bool, u16, u16),
    differences: &Differences,
) -> Option<ReaderRefusal> {
    let shown = || shown_queue(vhost, stream);
    let old = differences.streams.old_consume_texts;
    if prefetch == 0 {
        let shown = shown();
        let it = if old { format!("'{shown}'") } else { format!("stream {shown}") };
        return Some(ReaderRefusal::OfChannel(format!("consumer prefetch count is not set for {it}")));
    }
    if no_ack {
        let them = if old { "stream queues" } else { "stream" };
        let text = format!("automatic acknowledgement not supported by {them} {}", shown());
        return Some(ReaderRefusal::OfConnection(text));
    }
    (global > 0).then(|| ReaderRefusal::OfConnection(format!("{} does not support global qos", shown())))
}

/// An argument that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadStreamArgument {
    /// It closes the channel: the text of the 406.
    Refused(String),
    /// It ends the connection with 541, as RabbitMQ looks at it too late.
    Crashes,
}

/// Checks that the type of a queue takes the arguments of a consumer: the first by name that it does not is told.
///
/// # Errors
/// The text of the 406.
pub fn check_consumer_arguments(
    arguments: &Table,
    (vhost, queue, kind): (&str, &str, QueueKind),
    differences: &Differences,
) -> Result<(), String> {
    let is_stream = kind == QueueKind::Stream;
    let is_foreign = |name: &str| match name {
        "x-priority" => is_stream,
        "x-consumer-timeout" => is_stream && differences.consumer_timeout == ConsumerTimeout::Queue,
        "x-cancel-on-ha-failover" => is_stream && differences.streams.refuses_ha_failover,
        "x-stream-offset" => !is_stream,
        "x-stream-filter" | "x-stream-match-unfiltered" => !is_stream && differences.streams.filters,
        _ => false,
    };
    match arguments.keys().filter(|name| is_foreign(name)).min() {
        None => Ok(()),
        Some(name) => {
            let resource = shown_queue(vhost, queue);
            Err(format!("invalid arg '{name}' for {resource} of queue type {}", module(kind)))
        }
    }
}

/// Reads where a reader begins; without the argument with what comes next.
///
/// # Errors
/// It is no offset.
pub fn stream_offset(
    arguments: &Table,
    vhost: &str,
    queue: &str,
    differences: &Differences,
) -> Result<StreamOffset, BadStreamArgument> {
    let Some(value) = arguments.get("x-stream-offset") else { return Ok(StreamOffset::Next) };
    if let Some(number) = value.as_integer() {
        return Ok(StreamOffset::At(u64::try_from(number).unwrap_or(0)));
    }
    match value {
        Value::Timestamp(second) => Ok(StreamOffset::Since(second.saturating_mul(1_000))),
        Value::Text(word) => match &**word {
            "first" => Ok(StreamOffset::First),
            "last" => Ok(StreamOffset::Last),
            "next" => Ok(StreamOffset::Next),
            text => match stream_interval_ms(text) {
                Some(ms) => Ok(StreamOffset::Back(ms)),
                None if differences.streams.interval_faults_crash && !starts_with_digit(text) => {
                    Err(BadStreamArgument::Crashes)
                }
                None => Err(BadStreamArgument::Refused(format!(
                    "invalid arg 'x-stream-offset' for {}: {{invalid_stream_offset_arg,{{longstr,{}}}}}",
                    shown_queue(vhost, queue),
                    erlang_term(value)
                ))),
            },
        },
        _ => Err(BadStreamArgument::Crashes),
    }
}

/// Reads which messages a reader wants; `None` is all.
///
/// # Errors
/// A list that names nothing.
pub fn stream_filter(arguments: &Table, differences: &Differences) -> Result<Option<StreamFilter>, BadStreamArgument> {
    if !differences.streams.filters {
        return Ok(None);
    }
    let values: Vec<Name> = match arguments.get("x-stream-filter") {
        Some(Value::Text(value)) => vec![value.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_text).map(Name::from).collect(),
        _ => return Ok(None),
    };
    if values.is_empty() {
        return Err(BadStreamArgument::Crashes);
    }
    let unfiltered = arguments.get("x-stream-match-unfiltered") == Some(&Value::Bool(true));
    Ok(Some(StreamFilter { values, unfiltered }))
}
