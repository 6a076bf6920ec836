//! Makes a difference small: operations go, then arguments, as long as the broker still differs from the sim.
//! Bounded in tries; candidates that the design rules would discard are not tried.

use super::following::LINGER_AGAIN;
use super::known::Known;
use super::live_side::{Played, Version};
use super::rehearsal::steady;
use super::seen::Seen;
use super::sequence::{Op, Sequence};
use rmqplay::model::Millis;
use std::time::{Duration, Instant};

/// How many candidates are played, and for how long: timed ones take their time.
const TRIES_MAX: usize = 60;
const WITHIN: Duration = Duration::from_secs(100);
/// How many are played at once.
const AT_ONCE: usize = 5;

/// A difference, as small as it became.
pub struct Difference {
    pub sequence: Sequence,
    pub at: usize,
    pub expected: Seen,
    pub seen: Seen,
    /// Whether a second play showed it again.
    pub again: bool,
    pub tries: usize,
    began: Instant,
}

/// Shrinks a sequence that differed at an operation.
pub async fn shrink(version: &Version, sequence: &Sequence, found: (usize, Seen, Seen), known: &Known) -> Difference {
    let (at, expected, seen) = found;
    let mut best =
        Difference { sequence: sequence.clone(), at, expected, seen, again: false, tries: 0, began: Instant::now() };
    best.sequence.ops.truncate(at + 1);
    if let Some(Found { at, expected, seen }) = differs(version, &best.sequence.ops, known).await {
        best.sequence.ops.truncate(at + 1);
        (best.at, best.expected, best.seen, best.again) = (at, expected, seen, true);
    } else {
        return best;
    }
    // Twice: what one removal makes superfluous may stand behind it.
    for size in [6, 3, 1, 1] {
        remove_operations(version, &mut best, size, known).await;
    }
    remove_words(version, &mut best, known).await;
    best
}

struct Found {
    at: usize,
    expected: Seen,
    seen: Seen,
}

async fn differs(version: &Version, ops: &[Op], known: &Known) -> Option<Found> {
    tokio::task::block_in_place(|| steady(version.rules(), ops, known)).ok()?;
    match version.play(ops, LINGER_AGAIN).await {
        Played::Different { at, wanted, seen } => Some(Found { at, expected: *wanted, seen: *seen }),
        _ => None,
    }
}

impl Difference {
    fn may_try(&self) -> bool {
        self.tries < TRIES_MAX && self.began.elapsed() < WITHIN
    }

    /// Returns whether another difference is this one, or a part of it.
    fn holds(&self, other: &Found) -> bool {
        self.expected.unlike(&self.seen).is_superset(&other.expected.unlike(&other.seen))
    }

    /// Plays candidates side by side and takes the first that still differs.
    async fn take_first(&mut self, version: &Version, candidates: Vec<Vec<Op>>, known: &Known) -> Option<usize> {
        self.tries += candidates.len();
        let plays = candidates.iter().map(|ops| differs(version, ops, known));
        let results = futures_util::future::join_all(plays).await;
        let (n, found) = results
            .into_iter()
            .enumerate()
            .find_map(|(n, found)| Some((n, found.filter(|found| self.holds(found))?)))?;
        let Found { at, expected, seen } = found;
        self.sequence.ops = candidates[n][..=at].to_vec();
        (self.at, self.expected, self.seen) = (at, expected, seen);
        Some(n)
    }
}

async fn remove_operations(version: &Version, best: &mut Difference, size: usize, known: &Known) {
    let mut from = 0;
    while best.may_try() && from + 1 < best.sequence.ops.len() {
        let starts: Vec<usize> =
            (0..AT_ONCE).map(|n| from + n * size).filter(|start| start + 1 < best.sequence.ops.len()).collect();
        let candidates = starts.iter().map(|start| without(&best.sequence.ops, *start, size)).collect();
        match best.take_first(version, candidates, known).await {
            Some(n) => from = starts[n],
            None => from += AT_ONCE * size,
        }
    }
}

/// Leaves operations out; the moments of the others stay.
fn without(ops: &[Op], start: usize, size: usize) -> Vec<Op> {
    let end = (start + size).min(ops.len() - 1);
    let mut left = ops[..start].to_vec();
    let gap: u64 = ops[start..end].iter().map(|op| op.gap.0).sum();
    left.extend(ops[end..].iter().cloned());
    if start > 0 && left[start].gap.0 > 0 {
        left[start].gap = Millis(left[start].gap.0 + gap);
    }
    left
}

async fn remove_words(version: &Version, best: &mut Difference, known: &Known) {
    let mut line = 0;
    while best.may_try() && line < best.sequence.ops.len() {
        let text = best.sequence.ops[line].text.clone();
        let words: Vec<&str> = text.split(' ').collect();
        let extras: Vec<usize> = (0..words.len()).filter(|n| is_extra(words[*n])).collect();
        let candidates: Vec<Vec<Op>> = (extras.iter().take(AT_ONCE))
            .map(|gone| {
                let kept: Vec<&str> =
                    words.iter().enumerate().filter(|(n, _)| n != gone).map(|(_, word)| *word).collect();
                let mut ops = best.sequence.ops.clone();
                ops[line].text = kept.join(" ");
                ops
            })
            .filter(|ops| ops[line].step().is_some())
            .collect();
        if candidates.is_empty() || best.take_first(version, candidates, known).await.is_none() {
            line += 1;
        }
    }
}

fn is_extra(word: &str) -> bool {
    let flags = ["mandatory", "internal", "auto-delete", "transient", "exclusive"];
    flags.contains(&word)
        || word.contains('=') && !word.starts_with("id=") && !word.starts_with("as=") && !word.starts_with("on=")
}
