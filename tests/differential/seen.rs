//! What a broker showed at one step, as texts in streams: order holds inside of a stream only (SIM-1).
//! Times, tags and the order of header fields are left out; everything else is in.

use rmqplay::broker::Delivery;
use rmqplay::model::{Message, Millis, Name, Table, Value};
use std::collections::BTreeMap;

/// Is what was shown from the beginning of one step to the beginning of the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    pub streams: BTreeMap<String, Vec<String>>,
    /// Of each queue that is there, when all rests.
    pub counts: BTreeMap<String, String>,
}

impl Seen {
    /// Notes one thing in a stream.
    pub fn note(&mut self, stream: impl Into<String>, text: impl Into<String>) {
        self.streams.entry(stream.into()).or_default().push(text.into());
    }

    /// Lists what only one of two shows: `- ours`, `+ theirs`.
    pub fn differences(&self, other: &Seen) -> Vec<String> {
        let mut lines = Vec::new();
        let none = Vec::new();
        let streams: std::collections::BTreeSet<&String> = self.streams.keys().chain(other.streams.keys()).collect();
        for stream in streams {
            let (ours, theirs) =
                (self.streams.get(stream).unwrap_or(&none), other.streams.get(stream).unwrap_or(&none));
            if ours != theirs {
                lines.extend(ours.iter().map(|text| format!("sim    {stream}: {text}")));
                lines.extend(theirs.iter().map(|text| format!("broker {stream}: {text}")));
            }
        }
        let queues: std::collections::BTreeSet<&String> = self.counts.keys().chain(other.counts.keys()).collect();
        for queue in queues {
            let (ours, theirs) = (self.counts.get(queue), other.counts.get(queue));
            if ours != theirs {
                let word = |text: Option<&String>| text.map_or("is not there", String::as_str).to_owned();
                lines.push(format!("sim    {queue} {}", word(ours)));
                lines.push(format!("broker {queue} {}", word(theirs)));
            }
        }
        lines
    }
}

/// Gives the name that a message was published with.
pub fn id_of(delivery: &Delivery) -> String {
    delivery.message.properties.message_id.as_deref().unwrap_or("?").to_owned()
}

/// Writes a delivery with all that its consumer can see.
pub fn delivery_text(delivery: &Delivery) -> String {
    let redelivered = if delivery.redelivered { " redelivered" } else { "" };
    format!(
        "{} from '{}' '{}'{redelivered} {}",
        id_of(delivery),
        delivery.exchange,
        delivery.routing_key,
        message_text(&delivery.message)
    )
}

fn message_text(message: &Message) -> String {
    let properties = &message.properties;
    let mut text = format!("{} bytes", message.body.len());
    if !message.body.iter().all(|byte| *byte == b'x') {
        text.push_str(&format!(" {:?}", String::from_utf8_lossy(&message.body)));
    }
    let named = [
        ("content_type", &properties.content_type),
        ("content_encoding", &properties.content_encoding),
        ("correlation_id", &properties.correlation_id),
        ("reply_to", &properties.reply_to),
        ("expiration", &properties.expiration),
        ("type", &properties.kind),
        ("user_id", &properties.user_id),
        ("app_id", &properties.app_id),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    }
    if let Some(mode) = properties.delivery_mode {
        text.push_str(&format!(" mode={mode}"));
    }
    if let Some(priority) = properties.priority {
        text.push_str(&format!(" priority={priority}"));
    }
    if let Some(headers) = &properties.headers {
        text.push_str(&format!(" headers {}", table_text(headers)));
    }
    text
}

fn table_text(table: &Table) -> String {
    let mut fields: Vec<(&Name, &Value)> = table.iter().filter(|(key, _)| &***key != "time").collect();
    fields.sort_by_key(|(key, _)| *key);
    let fields: Vec<String> = fields.into_iter().map(|(key, value)| format!("{key}: {}", value_text(value))).collect();
    format!("{{{}}}", fields.join(", "))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Table(table) => table_text(table),
        Value::Array(entries) => format!("[{}]", entries.iter().map(value_text).collect::<Vec<_>>().join(", ")),
        plain => format!("{plain:?}"),
    }
}

/// Is what must be seen, and how long each state lasts before something happens by itself.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub seen: Vec<Seen>,
    /// From the beginning of each operation to the next timer.
    pub calm: Vec<Millis>,
}
