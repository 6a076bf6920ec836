//! The rest of a moment under virtual time: consumers act on what they have before the next step begins, as they do
//! within the milliseconds of a live broker. A loop that takes no time has no end: it is left after some rounds.

use crate::model::Name;
use std::collections::BTreeMap;

/// How often one message is delivered within the moment before it counts as a loop.
const ROUNDS_MAX: u32 = 100;

/// How many deliveries a moment may have in all.
const DELIVERIES_MAX: u32 = 100_000;

/// What was delivered while the moment came to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instant {
    deliveries: u32,
    rounds: BTreeMap<Name, u32>,
    endless: bool,
}

impl Instant {
    /// Counts a delivery.
    pub fn delivered(&mut self, name: &Name) {
        self.deliveries += 1;
        let rounds = self.rounds.entry(name.clone()).or_default();
        *rounds += 1;
        self.endless |= *rounds > ROUNDS_MAX || self.deliveries > DELIVERIES_MAX;
    }

    /// Returns whether the moment has no end of its own.
    pub fn is_endless(&self) -> bool {
        self.endless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_that_comes_again_and_again_is_a_loop_and_many_are_none() {
        let mut instant = Instant::default();
        (0..10_000).for_each(|n| instant.delivered(&format!("job.{n}").into()));
        assert!(!instant.is_endless());
        (0..ROUNDS_MAX).for_each(|_| instant.delivered(&"poison".into()));
        assert!(!instant.is_endless());
        instant.delivered(&"poison".into());
        assert!(instant.is_endless());
    }
}
