//! A message inside the broker: what it is wherever it lies, and its place in one queue.
//! Each queue has a copy of its own, which a death rewrites in place; bodies and headers are shared.

use crate::broker::{DeliveredMessage, PublishId};
use crate::model::{Message, Moment, Name, Table};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::reason::Ttl;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A message as it was last published, by a client or by a death.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// As the client published it.
    pub message: Arc<Message>,
    /// To which exchange, and with which key.
    pub published_to: (Name, Name),
    /// What its last death made of it; `None` before the first. With it the published expiration is gone.
    pub afterlife: Option<Arc<DeadLetterRewrite>>,
    pub further: CcBcc,
    /// The message's own TTL in milliseconds.
    pub expiration_ms: Option<u64>,
    /// LEN-1: of the property section as quorum queues store it, once one has counted.
    pub property_bytes: Option<u32>,
    /// With insights on: the TTLs that it had when it came to its queue.
    pub ttls: Option<Arc<[Ttl]>>,
    /// The client's publish that it stems from.
    pub origin: PublishId,
    /// DL-34: failed deliveries so far, anywhere.
    pub failures: u32,
    /// DL-32: deaths by rejection in quorum queues, and channels and connections lost there.
    pub quorum_rejections: u32,
    /// RT-18: it was held back by an `x-delay`, which its death will show negated.
    pub negates_delay_at_death: bool,
}

impl Hash for Stored {
    /// Leaves out what only reasons tell, and what is counted anew when it is asked for.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            message,
            published_to,
            afterlife,
            further,
            expiration_ms,
            property_bytes: _,
            ttls: _,
            origin: _,
            negates_delay_at_death,
            failures,
            quorum_rejections,
        } = self;
        (message, published_to, afterlife, further, expiration_ms).hash(state);
        (negates_delay_at_death, failures, quorum_rejections).hash(state);
    }
}

/// What a death made of a message; all that die alike share it.
#[derive(Debug, Clone, Hash)]
pub(crate) struct DeadLetterRewrite {
    /// In place of the published ones: x-death in them is the broker's own.
    pub headers: Table,
    pub exchange: Name,
    pub routing_key: Name,
}

impl Stored {
    /// Returns whether it died before.
    pub(crate) fn died(&self) -> bool {
        self.afterlife.is_some()
    }

    pub(crate) fn headers(&self) -> Option<&Table> {
        match &self.afterlife {
            Some(life) => Some(&life.headers),
            None => self.message.properties.headers.as_ref(),
        }
    }

    /// Returns the exchange to which it was last published.
    pub(crate) fn exchange(&self) -> &Name {
        self.afterlife.as_ref().map_or(&self.published_to.0, |life| &life.exchange)
    }

    /// Returns the key with which it was last published.
    pub(crate) fn routing_key(&self) -> &Name {
        self.afterlife.as_ref().map_or(&self.published_to.1, |life| &life.routing_key)
    }

    /// Returns the `expiration` that it still has.
    pub(crate) fn expiration(&self) -> Option<&Name> {
        self.message.properties.expiration.as_ref().filter(|_| !self.died())
    }

    /// Returns it as consumers see it, counters of a quorum queue aside.
    pub(crate) fn letter(&self) -> DeliveredMessage {
        let letter = match &self.afterlife {
            None => DeliveredMessage::from(self.message.clone()),
            Some(life) => DeliveredMessage::of_dead(self.message.clone(), life.headers.clone()),
        };
        letter.stemming_from(self.origin)
    }
}

/// The moment that never comes.
pub(crate) const NEVER: Moment = Moment(u64::MAX);

/// A message in one queue.
#[derive(Debug, Clone, Hash)]
pub(crate) struct QueuedMessage {
    pub stored: Box<Stored>,
    /// Rises with each enqueue; a classic queue puts a returned entry back by it.
    pub position: u64,
    /// TTL-3: fixed when it was enqueued.
    pub expires_at: Moment,
    /// Counts towards the byte limit (LEN-1).
    pub size: u32,
    /// The place of its priority among the queue's levels.
    pub level: u8,
    /// CO-9, classic: was delivered before.
    pub redelivered: bool,
    /// How often it came back (CO-12: deliveries before, acquisitions on 4.3).
    pub returns: u32,
    /// DL-32: how often its consumer's channel or connection was lost here.
    pub losses: u32,
    /// DL-34: failed deliveries, those before this queue included.
    pub failures: u32,
}

impl QueuedMessage {
    /// Returns whether it is past its time (TTL-6).
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at != NEVER && now >= self.expires_at
    }
}
