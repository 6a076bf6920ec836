//! The `expiration` property: a text with an integer of milliseconds (TTL-1).

/// Ten years, the longest that RabbitMQ takes.
pub(crate) const TTL_MS_MAX: i128 = 315_360_000_000;

/// Reads an expiration as RabbitMQ does.
///
/// ```
/// use rmqplay::rules::parse_expiration;
/// assert_eq!(parse_expiration("+007"), Ok(7));
/// assert_eq!(parse_expiration("1.5").unwrap_err(), "invalid expiration '1.5': {leftover_string,\".5\"}");
/// ```
///
/// # Errors
/// The text of the 406.
pub fn parse_expiration(text: &str) -> Result<u64, String> {
    let complaint = |detail: String| Err(format!("invalid expiration '{text}': {detail}"));
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return complaint("no_integer".into());
    }
    if digits < unsigned.len() {
        return complaint(format!("{{leftover_string,\"{}\"}}", &unsigned[digits..]));
    }
    let number = unsigned.trim_start_matches('0');
    let number: i128 = if number.is_empty() { 0 } else { number.parse().unwrap_or(i128::MAX) };
    if negative && number > 0 {
        return complaint(format!("{{value_negative,-{number}}}"));
    }
    if number > TTL_MS_MAX {
        return complaint(format!("{{value_too_large,{}}}", unsigned.trim_start_matches('0')));
    }
    Ok(number as u64)
}

#[cfg(test)]
mod tests {
    use crate::rules::expiration::parse_expiration;

    #[test]
    fn texts_are_rabbitmqs() {
        let detail = |text: &str| parse_expiration(text).unwrap_err().split_once(": ").map(|(_, d)| d.to_owned());
        assert_eq!(detail("abc").as_deref(), Some("no_integer"));
        assert_eq!(detail("").as_deref(), Some("no_integer"));
        assert_eq!(detail("-1").as_deref(), Some("{value_negative,-1}"));
        assert_eq!(detail("10 ").as_deref(), Some("{leftover_string,\" \"}"));
        assert_eq!(detail("315360000001").as_deref(), Some("{value_too_large,315360000001}"));
        assert_eq!(parse_expiration("315360000000"), Ok(315_360_000_000));
    }
}
