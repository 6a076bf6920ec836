//! What a plain scalar means: YAML 1.2's core schema, as serde_yaml reads it.
//! Takes the text of a scalar, gives its kind. `yes`, `on`, `017` and `1_000` stay texts.

use crate::language::syntax::tree::NodeKind;

/// Resolves a scalar that stands without quotes.
pub fn resolve(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    integer(text).or_else(|| float(text)).unwrap_or_else(|| NodeKind::Text(text.into()))
}

/// Reads decimal, `0x`, `0o` and `0b` integers with a sign.
pub fn integer(text: &str) -> Option<NodeKind> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let leading_zero = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    if digits.is_empty() || digits.starts_with(['+', '-']) || leading_zero {
        return None;
    }
    let n = i128::from_str_radix(digits, radix).ok()?;
    let n = if negative { -n } else { n };
    i64::try_from(n).map(NodeKind::Integer).ok().or_else(|| u64::try_from(n).map(NodeKind::Big).ok())
}

/// Reads fractions, `.inf` and `.nan`.
pub fn float(text: &str) -> Option<NodeKind> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value = match unsigned {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" if unsigned == text => f64::NAN,
        _ if unsigned.starts_with(['+', '-']) => return None,
        _ if unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.bytes().all(|b| b.is_ascii_digit()) => {
            return None;
        }
        _ => unsigned.parse::<f64>().ok().filter(|value| value.is_finite())?,
    };
    Some(NodeKind::Float(if text.starts_with('-') { -value } else { value }))
}
