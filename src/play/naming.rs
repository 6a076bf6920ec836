//! The names of messages: by id, the k-th of an id as `id#k`, and `m1`, `m2` … for those without one.

use crate::broker::PublishId;
use crate::model::{Message, Name};
use std::collections::BTreeMap;

/// How many names of messages are kept, so that memory does not grow with the run.
pub(super) const NAMES_KEPT: usize = 10_000;

/// Gives messages their names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// How often an id was published.
    of_id: BTreeMap<Name, u64>,
    anonymous: u64,
    /// Names of messages without an id, by the digest of their body.
    of_body: BTreeMap<u64, Name>,
    /// Names by publish, for the reasons that the sim tells.
    of_publish: BTreeMap<PublishId, Name>,
}

impl Names {
    /// Names a message that is about to be sent.
    pub fn of_publish(&mut self, publish: PublishId, id: &Option<Name>, body: &[u8]) -> Name {
        let name = self.name(id, body);
        if self.of_publish.len() < NAMES_KEPT {
            self.of_publish.insert(publish, name.clone());
        }
        name
    }

    /// Names a message by the publish that it stems from.
    pub fn of_origin(&self, publish: PublishId) -> Option<Name> {
        self.of_publish.get(&publish).cloned()
    }

    fn name(&mut self, id: &Option<Name>, body: &[u8]) -> Name {
        let Some(id) = id else {
            self.anonymous += 1;
            let name: Name = format!("m{}", self.anonymous).into();
            if self.anonymous as usize <= NAMES_KEPT {
                self.of_body.entry(super::kept::digest_of(body)).or_insert_with(|| name.clone());
            }
            return name;
        };
        if self.of_id.len() >= NAMES_KEPT && !self.of_id.contains_key(id) {
            return id.clone();
        }
        let count = self.of_id.entry(id.clone()).or_default();
        *count += 1;
        if *count == 1 { id.clone() } else { format!("{id}#{count}").into() }
    }

    /// Names a message that came: by its id, or by the body of what was published without one.
    pub fn of_message(&self, message: &Message) -> Name {
        match &message.properties.message_id {
            Some(id) => id.clone(),
            None => self.of_body.get(&super::kept::digest_of(&message.body)).cloned().unwrap_or_else(|| "?".into()),
        }
    }
}
