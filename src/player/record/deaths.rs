//! A message's deaths in a few words.

use crate::model::{Message, Value};

/// Lists a message's deaths, ` (expired in wait ×2)`, or nothing.
pub fn deaths_in_words(message: &Message) -> String {
    let words = message.deaths().map(|death| {
        let text = |key| death.get(key).and_then(Value::as_text).unwrap_or("?").to_owned();
        let count = death.get("count").and_then(Value::as_integer).unwrap_or(0);
        format!("{} in {} x{count}", text("reason"), text("queue"))
    });
    let words = words.collect::<Vec<_>>();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}
