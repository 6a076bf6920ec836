//! AMQP 0-9-1 on the wire: bytes ↔ frames ↔ methods, field tables and properties, in both directions.
//! Takes and returns plain bytes; never reads a socket, never trusts a length that it was told.
//!
//! Strings that are no UTF-8 survive a round trip: their stray bytes stand as characters of a private plane ([`text`]).

mod content;
mod decoder;
mod encoder;
mod error;
mod frame;
mod method;
mod method_table;
pub mod text;

pub use content::{ContentHeader, decode_properties, encode_content};
pub use decoder::read_table;
pub use error::{Quoted, WireError};
pub use frame::{
    FRAME_MAX, FRAME_MIN_SIZE, FRAME_OVERHEAD_BYTES, FrameKind, PROTOCOL_HEADER, ProtocolHeader, WireFrame,
    encode_heartbeat, split_frame,
};
pub use method::{decode_method, encode_method};
pub use method_table::{AmqpMethod, Ticket};
