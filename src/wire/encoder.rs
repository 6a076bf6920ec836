//! Writes AMQP's elementary types, bits, tables and arrays behind what stands in a buffer.
//! A short string of more than 255 bytes is cut: nothing longer fits.

use crate::model::{Table, Value};
use crate::wire::text;

/// A buffer that is written to.
pub(crate) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    /// How many bits of the last octet are used, while bits are written.
    bits: u8,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, bits: 0 }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.bits = 0;
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn octet(&mut self, n: u8) {
        self.bytes(&[n]);
    }

    pub(crate) fn short(&mut self, n: u16) {
        self.bytes(&n.to_be_bytes());
    }

    pub(crate) fn long(&mut self, n: u32) {
        self.bytes(&n.to_be_bytes());
    }

    pub(crate) fn longlong(&mut self, n: u64) {
        self.bytes(&n.to_be_bytes());
    }

    /// Writes a bit; up to eight that follow each other share an octet.
    pub(crate) fn bit(&mut self, on: bool) {
        if self.bits == 0 || self.bits == 8 {
            self.octet(0);
        }
        if let Some(last) = self.out.last_mut() {
            *last |= u8::from(on) << self.bits;
        }
        self.bits += 1;
    }

    pub(crate) fn short_string(&mut self, text: &str) {
        let bytes = text::to_bytes(text);
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.octet(length);
        self.bytes(&bytes[..length.into()]);
    }

    /// Writes bytes with their length in front; more than a length holds is cut.
    pub(crate) fn long_bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.long(length);
        self.bytes(&bytes[..length as usize]);
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.measured(|encoder| {
            for (name, value) in table {
                encoder.short_string(name);
                encoder.value(value);
            }
        });
    }

    /// Writes something with its length in front.
    fn measured(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.out.len();
        self.long(0);
        write(self);
        let length = (self.out.len() - at - 4) as u32;
        self.out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        self.bits = 0;
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Void => self.octet(b'V'),
            Value::Bool(yes) => self.bytes(&[b't', u8::from(*yes)]),
            Value::I8(n) => self.bytes(&[b'b', *n as u8]),
            Value::U8(n) => self.bytes(&[b'B', *n]),
            Value::I16(n) => self.typed(b's', &n.to_be_bytes()),
            Value::U16(n) => self.typed(b'u', &n.to_be_bytes()),
            Value::I32(n) => self.typed(b'I', &n.to_be_bytes()),
            Value::U32(n) => self.typed(b'i', &n.to_be_bytes()),
            Value::I64(n) => self.typed(b'l', &n.to_be_bytes()),
            Value::F32(n) => self.typed(b'f', &n.to_be_bytes()),
            Value::F64(n) => self.typed(b'd', &n.to_be_bytes()),
            Value::Timestamp(seconds) => self.typed(b'T', &seconds.to_be_bytes()),
            Value::Decimal(scale, n) => {
                self.bytes(&[b'D', *scale]);
                self.long(*n);
            }
            Value::Text(text) => {
                self.octet(b'S');
                self.long_bytes(&text::to_bytes(text));
            }
            Value::Bytes(bytes) => {
                self.octet(b'x');
                self.long_bytes(bytes);
            }
            Value::Array(values) => {
                self.octet(b'A');
                self.measured(|encoder| values.iter().for_each(|value| encoder.value(value)));
            }
            Value::Table(table) => {
                self.octet(b'F');
                self.table(table);
            }
        }
    }

    fn typed(&mut self, kind: u8, bytes: &[u8]) {
        self.octet(kind);
        self.bytes(bytes);
    }
}
