//! Is a declaration legal, and is it equivalent to what exists: RabbitMQ's checks in its order, with its texts
//! (TTL-2, EXP-1, LEN-3, PRI-1, CO-13, ER-2 to ER-7). All complaints are 406 of the channel. Never looks at a broker.

use crate::model::{Exchange, Name, Queue, QueueKind, Table, Value};
use crate::rules::expiration::TTL_MS_MAX;
use crate::rules::policy_check::QUEUE_LEADER_LOCATORS;
use crate::rules::term::shown;
use crate::rules::{
    ConsumerTimeout, Differences, QUEUE_ARGUMENTS, QueueArgument, erlang_term, queue_argument, starts_with_digit,
    stream_interval_ms, type_name,
};
use std::borrow::Cow;

/// Writes `queue 'q' in vhost 'v'`.
pub fn shown_queue(vhost: &str, name: &str) -> String {
    format!("queue '{name}' in vhost '{vhost}'")
}

/// Writes `exchange 'x' in vhost 'v'`.
pub fn shown_exchange(vhost: &str, name: &str) -> String {
    format!("exchange '{name}' in vhost '{vhost}'")
}

/// Returns whether exchanges of that type can be declared (RT-17).
pub fn is_known_type(kind: &str, differences: &Differences) -> bool {
    matches!(kind, "direct" | "fanout" | "topic" | "headers") || differences.more_exchange_types.contains(&kind)
}

/// One argument of a new queue that a version refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedArgument {
    /// With `x-` in front.
    pub name: Name,
    /// The queue's type does not take the argument, whatever its value.
    pub is_foreign: bool,
    /// The text of the 406.
    pub text: String,
}

/// Lists the arguments of a new queue that a version refuses, in the order in which RabbitMQ looks at them; `kind` is
/// what the queue becomes.
pub fn refused_arguments(queue: &Queue, kind: QueueKind, differences: &Differences) -> Vec<RefusedArgument> {
    let arguments = &queue.arguments;
    let mut refused = Vec::new();
    if arguments.is_empty() {
        return refused;
    }
    // Most are right: the name is written for those that are not.
    let resource = || shown_queue(&queue.vhost, &queue.name);
    let mut refuse = |name: &str, is_foreign: bool, text: String| {
        refused.push(RefusedArgument { name: name.into(), is_foreign, text });
    };
    if let Some(dlx) = arguments.get("x-dead-letter-exchange").filter(|dlx| dlx.as_text().is_none()) {
        let name = "x-dead-letter-exchange";
        refuse(name, false, format!("invalid type '{}' for arg '{name}' in {}", type_name(dlx), resource()));
    }
    let invalid = |name: &str, detail: String| format!("invalid arg '{name}' for {}: {detail}", resource());
    if let Some(Err(detail)) = arguments.get("x-queue-type").map(check_queue_type) {
        refuse("x-queue-type", false, invalid("x-queue-type", detail));
        // Of no type nothing more can be said.
        return refused;
    }
    let is_taken = |name: &str| queue_argument(name).is_none_or(|known| taken(known, kind, differences));
    for (name, check) in CHECKS {
        let Some(value) = arguments.get(name).filter(|_| is_taken(name)) else { continue };
        if let Err(detail) = check(value, arguments, differences) {
            refuse(name, false, invalid(name, detail));
        }
    }
    // The first as the client sent them; clients send them by name.
    let mut foreign: Vec<&Name> = arguments.keys().filter(|name| !is_taken(name)).collect();
    foreign.sort_unstable();
    for name in foreign {
        refuse(name, true, format!("invalid arg '{name}' for {} of queue type {}", resource(), module(kind)));
    }
    refused
}

/// Checks all arguments of a new queue; `kind` is what it becomes.
///
/// # Errors
/// The text of the 406.
pub fn check_queue_arguments(queue: &Queue, kind: QueueKind, differences: &Differences) -> Result<(), String> {
    refused_arguments(queue, kind, differences).into_iter().next().map_or(Ok(()), |refused| Err(refused.text))
}

