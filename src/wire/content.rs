//! Contents: header frames with size and properties, and bodies in as many frames as they need.

use crate::model::{Message, Name, Properties};
use crate::wire::decoder::{DecodeFault, Decoder};
use crate::wire::encoder::Encoder;
use crate::wire::error::WireError;
use crate::wire::frame::{FRAME_OVERHEAD_BYTES, FrameKind, encode_frame};
use crate::wire::method::encode_method;
use crate::wire::method_table::AmqpMethod;
use crate::wire::text;

/// The class of all contents.
const BASIC: u16 = 60;

/// The beginning of a header frame; the properties are not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHeader<'a> {
    /// The class of the method that it belongs to.
    pub class: u16,
    /// Always 0.
    pub weight: u16,
    /// As announced, in bytes.
    pub body_size: u64,
    /// Flags and values, for [`decode_properties`].
    pub properties: &'a [u8],
}

impl<'a> ContentHeader<'a> {
    /// Reads the payload of a header frame; `None` where it is too short.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let (head, properties) = payload.split_first_chunk::<12>()?;
        let mut decoder = Decoder::new(head);
        let class = decoder.short().ok()?;
        let weight = decoder.short().ok()?;
        let body_size = decoder.longlong().ok()?;
        Some(Self { class, weight, body_size, properties })
    }
}

/// Reads flags and properties of a message.
///
/// # Errors
/// Values that end early, bytes behind the last, and flags of no property.
pub fn decode_properties(bytes: &[u8]) -> Result<Properties, WireError> {
    let mut decoder = Decoder::new(bytes);
    match read_properties(&mut decoder) {
        Ok(properties) if decoder.is_at_end() => Ok(properties),
        _ => Err(WireError::Properties),
    }
}

fn read_properties(decoder: &mut Decoder<'_>) -> Result<Properties, DecodeFault> {
    let flags = decoder.short()?;
    if flags & 0b11 != 0 {
        return Err(DecodeFault::Table);
    }
    let mut bit = 16;
    let mut is_there = || {
        bit -= 1;
        flags >> bit & 1 == 1
    };
    // In AMQP's order: fields of a struct are evaluated as they are written.
    Ok(Properties {
        content_type: string(is_there(), decoder)?,
        content_encoding: string(is_there(), decoder)?,
        headers: is_there().then(|| decoder.table()).transpose()?,
        delivery_mode: is_there().then(|| decoder.octet()).transpose()?,
        priority: is_there().then(|| decoder.octet()).transpose()?,
        correlation_id: string(is_there(), decoder)?,
        reply_to: string(is_there(), decoder)?,
        expiration: string(is_there(), decoder)?,
        message_id: string(is_there(), decoder)?,
        timestamp: is_there().then(|| decoder.longlong()).transpose()?,
        kind: string(is_there(), decoder)?,
        user_id: string(is_there(), decoder)?,
        app_id: string(is_there(), decoder)?,
        cluster_id: string(is_there(), decoder)?,
    })
}

fn string(is_there: bool, decoder: &mut Decoder<'_>) -> Result<Option<Name>, DecodeFault> {
    is_there.then(|| decoder.short_bytes().map(text::from_bytes)).transpose()
}

/// Writes a method with its content: method frame, header frame, and body frames that keep to `frame_max`, which is in bytes
/// with what surrounds a payload; 0 is no limit. The header is one frame, however long it is.
pub fn encode_content(out: &mut Vec<u8>, channel: u16, method: &AmqpMethod, message: &Message, frame_max: u32) {
    encode_method(out, channel, method);
    encode_frame(out, FrameKind::Header, channel, |encoder| {
        encoder.short(BASIC);
        encoder.short(0);
        encoder.longlong(message.body.len() as u64);
        write_properties(encoder, &message.properties);
    });
    let most = if frame_max == 0 { u32::MAX } else { frame_max.saturating_sub(FRAME_OVERHEAD_BYTES).max(1) };
    for part in message.body.chunks(most as usize) {
        encode_frame(out, FrameKind::Body, channel, |encoder| encoder.bytes(part));
    }
}

fn write_properties(encoder: &mut Encoder<'_>, properties: &Properties) {
    let Properties {
        content_type,
        content_encoding,
        headers,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        timestamp,
        kind,
        user_id,
        app_id,
        cluster_id,
    } = properties;
    let present = [
        content_type.is_some(),
        content_encoding.is_some(),
        headers.is_some(),
        delivery_mode.is_some(),
        priority.is_some(),
        correlation_id.is_some(),
        reply_to.is_some(),
        expiration.is_some(),
        message_id.is_some(),
        timestamp.is_some(),
        kind.is_some(),
        user_id.is_some(),
        app_id.is_some(),
        cluster_id.is_some(),
    ];
    encoder.short(present.iter().fold(0, |flags, is_there| flags << 1 | u16::from(*is_there)) << 2);
    let strings = |encoder: &mut Encoder<'_>, texts: &[&Option<Name>]| {
        texts.iter().filter_map(|text| text.as_ref()).for_each(|text| encoder.short_string(text));
    };
    strings(encoder, &[content_type, content_encoding]);
    if let Some(headers) = headers {
        encoder.table(headers);
    }
    for octet in [delivery_mode, priority].into_iter().flatten() {
        encoder.octet(*octet);
    }
    strings(encoder, &[correlation_id, reply_to, expiration, message_id]);
    if let Some(timestamp) = timestamp {
        encoder.longlong(*timestamp);
    }
    strings(encoder, &[kind, user_id, app_id, cluster_id]);
}
