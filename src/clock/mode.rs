//! How moments follow real time.

use std::fmt;
use std::str::FromStr;

/// What moves the clock.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ClockMode {
    /// A millisecond is a millisecond.
    #[default]
    Real,
    /// A real millisecond is that many of the broker's.
    Scaled(f64),
    /// Whoever advances it.
    Manual,
    /// It jumps to the next thing that happens whenever nobody has anything to do.
    Auto,
}

/// The most that time can be scaled by.
const SCALE_MAX: f64 = 1_000_000.0;

impl FromStr for ClockMode {
    type Err = String;

    /// Reads `real`, `scaled:N`, `manual`, `auto`.
    ///
    /// ```
    /// use rmqplay::clock::ClockMode;
    /// assert_eq!("scaled:60".parse(), Ok(ClockMode::Scaled(60.0)));
    /// assert!("fast".parse::<ClockMode>().is_err() && "scaled:0".parse::<ClockMode>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "real" => Ok(ClockMode::Real),
            "manual" => Ok(ClockMode::Manual),
            "auto" => Ok(ClockMode::Auto),
            _ => {
                let scale = text.strip_prefix("scaled:").and_then(|scale| scale.parse::<f64>().ok());
                let scale = scale.filter(|scale| scale.is_finite() && *scale > 0.0 && *scale <= SCALE_MAX);
                let wrong = || format!("`{text}` is no clock: give real, scaled:N (as scaled:60), manual or auto");
                scale.map(ClockMode::Scaled).ok_or_else(wrong)
            }
        }
    }
}

impl fmt::Display for ClockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClockMode::Real => f.write_str("real"),
            ClockMode::Scaled(scale) => write!(f, "scaled:{scale}"),
            ClockMode::Manual => f.write_str("manual"),
            ClockMode::Auto => f.write_str("auto"),
        }
    }
}
