//! What a broker showed at one step, as texts in streams: order holds inside of a stream only (SIM-1).
//! Times, tags and the order of header fields are left out; everything else is in.

use rmqplay::broker::Delivery;
use rmqplay::model::{Message, Name, Table, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was shown from the beginning of one step to the beginning of the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    pub streams: BTreeMap<String, Vec<String>>,
    /// Of each queue that is there, when all rests.
    pub counts: BTreeMap<String, String>,
}

impl Seen {
    /// Notes one thing in a stream.
    pub fn note(&mut self, stream: impl Into<String>, text: impl Into<String>) {
        self.streams.entry(stream.into()).or_default().push(without_keys(&text.into()));
    }

    /// Adds what was shown afterwards.
    pub fn append(&mut self, later: Seen) {
        for (stream, mut texts) in later.streams {
            self.streams.entry(stream).or_default().append(&mut texts);
        }
        self.counts = later.counts;
    }

    /// Names the streams and queues that show something else.
    pub fn unlike(&self, other: &Seen) -> BTreeSet<String> {
        let streams = self.streams.keys().chain(other.streams.keys());
        let streams = streams.filter(|stream| self.streams.get(*stream) != other.streams.get(*stream));
        let queues = self.counts.keys().chain(other.counts.keys());
        let queues = queues.filter(|queue| self.counts.get(*queue) != other.counts.get(*queue));
        streams.chain(queues).cloned().collect()
    }

    /// Returns whether a message shows two deaths or more.
    pub fn has_two_deaths(&self) -> bool {
        self.streams.values().flatten().any(|text| text.matches(" reason: ").count() > 1)
    }

    /// Lists what only one of two shows: `- ours`, `+ theirs`.
    pub fn differences(&self, other: &Seen) -> Vec<String> {
        let mut lines = Vec::new();
        for what in self.unlike(other) {
            for (whose, seen) in [("sim   ", self), ("broker", other)] {
                let texts = seen.streams.get(&what).into_iter().flatten();
                lines.extend(texts.map(|text| format!("{whose} {what}: {text}")));
            }
            let (ours, theirs) = (self.counts.get(&what), other.counts.get(&what));
            if ours != theirs {
                let word = |text: Option<&String>| text.map_or("is not there", String::as_str).to_owned();
                lines.push(format!("sim    {what} {}", word(ours)));
                lines.push(format!("broker {what} {}", word(theirs)));
            }
        }
        lines
    }
}

/// Writes a star for what each broker makes up: the keys of direct reply-to (RT-22).
fn without_keys(text: &str) -> String {
    const KEY: &str = "amq.rabbitmq.reply-to.";
    let mut parts = text.split(KEY);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([' ', '\'', '"', ',', ')']).unwrap_or(part.len());
        shown.push_str(&format!("{KEY}*{}", &part[end..]));
    }
    shown
}

/// Returns the name that a message was published with.
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
