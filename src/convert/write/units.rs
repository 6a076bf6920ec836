//! Lengths of time and sizes in the unit that a person would choose: the largest that leaves a whole number.
//! Takes milliseconds or bytes; gives `5s`, `7d`, `10MB`. Never rounds.

/// Units of time from long to short.
const TIMES: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Units of size from large to small.
const SIZES: [(&str, i64); 6] =
    [("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000)];

/// The longest time that the language reads exactly.
const EXACT_MS_MAX: i64 = 9_000_000_000_000_000;

/// Writes milliseconds as a duration; `None` for what is none.
pub fn duration(ms: i64) -> Option<String> {
    match ms {
        0 => Some("0s".to_owned()),
        1..=EXACT_MS_MAX => {
            let (unit, factor) = TIMES.iter().find(|(_, factor)| ms % factor == 0)?;
            Some(format!("{}{unit}", ms / factor))
        }
        _ => None,
    }
}

/// Writes bytes with a unit, where one leaves a whole number.
pub fn size(bytes: i64) -> String {
    match SIZES.iter().find(|(_, factor)| bytes > 0 && bytes % factor == 0) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_whole_unit_is_chosen() {
        let durations = [0, 250, 1_500, 5_000, 90_000, 60_000, 604_800_000, 3_600_000];
        let written: Vec<String> = durations.into_iter().filter_map(duration).collect();
        assert_eq!(written, ["0s", "250ms", "1500ms", "5s", "90s", "1m", "7d", "1h"]);
        assert_eq!((duration(-1), duration(i64::MAX)), (None, None));
        let sizes = [0, 500, 1_000_000, 1 << 20, 10_000_000, 1 << 30, 20_000_000_000, 3_000];
        assert_eq!(sizes.map(size), ["0", "500", "1MB", "1MiB", "10MB", "1GiB", "20GB", "3kB"]);
    }
}
