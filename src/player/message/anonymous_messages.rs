//! Tells messages without an id apart: `m1`, `m2` … of the driver, `worker:m1` of a consumer. What came is known again by
//! body, properties and where it was first published to; of messages that are alike in all that, a queue gives the
//! earlier one first, and what was returned or rejected is the one that comes next. Never looks at the broker.

use crate::broker::Delivery;
use crate::model::{Message, Name, QueueName, Value};
use crate::player::message::compose::{Composed, OF_THE_BROKER};
use crate::player::record::bounded_log::{digest_of, fnv};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// How many names are kept of the first messages, and as many of the latest, so that memory does not grow.
pub(crate) const NAMES_KEPT: usize = 10_000;

/// What a message without an id is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageLabel {
    /// The consumer that published it; the driver else.
    by: Option<Name>,
    number: u64,
}

impl fmt::Display for MessageLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(by) => write!(f, "{by}:m{}", self.number),
            None => write!(f, "m{}", self.number),
        }
    }
}

impl MessageLabel {
    /// Reads the name of a message that is sent on.
    fn parse(name: &str) -> Option<Self> {
        let (by, number) = name.rsplit_once(':').map_or((None, name), |(by, number)| (Some(by.into()), number));
        Some(Self { by, number: number.strip_prefix('m')?.parse().ok()? })
    }
}

/// One delivery among those that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Alike {
    class: u64,
    index: u64,
}

/// What became of a delivery that may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is back in its queue.
    Returned,
    /// It may be dead-lettered.
    Rejected,
}

/// Knows all messages without an id.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnonymousMessages {
    counts: BTreeMap<Option<Name>, u64>,
    classes: BTreeMap<u64, Class>,
    latest: VecDeque<u64>,
    /// The first of each body, for what is known by nothing else.
    of_body: BTreeMap<u64, MessageLabel>,
    latest_bodies: VecDeque<u64>,
}

/// All messages that are alike.
#[derive(Debug, Clone, Default)]
struct Class {
    /// In the order in which they were published; numbers that follow one another are a run.
    runs: Vec<(MessageLabel, u64)>,
    queues: BTreeMap<QueueName, Passed>,
}

/// What a queue gave of a class.
#[derive(Debug, Clone, Default)]
struct Passed {
    /// How many it gave for the first time: the next one's index.
    next: u64,
    returned: BTreeSet<u64>,
    rejected: BTreeSet<u64>,
}

impl AnonymousMessages {
    /// Returns whether no message was without an id.
    pub fn is_unused(&self) -> bool {
        self.counts.is_empty() && self.classes.is_empty()
    }

    /// Names a new message.
    pub fn name(&mut self, by: Option<&Name>) -> MessageLabel {
        let count = self.counts.entry(by.cloned()).or_default();
        *count += 1;
        MessageLabel { by: by.cloned(), number: *count }
    }

    /// Notes what goes out; `sent_on` is the name of the message that it is once more.
    pub fn published(&mut self, composed: &Composed, by: Option<&Name>) -> MessageLabel {
        let Composed { exchange, routing_key: key, message, sent_on, .. } = composed;
        let label = sent_on.as_deref().and_then(MessageLabel::parse).unwrap_or_else(|| self.name(by));
        let body = digest_of(&message.body);
        keep(&mut self.of_body, &mut self.latest_bodies, body, || label.clone());
        let class = class_of((exchange, key), message.deaths_counted(), message);
        keep(&mut self.classes, &mut self.latest, class, Class::default).push(label.clone());
        label
    }

    /// Names what a queue gave: as it was published, or as what it was before it died.
    pub fn delivered(&mut self, queue: &QueueName, delivery: &Delivery) -> Option<(MessageLabel, Alike)> {
        let message = &delivery.message;
        let whole = class_of((&delivery.exchange, &delivery.routing_key), message.deaths_counted(), message);
        let dead = origin(message).map(|origin| class_of(origin, 0, message));
        let class = [Some(whole), dead].into_iter().flatten().find(|class| self.classes.contains_key(class));
        match class.and_then(|class| Some((class, self.classes.get_mut(&class)?))) {
            Some((class, known)) => {
                let died_in = if class == whole { Vec::new() } else { died_in(queue, message) };
                let index = known.next(queue, delivery.redelivered, &died_in);
                Some((known.label(index)?, Alike { class, index }))
            }
            None => {
                let label = self.of_body.get(&digest_of(&message.body))?.clone();
                Some((label, Alike { class: whole, index: 0 }))
            }
        }
    }

