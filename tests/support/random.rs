//! The random numbers of tests: from a seed, the same sequence on every machine and in every release (SplitMix64).

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// A generator at some point of its sequence.
#[derive(Debug, Clone)]
pub struct Random(SplitMix64);

impl Random {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        let mut generator = SplitMix64::from_seed(seed.to_le_bytes());
        generator.next_u64();
        Self(generator)
    }

    /// Draws a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end.max(1)
    }

    /// Draws one of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}
