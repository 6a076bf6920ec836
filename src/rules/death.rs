//! The x-death header: what a death writes into it and what makes a cycle (DL-16 to DL-29).
//! Takes headers and one death, gives new headers. Never routes.

use super::Differences;
use crate::model::{Table, Value};

/// Describes one death.
#[derive(Debug, Clone, Copy)]
pub struct Dying<'a> {
    pub queue: &'a str,
    /// `rejected`, `expired`, `maxlen`, `delivery_limit`.
    pub reason: &'static str,
    /// The exchange that the message was last published to.
    pub exchange: &'a str,
    /// The keys of that publish: the first and those of CC, never BCC (DL-17).
    pub routing_keys: &'a [&'a str],
    /// Seconds since 1970.
    pub time: u64,
    /// The message's `expiration` at this death.
    pub expiration: Option<&'a str>,
    /// Whether the message died before, so that its x-death is the broker's own.
    pub died_before: bool,
    /// Whether a dead-letter routing key replaces the keys.
    pub new_routing_key: bool,
}

/// How many headers a death adds at most: x-death, three of the first and three of the last.
const ADDED_MAX: usize = 7;

const FIRST_DEATH: [&str; 3] = ["x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"];
const LAST_DEATH: [&str; 3] = ["x-last-death-exchange", "x-last-death-queue", "x-last-death-reason"];

/// Gives the headers of the dead-lettered copy.
pub fn record_death(headers: Option<&Table>, death: &Dying, differences: &Differences) -> Table {
    let mut headers = headers.cloned().unwrap_or_default();
    headers.reserve(ADDED_MAX);
    let known = differences.honours_client_x_death || death.died_before;
    let present = headers.get_mut("x-death");
    let first = if differences.honours_client_x_death { present.is_none() } else { !death.died_before };
    let history: Vec<Value> = match present {
        Some(Value::Array(entries)) if known => std::mem::take(entries),
        _ => Vec::new(),
    };
    let entries = merge(history, death, differences);
    headers.insert("x-death".into(), Value::Array(entries));
    if first {
        set_ends(&mut headers, &FIRST_DEATH, death);
    }
    if differences.last_death {
        set_ends(&mut headers, &LAST_DEATH, death);
    }
    if death.new_routing_key && !differences.keeps_cc {
        headers.shift_remove("CC");
    }
    if !headers.keys().is_sorted() {
        headers.sort_keys();
    }
    headers
}

/// Puts the death in front: a new entry, or the old one of this queue and reason counted up (DL-18, DL-19).
fn merge(history: Vec<Value>, death: &Dying, differences: &Differences) -> Vec<Value> {
    let mut history = if differences.death_order_bug { regroup(history) } else { history };
    let same = |entry: &Value| identity(entry) == (Some(death.queue), Some(death.reason));
    let front = match history.iter().position(same) {
        Some(at) => count_up(history.remove(at)),
        None => new_entry(death),
    };
    history.insert(0, front);
    history
}

/// Reverses a history of two or more entries, keeping the first of each queue and reason (DL-19, 3.10 to 3.12).
fn regroup(history: Vec<Value>) -> Vec<Value> {
    if history.len() < 2 {
        return history;
    }
    let mut kept: Vec<Value> = Vec::new();
    for entry in history {
        match kept.iter_mut().find(|other| identity(other) == identity(&entry)) {
            None => kept.push(entry),
            Some(Value::Table(first)) => {
                let sum = count(first) + entry.as_table().map_or(0, count);
                first.insert("count".into(), Value::I64(sum));
            }
            Some(_) => {}
        }
    }
    kept.reverse();
    kept
}

fn identity(entry: &Value) -> (Option<&str>, Option<&str>) {
    let field = |name: &str| entry.as_table().and_then(|table| table.get(name)).and_then(Value::as_text);
    (field("queue"), field("reason"))
}

fn count(entry: &Table) -> i64 {
    entry.get("count").and_then(Value::as_integer).unwrap_or(1)
}

fn count_up(entry: Value) -> Value {
    match entry {
        Value::Table(mut table) => {
            let next = count(&table) + 1;
            table.insert("count".into(), Value::I64(next));
            Value::Table(table)
        }
        other => other,
    }
}

fn new_entry(death: &Dying) -> Value {
    let keys = death.routing_keys.iter().map(|key| Value::from(*key)).collect();
    let mut entry = Table::with_capacity(7);
    entry.insert("count".into(), Value::I64(1));
    entry.insert("reason".into(), death.reason.into());
    entry.insert("queue".into(), death.queue.into());
    entry.insert("time".into(), Value::Timestamp(death.time));
    entry.insert("exchange".into(), death.exchange.into());
    entry.insert("routing-keys".into(), Value::Array(keys));
    if let Some(expiration) = death.expiration {
        entry.insert("original-expiration".into(), expiration.into());
    }
    Value::Table(entry)
}

/// Writes exchange, queue and reason into the headers of these names (DL-21).
fn set_ends(headers: &mut Table, [exchange, queue, reason]: &[&str; 3], death: &Dying) {
    headers.insert((*exchange).into(), death.exchange.into());
    headers.insert((*queue).into(), death.queue.into());
    headers.insert((*reason).into(), death.reason.into());
}

/// Says whether putting the message, whose last death was not a rejection, into `target` closes a cycle (DL-25).
pub fn is_cycle(headers: &Table, target: &str) -> bool {
    let Some(entries) = headers.get("x-death").and_then(Value::as_array) else { return false };
    let Some(at) = entries.iter().position(|entry| identity(entry).0 == Some(target)) else { return false };
    entries[..=at].iter().all(|entry| identity(entry).1 != Some("rejected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Profile;
    use crate::rules::differences;

    /// Lets the message die in these queues one after another and gives the queues of the last x-death.
    fn heads(profile: Profile, deaths: &[&str]) -> Vec<String> {
        let mut headers = None;
        for (i, queue) in deaths.iter().enumerate() {
            let death = Dying {
                queue,
                reason: "expired",
                exchange: "",
                routing_keys: &[],
                time: 0,
                expiration: None,
                died_before: i > 0,
                new_routing_key: false,
            };
            headers = Some(record_death(headers.as_ref(), &death, differences(profile)));
        }
        let headers = headers.unwrap();
        let entries = headers["x-death"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| {
                let entry = entry.as_table().unwrap();
                let n = count(entry);
                format!("{}{}", entry["queue"].as_text().unwrap(), if n > 1 { n.to_string() } else { String::new() })
            })
            .collect()
    }

    #[test]
    fn order_of_3_10_is_reversed_at_each_merge() {
        assert_eq!(heads(Profile::V3_10, &["a", "b", "c"]), ["c", "a", "b"]);
        assert_eq!(heads(Profile::V3_10, &["a", "b", "c", "d"]), ["d", "b", "a", "c"]);
        assert_eq!(heads(Profile::V3_10, &["a", "b", "c", "d", "a"]), ["a2", "c", "b", "d"]);
        assert_eq!(heads(Profile::V4_0, &["a", "b", "c", "d", "a"]), ["a2", "d", "c", "b"]);
    }
}
