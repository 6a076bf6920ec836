//! The chances of a sequence. One seed gives one sequence, for ever: seeds that found a difference keep finding it.
//! Never reads the system's randomness.

use super::random::Random;

/// Draws from the tests' generator.
#[derive(Debug, Clone)]
pub struct Chance(Random);

impl Chance {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// Draws a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.below(end as u64) as usize
    }

    /// Returns true in so many of a hundred cases.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// Draws one of them.
    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        self.0.pick::<&'a T>(of)
    }

    /// Draws one of them, if there is one.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { Some(self.0.pick(of)) }
    }
}
