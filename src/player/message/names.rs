//! What messages are called: by their id, `id#k` when it is published again, `m1`, `m2` … without one.
//! Holds a bounded number of names, the first and the latest; never looks at the broker.

use crate::broker::{Delivery, PublishId};
use crate::model::{Name, QueueName, Value, name_of_same_id};
use crate::player::message::anonymous_messages::NAMES_KEPT;
use crate::player::message::anonymous_messages::{Alike, AnonymousMessages, Fate};
use crate::player::message::compose::Composed;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a message is called that nobody is known to have published.
const UNKNOWN: &str = "?";

/// The names of messages, given as they are met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// How often an id was published.
    of_id: BTreeMap<Name, u64>,
    nameless: AnonymousMessages,
    /// Names by publish, for the reasons that the sim tells: of the first ones and of the latest, by rising numbers.
    first_publishes: Vec<(PublishId, Name)>,
    latest_publishes: VecDeque<(PublishId, Name)>,
    /// The queues that are streams, of which each reader gets each message.
    streams: BTreeSet<QueueName>,
    /// Names of messages without an id by their offset in a stream, once some reader got them.
    of_offset: BTreeMap<(QueueName, i64), Name>,
}

impl Names {
    /// Makes an empty one that knows which queues are streams.
    pub fn new(streams: BTreeSet<QueueName>) -> Self {
        Self { streams, ..Self::default() }
    }

    /// Names a message that is about to be sent, by a consumer or by the driver. Publishes come by rising numbers.
    pub fn of_publish(&mut self, publish: PublishId, composed: &Composed, consumer: Option<&Name>) -> Name {
        let name = self.name(composed, consumer);
        if self.first_publishes.len() < NAMES_KEPT {
            self.first_publishes.push((publish, name.clone()));
        } else {
            self.latest_publishes.push_back((publish, name.clone()));
            if self.latest_publishes.len() > NAMES_KEPT {
                self.latest_publishes.pop_front();
            }
        }
        name
    }

    /// Returns how often each id was published; `None` where messages without an id are told apart.
    pub fn ids(&self) -> Option<&BTreeMap<Name, u64>> {
        (self.nameless.is_unused() && self.of_offset.is_empty()).then_some(&self.of_id)
    }

    /// Names a message by the publish that it stems from; one whose name was let go, by the publish's number.
    pub fn of_origin(&self, publish: PublishId) -> Name {
        let first = self.first_publishes.binary_search_by_key(&publish, |(id, _)| *id);
        let known = match first {
            Ok(at) => self.first_publishes.get(at),
            Err(_) => {
                let latest = self.latest_publishes.binary_search_by_key(&publish, |(id, _)| *id);
                latest.ok().and_then(|at| self.latest_publishes.get(at))
            }
        };
        known.map_or_else(|| format!("(publish {})", publish.0).into(), |(_, name)| name.clone())
    }

    fn name(&mut self, composed: &Composed, consumer: Option<&Name>) -> Name {
        let (id, before) = match &composed.message.properties.message_id {
            Some(id) => (id.clone(), 0),
            None => {
                let label: Name = self.nameless.published(composed, consumer).to_string().into();
                if composed.sent_on.is_none() {
                    return label;
                }
                // What is sent on was published before.
                (label, 1)
            }
        };
        if self.of_id.len() >= NAMES_KEPT && !self.of_id.contains_key(&id) {
            return id;
        }
        let count = self.of_id.entry(id.clone()).or_insert(before);
        *count += 1;
        if *count == 1 { id } else { name_of_same_id(&id, *count) }
    }

    /// Names a message that a queue gave: by its id, or as what was published without one.
    pub fn of_delivery(&mut self, queue: &QueueName, delivery: &Delivery) -> (Name, Option<Alike>) {
        match &delivery.message.properties.message_id {
            Some(id) => (id.clone(), None),
            None if self.streams.contains(queue) => (self.of_stream(queue, delivery), None),
            None => match self.nameless.delivered(queue, delivery) {
                Some((label, alike)) => (label.to_string().into(), Some(alike)),
                None => (UNKNOWN.into(), None),
            },
        }
    }

    /// Names a message of a stream: whoever reads it later gets the same one.
    fn of_stream(&mut self, stream: &QueueName, delivery: &Delivery) -> Name {
        let offset = delivery.message.header("x-stream-offset").and_then(Value::as_integer);
        let place = offset.map(|offset| (stream.clone(), offset));
        if let Some(known) = place.as_ref().and_then(|place| self.of_offset.get(place)) {
            return known.clone();
        }
        let label = self.nameless.delivered(stream, delivery).map(|(label, _)| label.to_string());
        let name: Name = label.unwrap_or_else(|| UNKNOWN.to_owned()).into();
        if let Some(place) = place.filter(|_| self.of_offset.len() < NAMES_KEPT) {
            self.of_offset.insert(place, name.clone());
        }
        name
    }

    /// Notes what became of a delivery that may come again.
    pub fn ended(&mut self, queue: &QueueName, alike: Alike, fate: Fate) {
        self.nameless.ended(queue, alike, fate);
    }
}
