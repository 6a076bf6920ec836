//! A segment of a stream: the unit in which it forgets (ST-10).

use crate::model::Moment;

/// What a new segment begins with: a snapshot of who published how far, which is an entry of its own.
pub(crate) const SNAPSHOT_BYTES: u64 = 80;

/// What stands before the first chunk.
const HEADER_BYTES: u64 = 8;

/// A segment of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub first_offset: u64,
    /// How many messages are in it.
    pub messages: u64,
    pub bytes: u64,
    /// When its last message came.
    pub last_at: Moment,
}

impl Segment {
    pub(crate) fn new(first_offset: u64, now: Moment) -> Self {
        Self { first_offset, messages: 0, bytes: HEADER_BYTES, last_at: now }
    }
}
