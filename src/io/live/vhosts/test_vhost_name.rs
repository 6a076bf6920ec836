//! The names of throw-away vhosts and users: `rmqplay-` and eight characters that tell age, run and number.
//! Four characters count minutes since 2025-01-01 UTC, three name the run, one numbers the object in it; each is a
//! digit to base 62 (`0-9A-Za-z`), the most significant first. Enough for 28 years, 238,328 runs a minute.

use crate::model::Name;
use rand::TryRng;
use rand::rngs::SysRng;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const PREFIX: &str = "rmqplay-";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 2025-01-01T00:00Z in minutes since 1970.
const EPOCH: u64 = 28_928_160;
/// How many names one run id gives.
pub(crate) const NUMBERS: u64 = 62;
const RUNS: u64 = 62 * 62 * 62;
const MINUTES: u64 = 62 * 62 * 62 * 62;

/// What a throw-away name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestVhostName {
    /// Minutes since 2025-01-01 when the run began.
    pub minutes: u64,
    /// Names of one run share it (a run with more than 62 names has several).
    pub run: u64,
    /// Tells the vhosts of one run apart.
    pub number: u64,
}

impl TestVhostName {
    /// Begins a run: this minute, and a run id that no other run of this process has.
    pub fn begin() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Runs of one process differ by counting; runs of several by chance, and by trying again when taken.
        static FIRST: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        let first = *FIRST.get_or_init(random);
        let run = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).into()) % RUNS;
        Self { minutes: now_in_minutes(), run, number: 0 }
    }

    /// Reads a name; `None` when it is not exactly of this form.
    pub fn parse(name: &str) -> Option<Self> {
        let digits: Vec<u64> = (name.strip_prefix(PREFIX)?.bytes())
            .map(|byte| DIGITS.iter().position(|digit| *digit == byte).map(|value| value as u64))
            .collect::<Option<_>>()?;
        let [m1, m2, m3, m4, r1, r2, r3, number] = digits.try_into().ok()?;
        let value = |digits: &[u64]| digits.iter().fold(0, |sum, digit| sum * 62 + digit);
        Some(Self { minutes: value(&[m1, m2, m3, m4]), run: value(&[r1, r2, r3]), number })
    }

    /// Writes the name.
    pub fn name(self) -> Name {
        let mut all = ((self.minutes % MINUTES) * RUNS + self.run % RUNS) * NUMBERS + self.number % NUMBERS;
        let mut digits = [0; 8];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(all % 62) as usize];
            all /= 62;
        }
        format!("{PREFIX}{}", digits.map(char::from).iter().collect::<String>()).into()
    }
}

/// Returns the minutes since 2025-01-01.
pub fn now_in_minutes() -> u64 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (seconds / 60).saturating_sub(EPOCH)
}

/// Returns a password that nobody can guess.
pub(crate) fn random_password() -> String {
    (0..4).map(|_| format!("{:016x}", random())).collect()
}

/// Returns the salt of a password's hash.
pub fn random_salt() -> [u8; 4] {
    (random() as u32).to_be_bytes()
}

fn random() -> u64 {
    // Without the system's randomness the clock still tells runs apart.
    SysRng
        .try_next_u64()
        .unwrap_or_else(|_| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_age_run_and_number() {
        let run = TestVhostName { minutes: 994_321, run: 238_327, number: 61 };
        let name = run.name();
        assert_eq!((name.len(), TestVhostName::parse(&name)), (16, Some(run)));
        assert_ne!(TestVhostName::begin().run, TestVhostName::begin().run);
        for other in
            ["rmqplay-", "rmqplay-1234567", "rmqplay-123456789", "rmqplay-1234567_", "rmqplay", "x", "rmqplay-é234567"]
        {
            assert_eq!(TestVhostName::parse(other), None, "{other}");
        }
    }
}