/// Chooses the type of a new queue: the one that it names, or the vhost's default where the version honours one and the
/// queue may have it (MG-15).
pub fn type_of_new_queue(queue: &Queue, default: Option<QueueKind>, differences: &Differences) -> QueueKind {
    let is_plain = queue.durable && !queue.exclusive && !queue.auto_delete;
    match default {
        Some(kind) if !queue.arguments.contains_key("x-queue-type") && differences.default_queue_type && is_plain => {
            kind
        }
        _ => queue.kind(),
    }
}

/// Checks the flags that quorum queues and streams refuse (ER-6, ST-5), and the sizes that a stream can have, once the
/// arguments are right.
///
/// # Errors
/// The text of the 406.
pub fn check_queue_properties(queue: &Queue, kind: QueueKind, differences: &Differences) -> Result<(), String> {
    if kind == QueueKind::Classic {
        return Ok(());
    }
    let wrong = match () {
        () if queue.auto_delete => "auto-delete",
        () if queue.exclusive => "exclusive-owner",
        () if !queue.durable => "non-durable",
        () if kind == QueueKind::Stream => return check_stream_sizes(&queue.arguments, differences),
        () => return Ok(()),
    };
    Err(format!("invalid property '{wrong}' for {}", shown_queue(&queue.vhost, &queue.name)))
}

/// Checks the sizes that a stream can have (ST-5).
fn check_stream_sizes(arguments: &Table, differences: &Differences) -> Result<(), String> {
    const SEGMENT_BYTES_LIMIT: i64 = 3_000_000_000;
    let number = |name: &str| arguments.get(name).map(Value::as_integer);
    let segment = "x-stream-max-segment-size-bytes";
    if number(segment).flatten().is_some_and(|bytes| bytes > SEGMENT_BYTES_LIMIT) {
        return Err(format!("Exceeded max value for {segment}"));
    }
    let filter = "x-stream-filter-size-bytes";
    let is_wrong = number(filter).is_some_and(|bytes| bytes.is_none_or(|bytes| !(16..=255).contains(&bytes)));
    if is_wrong && differences.streams.checks_filter_size {
        let space = if differences.streams.old_filter_size_text { "  " } else { " " };
        return Err(format!("Invalid value for{space}{filter}"));
    }
    Ok(())
}

/// Returns whether a version ends the connection over the maximal age of a stream, as it is no interval (ST-5).
pub fn crashes_over_max_age(arguments: &Table, kind: QueueKind, differences: &Differences) -> bool {
    let age = arguments.get("x-max-age").and_then(Value::as_text);
    kind == QueueKind::Stream
        && differences.streams.interval_faults_crash
        && age.is_some_and(|age| !starts_with_digit(age))
}

/// Names the module behind a queue type, as texts show it.
pub(crate) fn module(kind: QueueKind) -> &'static str {
    match kind {
        QueueKind::Classic => "rabbit_classic_queue",
        QueueKind::Quorum => "rabbit_quorum_queue",
        QueueKind::Stream => "rabbit_stream_queue",
    }
}

/// Returns whether the type takes the argument, or the version does not look at it (ER-6).
fn taken(known: &QueueArgument, kind: QueueKind, differences: &Differences) -> bool {
    let not_yet = kind == QueueKind::Classic && differences.classic_skips.contains(&known.name);
    (known.types.contains(&kind) && !not_yet) || !is_looked_at(known, differences)
}

/// Returns whether the version refuses the argument where it does not belong, and compares it where it does (ER-3, ER-6).
fn is_looked_at(known: &QueueArgument, differences: &Differences) -> bool {
    match known.name {
        "delayed-retry-type"
        | "delayed-retry-min"
        | "delayed-retry-max"
        | "consumer-disconnected-timeout"
        | "stream-filter-size-bytes" => differences.delayed_retry,
        "consumer-timeout" => differences.consumer_timeout == ConsumerTimeout::Queue,
        // A key of policies only.
        "target-group-size" => false,
        _ => true,
    }
}

