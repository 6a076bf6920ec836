//! Does a binding match a message: topic words and header tables (RT-5 to RT-8, RT-20).

use crate::model::{Name, Table, Value};
use crate::rules::type_name;

/// Returns whether a topic binding key matches a routing key (RT-5).
///
/// ```
/// use rmqplay::rules::topic_matches;
/// assert!(topic_matches("order.#", "order") && topic_matches("*.created", "order.created"));
/// assert!(topic_matches("#", "") && !topic_matches("*", ""));
/// ```
pub fn topic_matches(binding_key: &str, routing_key: &str) -> bool {
    let pattern: Vec<&str> = topic_words(binding_key).collect();
    let key: Vec<&str> = topic_words(routing_key).collect();
    // `after_hash` is where to go on when the words after the last `#` do not fit.
    let (mut p, mut k) = (0, 0);
    let mut after_hash: Option<(usize, usize)> = None;
    while k < key.len() {
        match pattern.get(p) {
            Some(&"#") => {
                p += 1;
                after_hash = Some((p, k));
            }
            Some(&word) if word == "*" || word == key[k] => {
                p += 1;
                k += 1;
            }
            _ => match after_hash {
                Some((hash_p, hash_k)) => {
                    after_hash = Some((hash_p, hash_k + 1));
                    (p, k) = (hash_p, hash_k + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|word| *word == "#")
}

/// Splits a key into words: empty words count, the empty key has none (RT-5).
pub(crate) fn topic_words(key: &str) -> impl Iterator<Item = &str> {
    key.split('.').take(if key.is_empty() { 0 } else { usize::MAX })
}

/// Checks the number of `#` in a topic binding key (RT-20).
///
/// # Errors
/// The text of the 406.
pub fn check_topic_key(binding_key: &str, hashes_max: Option<usize>) -> Result<(), String> {
    let used = topic_words(binding_key).filter(|word| *word == "#").count();
    match hashes_max {
        Some(max) if used > max => {
            Err(format!("Topic binding key '{binding_key}' uses {used} '#' wildcards, at most {max} are allowed"))
        }
        _ => Ok(()),
    }
}

/// Checks `x-match` of a headers binding (RT-8).
///
/// # Errors
/// The text of the 406.
pub fn check_headers_binding(arguments: &Table) -> Result<(), String> {
    match arguments.get("x-match") {
        None => Ok(()),
        Some(Value::Text(word)) if matches!(&**word, "all" | "any" | "all-with-x" | "any-with-x") => Ok(()),
        Some(Value::Text(word)) => {
            Err(format!("Invalid x-match field value <<\"{word}\">>; expected all, any, all-with-x, or any-with-x"))
        }
        Some(other) => Err(format!(
            "Invalid x-match field type {} (value {}); expected longstr",
            type_name(other),
            crate::rules::erlang_term(other)
        )),
    }
}

/// Returns whether a headers binding matches (RT-6, RT-7).
pub fn headers_match(arguments: &Table, headers: Option<&Table>, strict: bool) -> bool {
    let mode = arguments.get("x-match").and_then(Value::as_text).unwrap_or("all");
    let with_x = mode.ends_with("-with-x");
    let mut relevant =
        arguments.iter().filter(|(key, _)| if with_x { &***key != "x-match" } else { !key.starts_with("x-") });
    let fits = |(key, wanted): (&Name, &Value)| match headers.and_then(|headers| headers.get(key)) {
        None => false,
        Some(_) if *wanted == Value::Void => true,
        Some(given) => same(wanted, given, strict),
    };
    if mode.starts_with("any") { relevant.any(fits) } else { relevant.all(fits) }
}

/// Compares a binding's value with a message's, blind for AMQP types as Erlang terms are.
fn same(wanted: &Value, given: &Value, strict: bool) -> bool {
    match (wanted, given) {
        (Value::Void, _) | (_, Value::Void) => false,
        (Value::Text(a), Value::Bytes(b)) | (Value::Bytes(b), Value::Text(a)) => a.as_bytes() == b.as_slice(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, strict)),
        (Value::Table(a), Value::Table(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other, strict)))
        }
        _ => match (number(wanted, false), number(given, strict)) {
            (Some(Number::Whole(a)), Some(Number::Whole(b))) => a == b,
            (Some(a), Some(b)) if !strict || (a.is_float() && b.is_float()) => a.as_float() == b.as_float(),
            (None, None) => wanted == given,
            _ => false,
        },
    }
}

enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn is_float(&self) -> bool {
        matches!(self, Number::Float(_))
    }

    fn as_float(&self) -> f64 {
        match self {
            Number::Whole(n) => *n as f64,
            Number::Float(n) => *n,
        }
    }
}

/// Returns a value as Erlang's number; from 3.13 on a message's timestamps are milliseconds inside the broker.
fn number(value: &Value, milliseconds: bool) -> Option<Number> {
    Some(match value {
        Value::F32(n) => Number::Float(f64::from(*n)),
        Value::F64(n) => Number::Float(*n),
        Value::Timestamp(seconds) => Number::Whole(i128::from(*seconds) * if milliseconds { 1_000 } else { 1 }),
        other => Number::Whole(other.as_integer()?.into()),
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::routing::topic_matches;

    #[test]
    fn topic_words_may_be_empty() {
        for (pattern, key, fits) in [
            ("#.#", "", true),
            ("*.*", ".", true),
            (".", ".", true),
            ("*.#", ".", true),
            ("a.*", "a.", true),
            ("*.*", ".a", true),
            ("a.*", "a..b", false),
            ("a*", "ab", false),
            ("#.b", "a.c.b", true),
            ("#.b.#", "a.b.c.d", true),
            ("a.#.d", "a.b.c", false),
            ("*", "a.b", false),
            ("a.*", "a.#", true),
        ] {
            assert_eq!(topic_matches(pattern, key), fits, "{pattern} on {key}");
        }
    }
}
