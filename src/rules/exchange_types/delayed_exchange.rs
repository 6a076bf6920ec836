//! The argument and the header of `x-delayed-message` exchanges: by which type they route, how long a message is held back, and
//! what the header is afterwards (RT-18). As the plugin's source says, and as it was played once. Never holds a message.

use crate::model::{Name, Table, Value};
use crate::rules::{DelayHeader, Differences};

/// The header that holds a message back.
const HEADER: &str = "x-delay";

/// The longest delay in milliseconds: a timer of Erlang can be set no further ahead.
const DELAY_MS_MAX: i128 = 4_294_967_295;

/// What an `x-delayed-message` exchange does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageDelay {
    /// Routes it at once.
    None,
    /// Holds it back for so many milliseconds, above 0.
    ForMs(u64),
    /// Fails over the header, which ends the connection of the publisher with 541.
    Unreadable,
}

/// Checks `x-delayed-type` of an exchange; returns the type by which it routes, which need not exist.
///
/// # Errors
/// The text of the 406.
pub fn check_delayed_type(arguments: &Table) -> Result<&Name, String> {
    match arguments.get("x-delayed-type") {
        Some(Value::Text(kind)) if &**kind == "x-delayed-message" => {
            Err("Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'".into())
        }
        Some(Value::Text(kind)) => Ok(kind),
        _ => Err("Invalid argument, 'x-delayed-type' must be an existing exchange type".into()),
    }
}

/// Returns what becomes of a message with these headers.
pub fn message_delay(headers: Option<&Table>, differences: &Differences) -> MessageDelay {
    let Some(value) = headers.and_then(|headers| headers.get(HEADER)) else { return MessageDelay::None };
    let as_field = differences.delay_header == DelayHeader::Field;
    let number = match value {
        Value::I8(_) if !as_field => return MessageDelay::None,
        Value::Void if as_field => return MessageDelay::None,
        // What a byte array is to the older plugin.
        Value::Bytes(_) if as_field => return MessageDelay::None,
        Value::Text(text) => integer(text.as_bytes()),
        Value::Bytes(bytes) => integer(bytes),
        // `as` cuts the fraction off and stops at the ends, far beyond what a delay may be.
        Value::F32(number) => Some(*number as i128),
        Value::F64(number) => Some(*number as i128),
        Value::Void | Value::Decimal(..) => None,
        other => match other.as_integer() {
            Some(number) => Some(number.into()),
            None => return MessageDelay::None,
        },
    };
    match number {
        None => MessageDelay::Unreadable,
        Some(number @ 1..=DELAY_MS_MAX) => MessageDelay::ForMs(number as u64),
        Some(_) => MessageDelay::None,
    }
}

/// Reads a text as Erlang reads an integer: a sign and digits. Beyond 128 bits it is the largest.
fn integer(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = str::from_utf8(digits).ok()?.parse().unwrap_or(i128::MAX);
    Some(if text.starts_with(b"-") { -number } else { number })
}

/// Returns the headers of a message that was held back: `x-delay` negated, so that it is not held back again.
pub fn with_negated_delay(headers: &Table, differences: &Differences) -> Table {
    let mut headers = headers.clone();
    let MessageDelay::ForMs(delay) = message_delay(Some(&headers), differences) else { return headers };
    let negated = -(delay as i64);
    let value = match differences.delay_header {
        // What 32 bits hold of it.
        DelayHeader::Field => Value::I32(negated as i32),
        DelayHeader::Annotation => Value::I64(negated),
    };
    headers.insert(HEADER.into(), value);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Profile;
    use crate::rules::differences;

    fn delays(value: Value) -> [MessageDelay; 2] {
        let headers: Table = [(HEADER, value)].into_iter().collect();
        [Profile::V3_10, Profile::V4_3].map(|profile| message_delay(Some(&headers), differences(profile)))
    }

    #[test]
    fn a_delay_is_a_number_above_0_that_a_timer_can_take() {
        use MessageDelay::{ForMs, None, Unreadable};
        let text = |text: &str| Value::Text(text.into());
        for (value, old, new) in [
            (Value::I32(5), ForMs(5), ForMs(5)),
            (Value::U16(5), ForMs(5), ForMs(5)),
            (Value::I8(5), ForMs(5), None),
            (Value::I64(4_294_967_295), ForMs(4_294_967_295), ForMs(4_294_967_295)),
            (Value::I64(4_294_967_296), None, None),
            (Value::I32(0), None, None),
            (Value::I32(-5), None, None),
            (text("+05"), ForMs(5), ForMs(5)),
            (text("-5"), None, None),
            (text("99999999999999999999999999999999999999999999"), None, None),
            (text("5s"), Unreadable, Unreadable),
            (text(""), Unreadable, Unreadable),
            (Value::F64(5.9), ForMs(5), ForMs(5)),
            (Value::F32(0.9), None, None),
            (Value::Bool(true), None, None),
            (Value::Timestamp(5), None, None),
            (Value::Void, None, Unreadable),
            (Value::Decimal(0, 5), Unreadable, Unreadable),
            (Value::Array(Vec::new()), None, None),
        ] {
            assert_eq!(delays(value.clone()), [old, new], "{value:?}");
        }
    }

    #[test]
    fn the_negated_header_has_a_type_of_its_own() {
        for (profile, delay, expected) in [
            (Profile::V3_10, 5, Value::I32(-5)),
            (Profile::V3_10, 3_000_000_000, Value::I32(1_294_967_296)),
            (Profile::V4_3, 3_000_000_000, Value::I64(-3_000_000_000)),
        ] {
            let headers: Table = [(HEADER, Value::I64(delay))].into_iter().collect();
            let negated = with_negated_delay(&headers, differences(profile));
            assert_eq!(negated.get(HEADER), Some(&expected), "{profile}, {delay}");
        }
    }
}
