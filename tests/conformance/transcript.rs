//! What followed a step, as lines: how deliveries and refusals are written, how lines compare, how a file is rewritten.

use super::script::{Expected, Step, profiles_text};
use rmqplay::broker::{Delivery, Refusal};
use rmqplay::model::{Message, Millis, Profile, Table, Value};

/// One thing that a broker said.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Since the step began.
    pub after: Millis,
    /// The channel, or nothing for what belongs to none.
    pub source: String,
    pub text: String,
}

impl Line {
    /// Writes the line as a file holds it: the moment when time passed, the channel unless it is the first.
    pub fn shown(&self) -> String {
        let at = if self.after.0 > 0 { format!("@{} ", self.after).replace(' ', "") + " " } else { String::new() };
        let source =
            if self.source.is_empty() || self.source == "ch1" { String::new() } else { format!("{}: ", self.source) };
        format!("{at}{source}{}", self.text)
    }
}

/// Writes `406 PRECONDITION_FAILED - …` on one line.
pub fn refusal_text(refusal: &Refusal) -> String {
    refusal.to_string().replace('\n', "\\n")
}

/// Writes a name, quoted when it is empty.
pub fn shown_name(name: &str) -> String {
    if name.is_empty() || name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() }
}

/// Writes `m1 #1 from EXCHANGE KEY [redelivered] …`.
pub fn deliver_text(delivery: &Delivery) -> String {
    let id = delivery.message.properties.message_id.as_deref().unwrap_or("?");
    let mut text = format!(
        "{id} #{} from {} {}",
        delivery.tag.0,
        shown_name(&delivery.exchange),
        shown_name(&delivery.routing_key)
    );
    if delivery.redelivered {
        text.push_str(" redelivered");
    }
    properties_text(&delivery.message, &mut text);
    text
}

