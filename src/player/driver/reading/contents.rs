//! Reads what queues hold: takes exactly the ready messages, keeps them, and never settles them; a stream is read as any
//! consumer reads it. At the end of the run of every queue, before that only of a stream or of a resting queue; what was
//! taken counts as still there.

use crate::broker::{ChannelId, Command, ConnectionId, Delivery, Got, Method, Reply, Scope, Settlement};
use crate::model::{Name, Queue, QueueKind, QueueName, Value};
use crate::player::context::command_sequence::{Ask, CommandSequence};
use crate::player::driver::reading::following::{SETTLED_AT_ONCE, STREAM_READ_MAX, following, leaving};
use crate::player::record::outcome::{MessageRecord, QueueOutcome};
use std::collections::{BTreeMap, VecDeque};

/// How many messages of one queue are read.
pub(crate) const READ_MAX: u64 = 200;

/// Holds the contents that were read, by queue.
#[derive(Debug, Clone, Default, Hash)]
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

/// How the messages of a queue come to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadingMethod {
    /// By basic.get, as many times as messages are ready.
    Get,
    /// By a consumer from the first offset on, which takes nothing away.
    Consume,
}

/// A queue that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueToRead {
    pub queue: QueueName,
    /// How many ready messages it holds, by the last count.
    pub ready: u64,
    pub method: ReadingMethod,
}

/// The queue at hand.
#[derive(Debug, Clone)]
pub(crate) struct QueueAtHand {
    pub queue: QueueName,
    pub channel: ChannelId,
    pub method: ReadingMethod,
    /// What it gave, the first messages.
    pub taken: Vec<Delivery>,
    /// How many messages it gave.
    pub count: u64,
}

/// A queue that was read.
#[derive(Debug, Clone)]
pub(crate) struct ReadQueue {
    pub queue: QueueName,
    pub method: ReadingMethod,
    /// `None`: it refuses to be read.
    pub taken: Option<Vec<Delivery>>,
    /// How many messages it gave, those that are not kept included.
    pub count: u64,
}

/// Reads one queue after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    left: VecDeque<QueueToRead>,
    pub at: Option<QueueAtHand>,
    pub sequence: CommandSequence,
}

impl Reading {
    /// Starts to read these queues, in this order.
    pub fn new(queues: impl IntoIterator<Item = QueueToRead>) -> Self {
        Self { left: queues.into_iter().collect(), ..Self::default() }
    }

    /// Returns the next queue to read.
    pub fn next_queue(&mut self) -> Option<QueueToRead> {
        self.left.pop_front()
    }

    /// Puts a queue back to the front: it cannot be read yet.
    pub fn put_back(&mut self, queue: QueueToRead) {
        self.left.push_front(queue);
    }

    /// Begins to read a queue over a fresh channel.
    pub fn begin(&mut self, next: QueueToRead, channel: ChannelId, connection: ConnectionId) {
        let QueueToRead { queue, ready, method } = next;
        let open = Ask::Open { channel, connection };
        self.sequence = match method {
            ReadingMethod::Get => {
                let get = Ask::Call { channel, method: Method::Get { queue: queue.name.clone(), no_ack: false } };
                let gets = std::iter::repeat_n(get, ready.min(READ_MAX) as usize);
                CommandSequence::new([open].into_iter().chain(gets))
            }
            ReadingMethod::Consume => CommandSequence::new([open].into_iter().chain(following(&queue.name, channel))),
        };
        self.at = Some(QueueAtHand { queue, channel, method, taken: Vec::new(), count: 0 });
    }

    /// Takes a delivery of the stream at hand; returns what is to be sent, or that it is none of it.
    pub fn take_delivery(&mut self, channel: ChannelId, delivery: &Delivery) -> Option<Option<Command>> {
        let at = self.at.as_mut().filter(|at| at.channel == channel && at.method == ReadingMethod::Consume)?;
        at.count += 1;
        if at.count <= READ_MAX {
            at.taken.push(delivery.clone());
        }
        let settles = at.count.is_multiple_of(SETTLED_AT_ONCE) && at.count < STREAM_READ_MAX;
        let (tag, settlement) = (delivery.tag, Settlement::Ack);
        Some(settles.then_some(Command::Settle { channel, tag, multiple: true, settlement }))
    }

    /// Ends the reading of a stream to which something is published without end; says whether that is to be waited for.
    fn leaves_restless(&mut self) -> bool {
        let Some(QueueAtHand { channel, method: ReadingMethod::Consume, .. }) = &self.at else { return false };
        let is_restless = self.sequence.refusal.as_ref().is_some_and(|refusal| refusal.scope == Scope::Management);
        if is_restless {
            self.sequence = CommandSequence::new(leaving(*channel));
        }
        is_restless
    }

    /// Returns what the queue at hand gave, once it is read.
    pub fn finished(&mut self) -> Option<ReadQueue> {
        if !self.sequence.is_over() || self.leaves_restless() {
            return None;
        }
        let QueueAtHand { queue, method, mut taken, mut count, .. } = self.at.take()?;
        let sequence = std::mem::take(&mut self.sequence);
        for reply in sequence.replies {
            if let Reply::Got(Some(got)) = reply {
                let Got { delivery, .. } = *got;
                taken.push(delivery);
                count += 1;
            }
        }
        Some(ReadQueue { queue, method, taken: sequence.refusal.is_none().then_some(taken), count })
    }
}

/// Returns how a queue of a type can be read; `None`: not at all (a quorum queue with one active consumer).
pub(crate) fn reading_method(queue: &Queue, kind: QueueKind) -> Option<ReadingMethod> {
    let single = queue.arguments.get("x-single-active-consumer") == Some(&Value::Bool(true));
    match kind {
        QueueKind::Classic => Some(ReadingMethod::Get),
        QueueKind::Quorum => (!single).then_some(ReadingMethod::Get),
        QueueKind::Stream => Some(ReadingMethod::Consume),
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
