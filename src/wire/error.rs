//! What is wrong with bytes that came: data with RabbitMQ's reply code and its text.

use crate::broker::code;
use crate::rules::cut;
use std::fmt;

/// How many octets of a frame a text quotes.
const QUOTED_BYTES_MAX: usize = 16;

/// A fault of what a peer sent; each ends its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireError {
    /// The octet behind a payload is no frame-end.
    FrameEnd {
        /// The frame's type.
        kind: u8,
        /// What stands there.
        found: u8,
        /// How its payload begins.
        quoted: Quoted,
    },
    /// A frame announces more than was agreed, in bytes of payload.
    FrameTooLarge {
        /// The frame's type.
        kind: u8,
        /// As announced.
        size: u32,
        /// The most that is allowed.
        max: u32,
    },
    /// The type is none of AMQP's, or the payload too short for it.
    UnknownFrame {
        /// The frame's type.
        kind: u8,
        /// How its payload begins.
        quoted: Quoted,
    },
    /// No method has these ids.
    UnknownMethod {
        /// The id of its class.
        class: u16,
        /// Its id within the class.
        method: u16,
    },
    /// The arguments do not fit the method.
    Arguments {
        /// The bytes behind the ids.
        quoted: Vec<u8>,
    },
    /// A short string among the arguments of a method is no UTF-8.
    NotUtf8,
    /// A table or array is cut off, holds a type that RabbitMQ does not know, or is nested too deep.
    Table,
    /// The properties of a content do not fit their flags.
    Properties,
}

/// How a payload begins, as texts quote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    bytes: Vec<u8>,
    whole: bool,
}

impl Quoted {
    /// Takes the first octets of a payload.
    pub fn of(payload: &[u8]) -> Self {
        let whole = payload.len() <= QUOTED_BYTES_MAX;
        Self { bytes: payload[..payload.len().min(QUOTED_BYTES_MAX)].to_vec(), whole }
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.whole { "all" } else { "first 16" };
        write!(f, "{which} octets = {}", erlang_binary(&self.bytes))
    }
}

impl WireError {
    /// Returns AMQP's reply code, as RabbitMQ answers it.
    pub fn code(&self) -> u16 {
        match self {
            WireError::FrameEnd { .. }
            | WireError::FrameTooLarge { .. }
            | WireError::UnknownFrame { .. }
            | WireError::Arguments { .. }
            | WireError::NotUtf8 => code::FRAME_ERROR,
            WireError::UnknownMethod { .. } => code::COMMAND_INVALID,
            WireError::Table => code::SYNTAX_ERROR,
            WireError::Properties => code::INTERNAL_ERROR,
        }
    }

    /// Returns the reply text: the code's name and what is wrong, cut to a short string.
    pub fn text(&self) -> String {
        let name = code::name(self.code());
        match self {
            WireError::Properties => name.to_owned(),
            _ => cut(format!("{name} - {self}")),
        }
    }

    /// Returns whether nothing that follows on the connection can be read.
    pub fn loses_sync(&self) -> bool {
        matches!(self, WireError::FrameEnd { .. } | WireError::FrameTooLarge { .. })
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::FrameEnd { kind, found, quoted } => {
                write!(f, "type {kind}, {quoted}: {{invalid_frame_end_marker,{found}}}")
            }
            WireError::FrameTooLarge { kind, size, max } => {
                write!(f, "type {kind}, {}: {{frame_too_large,{size},{max}}}", Quoted::of(&[]))
            }
            WireError::UnknownFrame { kind, quoted } => write!(f, "type {kind}, {quoted}: unknown_frame"),
            WireError::UnknownMethod { class, method } => write!(f, "unknown method id {{{class},{method}}}"),
            WireError::Arguments { quoted } => write!(f, "cannot decode {}", erlang_bytes(quoted)),
            WireError::NotUtf8 => f.write_str("Malformed UTF-8 in shortstr"),
            WireError::Table => f.write_str("malformed field table"),
            WireError::Properties => f.write_str("malformed properties"),
        }
    }
}

impl std::error::Error for WireError {}

/// Writes bytes as Erlang's `~p` does: text where all of them can be printed.
pub(crate) fn erlang_binary(bytes: &[u8]) -> String {
    let printable = |byte: &u8| (32..127).contains(byte) || (160..=255).contains(byte) || (8..=13).contains(byte);
    if bytes.is_empty() || !bytes.iter().all(printable) {
        return erlang_bytes(bytes);
    }
    let mut text = String::from("<<\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', byte as char]),
            8 => text.push_str("\\b"),
            9 => text.push_str("\\t"),
            10 => text.push_str("\\n"),
            11 => text.push_str("\\v"),
            12 => text.push_str("\\f"),
            13 => text.push_str("\\r"),
            _ => text.push(byte as char),
        }
    }
    text + "\">>"
}

/// Writes bytes as Erlang's `~w` does, as numbers.
fn erlang_bytes(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_rabbitmq() {
        let end = WireError::FrameEnd { kind: 1, found: 65, quoted: Quoted::of(&[0, 10, 0, 11]) };
        assert_eq!(end.text(), "FRAME_ERROR - type 1, all octets = <<0,10,0,11>>: {invalid_frame_end_marker,65}");
        let unknown = WireError::UnknownFrame { kind: 9, quoted: Quoted::of(b"abcdefghijklmnopqrst") };
        assert_eq!(unknown.text(), "FRAME_ERROR - type 9, first 16 octets = <<\"abcdefghijklmnop\">>: unknown_frame");
        let long = WireError::Arguments { quoted: vec![200; 400] }.text();
        assert!(long.len() <= 255 && long.ends_with("..."), "{long}");
        assert_eq!((WireError::Properties.code(), WireError::Properties.text().as_str()), (541, "INTERNAL_ERROR"));
    }
}