type ArgumentCheck = fn(&Value, &Table, &Differences) -> Result<(), String>;

/// The checks in RabbitMQ's order; what fails is told as `invalid arg 'NAME' for QUEUE: DETAIL`.
const CHECKS: &[(&str, ArgumentCheck)] = &[
    ("x-expires", |value, _, _| match whole(value)? {
        0 => Err("{value_zero,0}".into()),
        n => within(n, TTL_MS_MAX),
    }),
    ("x-message-ttl", |value, _, _| within(whole(value)?, TTL_MS_MAX)),
    ("x-dead-letter-routing-key", |value, arguments, _| match value {
        Value::Text(_) if arguments.contains_key("x-dead-letter-exchange") => Ok(()),
        Value::Text(_) => Err("routing_key_but_no_dlx_defined".into()),
        other => Err(unacceptable(other)),
    }),
    ("x-dead-letter-strategy", |value, _, _| one_of(value, &["at-most-once", "at-least-once"], "invalid_dlx_strategy")),
    ("x-max-length", |value, _, _| whole(value).map(drop)),
    ("x-max-length-bytes", |value, _, _| whole(value).map(drop)),
    ("x-max-priority", |value, _, _| match whole(value)? {
        n if n > 255 => Err(format!("{{max_value_exceeded,{n}}}")),
        _ => Ok(()),
    }),
    ("x-overflow", |value, _, _| {
        one_of(value, &["drop-head", "reject-publish", "reject-publish-dlx"], "invalid_overflow")
    }),
    ("x-queue-mode", |value, _, differences| match value {
        _ if !differences.queue_mode_checked => Ok(()),
        Value::Text(mode) if matches!(&**mode, "default" | "lazy") => Ok(()),
        Value::Text(mode) => Err(format!("\"unsupported queue mode '{mode}'\"")),
        other => Err(unacceptable(other)),
    }),
    ("x-queue-version", |value, _, differences| match whole(value)? {
        2 => Ok(()),
        1 if !differences.queue_version_1_refused => Ok(()),
        n => Err(format!("\"unsupported queue version '{n}'\"")),
    }),
    ("x-single-active-consumer", |value, _, _| match value {
        Value::Bool(_) => Ok(()),
        other => Err(unacceptable(other)),
    }),
    ("x-quorum-initial-group-size", |value, _, _| match whole(value)? {
        0 => Err("{value_zero,0}".into()),
        _ => Ok(()),
    }),
    ("x-max-in-memory-length", |value, _, _| whole(value).map(drop)),
    ("x-max-in-memory-bytes", |value, _, _| whole(value).map(drop)),
    ("x-queue-leader-locator", |value, _, _| one_of(value, QUEUE_LEADER_LOCATORS, "invalid_queue_locator_arg")),
    ("x-max-age", |value, _, _| max_age(value)),
    ("x-stream-max-segment-size-bytes", |value, _, _| whole(value).map(drop)),
    ("x-stream-filter-size-bytes", |value, _, differences| match differences.streams.old_filter_size_text {
        true => Ok(()),
        false => whole(value).map(drop),
    }),
    ("x-initial-cluster-size", |value, _, _| match whole(value)? {
        0 => Err("{value_zero,0}".into()),
        _ => Ok(()),
    }),
    ("x-consumer-timeout", timeout),
    ("x-consumer-disconnected-timeout", timeout),
];

/// A number above 0 and one of six units (ST-5).
fn max_age(value: &Value) -> Result<(), String> {
    let Value::Text(age) = value else { return Err(unacceptable(value)) };
    stream_interval_ms(age).map(drop).ok_or_else(|| "invalid_max_age".into())
}

/// Older versions look at no timeout when a queue is declared.
fn timeout(value: &Value, _: &Table, differences: &Differences) -> Result<(), String> {
    match differences.consumer_timeout {
        ConsumerTimeout::Queue => whole(value).map(drop),
        ConsumerTimeout::Node | ConsumerTimeout::QueueOrNode => Ok(()),
    }
}

