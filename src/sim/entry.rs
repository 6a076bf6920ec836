//! A message inside the broker: what is shared by all queues that hold it, and its place in one queue.

use crate::broker::PublishId;
use crate::model::{Message, Moment, Name};
use std::sync::Arc;

/// Is a message as it was last published, by a client or by a death; shared by all queues it went to.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// As consumers see it, counters of a quorum queue aside.
    pub message: Arc<Message>,
    pub exchange: Name,
    pub routing_key: Name,
    /// Further keys, from the CC header.
    pub cc: Box<[Name]>,
    /// Further keys that nobody may see, from the BCC header.
    pub bcc: Box<[Name]>,
    /// DL-17: a dead-letter routing key took the place of all keys; those of BCC hide their likenesses all the same.
    pub rerouted: bool,
    /// The message's own TTL in milliseconds.
    pub expiration_ms: Option<u64>,
    /// LEN-1: of an expiration that a death took away, which is stored as long as the message is.
    pub hidden_bytes: u8,
    /// The client's publish that it stems from.
    pub origin: PublishId,
    /// Whether it died before: its x-death is the broker's own.
    pub died: bool,
    /// DL-34: failed deliveries so far, anywhere.
    pub failures: u32,
    /// DL-32: deaths by rejection in quorum queues, and channels and connections lost there.
    pub quorum_rejections: u32,
}

/// The moment that never comes.
pub(super) const NEVER: Moment = Moment(u64::MAX);

/// Is a message in one queue.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub stored: Arc<Stored>,
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

impl Entry {
    /// Says whether it is past its time (TTL-6).
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at != NEVER && now >= self.expires_at
    }
}