    /// Notes what became of a delivery.
    pub fn ended(&mut self, queue: &QueueName, alike: Alike, fate: Fate) {
        let Some(class) = self.classes.get_mut(&alike.class) else { return };
        let passed = class.queues.entry(queue.clone()).or_default();
        let waiting = match fate {
            Fate::Returned => &mut passed.returned,
            Fate::Rejected => &mut passed.rejected,
        };
        if waiting.len() < NAMES_KEPT {
            waiting.insert(alike.index);
        }
    }
}

impl Class {
    fn push(&mut self, label: MessageLabel) {
        let has_room = self.runs.len() < NAMES_KEPT;
        match self.runs.last_mut() {
            Some((first, length)) if first.by == label.by && first.number + *length == label.number => *length += 1,
            _ if has_room => self.runs.push((label, 1)),
            _ => {}
        }
    }

    fn count(&self) -> u64 {
        self.runs.iter().map(|(_, length)| length).sum()
    }

    fn label(&self, index: u64) -> Option<MessageLabel> {
        let mut before = 0;
        let run = self.runs.iter().find(|(_, length)| {
            before += length;
            index < before
        });
        run.map(|(first, length)| MessageLabel { number: first.number + index - (before - length), ..first.clone() })
    }

    /// Finds which of them a queue gives now: one that came back, one that died elsewhere, or the next.
    fn next(&mut self, queue: &QueueName, redelivered: bool, died_in: &[QueueName]) -> u64 {
        let mut again = None;
        if redelivered {
            again = self.queues.get_mut(queue).and_then(|passed| passed.returned.pop_first());
        }
        for died in died_in {
            let Some(passed) = self.queues.get_mut(died).filter(|_| again.is_none()) else { continue };
            again = passed.rejected.pop_first().or_else(|| passed.returned.pop_first());
        }
        let last = self.count().saturating_sub(1);
        if let Some(again) = again {
            let passed = self.queues.entry(queue.clone()).or_default();
            passed.next += u64::from(passed.next == again);
            return again.min(last);
        }
        let places = died_in.iter().chain([queue]);
        let next = places.clone().filter_map(|place| self.queues.get(place)).map(|passed| passed.next).max();
        let next = next.unwrap_or(0).min(last);
        for place in places {
            let passed = self.queues.entry(place.clone()).or_default();
            passed.next = passed.next.max(next + 1);
        }
        next
    }
}

/// Lists where a message died, the latest place first, each once.
fn died_in(queue: &QueueName, message: &Message) -> Vec<QueueName> {
    let queues = message.deaths().filter_map(|death| death.get("queue")?.as_text());
    queues.map(|name| QueueName { vhost: queue.vhost.clone(), name: name.into() }).collect()
}

/// Digests what stays with a message on its way: body, properties, and where it was first published to. One that is sent
/// on may tell of the deaths of an earlier life.
fn class_of((exchange, key): (&Name, &Name), deaths: i64, message: &Message) -> u64 {
    let properties = &message.properties;
    let mut digest = digest_of(&message.body);
    let mut add = |part: Option<&str>| {
        digest = match part {
            Some(part) => fnv(fnv(digest, part.as_bytes()), &[0]),
            None => fnv(digest, &[1]),
        };
    };
    [&**exchange, &**key].into_iter().for_each(|place| add(Some(place)));
    let numbers = [Some(deaths), properties.priority.map(i64::from), properties.timestamp.map(|at| at as i64)];
    let number = |number: i64| format!("{number}");
    numbers.into_iter().for_each(|one| add(one.map(number).as_deref()));
    let texts = [&properties.content_type, &properties.content_encoding, &properties.correlation_id, &properties.kind];
    texts.into_iter().chain([&properties.app_id]).for_each(|text| add(text.as_deref()));
    let headers = properties.headers.iter().flat_map(|headers| headers.iter());
    let headers = headers.filter(|(name, _)| !is_of_the_broker(name));
    // Sorted: a broker may put them in another order.
    let headers: BTreeMap<&str, String> = headers.map(|(name, value)| (&**name, value.to_json().to_string())).collect();
    for (name, value) in &headers {
        add(Some(name));
        add(Some(value));
    }
    digest
}

