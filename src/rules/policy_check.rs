//! Is a policy valid: RabbitMQ's messages of the management API (PO-4, PO-5, PO-7, PO-9, QQ-43-6).
//! Takes a policy, gives the reason of the 400. Never says whom it catches.

use crate::model::{ApplyTo, Policy};
use crate::rules::term::json_term;
use crate::rules::{Definition, Differences, Pattern};
use serde_json::Value as Json;

/// Keys that a user policy may set on every version (PO-4).
const POLICY_KEYS: &[&str] = &[
    "alternate-exchange",
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "message-ttl",
    "expires",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "queue-mode",
    "queue-version",
    "overflow",
    "delivery-limit",
    "max-age",
    "stream-max-segment-size-bytes",
    "queue-leader-locator",
    "initial-cluster-size",
];

/// Keys that an operator policy may set on every version (PO-5).
const OPERATOR_KEYS: &[&str] = &[
    "expires",
    "message-ttl",
    "max-length",
    "max-length-bytes",
    "max-in-memory-length",
    "max-in-memory-bytes",
    "delivery-limit",
];

/// What `queue-leader-locator` may be, in policies and as an argument; the last two are older words.
pub(crate) const QUEUE_LEADER_LOCATORS: &[&str] = &["client-local", "balanced", "random", "least-leaders"];

/// Checks a policy as the management API does, and gives its compiled pattern.
///
/// # Errors
/// The reason of the 400, without its last line feed.
pub fn check_policy(policy: &Policy, operator: bool, differences: &Differences) -> Result<Pattern, String> {
    match check(policy, operator, differences) {
        Ok(pattern) => Ok(pattern),
        Err(message) => {
            let escaped = differences.policy_text_escaped && !operator;
            let message = if escaped { html_escaped(&message) } else { message };
            Err(format!("Validation failed\n\n{message}"))
        }
    }
}

/// Tells every fault, as RabbitMQ does: of the definition, of apply-to, of the pattern, each in a line.
fn check(policy: &Policy, operator: bool, differences: &Differences) -> Result<Pattern, String> {
    let definition = match policy.definition.is_empty() {
        true => Err("no policy provided".into()),
        false => check_definition(&policy.definition, operator, differences),
    };
    let mut faults: Vec<String> = definition.err().into_iter().collect();
    faults.extend(check_apply_to(policy.apply_to, differences).err());
    match Pattern::new(&policy.pattern, differences.long_regex_text) {
        Ok(pattern) if faults.is_empty() => return Ok(pattern),
        Ok(_) => {}
        Err(detail) => faults.push(invalid_pattern(&detail)),
    }
    Err(faults.join("\n"))
}

fn check_apply_to(apply_to: ApplyTo, differences: &Differences) -> Result<(), String> {
    let typed = matches!(apply_to, ApplyTo::ClassicQueues | ApplyTo::QuorumQueues | ApplyTo::Streams);
    if typed && !differences.apply_to_types {
        let word = apply_to.as_str();
        return Err(format!("apply-to '{word}' unrecognised; should be 'queues', 'exchanges' or 'all'"));
    }
    Ok(())
}

fn check_definition(definition: &Definition, operator: bool, differences: &Differences) -> Result<(), String> {
    let (keys, more) = keys_of(operator, differences);
    if definition.contains_key("queue-master-locator") && differences.master_locator_denied && !operator {
        return Err("use of deprecated queue-master-locator argument is not permitted".into());
    }
    let mut unknown = Vec::new();
    // Erlang's small maps are sorted, whatever the order in the request.
    let mut pairs: Vec<(&String, &Json)> = definition.iter().collect();
    pairs.sort_unstable_by_key(|(key, _)| *key);
    for (key, value) in pairs {
        if keys.contains(&key.as_str()) || more.contains(&key.as_str()) {
            check_policy_value(key, value, differences)?;
        } else {
            unknown.push(format!("{{<<\"{key}\">>,{}}}", json_term(value)));
        }
    }
    if !unknown.is_empty() {
        return Err(format!("[{}] are not recognised policy settings", unknown.join(",")));
    }
    check_delayed_retry(definition)
}

fn keys_of(operator: bool, differences: &Differences) -> (&'static [&'static str], &'static [&'static str]) {
    match operator {
        true => (OPERATOR_KEYS, differences.more_operator_keys),
        false => (POLICY_KEYS, differences.more_policy_keys),
    }
}

