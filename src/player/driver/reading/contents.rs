//! Reads what queues hold: takes exactly the ready messages, keeps them, and never settles them.
//! At the end of the run of every queue, before that only of a resting one; what was taken counts as still there.

use crate::broker::{ChannelId, ConnectionId, Delivery, Got, Method, Reply};
use crate::model::{Name, Queue, QueueKind, QueueName, Value};
use crate::player::context::command_sequence::{Ask, CommandSequence};
use crate::player::record::outcome::{MessageRecord, QueueOutcome};
use std::collections::{BTreeMap, VecDeque};

/// How many messages of one queue are read.
pub(crate) const READ_MAX: u64 = 200;

/// Holds the contents that were read, by queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    read: BTreeMap<QueueName, Option<Vec<MessageRecord>>>,
}

impl Contents {
    /// Returns the messages of a queue, if it was read and could be.
    pub fn of(&self, queue: &QueueName) -> Option<&[MessageRecord]> {
        self.read.get(queue)?.as_deref()
    }

    /// Lists all queues that were read, with their messages.
    pub fn all(&self) -> impl Iterator<Item = (&QueueName, &[MessageRecord])> {
        self.read.iter().filter_map(|(queue, messages)| Some((queue, messages.as_deref()?)))
    }

    /// Keeps what was read; `None` says that the queue refuses.
    pub fn keep(&mut self, queue: QueueName, messages: Option<Vec<MessageRecord>>) {
        self.read.insert(queue, messages);
    }

    /// Hands everything over, with the counts.
    pub fn into_queues(self, counts: impl Fn(&QueueName) -> (u64, u64)) -> BTreeMap<QueueName, QueueOutcome> {
        let queues = self.read.into_iter().map(|(queue, messages)| {
            let (ready, unacked) = counts(&queue);
            (queue, QueueOutcome { ready, unacked, messages })
        });
        queues.collect()
    }
}

/// Reads one queue after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// Queues to read, and how many ready messages each holds.
    left: VecDeque<(QueueName, u64)>,
    /// The queue at hand, its channel and what was taken of it.
    pub at: Option<(QueueName, ChannelId, Vec<Delivery>)>,
    pub sequence: CommandSequence,
}

impl Reading {
    /// Starts to read these queues, in this order.
    pub fn new(queues: impl IntoIterator<Item = (QueueName, u64)>) -> Self {
        Self { left: queues.into_iter().collect(), ..Self::default() }
    }

    /// Returns the next queue to read.
    pub fn next_queue(&mut self) -> Option<(QueueName, u64)> {
        self.left.pop_front()
    }

    /// Puts a queue back to the front: it cannot be read yet.
    pub fn put_back(&mut self, queue: QueueName, ready: u64) {
        self.left.push_front((queue, ready));
    }

    /// Begins to take from a queue over a fresh channel.
    pub fn take(&mut self, queue: QueueName, ready: u64, channel: ChannelId, connection: ConnectionId) {
        let get = Ask::Call { channel, method: Method::Get { queue: queue.name.clone(), no_ack: false } };
        let gets = std::iter::repeat_n(get, ready.min(READ_MAX) as usize);
        self.sequence = CommandSequence::new([Ask::Open { channel, connection }].into_iter().chain(gets));
        self.at = Some((queue, channel, Vec::new()));
    }

    /// Returns what was taken once the queue at hand is read; `None` as contents when it refuses get.
    pub fn finished(&mut self) -> Option<(QueueName, Option<Vec<Delivery>>)> {
        if !self.sequence.is_over() {
            return None;
        }
        let (queue, _, mut taken) = self.at.take()?;
        let sequence = std::mem::take(&mut self.sequence);
        for reply in sequence.replies {
            if let Reply::Got(Some(got)) = reply {
                let Got { delivery, .. } = *got;
                taken.push(delivery);
            }
        }
        Some((queue, sequence.refusal.is_none().then_some(taken)))
    }
}

/// Returns whether a queue answers basic.get at all (streams do not, nor quorum queues with one active consumer).
pub(crate) fn can_be_read(queue: &Queue) -> bool {
    let single = queue.arguments.get("x-single-active-consumer") == Some(&Value::Bool(true));
    match queue.kind() {
        QueueKind::Classic => true,
        QueueKind::Quorum => !single,
        QueueKind::Stream => false,
    }
}

/// Drops what reading itself added: 3.10 counts a first get as `x-delivery-count: 0` (CO-12).
pub(crate) fn record(name: Name, delivery: &Delivery) -> MessageRecord {
    let mut record = MessageRecord::new(name, delivery);
    let read_mark = record.message.header("x-delivery-count").and_then(Value::as_integer) == Some(0);
    if read_mark {
        let mut message = crate::model::Message::clone(&record.message);
        let headers = message.properties.headers.take().map(|mut headers| {
            headers.shift_remove("x-delivery-count");
            headers
        });
        message.properties.headers = headers.filter(|headers| !headers.is_empty());
        record.message = message.into();
    }
    record
}
