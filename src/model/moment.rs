//! Time as integers: moments of a run and lengths of time, both in milliseconds.
//! Virtual on the sim, measured on a live broker. Never reads a clock.

use std::fmt;
use std::ops::{Add, Sub};

/// A number of milliseconds since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub u64);

/// A length of time in milliseconds, written `250ms`, `5s`, `2m`, `1h`, `7d`.
///
/// ```
/// use rmqplay::model::Millis;
/// assert_eq!("7d".parse::<Millis>().unwrap(), Millis(604_800_000));
/// assert_eq!("1m 30s".parse::<Millis>().unwrap(), Millis(90_000));
/// assert_eq!(Millis(5_000).to_string(), "5s");
/// assert_eq!(Millis(1_500).to_string(), "1.5s");
/// assert!("5".parse::<Millis>().is_err() && "5 parsecs".parse::<Millis>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Add<Millis> for Moment {
    type Output = Moment;
    fn add(self, length: Millis) -> Moment {
        Moment(self.0.saturating_add(length.0))
    }
}

impl Sub for Moment {
    type Output = Millis;
    fn sub(self, earlier: Moment) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

/// Units from long to short: word, milliseconds.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DurationError {
    /// There is no text.
    Empty,
    /// What stands before the unit is no number.
    NotANumber {
        /// The whole text.
        text: String,
    },
    /// A number alone.
    NoUnit {
        /// As it is written.
        number: String,
    },
    /// Something stands where a unit would.
    NotAUnit {
        /// The letters in its place.
        found: String,
    },
    /// The letters behind the number are no unit.
    UnknownUnit {
        /// Those letters.
        unit: String,
    },
    /// A fraction of a millisecond, or more than a number holds.
    NotWhole {
        /// The whole text.
        text: String,
    },
}

impl DurationError {
    /// Returns whether it is about a unit of time that is not one, and no number without any.
    pub fn is_of_units(&self) -> bool {
        matches!(self, DurationError::NotAUnit { .. } | DurationError::UnknownUnit { .. })
    }
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationError::Empty => f.write_str("a duration is a number with a unit, like 250ms, 5s, 2m or 7d"),
            DurationError::NotANumber { text } => write!(f, "`{text}` is not a duration like 250ms, 5s, 2m or 7d"),
            DurationError::NoUnit { number } => write!(f, "`{number}` has no unit: write {number}ms or {number}s"),
            DurationError::NotAUnit { found } => {
                write!(f, "`{found}` is not a unit of time: write 250ms, 5s, 2m or 7d, without a space")
            }
            DurationError::UnknownUnit { unit } => {
                write!(f, "`{unit}` is not a unit of time: use ms, s, m, h, d or w")
            }
            DurationError::NotWhole { text } => write!(f, "`{text}` is not a whole number of milliseconds"),
        }
    }
}

impl std::error::Error for DurationError {}

impl std::str::FromStr for Millis {
    type Err = DurationError;

    /// Reads one or more numbers with a unit; fractions are allowed down to a millisecond.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut rest = text.trim();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(DurationError::Empty);
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let number: f64 = number.parse().map_err(|_| DurationError::NotANumber { text: text.to_owned() })?;
            if unit.is_empty() && tail.trim().is_empty() {
                return Err(DurationError::NoUnit { number: text.trim().to_owned() });
            }
            if unit.is_empty() {
                return Err(DurationError::NotAUnit { found: tail.trim().to_owned() });
            }
            let Some((_, factor)) = UNITS.iter().find(|(word, _)| *word == unit) else {
                return Err(DurationError::UnknownUnit { unit: unit.to_owned() });
            };
            let ms = number * *factor as f64;
            if ms.fract() != 0.0 || ms > 9e15 {
                return Err(DurationError::NotWhole { text: text.to_owned() });
            }
            total = total.saturating_add(ms as u64);
            rest = tail.trim_start();
        }
        Ok(Millis(total))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0;
        match ms {
            0 => write!(f, "0s"),
            _ if ms < 1_000 => write!(f, "{ms}ms"),
            _ if ms < 60_000 => write!(f, "{}s", ms as f64 / 1_000.0),
            _ => {
                let mut left = ms;
                let mut gap = "";
                for (word, factor) in &UNITS[1..] {
                    let n = left / factor;
                    if n > 0 {
                        write!(f, "{gap}{n}{word}")?;
                        gap = " ";
                    }
                    left %= factor;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Millis(self.0).fmt(f)
    }
}
