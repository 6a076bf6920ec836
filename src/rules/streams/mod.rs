//! Streams over AMQP 0-9-1 as pure rules: where a reader begins, which messages it wants, what a stream keeps of a message,
//! and what the versions do differently (ST-1 to ST-11). Never holds a stream.

mod appended;
mod differences;
mod reading;
mod retention;

pub use appended::{appended_bytes, as_appended, filter_value};
pub use differences::StreamDifferences;
pub(crate) use differences::{STREAMS_3_10, STREAMS_3_12, STREAMS_3_13, STREAMS_4_0, STREAMS_4_3};
pub use reading::{
    BadStreamArgument, ReaderRefusal, STREAM_OFFSET_WORDS, StreamFilter, StreamOffset, check_consumer_arguments,
    refused_reader, stream_filter, stream_offset, unsupported_by_streams,
};
pub(crate) use retention::starts_with_digit;
pub use retention::{STREAM_SEGMENT_BYTES_MAX, StreamRetention, stream_interval_ms};
