//! Reads AMQP's elementary types, bits, tables and arrays from a slice.
//! Allocates no more than a fixed multiple of the bytes that are really there.

use crate::model::{Name, Table, Value};
use crate::wire::error::WireError;
use crate::wire::text;

/// How deep tables and arrays may nest. RabbitMQ has no limit of its own.
const LEVELS_MAX: usize = 100;

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecodeFault {
    /// The bytes end within it.
    Ends,
    /// A short string of a method is no UTF-8.
    NotUtf8,
    /// A table or array is malformed or nested too deep.
    Table,
}

/// A place in bytes that are read.
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    /// The octet that bits are taken from, and how many are taken.
    bits: Option<(u8, u8)>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, bits: None }
    }

    /// Returns whether all has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeFault> {
        self.bits = None;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeFault::Ends)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeFault> {
        self.bytes(N)?.try_into().map_err(|_| DecodeFault::Ends)
    }

    pub(crate) fn octet(&mut self) -> Result<u8, DecodeFault> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn short(&mut self) -> Result<u16, DecodeFault> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn long(&mut self) -> Result<u32, DecodeFault> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn longlong(&mut self) -> Result<u64, DecodeFault> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads one of up to eight bits that share an octet.
    pub(crate) fn bit(&mut self) -> Result<bool, DecodeFault> {
        let (octet, taken) = match self.bits {
            Some((octet, taken)) if taken < 8 => (octet, taken),
            _ => (self.octet()?, 0),
        };
        self.bits = Some((octet, taken + 1));
        Ok(octet >> taken & 1 == 1)
    }

    pub(crate) fn short_bytes(&mut self) -> Result<&'a [u8], DecodeFault> {
        let length = self.octet()?;
        self.bytes(length.into())
    }

    /// Reads a short string of a method, which RabbitMQ takes in UTF-8 only.
    pub(crate) fn short_string(&mut self) -> Result<Name, DecodeFault> {
        let bytes = self.short_bytes()?;
        std::str::from_utf8(bytes).map_err(|_| DecodeFault::NotUtf8)?;
        Ok(text::from_bytes(bytes))
    }

    pub(crate) fn long_bytes(&mut self) -> Result<&'a [u8], DecodeFault> {
        let length = self.long()?;
        self.bytes(usize::try_from(length).map_err(|_| DecodeFault::Ends)?)
    }

    /// Reads a table; its bytes must be there in full.
    pub(crate) fn table(&mut self) -> Result<Table, DecodeFault> {
        let bytes = self.long_bytes()?;
        entries(bytes, 1).map_err(|_| DecodeFault::Table)
    }
}

/// Reads the entries of a table in their order; names may come twice.
fn entries(bytes: &[u8], level: usize) -> Result<Table, DecodeFault> {
    let mut decoder = Decoder::new(bytes);
    let mut entries = Vec::new();
    while !decoder.is_at_end() {
        let name = text::from_bytes(decoder.short_bytes()?);
        entries.push((name, value(&mut decoder, level)?));
    }
    Ok(Table::from_entries(entries))
}

fn value(decoder: &mut Decoder<'_>, level: usize) -> Result<Value, DecodeFault> {
    Ok(match decoder.octet()? {
        b'S' => Value::Text(text::from_bytes(decoder.long_bytes()?)),
        b'I' => Value::I32(decoder.long()? as i32),
        // RabbitMQ reads both as signed.
        b'l' | b'L' => Value::I64(decoder.longlong()? as i64),
        b't' => Value::Bool(decoder.octet()? != 0),
        b'T' => Value::Timestamp(decoder.longlong()?),
        b'F' => Value::Table(entries(nested(decoder, level)?, level + 1)?),
        b'A' => Value::Array(array(nested(decoder, level)?, level + 1)?),
        b'V' => Value::Void,
        b'b' => Value::I8(decoder.octet()? as i8),
        b'B' => Value::U8(decoder.octet()?),
        b's' => Value::I16(decoder.short()? as i16),
        b'u' => Value::U16(decoder.short()?),
        b'i' => Value::U32(decoder.long()?),
        b'f' => Value::F32(f32::from_bits(decoder.long()?)),
        b'd' => Value::F64(f64::from_bits(decoder.longlong()?)),
        b'D' => Value::Decimal(decoder.octet()?, decoder.long()?),
        b'x' => Value::Bytes(decoder.long_bytes()?.to_vec()),
        _ => return Err(DecodeFault::Table),
    })
}

fn nested<'a>(decoder: &mut Decoder<'a>, level: usize) -> Result<&'a [u8], DecodeFault> {
    if level >= LEVELS_MAX {
        return Err(DecodeFault::Table);
    }
    decoder.long_bytes()
}

fn array(bytes: &[u8], level: usize) -> Result<Vec<Value>, DecodeFault> {
    let mut decoder = Decoder::new(bytes);
    let mut values = Vec::new();
    while !decoder.is_at_end() {
        values.push(value(&mut decoder, level)?);
    }
    Ok(values)
}

/// Reads a table that comes without its length: all the bytes are its entries.
///
/// # Errors
/// A table that is malformed or nested too deep.
pub fn read_table(bytes: &[u8]) -> Result<Table, WireError> {
    entries(bytes, 1).map_err(|_| WireError::Table)
}
