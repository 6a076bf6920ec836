//! Scalars and flow maps as a person writes them.

use crate::model::{Millis, Table, Value};

/// Writes a text: bare where YAML reads it as a text, else in quotes.
pub(crate) fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_plain = begins && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if is_plain && !is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Writes a path: bare unless it holds something that YAML reads in its own way.
pub(crate) fn path(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
    if is_plain && (text.starts_with("./") || text.starts_with("../") || text.starts_with('/')) {
        return text.to_owned();
    }
    scalar(text)
}

/// Writes a sentence: bare where YAML reads it as a text, else in quotes.
pub(crate) fn sentence(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_plain = begins
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.contains(['{', '}', '\n']);
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// Writes a duration in the largest unit that is whole.
pub(crate) fn duration(millis: Millis) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let whole = units.into_iter().find(|(_, unit)| millis.0 >= *unit && millis.0.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{}ms", millis.0), |(word, unit)| format!("{}{word}", millis.0 / unit))
}

/// Writes headers as a flow map; `None` where a value has no plain form.
pub(crate) fn headers(table: &Table) -> Option<String> {
    let all = table.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => scalar(text),
            Value::Bool(bool) => bool.to_string(),
            Value::Void => "1".to_owned(),
            other => other.as_integer()?.to_string(),
        };
        Some(format!("{}: {value}", scalar(key)))
    });
    let all: Option<Vec<String>> = all.collect();
    all.map(|all| format!("{{{}}}", all.join(", ")))
}

/// Makes the stem of a file of names.
pub(crate) fn stem(parts: &[&str]) -> String {
    let joined = parts.join("-");
    let safe = joined.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' });
    let safe: String = safe.collect();
    let words: Vec<&str> = safe.split('-').filter(|word| !word.is_empty()).collect();
    // A hidden file would be found by nobody.
    words.join("-").trim_start_matches(['.', '-']).chars().take(100).collect()
}
