//! What the messages are called that were published last. Keeps no message, and no text but the ids that clients gave.

use crate::broker::{DeliveredMessage, Ids, PublishId};
use crate::model::{Message, Name};
use crate::serve::session::ring::LatestById;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smol_str::format_smolstr;

/// How many messages are known of the outside clients, and as many of a scenario that plays beside them.
const KNOWN_MAX: usize = 20_000;

/// What a message is called: its words are made when somebody asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MessageName {
    /// The id that it was published with; absent: it is called `m` and its number.
    id: Option<Name>,
    /// Counts those without an id, or those of the same id, from 1. 0 is no message.
    number: u64,
}

impl MessageName {
    /// Writes it: the id, `id#k` for the k-th of an id, or `m` and a number.
    pub(crate) fn in_words(&self) -> Name {
        match &self.id {
            None => format_smolstr!("m{}", self.number),
            Some(id) if self.number <= 1 => id.clone(),
            Some(id) => format_smolstr!("{id}#{}", self.number),
        }
    }

    /// Returns the id that it was published with, which all of that id share; or what it is called.
    pub(crate) fn id(&self) -> Name {
        self.id.clone().unwrap_or_else(|| self.in_words())
    }

    /// Returns whether this text names it: its id, or all that it is called.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.id.as_ref().is_some_and(|id| id == text) || self.in_words() == text
    }
}

/// The messages that were published last.
#[derive(Debug, Clone)]
pub(crate) struct KnownMessages {
    outside: LatestById<MessageName>,
    scripted: LatestById<MessageName>,
    anonymous: u64,
    /// How often each id was published, and of how many of those the name is still known.
    ids: IndexMap<Name, (u64, u64), FxBuildHasher>,
}

impl Default for KnownMessages {
    fn default() -> Self {
        let (outside, scripted) = (LatestById::new(KNOWN_MAX), LatestById::new(KNOWN_MAX));
        Self { outside, scripted, anonymous: 0, ids: IndexMap::default() }
    }
}

impl KnownMessages {
    /// Names what is published.
    pub(crate) fn published(&mut self, publish: PublishId, message: &Message) -> MessageName {
        let name = match message.properties.message_id.as_ref().filter(|id| !id.is_empty()) {
            Some(id) => {
                let (count, alive) = self.ids.entry(id.clone()).or_default();
                (*count, *alive) = (*count + 1, *alive + 1);
                MessageName { id: Some(id.clone()), number: *count }
            }
            None => {
                self.anonymous += 1;
                MessageName { id: None, number: self.anonymous }
            }
        };
        let ids = &mut self.ids;
        let latest = if Ids::is_outside_publish(publish) { &mut self.outside } else { &mut self.scripted };
        latest.put(publish.0, name.clone(), |gone| {
            let Some(id) = gone.id else { return };
            if let Some((_, alive)) = ids.get_mut(&id) {
                *alive -= 1;
                if *alive == 0 {
                    ids.swap_remove(&id);
                }
            }
        });
        name
    }

    /// Returns what a message is called that stems from a publish.
    pub(crate) fn of_publish(&self, publish: PublishId) -> Option<&MessageName> {
        let latest = if Ids::is_outside_publish(publish) { &self.outside } else { &self.scripted };
        latest.get(publish.0).filter(|name| name.number > 0)
    }

    /// Returns what a message in somebody's hands is called.
    pub(crate) fn of_delivery(&self, message: &DeliveredMessage) -> MessageName {
        self.of_held(message.origin().unwrap_or(PublishId(0)), message.published())
    }

    /// Returns what a message is called that the broker holds.
    pub(crate) fn of_held(&self, publish: PublishId, message: &Message) -> MessageName {
        self.of_publish(publish).cloned().unwrap_or_else(|| {
            let id = message.properties.message_id.clone();
            MessageName { id: Some(id.unwrap_or_else(|| "(a message)".into())), number: 1 }
        })
    }
}