/// Lists all keys that a policy may set.
pub fn policy_keys(operator: bool, differences: &Differences) -> Vec<&'static str> {
    let (keys, more) = keys_of(operator, differences);
    keys.iter().chain(more).copied().collect()
}

/// Checks the value of a known key.
///
/// # Errors
/// RabbitMQ's message.
pub fn check_policy_value(key: &str, value: &Json, differences: &Differences) -> Result<(), String> {
    let whole = value.as_u64().is_some();
    let positive = value.as_u64().is_some_and(|n| n > 0);
    let one_of = |words: &[&str]| value.as_str().is_some_and(|word| words.contains(&word));
    let (valid, noun) = match key {
        "message-ttl" => (whole, "message TTL"),
        "expires" => (positive, "queue expiry"),
        "max-length" => (whole, "maximum length"),
        "max-length-bytes" => (whole, "maximum length in bytes"),
        "max-in-memory-length" => (whole, "maximum memory in bytes"),
        "max-in-memory-bytes" => (whole, "maximum memory in bytes"),
        "delivery-limit" => (whole || (value.is_i64() && differences.negative_limit_is_none), "delivery limit"),
        "dead-letter-exchange" => (value.is_string(), "dead letter exchange name"),
        "dead-letter-routing-key" => (value.is_string(), "dead letter routing key"),
        "dead-letter-strategy" => (one_of(&["at-most-once", "at-least-once"]), "dead letter strategy"),
        "alternate-exchange" => (value.is_string(), "alternate exchange name"),
        "overflow" => (one_of(&["drop-head", "reject-publish", "reject-publish-dlx"]), "overflow value"),
        "queue-mode" => (one_of(&["default", "lazy"]), "queue-mode value"),
        "queue-version" => (matches!(value.as_u64(), Some(1 | 2)), "queue-version value"),
        "queue-leader-locator" => (one_of(QUEUE_LEADER_LOCATORS), "queue leader locator value"),
        "stream-max-segment-size-bytes" => (whole, "segment size"),
        "stream-filter-size-bytes" => {
            (value.as_u64().is_some_and(|n| (16..=255).contains(&n)), "filter size. Valid range is 16-255")
        }
        "target-group-size" => (positive, "qq target count value"),
        "consumer-timeout" => (whole, "consumer timeout"),
        _ => (true, ""),
    };
    if valid { Ok(()) } else { Err(format!("{} is not a valid {noun}", json_term(value))) }
}

/// Checks the keys of delayed retry together (QQ-43-6).
///
/// # Errors
/// RabbitMQ's message.
pub fn check_delayed_retry(definition: &Definition) -> Result<(), String> {
    let number = |key: &str| definition.get(key).and_then(Json::as_i64);
    for (key, noun) in [("delayed-retry-min", "minimum"), ("delayed-retry-max", "maximum")] {
        if let Some(value) = definition.get(key).filter(|value| value.as_u64().is_none_or(|n| n == 0)) {
            let shown = json_term(value);
            return Err(format!("{shown} is not a valid delayed retry {noun} delay. Must be a positive integer"));
        }
    }
    if let Some(kind) = definition.get("delayed-retry-type") {
        match kind.as_str() {
            Some("disabled") => {}
            Some(word @ ("all" | "failed" | "returned")) if number("delayed-retry-min").is_none() => {
                return Err(format!("delayed-retry-min is required when delayed-retry-type is {word}"));
            }
            Some("all" | "failed" | "returned") => {}
            _ => {
                return Err(format!(
                    "{} is not a valid delayed retry type. Must be one of: all, failed, returned, disabled",
                    json_term(kind)
                ));
            }
        }
    }
    match (number("delayed-retry-min"), number("delayed-retry-max")) {
        (Some(min), Some(max)) if max < min => {
            Err(format!("delayed-retry-max ({max}) must not be smaller than delayed-retry-min ({min})"))
        }
        _ => Ok(()),
    }
}

fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Words a bad pattern; Erlang breaks the line when the term grows too wide (PO-9).
fn invalid_pattern(detail: &str) -> String {
    const INTRODUCTION: &str = "pattern should be regular expression but is invalid: ";
    let detail = match detail.rsplit_once(',') {
        Some((words, place)) if words.len() + INTRODUCTION.len() > 80 => {
            format!("{words},\n{:indent$}{place}", "", indent = INTRODUCTION.len() + 1)
        }
        _ => detail.to_owned(),
    };
    format!("{INTRODUCTION}{detail}")
}
