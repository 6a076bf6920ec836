//! How much slower or quicker a live broker's time runs than the scenario's: one factor for every duration.
//! Whole numbers throughout, so that a moment mapped there and back is never earlier than it was.

use crate::model::{Millis, Moment};
use std::fmt;

/// Multiplies every duration of a scenario; kept in millionths.
///
/// ```
/// use rmqplay::model::{Millis, Scale};
/// let scale: Scale = "0.05".parse().unwrap();
/// assert_eq!((scale.real(Millis(60_000)), scale.own(Millis(3_000))), (Millis(3_000), Millis(60_000)));
/// assert_eq!(scale.to_string(), "0.05");
/// assert!("0".parse::<Scale>().is_err() && "-1".parse::<Scale>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale {
    millionths: u64,
}

/// What stands for 1.
const ONE: u64 = 1_000_000;

impl Scale {
    /// Leaves everything as it is.
    pub const ONE: Scale = Scale { millionths: ONE };

    /// Returns the largest scale up to 1 under which `length` fits into `real`.
    pub fn fitting(length: Millis, real: Millis) -> Scale {
        if length <= real {
            return Scale::ONE;
        }
        let millionths = (u128::from(real.0) * u128::from(ONE) / u128::from(length.0.max(1))) as u64;
        Scale { millionths: millionths.max(1) }
    }

    /// Returns whether it changes nothing.
    pub fn is_one(self) -> bool {
        self == Scale::ONE
    }

    /// Returns how long a duration of the scenario takes on the broker, never less than its share.
    pub fn real(self, own: Millis) -> Millis {
        Millis(muldiv(own.0, self.millionths, ONE, ONE - 1))
    }

    /// Returns what a duration on the broker is in the scenario's time.
    pub fn own(self, real: Millis) -> Millis {
        Millis(muldiv(real.0, ONE, self.millionths, 0))
    }

    /// Returns a moment of the broker's as one of the scenario.
    pub fn own_moment(self, real: Moment) -> Moment {
        Moment(self.own(Millis(real.0)).0)
    }

    /// Returns a moment of the scenario as the broker's.
    pub fn real_moment(self, own: Moment) -> Moment {
        Moment(self.real(Millis(own.0)).0)
    }
}

/// Multiplies, adds and divides without overflow; what is too large becomes the largest.
fn muldiv(value: u64, times: u64, by: u64, rounding: u64) -> u64 {
    let whole = (u128::from(value) * u128::from(times) + u128::from(rounding)) / u128::from(by);
    u64::try_from(whole).unwrap_or(u64::MAX)
}

impl std::str::FromStr for Scale {
    type Err = String;

    /// Reads a number above 0, up to 1000, with up to six digits behind the point.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no time scale: write a number like 0.1, 0.001 or 2");
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return Err(bad());
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
        let fraction: u64 = format!("{fraction:0<6}").parse().map_err(|_| bad())?;
        let millionths = whole.saturating_mul(ONE).saturating_add(fraction);
        if millionths == 0 || whole > 1_000 { Err(bad()) } else { Ok(Self { millionths }) }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.millionths / ONE, self.millionths % ONE);
        let fraction = format!("{fraction:06}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}
