//! `--shard I/N`: parts of a suite that are disjoint, together whole, and take about as long as each other.
//! Takes names and weights, gives places; the same for the same names and weights on every machine.

use sha2::{Digest, Sha256};
use std::str::FromStr;

/// More parts than this are no use: each reads the whole suite.
const SHARDS_MAX: usize = 10_000;

/// One of some parts of a suite, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    pub number: usize,
    pub of: usize,
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "give the part and how many parts there are: 1/3, 2/3 and 3/3".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let read = |text: &str| text.trim().parse::<usize>().map_err(|_| form());
        match (read(number)?, read(of)?) {
            (_, 0) => Err("there would be no part at all: give 1/1 or more parts".to_owned()),
            (_, of) if of > SHARDS_MAX => Err(format!("at most {SHARDS_MAX} parts: each reads the whole suite")),
            (0, of) => Err(format!("parts count from 1: give 1/{of}{}", up_to(of))),
            (number, of) if number > of => Err(format!(
                "there {}: give 1/{of}{}",
                crate::model::by_number(of, "is one part", &format!("are {of} parts")),
                up_to(of)
            )),
            (number, of) => Ok(Self { number, of }),
        }
    }
}

fn up_to(of: usize) -> String {
    if of > 1 { format!(" to {of}/{of}") } else { String::new() }
}

/// One cell as it is shared out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Weighed {
    /// Distinct among the cells.
    pub name: String,
    /// How long it took, in microseconds; `None` where nobody knows.
    pub micros: Option<u64>,
}

impl Shard {
    /// Lists the places of the cells that are in this part, in order.
    ///
    /// The longest cell goes first, each to the part that is done soonest; a cell of which nothing is known counts as the median of
    /// those that are known. Equal ones follow the digests of their names, so that neighbours of a folder are spread.
    pub(crate) fn share(self, cells: &[Weighed]) -> Vec<usize> {
        let usual = median(cells.iter().filter_map(|cell| cell.micros)).unwrap_or(1).max(1);
        let mut order: Vec<(u64, [u8; 32], usize)> = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| (cell.micros.unwrap_or(usual).max(1), Sha256::digest(cell.name.as_bytes()).into(), at))
            .collect();
        order.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)).then(one.2.cmp(&other.2)));
        let mut loads = std::collections::BTreeSet::from_iter((0..self.of).map(|part| (0u64, part)));
        let mut own = Vec::new();
        for (micros, _, at) in order {
            let Some((load, part)) = loads.pop_first() else { break };
            loads.insert((load.saturating_add(micros), part));
            if part + 1 == self.number {
                own.push(at);
            }
        }
        own.sort_unstable();
        own
    }
}

/// Returns the one in the middle, the lower of two.
fn median(numbers: impl Iterator<Item = u64>) -> Option<u64> {
    let mut all: Vec<u64> = numbers.collect();
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(micros: impl Iterator<Item = Option<u64>>) -> Vec<Weighed> {
        micros.enumerate().map(|(n, micros)| Weighed { name: format!("cell-{n}"), micros }).collect()
    }

    fn shares(cells: &[Weighed], of: usize) -> Vec<Vec<usize>> {
        (1..=of).map(|number| Shard { number, of }.share(cells)).collect()
    }

    #[test]
    fn shards_are_disjoint_and_together_all() {
        let known = cells((0..97).map(|n| (n % 5 != 0).then_some(n * n % 1_009)));
        for of in [1, 2, 3, 7, 97, 200] {
            let shares = shares(&known, of);
            let mut all: Vec<usize> = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..97).collect::<Vec<_>>(), "{of} shards");
            assert_eq!(shares, self::shares(&known, of), "the same each time");
        }
        assert!(shares(&[], 3).iter().all(Vec::is_empty));
    }

    #[test]
    fn known_times_balance_and_unknown_ones_count() {
        // One long cell weighs as much as all others together.
        let long = cells([Some(900)].into_iter().chain((0..9).map(|_| Some(100))));
        let halves = shares(&long, 2);
        assert_eq!(halves.iter().map(Vec::len).collect::<Vec<_>>(), [1, 9]);
        let unknown = shares(&cells((0..10).map(|_| None)), 3);
        assert_eq!(unknown.iter().map(Vec::len).collect::<Vec<_>>(), [4, 3, 3]);
        // Of which nothing is known takes as long as the usual one: not nothing, and not as long as the longest.
        let mixed = shares(&cells([Some(1_000), Some(10), Some(10), None, None].into_iter()), 2);
        assert_eq!(mixed.iter().map(Vec::len).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn a_wrong_shard_is_told_what_is_right() {
        assert_eq!("2/3".parse(), Ok(Shard { number: 2, of: 3 }));
        let wrong = [
            ("4/3", "there are 3 parts: give 1/3 to 3/3"),
            ("0/3", "parts count from 1: give 1/3 to 3/3"),
            ("2/1", "there is one part: give 1/1"),
            ("1/0", "there would be no part at all: give 1/1 or more parts"),
            ("1/20000", "at most 10000 parts: each reads the whole suite"),
        ];
        for (text, why) in wrong {
            assert_eq!(text.parse::<Shard>(), Err(why.to_owned()), "{text}");
        }
        for text in ["", "2", "a/3", "-1/3", "1/3/4", "1.5/3", "/", "99999999999999999999/3"] {
            assert!(text.parse::<Shard>().is_err_and(|why| why.contains("1/3, 2/3 and 3/3")), "{text}");
        }
    }
}
