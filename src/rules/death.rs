//! The x-death header: what a death writes into it and what makes a cycle (DL-16 to DL-29).
//! Takes headers and one death, gives new headers. Never routes.

use crate::model::{Name, Table, Value};
use crate::rules::{ClientXDeath, Differences};
use std::sync::LazyLock;

/// Describes one death.
#[derive(Debug, Clone, Copy)]
pub struct Dying<'a> {
    /// Where it dies.
    pub queue: &'a Name,
    /// `rejected`, `expired`, `maxlen`, `delivery_limit`.
    pub reason: &'static str,
    /// The exchange that the message was last published to.
    pub exchange: &'a Name,
    /// The keys of that publish: the first and those of CC, never BCC (DL-17).
    pub routing_keys: &'a [&'a Name],
    /// Seconds since 1970.
    pub time: u64,
    /// The message's `expiration` at this death.
    pub expiration: Option<&'a Name>,
    /// Whether the message died before, so that its x-death is the broker's own.
    pub died_before: bool,
    /// Whether a dead-letter routing key replaces the keys.
    pub new_routing_key: bool,
}

/// How many headers a death adds at most: x-death, three of the first and three of the last.
const ADDED_MAX: usize = 7;

/// Holds the names and words of the headers, made once and shared by all messages.
struct DeathWords {
    x_death: Name,
    /// Exchange, queue, reason.
    first: [Name; 3],
    last: [Name; 3],
    /// The fields of an entry.
    count: Name,
    reason: Name,
    queue: Name,
    time: Name,
    exchange: Name,
    routing_keys: Name,
    original_expiration: Name,
    reasons: [Name; 4],
}

static WORDS: LazyLock<DeathWords> = LazyLock::new(|| {
    let ends = |which: &str| ["exchange", "queue", "reason"].map(|what| format!("x-{which}-death-{what}").into());
    DeathWords {
        x_death: "x-death".into(),
        first: ends("first"),
        last: ends("last"),
        count: "count".into(),
        reason: "reason".into(),
        queue: "queue".into(),
        time: "time".into(),
        exchange: "exchange".into(),
        routing_keys: "routing-keys".into(),
        original_expiration: "original-expiration".into(),
        reasons: ["expired", "rejected", "maxlen", "delivery_limit"].map(Name::from),
    }
});

/// Returns a reason as a value.
fn reason(death: &Dying) -> Value {
    WORDS
        .reasons
        .iter()
        .find(|reason| &***reason == death.reason)
        .map_or_else(|| death.reason.into(), |reason| reason.into())
}

/// Returns the headers of the dead-lettered copy.
pub fn record_death(headers: Option<&Table>, death: &Dying, differences: &Differences) -> Table {
    let mut headers = headers.map_or_else(|| Table::with_capacity(ADDED_MAX), |headers| headers.with_room(ADDED_MAX));
    let known = differences.client_x_death != ClientXDeath::Replaced || death.died_before;
    let present = headers.get_mut("x-death");
    let first = match differences.client_x_death {
        ClientXDeath::History => present.is_none(),
        ClientXDeath::Cleaned => !matches!(present, Some(Value::Array(_))),
        ClientXDeath::Replaced => !death.died_before,
    };
    let history: Vec<Value> = match present {
        Some(Value::Array(entries)) if known => std::mem::take(entries),
        _ => Vec::new(),
    };
    let entries = merge(history, death, differences);
    headers.insert(WORDS.x_death.clone(), Value::Array(entries));
    if first {
        set_ends(&mut headers, &WORDS.first, death);
    }
    if differences.last_death {
        set_ends(&mut headers, &WORDS.last, death);
    }
    if death.new_routing_key && !differences.keeps_cc {
        headers.shift_remove("CC");
    }
    headers.sort_keys();
    headers
}

/// Returns an x-death that a client sends as 3.13 keeps it: entries with all six fields, nothing else in them; `None`
/// where it is no array, and passes as it is (DL-22).
pub fn cleaned_history(x_death: &Value) -> Option<Value> {
    let words = &*WORDS;
    let entries = x_death.as_array()?.iter().filter_map(Value::as_table).filter_map(|entry| {
        let time = match entry.get(&words.time)? {
            Value::I64(seconds) => Value::Timestamp(u64::try_from(*seconds).ok()?),
            other => other.clone(),
        };
        let kept = [&words.count, &words.reason, &words.queue, &words.exchange, &words.routing_keys];
        let kept = kept.into_iter().map(|name| Some((name.clone(), entry.get(name)?.clone())));
        let mut kept: Table = kept.collect::<Option<Vec<(Name, Value)>>>()?.into_iter().collect();
        kept.insert(words.time.clone(), time);
        let expiration = &words.original_expiration;
        kept.extend(entry.get(expiration).map(|value| (expiration.clone(), value.clone())));
        Some(Value::Table(kept))
    });
    Some(Value::Array(entries.collect()))
}

/// Puts the death in front: a new entry, or the old one of this queue and reason counted up (DL-18, DL-19).
fn merge(history: Vec<Value>, death: &Dying, differences: &Differences) -> Vec<Value> {
    let mut history = if differences.death_order_bug { regroup(history) } else { history };
    let same = |entry: &Value| identity(entry) == (Some(&**death.queue), Some(death.reason));
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
                first.insert(WORDS.count.clone(), Value::I64(sum));
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
            table.insert(WORDS.count.clone(), Value::I64(next));
            Value::Table(table)
        }
        other => other,
    }
}

fn new_entry(death: &Dying) -> Value {
    let keys = death.routing_keys.iter().map(|key| Value::from(*key)).collect();
    let words = &*WORDS;
    let expiration = death.expiration.map(|expiration| (&words.original_expiration, Value::from(expiration)));
    let fields = [
        (&words.count, Value::I64(1)),
        (&words.reason, reason(death)),
        (&words.queue, death.queue.into()),
        (&words.time, Value::Timestamp(death.time)),
        (&words.exchange, death.exchange.into()),
        (&words.routing_keys, Value::Array(keys)),
    ];
    Value::Table(fields.into_iter().chain(expiration).map(|(name, value)| (name.clone(), value)).collect())
}

/// Writes exchange, queue and reason into the headers of these names (DL-21).
fn set_ends(headers: &mut Table, [exchange, queue, last]: &[Name; 3], death: &Dying) {
    headers.insert(exchange.clone(), death.exchange.into());
    headers.insert(queue.clone(), death.queue.into());
    headers.insert(last.clone(), reason(death));
}

/// Returns whether putting the message, whose last death was not a rejection, into `target` closes a cycle (DL-25).
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
                queue: &Name::from(*queue),
                reason: "expired",
                exchange: &Name::from(""),
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
