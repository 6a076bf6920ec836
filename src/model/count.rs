//! How many: an exact number or a range, as files write it.

use std::fmt;

/// A range of numbers, both ends included: `3`, `">=3"`, `"<=3"`, `">3"`, `"<3"`, `"1..5"`.
///
/// ```
/// use rmqplay::model::Count;
/// let count: Count = ">=2".parse().unwrap();
/// assert!(count.holds(2) && count.holds(9) && !count.holds(1));
/// assert_eq!(count.to_string(), ">=2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The fewest.
    pub min: u64,
    /// `None` has no upper end.
    pub max: Option<u64>,
}

impl Count {
    /// Means exactly `n`.
    pub fn exactly(n: u64) -> Self {
        Self { min: n, max: Some(n) }
    }

    /// Returns whether every number lies in the range.
    pub fn is_any(self) -> bool {
        self.min == 0 && self.max.is_none()
    }

    /// Returns whether `n` lies in the range.
    pub fn holds(self, n: u64) -> bool {
        n >= self.min && self.max.is_none_or(|max| n <= max)
    }
}

impl std::str::FromStr for Count {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a count: write 3, \">=3\", \"<3\" or \"1..5\"");
        let number = |part: &str| part.trim().parse::<u64>().map_err(|_| bad());
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(">=") {
            return Ok(Self { min: number(rest)?, max: None });
        }
        if let Some(rest) = text.strip_prefix("<=") {
            return Ok(Self { min: 0, max: Some(number(rest)?) });
        }
        if let Some(rest) = text.strip_prefix('>') {
            return Ok(Self { min: number(rest)?.saturating_add(1), max: None });
        }
        if let Some(rest) = text.strip_prefix('<') {
            return Ok(Self { min: 0, max: Some(number(rest)?.checked_sub(1).ok_or_else(bad)?) });
        }
        if let Some((low, high)) = text.split_once("..") {
            let (min, max) = (number(low)?, number(high)?);
            return if min <= max { Ok(Self { min, max: Some(max) }) } else { Err(bad()) };
        }
        Ok(Self::exactly(number(text)?))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (0, Some(max)) => write!(f, "<={max}"),
            (min, Some(max)) => write!(f, "{min}..{max}"),
            (min, None) => write!(f, ">={min}"),
        }
    }
}
