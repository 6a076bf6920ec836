//! Which policy applies to an object and what it sets: matching, merging of user and operator policies, merging with
//! arguments (PO-1 to PO-7, EXP-4, LEN-4, CO-13). Takes policies and arguments, gives effective settings.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{ApplyTo, Name, QueueKind, Table, Value};
use crate::rules::{Differences, StreamRetention, stream_interval_ms};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// A policy's definition: RabbitMQ's keys and values.
pub type Definition = IndexMap<String, Json>;

/// What happens at a length limit (LEN-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    #[default]
    DropHead,
    RejectPublish,
    RejectPublishDlx,
}

/// Which returns are delayed (QQ-43-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryKind {
    All,
    Failed,
    Returned,
}

/// Holds the delayed retry of a quorum queue on 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayedRetry {
    pub kind: RetryKind,
    pub min_ms: u64,
    pub max_ms: u64,
}

/// What arguments and policies make of a queue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueueSettings {
    pub message_ttl_ms: Option<u64>,
    pub expires_ms: Option<u64>,
    pub dead_letter_exchange: Option<Name>,
    pub dead_letter_routing_key: Option<Name>,
    /// Only with a DLX and `reject-publish` (DL-24).
    pub at_least_once: bool,
    pub max_length: Option<u64>,
    pub max_length_bytes: Option<u64>,
    pub overflow: Overflow,
    /// `None` means: no limit.
    pub delivery_limit: Option<i64>,
    pub consumer_timeout_ms: Option<u64>,
    pub delayed_retry: Option<DelayedRetry>,
    /// Of a stream; other queues keep nothing that way.
    pub retention: StreamRetention,
}

/// Returns whether a policy may catch a queue of that type: its `apply-to`, and no key that the type does not support
/// (PO-2, PO-3, PO-7).
pub fn applies_to_queue(
    apply_to: ApplyTo,
    definition: &Definition,
    kind: QueueKind,
    differences: &Differences,
) -> bool {
    apply_to.covers(kind) && !definition.keys().any(|key| skips(key, kind, differences))
}

/// Lists the keys that make a policy skip a queue of that type (PO-3).
pub(crate) fn unsupported_keys(definition: &Definition, kind: QueueKind, differences: &Differences) -> Vec<String> {
    definition.keys().filter(|key| skips(key, kind, differences)).cloned().collect()
}

fn skips(key: &str, kind: QueueKind, differences: &Differences) -> bool {
    match kind {
        QueueKind::Classic => {
            matches!(
                key,
                "delivery-limit"
                    | "dead-letter-strategy"
                    | "max-age"
                    | "initial-cluster-size"
                    | "stream-max-segment-size-bytes"
            ) || differences.classic_skips.contains(&key)
        }
        QueueKind::Quorum => {
            matches!(
                key,
                "queue-mode"
                    | "max-age"
                    | "initial-cluster-size"
                    | "max-priority"
                    | "queue-master-locator"
                    | "stream-max-segment-size-bytes"
            ) || key.starts_with("ha-")
        }
        QueueKind::Stream => STREAM_SKIPS.contains(&key),
    }
}

/// Returns whether a stream takes a policy's value of this key before its own argument (PO-6).
pub fn policy_holds_for_stream(key: &str) -> bool {
    matches!(key, "max-length-bytes" | "max-age" | "stream-max-segment-size-bytes" | "stream-filter-size-bytes")
}

/// Keys that make a policy skip a stream (PO-3).
const STREAM_SKIPS: [&str; 12] = [
    "expires",
    "message-ttl",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "max-length",
    "overflow",
    "delivery-limit",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "queue-mode",
    "max-priority",
];

/// Returns whether a policy may catch an exchange (PO-10).
pub fn applies_to_exchange(apply_to: ApplyTo) -> bool {
    matches!(apply_to, ApplyTo::All | ApplyTo::Exchanges)
}

/// Merges a user policy with an operator policy (PO-6).
pub fn merge_definitions(user: Option<&Definition>, operator: Option<&Definition>) -> Definition {
    let mut merged = user.cloned().unwrap_or_default();
    for (key, value) in operator.into_iter().flatten() {
        let both = merged.get(key).and_then(Json::as_i64).zip(value.as_i64());
        let value = match (key.as_str(), both) {
            ("overflow" | "queue-version" | "delayed-retry-type", _) | (_, None) => value.clone(),
            ("delivery-limit", Some((a, b))) if a < 0 || b < 0 => Json::from(a.max(b)),
            ("delayed-retry-min", Some((a, b))) => Json::from(a.max(b)),
            (_, Some((a, b))) => Json::from(a.min(b)),
        };
        merged.insert(key.clone(), value);
    }
    merged
}

/// Looks up one setting in arguments and policy.
struct Lookup<'a> {
    arguments: &'a Table,
    policy: &'a Definition,
}