fn properties_text(message: &Message, text: &mut String) {
    let properties = &message.properties;
    for (name, value) in [("ttl", &properties.expiration), ("user_id", &properties.user_id)] {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    if let Some(priority) = properties.priority {
        text.push_str(&format!(" priority={priority}"));
    }
    let Some(headers) = &properties.headers else { return };
    let mut headers: Vec<(&str, &Value)> = headers.iter().map(|(key, value)| (&**key, value)).collect();
    headers.sort_by_key(|(key, _)| *key);
    for prefix in ["x-first-death", "x-last-death"] {
        let part = |name: &str| {
            let found = headers.iter().find(|(key, _)| *key == format!("{prefix}-{name}"));
            found.and_then(|(_, value)| value.as_text())
        };
        if let (Some(reason), Some(queue)) = (part("reason"), part("queue")) {
            let exchange = shown_name(part("exchange").unwrap_or("?"));
            text.push_str(&format!(" {}={queue}/{reason}/{exchange}", &prefix[2..prefix.len() - 6]));
        }
    }
    for (key, value) in
        headers.into_iter().filter(|(key, _)| !key.starts_with("x-first-") && !key.starts_with("x-last-"))
    {
        match value {
            Value::Array(deaths) if key == "x-death" => {
                let deaths: Vec<String> = deaths.iter().map(death_text).collect();
                text.push_str(&format!(" x-death=[{}]", deaths.join(", ")));
            }
            value => text.push_str(&format!(" {key}={}", value.to_json())),
        }
    }
}

/// Writes an entry of x-death: `queue/reason*count from EXCHANGE KEYS ttl=…`.
fn death_text(entry: &Value) -> String {
    let empty = Table::new();
    let entry = entry.as_table().unwrap_or(&empty);
    let text = |name: &str| entry.get(name).and_then(Value::as_text).unwrap_or("?").to_owned();
    let count = entry.get("count").and_then(Value::as_integer).unwrap_or(0);
    let keys = entry.get("routing-keys").and_then(Value::as_array).unwrap_or(&[]);
    let keys: Vec<String> = keys.iter().map(|key| shown_name(key.as_text().unwrap_or("?"))).collect();
    let expiration = entry.get("original-expiration").and_then(Value::as_text);
    let expiration = expiration.map(|ms| format!(" ttl={ms}")).unwrap_or_default();
    format!(
        "{}/{}*{count} from {} {}{expiration}",
        text("queue"),
        text("reason"),
        shown_name(&text("exchange")),
        keys.join("+")
    )
}

/// Writes the headers with the types they have on the wire instead of their values, arrays by their first item.
pub fn types_text(message: &Message) -> String {
    message.properties.headers.as_ref().map_or_else(|| "no headers".into(), table_types)
}

fn table_types(table: &Table) -> String {
    let mut fields: Vec<String> = table.iter().map(|(key, value)| format!("{key}:{}", type_text(value))).collect();
    fields.sort_unstable();
    format!("{{{}}}", fields.join(" "))
}

fn type_text(value: &Value) -> String {
    match value {
        Value::Table(table) => table_types(table),
        Value::Array(items) => format!("[{}]", items.first().map(type_text).unwrap_or_default()),
        Value::Text(_) => "text".into(),
        Value::I64(_) => "long".into(),
        Value::I32(_) => "int".into(),
        Value::Bool(_) => "bool".into(),
        Value::Timestamp(_) => "timestamp".into(),
        other => format!("{other:?}"),
    }
}

/// Returns whether what followed is what was expected: in order for each channel, groups marked `~` in any order.
pub fn same(expected: &[Expected], actual: &[Line], profile: Profile) -> bool {
    let expected: Vec<&Expected> = expected.iter().filter(|line| line.profiles.contains(&profile)).collect();
    let actual: Vec<String> = actual.iter().map(Line::shown).collect();
    if expected.len() != actual.len() {
        return false;
    }
    let mut at = 0;
    while at < expected.len() {
        let group = expected[at..].iter().take_while(|line| line.unordered).count();
        let size = group.max(1);
        let mut wanted: Vec<&str> = expected[at..at + size].iter().map(|line| line.text.as_str()).collect();
        let mut found: Vec<&str> = actual[at..at + size].iter().map(String::as_str).collect();
        if group > 0 {
            wanted.sort_unstable();
            found.sort_unstable();
        }
        if wanted != found {
            return false;
        }
        at += size;
    }
    true
}

/// Writes a file anew with what followed on each profile.
pub fn rewritten(steps: &[Step], runs: &[(Profile, Vec<Vec<Line>>)], tail: &str) -> String {
    let mut text = String::new();
    let mut played: Vec<usize> = vec![0; runs.len()];
    for step in steps {
        for line in &step.source {
            text.push_str(line);
            text.push('\n');
        }
        let mark = if step.expected.iter().any(|line| line.unordered) { '~' } else { '<' };
        let mut per_profile: Vec<(Profile, Vec<String>)> = Vec::new();
        for ((profile, transcript), at) in runs.iter().zip(&mut played) {
            if step.profiles.contains(profile) {
                let lines = transcript.get(*at).map(|lines| lines.iter().map(Line::shown).collect());
                per_profile.push((*profile, lines.unwrap_or_default()));
                *at += 1;
            }
        }
        text.push_str(&merged(&per_profile, mark));
    }
    text.push_str(tail);
    text
}

/// Writes each distinct transcript once, with the profiles that it holds for unless it holds for all.
fn merged(per_profile: &[(Profile, Vec<String>)], mark: char) -> String {
    let mut groups: Vec<(Vec<Profile>, &Vec<String>)> = Vec::new();
    for (profile, lines) in per_profile {
        match groups.iter_mut().find(|(_, other)| *other == lines) {
            Some((profiles, _)) => profiles.push(*profile),
            None => groups.push((vec![*profile], lines)),
        }
    }
    let alone = groups.len() == 1;
    let mut text = String::new();
    for (profiles, lines) in groups {
        let prefix = if alone { String::new() } else { format!("[{}] ", profiles_text(&profiles)) };
        for line in lines {
            text.push_str(&format!("  {prefix}{mark} {line}\n"));
        }
    }
    text
}
