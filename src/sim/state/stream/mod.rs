//! The contents of a stream: a log in segments, and where a reader of it stands.

mod appended_message;
mod segment;
mod stream_queue;
mod stream_reader;

pub(crate) use appended_message::AppendedMessage;
pub(crate) use stream_queue::StreamQueue;
pub(crate) use stream_reader::StreamReader;
