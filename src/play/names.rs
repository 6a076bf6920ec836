//! What messages are called: by their id, `id#k` when it is published again, `m1`, `m2` … without one.
//! Holds a bounded number of names, the first and the latest; never looks at the broker.

use super::kept::digest_of;
use crate::broker::PublishId;
use crate::model::{Message, Name};
use std::collections::{BTreeMap, VecDeque};

/// How many names are kept of the first messages, and as many of the latest, so that memory does not grow.
pub(super) const NAMES_KEPT: usize = 10_000;

/// Gives messages their names.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// How often an id was published.
    of_id: BTreeMap<Name, u64>,
    anonymous: u64,
    /// Names of messages without an id, by the digest of their body.
    of_body: BTreeMap<u64, Name>,
    /// The latest of these digests.
    latest_bodies: VecDeque<u64>,
    /// Names by publish, for the reasons that the sim tells.
    of_publish: BTreeMap<PublishId, Name>,
    latest_publishes: VecDeque<PublishId>,
}

impl Names {
    /// Names a message that is about to be sent.
    pub fn of_publish(&mut self, publish: PublishId, id: &Option<Name>, body: &[u8]) -> Name {
        let name = self.name(id, body);
        if self.of_publish.len() >= NAMES_KEPT
            && let Some(oldest) = let_go(&mut self.latest_publishes, publish)
        {
            self.of_publish.remove(&oldest);
        }
        self.of_publish.insert(publish, name.clone());
        name
    }

    /// Names a message by the publish that it stems from; one whose name was let go, by the publish's number.
    pub fn of_origin(&self, publish: PublishId) -> Name {
        self.of_publish.get(&publish).cloned().unwrap_or_else(|| format!("(publish {})", publish.0).into())
    }

    fn name(&mut self, id: &Option<Name>, body: &[u8]) -> Name {
        let Some(id) = id else {
            self.anonymous += 1;
            let name: Name = format!("m{}", self.anonymous).into();
            let digest = digest_of(body);
            if !self.of_body.contains_key(&digest) {
                if self.of_body.len() >= NAMES_KEPT
                    && let Some(oldest) = let_go(&mut self.latest_bodies, digest)
                {
                    self.of_body.remove(&oldest);
                }
                self.of_body.insert(digest, name.clone());
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
            None => self.of_body.get(&digest_of(&message.body)).cloned().unwrap_or_else(|| "?".into()),
        }
    }
}

/// Adds to the latest ones and gives the one that is too much.
fn let_go<T>(latest: &mut VecDeque<T>, newest: T) -> Option<T> {
    latest.push_back(newest);
    if latest.len() > NAMES_KEPT { latest.pop_front() } else { None }
}