impl Lookup<'_> {
    /// Returns an argument by its name without `x-`.
    fn argument(&self, key: &str) -> Option<&Value> {
        self.arguments.iter().find(|(name, _)| name.strip_prefix("x-") == Some(key)).map(|(_, value)| value)
    }

    fn argument_number(&self, key: &str) -> Option<i64> {
        self.argument(key).and_then(Value::as_integer)
    }

    fn policy_number(&self, key: &str) -> Option<i64> {
        self.policy.get(key).and_then(Json::as_i64)
    }

    /// Returns the smaller of argument and policy.
    fn min(&self, key: &str) -> Option<u64> {
        let values = [self.argument_number(key), self.policy_number(key)];
        values.into_iter().flatten().min().and_then(|n| u64::try_from(n).ok())
    }

    fn argument_text(&self, key: &str) -> Option<&str> {
        self.argument(key).and_then(Value::as_text)
    }

    fn policy_text(&self, key: &str) -> Option<&str> {
        self.policy.get(key).and_then(Json::as_str)
    }

    fn argument_first(&self, key: &str) -> Option<&str> {
        self.argument_text(key).or_else(|| self.policy_text(key))
    }

    fn policy_first(&self, key: &str) -> Option<&str> {
        self.policy_text(key).or_else(|| self.argument_text(key))
    }
}

/// Merges a queue's arguments with its effective policy (PO-6).
pub fn queue_settings(
    arguments: &Table,
    policy: &Definition,
    kind: QueueKind,
    differences: &Differences,
) -> QueueSettings {
    let look = Lookup { arguments, policy };
    if kind == QueueKind::Stream {
        return QueueSettings { retention: retention(&look), ..QueueSettings::default() };
    }
    let quorum = kind == QueueKind::Quorum;
    let overflow = if quorum { look.policy_first("overflow") } else { look.argument_first("overflow") };
    let overflow = match overflow {
        Some("reject-publish") => Overflow::RejectPublish,
        // LEN-7: a quorum queue takes it and drops the head.
        Some("reject-publish-dlx") if !quorum => Overflow::RejectPublishDlx,
        _ => Overflow::DropHead,
    };
    let dead_letter_exchange: Option<Name> = look.argument_first("dead-letter-exchange").map(Into::into);
    let at_least_once = quorum
        && look.argument_first("dead-letter-strategy") == Some("at-least-once")
        && overflow == Overflow::RejectPublish
        && dead_letter_exchange.is_some();
    QueueSettings {
        message_ttl_ms: look.min("message-ttl"),
        expires_ms: expires(&look, quorum, differences),
        dead_letter_routing_key: look.argument_first("dead-letter-routing-key").map(Into::into),
        dead_letter_exchange,
        at_least_once,
        max_length: look.min("max-length"),
        max_length_bytes: look.min("max-length-bytes"),
        overflow,
        delivery_limit: if quorum { delivery_limit(&look, differences) } else { None },
        consumer_timeout_ms: look.min("consumer-timeout"),
        delayed_retry: if quorum && differences.delayed_retry { delayed_retry(&look) } else { None },
        retention: StreamRetention::default(),
    }
}

/// Merges what a stream keeps: a policy wins over its argument (PO-6, ST-11).
fn retention(look: &Lookup) -> StreamRetention {
    let number = |key: &str| {
        let number = look.policy_number(key).or_else(|| look.argument_number(key));
        number.and_then(|number| u64::try_from(number).ok())
    };
    StreamRetention {
        bytes_max: number("max-length-bytes"),
        age_max_ms: look.policy_first("max-age").and_then(stream_interval_ms),
        segment_bytes_max: number("stream-max-segment-size-bytes"),
    }
}

/// Merges the queue's lease (EXP-4).
fn expires(look: &Lookup, quorum: bool, differences: &Differences) -> Option<u64> {
    if quorum && differences.quorum_expires_policy_wins {
        let value = look.policy_number("expires").or_else(|| look.argument_number("expires"));
        return value.and_then(|n| u64::try_from(n).ok());
    }
    look.min("expires")
}

/// Merges the delivery limit (CO-13).
fn delivery_limit(look: &Lookup, differences: &Differences) -> Option<i64> {
    let limit = match (look.argument_number("delivery-limit"), look.policy_number("delivery-limit")) {
        (Some(a), Some(b)) if differences.negative_limit_is_none && (a < 0 || b < 0) => Some(a.max(b)),
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b).or(differences.quorum_default_limit),
    };
    limit.filter(|limit| *limit >= 0 || !differences.negative_limit_is_none)
}

/// Merges the delayed retry; whatever is not understood means off (QQ-43-1, QQ-43-6).
fn delayed_retry(look: &Lookup) -> Option<DelayedRetry> {
    let kind = match look.policy_first("delayed-retry-type")? {
        "all" => RetryKind::All,
        "failed" => RetryKind::Failed,
        "returned" => RetryKind::Returned,
        _ => return None,
    };
    let min_ms = look.min("delayed-retry-min").filter(|min| *min > 0)?;
    let max_ms = look.min("delayed-retry-max").unwrap_or(min_ms);
    Some(DelayedRetry { kind, min_ms, max_ms })
}