fn check_queue_type(value: &Value) -> Result<(), String> {
    match value {
        Value::Text(word) if matches!(&**word, "classic" | "quorum" | "stream") => Ok(()),
        Value::Text(word) => Err(format!("\"unsupported queue type '{word}'\"")),
        other => Err(unacceptable(other)),
    }
}

fn unacceptable(value: &Value) -> String {
    format!("{{unacceptable_type,{}}}", type_name(value))
}

fn integer(value: &Value) -> Result<i128, String> {
    value.as_integer().map(i128::from).ok_or_else(|| format!("\"expected integer, got {}\"", type_name(value)))
}

fn whole(value: &Value) -> Result<i128, String> {
    match integer(value)? {
        n if n < 0 => Err(format!("{{value_negative,{n}}}")),
        n => Ok(n),
    }
}

fn within(n: i128, max: i128) -> Result<(), String> {
    if n > max { Err(format!("{{value_too_large,{n}}}")) } else { Ok(()) }
}

fn one_of(value: &Value, words: &[&str], complaint: &str) -> Result<(), String> {
    match value {
        Value::Text(word) if words.contains(&&**word) => Ok(()),
        Value::Text(_) => Err(complaint.into()),
        other => Err(unacceptable(other)),
    }
}

/// Reads a consumer's `x-priority` (CO-5).
///
/// # Errors
/// The text of the 406.
pub fn priority_argument(arguments: &Table, vhost: &str, queue: &str) -> Result<i64, String> {
    let Some(value) = arguments.get("x-priority") else { return Ok(0) };
    value.as_integer().ok_or_else(|| {
        let resource = shown_queue(vhost, queue);
        format!("invalid arg 'x-priority' for {resource}: \"expected integer, got {}\"", type_name(value))
    })
}

/// Checks a redeclaration of a queue against the one that exists, exclusiveness aside (ER-2 to ER-4).
///
/// # Errors
/// The text of the 406.
pub fn check_queue_equivalence(current: &Queue, asked: &Queue, differences: &Differences) -> Result<(), String> {
    let resource = shown_queue(&current.vhost, &current.name);
    let durable = asked.durable && !asked.exclusive;
    check_field(&resource, "durable", &current.durable.to_string(), &durable.to_string())?;
    check_field(&resource, "auto_delete", &current.auto_delete.to_string(), &asked.auto_delete.to_string())?;
    let kind = current.kind();
    let mut compared: Vec<&QueueArgument> = QUEUE_ARGUMENTS
        .iter()
        .filter(|known| known.types.contains(&kind) && is_looked_at(known, differences))
        .collect();
    let order = match kind {
        QueueKind::Classic => CLASSIC_COMPARES,
        QueueKind::Quorum => QUORUM_COMPARES,
        QueueKind::Stream => STREAM_COMPARES,
    };
    compared.sort_by_key(|known| order.iter().position(|name| *name == known.name));
    for known in compared {
        let name = known.full_name();
        let (had, now) = (current.arguments.get(&name), asked.arguments.get(&name));
        if known.name == "queue-type" {
            check_type(&resource, kind, had, now, differences)?;
        } else if known.name == "max-age" && differences.streams.compares_ages {
            check_argument(&resource, &name, in_ms(had).as_ref(), in_ms(now).as_ref())?;
        } else {
            check_argument(&resource, &name, had, now)?;
        }
    }
    Ok(())
}

/// The order in which a classic queue compares its arguments with those of a redeclaration: the first that differs is named.
const CLASSIC_COMPARES: &[&str] = &[
    "expires",
    "message-ttl",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "max-length",
    "max-length-bytes",
    "max-priority",
    "overflow",
    "queue-mode",
    "queue-version",
    "single-active-consumer",
    "queue-type",
    "queue-master-locator",
    "queue-leader-locator",
];

