//! What somebody most likely meant by an offset of a stream that is none (ST-3): a word in other letters or of another
//! broker, an interval with a unit of another spelling, a number in quotes. Takes a text, gives what to write.

use crate::language::decode::suggestions;
use crate::rules::STREAM_OFFSET_WORDS;

/// What other brokers and libraries call the three words.
const OTHER_WORDS: [(&str, &str); 8] = [
    ("earliest", "first"),
    ("oldest", "first"),
    ("beginning", "first"),
    ("start", "first"),
    ("latest", "next"),
    ("newest", "last"),
    ("end", "next"),
    ("new", "next"),
];

/// Units as people write them, with RabbitMQ's letter and how many of it they are.
const UNITS: [(&[&str], &str, u64); 7] = [
    (&["s", "sec", "secs", "second", "seconds"], "s", 1),
    (&["m", "min", "mins", "minute", "minutes"], "m", 1),
    (&["h", "hr", "hrs", "hour", "hours"], "h", 1),
    (&["d", "day", "days"], "D", 1),
    (&["w", "week", "weeks"], "D", 7),
    (&["mo", "mon", "month", "months"], "M", 1),
    (&["y", "yr", "year", "years"], "Y", 1),
];

/// Finds the right spelling; `None` when nothing is near.
pub fn nearest_offset(text: &str) -> Option<String> {
    let plain = text.trim().to_lowercase();
    if let Some(number) = plain.parse::<u64>().ok().filter(|_| !plain.is_empty()) {
        return Some(number.to_string());
    }
    if let Some((_, word)) = OTHER_WORDS.iter().find(|(other, _)| *other == plain) {
        return Some((*word).to_owned());
    }
    interval(&plain).or_else(|| suggestions::nearest(&plain, STREAM_OFFSET_WORDS).map(str::to_owned))
}

fn interval(plain: &str) -> Option<String> {
    let digits = plain.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = plain.split_at(digits);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let unit = unit.trim();
    let (_, letter, times) = UNITS.iter().find(|(words, ..)| words.contains(&unit))?;
    Some(format!("{}{letter}", number.checked_mul(*times)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_an_offset_is_told() {
        for (text, meant) in [
            ("FIRST", Some("first")),
            ("frist", Some("first")),
            ("earliest", Some("first")),
            ("latest", Some("next")),
            ("42", Some("42")),
            ("1 h", Some("1h")),
            ("30min", Some("30m")),
            ("2 days", Some("2D")),
            ("1w", Some("7D")),
            ("3months", Some("3M")),
            ("0h", None),
            ("5x", None),
            ("99999999999999999999h", None),
            ("", None),
            ("tomorrow", None),
        ] {
            assert_eq!(nearest_offset(text).as_deref(), meant, "{text}");
        }
    }
}
