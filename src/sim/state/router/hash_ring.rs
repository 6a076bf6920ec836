//! The ring of an `x-consistent-hash` exchange: buckets, of which each destination has a run as long as its weight (PX-1).
//! Takes destinations and weights; gives the destination of a message's number. Never hashes a message.

use crate::rules::{HashInput, jump_hash};
use crate::sim::state::arena::BindingDestination;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The buckets in the order in which destinations came.
#[derive(Clone)]
pub(crate) struct HashRing {
    /// What a bucket is chosen by.
    pub input: HashInput,
    destinations: Vec<BindingDestination>,
    /// Of each destination, the bucket behind its last one.
    ends: Vec<u64>,
    /// How often the buckets have changed.
    changes: u64,
    known: KnownBuckets,
}

/// How many buckets are remembered, at most; a power of two.
const KNOWN_MAX: usize = 8_192;

/// Of a known number, the bits that are its bucket's.
const BUCKET_BITS: u32 = 37;

/// The buckets of numbers that came before: to make one anew costs as much as the rest of a publish. Each is a number and its
/// bucket, plus one; 0 is none. A copy begins without.
#[derive(Default)]
struct KnownBuckets(OnceLock<Box<[AtomicU64]>>);

impl Clone for KnownBuckets {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl KnownBuckets {
    /// Returns the bucket of a number among so many, which are the same each time.
    fn bucket(&self, number: i128, buckets: u64) -> u64 {
        let Ok(small) = u32::try_from(number) else { return jump_hash(number, buckets) };
        if small >> (u64::BITS - BUCKET_BITS) != 0 || buckets >= 1 << (BUCKET_BITS - 1) {
            return jump_hash(number, buckets);
        }
        let known = self.0.get_or_init(|| (0..KNOWN_MAX).map(|_| AtomicU64::new(0)).collect());
        let place = &known[small as usize % KNOWN_MAX];
        let entry = place.load(Ordering::Relaxed);
        if let Some(entry) = entry.checked_sub(1)
            && entry >> BUCKET_BITS == u64::from(small)
        {
            return entry & ((1 << BUCKET_BITS) - 1);
        }
        let bucket = jump_hash(number, buckets);
        place.store((u64::from(small) << BUCKET_BITS | bucket) + 1, Ordering::Relaxed);
        bucket
    }
}

impl HashRing {
    pub(crate) fn new(input: HashInput) -> Self {
        Self { input, destinations: Vec::new(), ends: Vec::new(), changes: 0, known: KnownBuckets::default() }
    }

    /// Adds the buckets of a destination behind all others; one that has some keeps those.
    pub(crate) fn add(&mut self, destination: BindingDestination, weight: u64) {
        if !self.destinations.contains(&destination) {
            self.destinations.push(destination);
            self.ends.push(self.buckets().saturating_add(weight));
            self.changed();
        }
    }

    /// Takes the buckets of a destination away: those behind them move up.
    pub(crate) fn remove(&mut self, destination: BindingDestination) {
        let Some(at) = self.destinations.iter().position(|other| *other == destination) else { return };
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let weight = self.ends[at] - begin;
        self.changed();
        self.destinations.remove(at);
        self.ends.remove(at);
        self.ends[at..].iter_mut().for_each(|end| *end -= weight);
    }

    pub(crate) fn clear(&mut self) {
        self.destinations.clear();
        self.ends.clear();
        self.changed();
    }

    fn changed(&mut self) {
        self.changes += 1;
        self.known = KnownBuckets::default();
    }

    /// Returns how often the buckets have changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Returns how many buckets there are.
    pub(crate) fn buckets(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Lists all that have buckets.
    pub(crate) fn destinations(&self) -> &[BindingDestination] {
        &self.destinations
    }

    /// Returns where a message of this number goes.
    pub(crate) fn destination_of(&self, number: i128) -> Option<BindingDestination> {
        self.destination(self.known.bucket(number, self.buckets()))
    }

    /// Returns whose a bucket is.
    fn destination(&self, bucket: u64) -> Option<BindingDestination> {
        if self.buckets() == self.ends.len() as u64 {
            // Each has one.
            return self.destinations.get(usize::try_from(bucket).ok()?).copied();
        }
        self.destinations.get(self.ends.partition_point(|end| *end <= bucket)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::state::arena::{Index, QueueId};

    #[test]
    fn buckets_behind_a_removed_destination_move_up() {
        let [a, b, c] = [0, 1, 2].map(|n| BindingDestination::Queue(QueueId::nth(n)));
        let mut ring = HashRing::new(HashInput::RoutingKey);
        [(a, 2), (b, 3), (c, 1), (a, 9)].into_iter().for_each(|(to, weight)| ring.add(to, weight));
        assert_eq!(ring.buckets(), 6, "a second weight counts for nothing");
        assert_eq!([0, 1, 2, 4, 5].map(|bucket| ring.destination(bucket)), [a, a, b, b, c].map(Some));
        ring.remove(a);
        assert_eq!([0, 2, 3].map(|bucket| ring.destination(bucket)), [Some(b), Some(b), Some(c)]);
        assert_eq!(ring.destination(4), None);
        ring.add(a, 1);
        assert_eq!(ring.destination(4), Some(a));
    }

    #[test]
    fn known_buckets_are_those_that_are_made_anew() {
        let mut ring = HashRing::new(HashInput::RoutingKey);
        // Numbers that meet at a place, those that are kept nowhere, and each more than once.
        let mut numbers: Vec<i128> = (0..500).flat_map(|n| [n, n * KNOWN_MAX as i128, n * 100_003]).collect();
        numbers.extend([-1, 1 << 27, (1 << 27) - 1, 1 << 40, i128::MAX]);
        for n in 0..30 {
            ring.add(BindingDestination::Queue(QueueId::nth(n)), u64::from(n % 3) + 1);
            for number in numbers.iter().chain(&numbers) {
                let bucket = ring.known.bucket(*number, ring.buckets());
                assert_eq!(bucket, jump_hash(*number, ring.buckets()), "{number}");
            }
        }
    }
}
