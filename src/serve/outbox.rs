//! What is to be sent to one client: bytes up to a bound, and what does not fit yet as values.
//! A client that does not read makes the values wait, which share their messages with the simulator; nothing is copied for it.

use crate::broker::DeliveredMessage;
use crate::wire::{AmqpMethod, encode_content, encode_heartbeat, encode_method};
use std::collections::VecDeque;

/// How many bytes are made ahead of what the socket takes.
const BYTES_AHEAD_MAX: usize = 256 * 1_024;

/// How much room is kept while nothing is to be sent.
const CAPACITY_MAX: usize = 4 * BYTES_AHEAD_MAX;

/// One thing to send, with its channel.
#[derive(Debug, Clone)]
enum Outgoing {
    Method(u16, AmqpMethod),
    Content(u16, AmqpMethod, DeliveredMessage),
}

/// A confirm that can still be made one of several.
#[derive(Debug, Clone, Copy)]
struct UnsentAck {
    channel: u16,
    delivery_tag: u64,
    /// Where its frame begins and ends among the bytes.
    begin: usize,
    end: usize,
}

/// The bytes and values that wait to be sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct SendBuffer {
    bytes: Vec<u8>,
    /// How many of the bytes are sent.
    sent: usize,
    waiting: VecDeque<Outgoing>,
    /// The confirm that ends the bytes, of which none is sent yet.
    last_ack: Option<UnsentAck>,
    /// What was agreed for contents.
    pub frame_max: u32,
}

impl SendBuffer {
    pub(crate) fn method(&mut self, channel: u16, method: AmqpMethod) {
        if self.is_full() {
            self.waiting.push_back(Outgoing::Method(channel, method));
        } else {
            encode_method(&mut self.bytes, channel, &method);
        }
    }

    /// Confirms a publish; where all before it are confirmed too, a confirm that stands last and is not sent yet goes
    /// with it in one frame, as RabbitMQ's go that come together.
    pub(crate) fn ack(&mut self, channel: u16, delivery_tag: u64, all_before: bool) {
        let before = self.last_ack.take().filter(|last| {
            all_before && last.channel == channel && last.delivery_tag < delivery_tag && last.end == self.bytes.len()
        });
        if let Some(before) = before.filter(|_| self.waiting.is_empty()) {
            self.bytes.truncate(before.begin);
            return self.put_ack(channel, delivery_tag, true);
        }
        match self.is_full() {
            true => self.method(channel, AmqpMethod::BasicAck { delivery_tag, multiple: false }),
            false => self.put_ack(channel, delivery_tag, false),
        }
    }

    fn put_ack(&mut self, channel: u16, delivery_tag: u64, multiple: bool) {
        let begin = self.bytes.len();
        encode_method(&mut self.bytes, channel, &AmqpMethod::BasicAck { delivery_tag, multiple });
        self.last_ack = Some(UnsentAck { channel, delivery_tag, begin, end: self.bytes.len() });
    }

    pub(crate) fn content(&mut self, channel: u16, method: AmqpMethod, message: DeliveredMessage) {
        if self.is_full() {
            self.waiting.push_back(Outgoing::Content(channel, method, message));
        } else {
            encode_content(&mut self.bytes, channel, &method, &message, self.frame_max);
        }
    }

    pub(crate) fn heartbeat(&mut self) {
        // Behind bytes that wait it would tell nothing.
        if self.is_empty() {
            encode_heartbeat(&mut self.bytes);
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns whether more would have to wait: no more is read from a client that does not read.
    pub(crate) fn is_full(&self) -> bool {
        !self.waiting.is_empty() || self.bytes.len() - self.sent >= BYTES_AHEAD_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.waiting.is_empty()
    }

    /// Returns what is to be sent next.
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Takes note that so many bytes are sent.
    pub(crate) fn took(&mut self, count: usize) {
        self.sent += count;
        self.last_ack = None;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            // The last content goes over the bound: room for one of the usual size is kept.
            if self.bytes.capacity() > CAPACITY_MAX {
                self.bytes.shrink_to(BYTES_AHEAD_MAX);
            }
            self.sent = 0;
        } else if self.sent >= BYTES_AHEAD_MAX / 2 && self.sent >= self.bytes.len() / 2 {
            // A reader that is always behind would let them grow for ever.
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        while self.bytes.len() - self.sent < BYTES_AHEAD_MAX {
            match self.waiting.pop_front() {
                None => break,
                Some(Outgoing::Method(channel, method)) => encode_method(&mut self.bytes, channel, &method),
                Some(Outgoing::Content(channel, method, message)) => {
                    encode_content(&mut self.bytes, channel, &method, &message, self.frame_max);
                }
            }
        }
    }

    /// Frees the room for bytes, where there are none.
    pub(crate) fn give_room_back(&mut self) {
        if self.is_empty() {
            self.bytes = Vec::new();
            self.sent = 0;
        }
    }

    /// Forgets all that is not sent.
    pub(crate) fn clear(&mut self) {
        *self = Self { frame_max: self.frame_max, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Message, Properties};
    use std::sync::Arc;

    #[test]
    fn confirms_that_come_together_go_in_one_frame_where_all_before_are_confirmed() {
        let frames = |acks: &[(u16, u64, bool)]| {
            let mut outbox = SendBuffer { frame_max: 131_072, ..SendBuffer::default() };
            acks.iter().for_each(|(channel, tag, all_before)| outbox.ack(*channel, *tag, *all_before));
            let mut one = Vec::new();
            encode_method(&mut one, 1, &AmqpMethod::BasicAck { delivery_tag: 1, multiple: false });
            // Channel, tag and whether it is for all before.
            let of = |frame: &[u8]| (frame[2], frame[18], frame[19] == 1);
            outbox.unsent().chunks(one.len()).map(of).collect::<Vec<_>>()
        };
        assert_eq!(frames(&[(1, 1, true), (1, 2, true), (1, 3, true)]), [(1, 3, true)]);
        assert_eq!(frames(&[(1, 1, true), (2, 1, true), (1, 2, true)]), [(1, 1, false), (2, 1, false), (1, 2, false)]);
        assert_eq!(frames(&[(1, 2, false), (1, 1, true), (1, 3, true)]), [(1, 2, false), (1, 3, true)]);
        assert_eq!(frames(&[(1, 2, false), (1, 3, false)]), [(1, 2, false), (1, 3, false)]);
    }

    #[test]
    fn what_a_slow_reader_has_read_is_not_kept() {
        let message = Arc::new(Message { properties: Properties::default(), body: Arc::from([7; 60_000]) });
        let mut outbox = SendBuffer { frame_max: 131_072, ..SendBuffer::default() };
        for _ in 0..200 {
            outbox.content(1, AmqpMethod::TxSelect {}, message.clone().into());
        }
        let (mut all, mut most) = (0, 0);
        while !outbox.is_empty() {
            let count = outbox.unsent().len().min(10_000);
            outbox.took(count);
            all += count;
            most = most.max(outbox.bytes.capacity());
        }
        assert!(all > 200 * 60_000 && most < 1_500_000, "{most} of {all} bytes were kept at once");
    }
}
