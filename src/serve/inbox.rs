//! What came from one client and is not read yet.

use crate::serve::lookahead::Lookahead;
use std::cell::Cell;

/// The bytes that came, read frame by frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceiveBuffer {
    bytes: Vec<u8>,
    /// How many of the bytes are read.
    read: usize,
    ahead: Cell<Lookahead>,
}

impl ReceiveBuffer {
    /// Takes bytes that came. What is read is forgotten here, where hardly more than a part of a frame is left to move.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.ahead = Cell::default();
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns what is to be read next.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// Takes note that so many bytes are read.
    pub(crate) fn took(&mut self, count: usize) {
        self.read += count;
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
    }

    /// Returns whether a channel is left right behind the settlements that came.
    pub(crate) fn leaves_next(&self, channel: u16) -> bool {
        let mut ahead = self.ahead.get();
        let leaves = ahead.leaves(&self.bytes, self.read, channel);
        self.ahead.set(ahead);
        leaves
    }

    /// Frees the room of a burst that is over.
    pub(crate) fn give_room_back(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }
}
