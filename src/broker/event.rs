//! Everything that a broker may say, asked or not.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{ChannelId, ConnectionId, Delivery, Explanation, PublishId, Refusal, Reply, RequestId};
use crate::model::{Name, QueueName};

/// One thing that a broker said.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Answers one request. A refusal that closes a channel is followed by `ChannelClosed`.
    Reply {
        request: RequestId,
        reply: Result<Reply, Refusal>,
    },
    Delivered {
        channel: ChannelId,
        consumer: Name,
        delivery: Delivery,
    },
    /// A mandatory publish found no queue; its confirm follows.
    Returned {
        publish: PublishId,
        code: u16,
        text: String,
    },
    Confirmed {
        publish: PublishId,
        confirmation: Confirmation,
    },
    /// The broker closed the channel. Publishes of it that are unsettled get no further word.
    ChannelClosed {
        channel: ChannelId,
        cause: Refusal,
    },
    /// The broker closed the connection, or it broke (`code` 0). Its channels get no further word.
    ConnectionClosed {
        connection: ConnectionId,
        cause: Refusal,
    },
    /// The broker cancelled the consumer (its queue is gone, or 4.3's consumer timeout).
    Cancelled {
        channel: ChannelId,
        consumer: Name,
    },
    /// Counts of a watched queue, each time they changed; `None` when the queue is not there.
    Counted {
        queue: QueueName,
        counts: Option<Counts>,
    },
    /// Why something happened inside; only the sim knows.
    Told(Box<Explanation>),
}

/// How the broker settled a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The broker took it, or carried out the transaction that it was part of.
    Ack,
    Nack,
    /// Its transaction was rolled back.
    RolledBack,
}

/// What a passive declare shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Counts {
    pub ready: u64,
    pub consumers: u64,
}