/// Returns whether a broker writes, changes or takes away a header.
fn is_of_the_broker(name: &str) -> bool {
    OF_THE_BROKER.contains(&name) || name.starts_with("x-opt-") || ["CC", "BCC", "x-stream-offset"].contains(&name)
}

/// Returns exchange and key of the publish, as the first death tells them.
fn origin(message: &Message) -> Option<(&Name, &Name)> {
    let first = |name| message.header(name).and_then(Value::as_text);
    let is_first = |death: &&crate::model::Table| {
        let text = |key| death.get(key).and_then(Value::as_text);
        text("queue") == first("x-first-death-queue") && text("reason") == first("x-first-death-reason")
    };
    let death = message.deaths().find(is_first)?;
    let keys = death.get("routing-keys").and_then(Value::as_array)?;
    match (death.get("exchange")?, keys.first()?) {
        (Value::Text(exchange), Value::Text(key)) => Some((exchange, key)),
        _ => None,
    }
}

/// Adds to a map that forgets its oldest of the latest ones, and gives what stands there.
fn keep<'m, T>(
    map: &'m mut BTreeMap<u64, T>,
    latest: &mut VecDeque<u64>,
    key: u64,
    make: impl FnOnce() -> T,
) -> &'m mut T {
    if !map.contains_key(&key) && map.len() >= NAMES_KEPT {
        latest.push_back(key);
        if latest.len() > NAMES_KEPT
            && let Some(oldest) = latest.pop_front()
        {
            map.remove(&oldest);
        }
    }
    map.entry(key).or_insert_with(make)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::DeliveryTag;
    use std::sync::Arc;

    fn message(body: &str) -> Arc<Message> {
        Arc::new(Message { body: body.as_bytes().into(), ..Message::default() })
    }

    fn publish(nameless: &mut AnonymousMessages, key: &str, body: &str) -> String {
        let (exchange, routing_key) = ("x".into(), key.into());
        let composed = Composed { exchange, routing_key, mandatory: false, message: message(body), sent_on: None };
        nameless.published(&composed, None).to_string()
    }

    /// Lets a queue give a message and notes what becomes of it.
    fn give(nameless: &mut AnonymousMessages, queue: &str, key: &str, redelivered: bool, fate: Option<Fate>) -> String {
        let queue = QueueName { vhost: "/".into(), name: queue.into() };
        let (exchange, routing_key) = ("x".into(), key.into());
        let delivery =
            Delivery { tag: DeliveryTag(1), redelivered, exchange, routing_key, message: message("same").into() };
        let (label, alike) = nameless.delivered(&queue, &delivery).expect("it is known");
        if let Some(fate) = fate {
            nameless.ended(&queue, alike, fate);
        }
        label.to_string()
    }

    #[test]
    fn alike_ones_are_told_apart_by_key_and_order_in_each_queue() {
        let mut known = AnonymousMessages::default();
        let names: Vec<String> = ["a", "a", "b", "a"].iter().map(|key| publish(&mut known, key, "same")).collect();
        assert_eq!(names, ["m1", "m2", "m3", "m4"]);
        assert_eq!(give(&mut known, "q", "b", false, None), "m3");
        assert_eq!(give(&mut known, "q", "a", false, Some(Fate::Returned)), "m1");
        assert_eq!(give(&mut known, "q", "a", false, Some(Fate::Returned)), "m2");
        // Another queue has copies of its own.
        assert_eq!(give(&mut known, "copy", "a", false, None), "m1");
        assert_eq!(give(&mut known, "q", "a", true, None), "m1");
        assert_eq!(give(&mut known, "q", "a", true, None), "m2");
        assert_eq!(give(&mut known, "q", "a", false, None), "m4");
        // More than were published: whatever it is, it is one of them.
        assert_eq!(give(&mut known, "q", "a", false, None), "m4");
    }

    #[test]
    fn a_hundred_thousand_alike_take_no_room() {
        let mut known = AnonymousMessages::default();
        (0..100_000).for_each(|_| _ = publish(&mut known, "a", "same"));
        let last = (0..100_000).map(|_| give(&mut known, "q", "a", false, None)).last();
        assert_eq!(last.as_deref(), Some("m100000"));
        assert!(known.classes.values().all(|class| class.runs.len() == 1));
    }
}