/// The same of a quorum queue.
const QUORUM_COMPARES: &[&str] = &[
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "expires",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "overflow",
    "single-active-consumer",
    "queue-type",
    "quorum-initial-group-size",
    "delivery-limit",
    "message-ttl",
    "queue-leader-locator",
    "consumer-disconnected-timeout",
    "consumer-timeout",
    "delayed-retry-type",
    "delayed-retry-min",
    "delayed-retry-max",
];

/// The same of a stream.
const STREAM_COMPARES: &[&str] = &[
    "max-length-bytes",
    "queue-type",
    "max-age",
    "stream-max-segment-size-bytes",
    "stream-filter-size-bytes",
    "initial-cluster-size",
    "queue-leader-locator",
];

/// Writes an age in milliseconds, as the text that RabbitMQ compares.
fn in_ms(age: Option<&Value>) -> Option<Value> {
    let ms = age.and_then(Value::as_text).and_then(stream_interval_ms);
    ms.map(|ms| Value::Text(ms.to_string().into())).or_else(|| age.cloned())
}

/// Compares queue types: none means classic (ER-4).
fn check_type(
    resource: &str,
    kind: QueueKind,
    had: Option<&Value>,
    now: Option<&Value>,
    differences: &Differences,
) -> Result<(), String> {
    let asked = now.and_then(Value::as_text).unwrap_or("classic");
    if asked == kind.as_str() {
        return Ok(());
    }
    if differences.stores_queue_type {
        return check_field(resource, "x-queue-type", kind.as_str(), asked);
    }
    check_argument(resource, "x-queue-type", had, now)
}

/// Checks a redeclaration of an exchange (ER-2, ER-3).
///
/// # Errors
/// The text of the 406.
pub fn check_exchange_equivalence(current: &Exchange, asked: &Exchange) -> Result<(), String> {
    let resource = shown_exchange(&current.vhost, &current.name);
    check_field(&resource, "type", &shown_atom(&current.kind), &shown_atom(&asked.kind))?;
    check_field(&resource, "durable", &current.durable.to_string(), &asked.durable.to_string())?;
    check_field(&resource, "auto_delete", &current.auto_delete.to_string(), &asked.auto_delete.to_string())?;
    check_field(&resource, "internal", &current.internal.to_string(), &asked.internal.to_string())?;
    let key = "alternate-exchange";
    check_argument(&resource, key, current.arguments.get(key), asked.arguments.get(key))
}

/// Writes a name as Erlang prints an atom: in quotes of its own unless it begins with a small letter and holds no sign.
fn shown_atom(name: &str) -> Cow<'_, str> {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@'));
    if is_plain { name.into() } else { format!("'{name}'").into() }
}

fn check_field(resource: &str, name: &str, current: &str, received: &str) -> Result<(), String> {
    if current == received {
        return Ok(());
    }
    Err(format!("inequivalent arg '{name}' for {resource}: received '{received}' but current is '{current}'"))
}

fn check_argument(resource: &str, name: &str, current: Option<&Value>, received: Option<&Value>) -> Result<(), String> {
    let typed = |value: Option<&Value>| match value {
        None => "none".to_owned(),
        Some(value) => format!("the value '{}' of type '{}'", shown(value), type_name(value)),
    };
    match (current, received) {
        (None, None) => Ok(()),
        (Some(a), Some(b)) if equal(a, b) => Ok(()),
        (Some(a), Some(b)) => check_field(resource, name, &shown(a), &shown(b)).and_then(|()| {
            // Same text, other class of type: the texts show the term.
            Err(format!(
                "inequivalent arg '{name}' for {resource}: received '{}' but current is '{}'",
                erlang_term(b),
                erlang_term(a)
            ))
        }),
        (a, b) => {
            Err(format!("inequivalent arg '{name}' for {resource}: received {} but current is {}", typed(b), typed(a)))
        }
    }
}

/// Compares argument values: integers of all widths are one class.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_integer(), b.as_integer()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b,
        _ => false,
    }
}
