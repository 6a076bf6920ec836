//! What it takes to read a stream without taking anything from it: a consumer from the first offset on, which ends when nothing
//! more comes. Gives commands; never sends them.

use crate::broker::{ChannelId, Method};
use crate::model::{Name, Table, Value};
use crate::player::context::command_sequence::Ask;

/// How many messages of a stream are read at most; of a longer one the broker's own count is told.
pub(crate) const STREAM_READ_MAX: u64 = 100_000;

/// How many messages may be in hand.
const PREFETCH: u16 = 1_000;

/// After so many messages those in hand are settled.
pub(crate) const SETTLED_AT_ONCE: u64 = 500;

/// The tag of the consumer that reads.
const READER: &str = "rmqplay-reader";

/// Lists what it takes to read a stream over a channel that is open.
pub(crate) fn following(stream: &Name, channel: ChannelId) -> [Ask; 5] {
    let arguments: Table = [("x-stream-offset", Value::from("first"))].into_iter().collect();
    let consumer: Name = READER.into();
    let consume = Method::Consume {
        queue: stream.clone(),
        consumer: consumer.clone(),
        no_ack: false,
        exclusive: false,
        arguments,
    };
    [
        Ask::Call { channel, method: Method::Qos { prefetch: PREFETCH, global: false } },
        Ask::Call { channel, method: consume },
        Ask::Quiet,
        Ask::Call { channel, method: Method::Cancel { consumer } },
        Ask::Close(channel),
    ]
}

/// Lists what ends the reading of a stream before nothing more comes.
pub(crate) fn leaving(channel: ChannelId) -> [Ask; 2] {
    [Ask::Call { channel, method: Method::Cancel { consumer: READER.into() } }, Ask::Close(channel)]
}
