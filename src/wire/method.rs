//! Method frames: the payload of one to a method, and a method to a frame.

use crate::wire::decoder::{DecodeFault, Decoder};
use crate::wire::error::WireError;
use crate::wire::frame::{FrameKind, encode_frame};
use crate::wire::method_table::AmqpMethod;

/// Reads the payload of a method frame.
///
/// ```
/// use rmqplay::wire::{AmqpMethod, decode_method, encode_method, split_frame};
/// let method = AmqpMethod::BasicAck { delivery_tag: 7, multiple: true };
/// let mut bytes = Vec::new();
/// encode_method(&mut bytes, 1, &method);
/// let (frame, length) = split_frame(&bytes, 4096).unwrap().expect("a whole frame");
/// assert_eq!((decode_method(frame.payload), length), (Ok(method), bytes.len()));
/// ```
///
/// # Errors
/// Ids of no method, and arguments that do not fit it to the last byte.
pub fn decode_method(payload: &[u8]) -> Result<AmqpMethod, WireError> {
    let mut decoder = Decoder::new(payload);
    let unknown = |_| WireError::Arguments { quoted: Vec::new() };
    let ids = (decoder.short().map_err(unknown)?, decoder.short().map_err(unknown)?);
    let method = AmqpMethod::read(ids, &mut decoder);
    let method = method.ok_or(WireError::UnknownMethod { class: ids.0, method: ids.1 })?;
    match method {
        Ok(method) if decoder.is_at_end() => Ok(method),
        Ok(_) | Err(DecodeFault::Ends) => Err(WireError::Arguments { quoted: payload[4..].to_vec() }),
        Err(DecodeFault::NotUtf8) => Err(WireError::NotUtf8),
        Err(DecodeFault::Table) => Err(WireError::Table),
    }
}

/// Writes a method as a frame of a channel.
pub fn encode_method(out: &mut Vec<u8>, channel: u16, method: &AmqpMethod) {
    let (class, id) = method.ids();
    encode_frame(out, FrameKind::Method, channel, |encoder| {
        encoder.short(class);
        encoder.short(id);
        method.write(encoder);
    });
}
