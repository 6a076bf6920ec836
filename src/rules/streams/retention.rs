//! How long a stream keeps what it holds (ST-10, ST-11): sizes and ages of arguments and policies, and the intervals they
//! are written in. Never deletes anything.

/// The size at which a segment is full, where nothing sets it.
pub const STREAM_SEGMENT_BYTES_MAX: u64 = 500_000_000;

/// What arguments and policies make of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamRetention {
    /// All segments together, as they lie on disk.
    pub bytes_max: Option<u64>,
    /// Of the last message of a segment.
    pub age_max_ms: Option<u64>,
    /// It is taken when the stream is declared; a later policy does not change it.
    pub segment_bytes_max: Option<u64>,
}

/// Reads an interval, a number above 0 and one of six units: `7D`, `90s`.
///
/// ```
/// use rmqplay::rules::stream_interval_ms;
/// assert_eq!(stream_interval_ms("2h"), Some(7_200_000));
/// assert_eq!(stream_interval_ms("2 hours"), None);
/// ```
pub fn stream_interval_ms(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit {
        "Y" => 365 * 86_400_000,
        "M" => 30 * 86_400_000,
        "D" => 86_400_000,
        "h" => 3_600_000,
        "m" => 60_000,
        "s" => 1_000,
        _ => return None,
    };
    if !number.bytes().any(|digit| digit != b'0') {
        return None;
    }
    Some(number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit_ms))
}

/// Returns whether an interval begins as one: RabbitMQ reads the digits before it looks at the rest.
pub(crate) fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}
