//! Faults of a client that end its connection: code, text and the method that they are about.

use crate::broker::code;
use crate::rules::cut;
use crate::wire::{AmqpMethod, Quoted, WireError, WireFrame};

/// A fault that ends a connection, with the method that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HardError {
    pub code: u16,
    /// As it is sent.
    pub text: String,
    /// Class and method; zeros for none.
    pub ids: (u16, u16),
    /// Nothing that follows can be read.
    pub loses_sync: bool,
}

impl HardError {
    pub(crate) fn plain(number: u16, text: impl AsRef<str>) -> Self {
        let text = cut(format!("{} - {}", code::name(number), text.as_ref()));
        Self { code: number, text, ids: (0, 0), loses_sync: false }
    }

    pub(crate) fn of_wire(fault: WireError) -> Self {
        Self { code: fault.code(), text: fault.text(), ids: (0, 0), loses_sync: fault.loses_sync() }
    }

    /// Makes one of a method frame that cannot be read; RabbitMQ names the method whose arguments do not fit.
    pub(crate) fn of_method_frame(fault: WireError, payload: &[u8]) -> Self {
        let ids = match (&fault, payload) {
            (WireError::Arguments { .. } | WireError::NotUtf8, [c1, c0, m1, m0, ..]) => {
                (u16::from_be_bytes([*c1, *c0]), u16::from_be_bytes([*m1, *m0]))
            }
            _ => (0, 0),
        };
        Self { ids, ..Self::of_wire(fault) }
    }

    /// Says which method it is about.
    pub(crate) fn by(self, method: &AmqpMethod) -> Self {
        Self { ids: method.ids(), ..self }
    }

    pub(crate) fn unexpected_frame(frame: &WireFrame<'_>) -> Self {
        let text = format!("type {}, {}", frame.octet, Quoted::of(frame.payload));
        Self::plain(code::UNEXPECTED_FRAME, text)
    }
}
