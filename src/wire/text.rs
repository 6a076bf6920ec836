//! Short strings as text: UTF-8 as it is, any other byte as a character of a private plane, so that nothing is lost.
//! Takes and returns bytes and texts; both ways together are the identity on all bytes.

use crate::model::Name;
use std::borrow::Cow;

/// The first of the 256 characters that stand for one byte each.
const FIRST: u32 = 0x0010_FF00;

/// The byte that each of those characters begins with in UTF-8.
const FIRST_BYTE: u8 = 0xF4;

/// Returns bytes as text.
///
/// ```
/// use rmqplay::wire::text;
/// for bytes in [b"orders".as_slice(), b"\xff\x00", "\u{10ff41}".as_bytes()] {
///     assert_eq!(&*text::to_bytes(&text::from_bytes(bytes)), bytes);
/// }
/// ```
pub fn from_bytes(bytes: &[u8]) -> Name {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&FIRST_BYTE) => text.into(),
        _ => escaped(bytes).into(),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if stands_for(c).is_some() {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push(stand_in(byte)));
            } else {
                text.push(c);
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| stand_in(*byte)));
    }
    text
}

/// Returns the bytes that a text stands for.
pub fn to_bytes(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.contains(&FIRST_BYTE) || !text.chars().any(|c| stands_for(c).is_some()) {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    for c in text.chars() {
        match stands_for(c) {
            Some(byte) => plain.push(byte),
            None => plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(plain)
}

/// Returns the byte that a character of the private plane stands for.
fn stands_for(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(FIRST)?).ok()
}

fn stand_in(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}
