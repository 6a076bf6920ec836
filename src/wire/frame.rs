//! Frames: type, channel, payload, frame-end; and the header by which a client asks for the protocol.
//! Takes what has come so far, returns the first whole frame and how many bytes it took.

use crate::wire::encoder::Encoder;
use crate::wire::error::{Quoted, WireError};

/// The largest frame that RabbitMQ agrees to, in bytes with what surrounds the payload.
pub const FRAME_MAX: u32 = 131_072;

/// The smallest limit of frames that can be agreed, in bytes.
pub const FRAME_MIN_SIZE: u32 = 4_096;

/// The bytes around a payload: type, channel, size and frame-end.
pub const FRAME_OVERHEAD_BYTES: u32 = 8;

/// The last octet of each frame.
const FRAME_END: u8 = 0xCE;

/// What a client sends first, and a server that wants another version answers.
pub const PROTOCOL_HEADER: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A method with its arguments.
    Method,
    /// Size and properties of a content.
    Header,
    /// A part of a content.
    Body,
    /// Nothing: a sign of life.
    Heartbeat,
}

impl FrameKind {
    /// Returns the octet that a frame of this type begins with.
    pub fn octet(self) -> u8 {
        match self {
            FrameKind::Method => 1,
            FrameKind::Header => 2,
            FrameKind::Body => 3,
            FrameKind::Heartbeat => 8,
        }
    }

    fn of(octet: u8) -> Option<Self> {
        [FrameKind::Method, FrameKind::Header, FrameKind::Body, FrameKind::Heartbeat]
            .into_iter()
            .find(|kind| kind.octet() == octet)
    }

    /// Returns the fewest bytes that its payload can have, and the most.
    fn sizes(self) -> (usize, usize) {
        match self {
            FrameKind::Method => (4, usize::MAX),
            FrameKind::Header => (12, usize::MAX),
            FrameKind::Body => (0, usize::MAX),
            FrameKind::Heartbeat => (0, 0),
        }
    }
}

/// One frame; its payload lies in the bytes that it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireFrame<'a> {
    /// The octet that says what it carries.
    pub octet: u8,
    /// The channel's number; 0 is the connection.
    pub channel: u16,
    /// What stands between the size and the frame-end.
    pub payload: &'a [u8],
}

impl WireFrame<'_> {
    /// Returns what it carries.
    ///
    /// # Errors
    /// `WireError::UnknownFrame` for an octet of no type, and for a payload that such a frame cannot have.
    pub fn kind(&self) -> Result<FrameKind, WireError> {
        let kind = FrameKind::of(self.octet).filter(|kind| {
            let (least, most) = kind.sizes();
            (least..=most).contains(&self.payload.len())
        });
        kind.ok_or_else(|| WireError::UnknownFrame { kind: self.octet, quoted: Quoted::of(self.payload) })
    }
}

/// Splits the first frame off what has come; `None` while it is not whole. Returns it with the number of its bytes.
///
/// `frame_max` is what was agreed, in bytes with what surrounds the payload; 0 is no limit. As RabbitMQ does, it lets pass
/// eight bytes more, since clients count differently.
///
/// # Errors
/// A frame that is too large, or does not end as it should; what follows cannot be read then.
pub fn split_frame(bytes: &[u8], frame_max: u32) -> Result<Option<(WireFrame<'_>, usize)>, WireError> {
    let Some(head) = bytes.first_chunk::<7>() else { return Ok(None) };
    let [octet, c1, c0, s3, s2, s1, s0] = *head;
    let size = u32::from_be_bytes([s3, s2, s1, s0]);
    if frame_max != 0 && size > frame_max {
        let max = frame_max.saturating_sub(FRAME_OVERHEAD_BYTES);
        return Err(WireError::FrameTooLarge { kind: octet, size, max });
    }
    let end = 7 + size as usize;
    let Some(&last) = bytes.get(end) else { return Ok(None) };
    let payload = &bytes[7..end];
    if last != FRAME_END {
        return Err(WireError::FrameEnd { kind: octet, found: last, quoted: Quoted::of(payload) });
    }
    Ok(Some((WireFrame { octet, channel: u16::from_be_bytes([c1, c0]), payload }, end + 1)))
}

/// Writes a frame whose payload the closure writes.
pub(crate) fn encode_frame(out: &mut Vec<u8>, kind: FrameKind, channel: u16, payload: impl FnOnce(&mut Encoder<'_>)) {
    let [c1, c0] = channel.to_be_bytes();
    out.extend_from_slice(&[kind.octet(), c1, c0, 0, 0, 0, 0]);
    let from = out.len();
    payload(&mut Encoder::new(out));
    let size = (out.len() - from) as u32;
    out[from - 4..from].copy_from_slice(&size.to_be_bytes());
    out.push(FRAME_END);
}

/// Writes a heartbeat.
pub fn encode_heartbeat(out: &mut Vec<u8>) {
    encode_frame(out, FrameKind::Heartbeat, 0, |_| {});
}

/// What a client's first eight bytes ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolHeader {
    /// AMQP 0-9-1.
    Amqp091,
    /// AMQP 0-9, by its own header; RabbitMQ speaks 0-9-1 then.
    Amqp09,
    /// Another protocol, or another version; the answer says which one is spoken.
    Other {
        /// The header to answer with.
        answer: [u8; 8],
    },
}

impl ProtocolHeader {
    /// Reads it. RabbitMQ answers a version of AMQP 0 from 9 on with 0-9-1, and anything else with AMQP 1.0 since 4.0;
    /// here all of it is answered with 0-9-1, which alone is spoken.
    pub fn read(bytes: &[u8; 8]) -> Self {
        match bytes {
            b"AMQP\0\0\x09\x01" => ProtocolHeader::Amqp091,
            b"AMQP\x01\x01\0\x09" => ProtocolHeader::Amqp09,
            _ => ProtocolHeader::Other { answer: PROTOCOL_HEADER },
        }
    }
}
