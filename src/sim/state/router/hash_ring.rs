//! The ring of an `x-consistent-hash` exchange: buckets, of which each destination has a run as long as its weight (PX-1).
//! Takes destinations and weights; gives the destination of a bucket. Never hashes.

use crate::rules::HashInput;
use crate::sim::state::arena::BindingDestination;

/// The buckets in the order in which destinations came.
#[derive(Clone)]
pub(crate) struct HashRing {
    /// What a bucket is chosen by.
    pub input: HashInput,
    destinations: Vec<BindingDestination>,
    /// Of each destination, the bucket behind its last one.
    ends: Vec<u64>,
}

impl HashRing {
    pub(crate) fn new(input: HashInput) -> Self {
        Self { input, destinations: Vec::new(), ends: Vec::new() }
    }

    /// Adds the buckets of a destination behind all others; one that has some keeps those.
    pub(crate) fn add(&mut self, destination: BindingDestination, weight: u64) {
        if !self.destinations.contains(&destination) {
            self.destinations.push(destination);
            self.ends.push(self.buckets().saturating_add(weight));
        }
    }

    /// Takes the buckets of a destination away: those behind them move up.
    pub(crate) fn remove(&mut self, destination: BindingDestination) {
        let Some(at) = self.destinations.iter().position(|other| *other == destination) else { return };
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let weight = self.ends[at] - begin;
        self.destinations.remove(at);
        self.ends.remove(at);
        self.ends[at..].iter_mut().for_each(|end| *end -= weight);
    }

    pub(crate) fn clear(&mut self) {
        self.destinations.clear();
        self.ends.clear();
    }

    /// Returns how many buckets there are.
    pub(crate) fn buckets(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Lists all that have buckets.
    pub(crate) fn destinations(&self) -> &[BindingDestination] {
        &self.destinations
    }

    /// Returns whose a bucket is.
    pub(crate) fn destination(&self, bucket: u64) -> Option<BindingDestination> {
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
}
