//! What a session adds up to as numbers, counted by place: the names are looked up once, where a publisher or a consumer
//! begins. Put together as [`RunCounts`] when somebody asks.

use crate::broker::{Explanation, Ids, PublishId, Settlement};
use crate::model::{Millis, Moment, Name, PublishOutcome, QueueName};
use crate::player::RunCounts;
use crate::serve::session::ring::LatestById;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Of how many messages the moment of the publish is kept, and as many of a scenario that plays beside them.
const WAITING_MAX: usize = 100_000;

/// When a message was published that was not delivered yet; the end of time for all others.
#[derive(Debug, Clone, Copy)]
struct Waiting(Moment);

impl Default for Waiting {
    fn default() -> Self {
        Self(Moment(u64::MAX))
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct CountedDeliveries {
    delivered: u64,
    redelivered: u64,
}

/// The numbers of a session. Grows with the exchanges and queues that were used, and with nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    exchanges: IndexMap<Name, u64, FxBuildHasher>,
    queues: IndexMap<QueueName, CountedDeliveries, FxBuildHasher>,
    outside: LatestById<Waiting>,
    scripted: LatestById<Waiting>,
    rest: RunCounts,
}

impl Default for Tally {
    fn default() -> Self {
        let (outside, scripted) = (LatestById::new(WAITING_MAX), LatestById::new(WAITING_MAX));
        let rest = RunCounts::default();
        Self { exchanges: IndexMap::default(), queues: IndexMap::default(), outside, scripted, rest }
    }
}

impl Tally {
    /// Returns the place of an exchange.
    pub(super) fn exchange(&mut self, name: &Name) -> usize {
        let known = self.exchanges.get_index_of(name);
        known.unwrap_or_else(|| self.exchanges.insert_full(name.clone(), 0).0)
    }

    /// Returns the place of a queue.
    pub(super) fn queue(&mut self, name: &QueueName) -> usize {
        let known = self.queues.get_index_of(name);
        known.unwrap_or_else(|| self.queues.insert_full(name.clone(), CountedDeliveries::default()).0)
    }

    fn waiting(&mut self, publish: PublishId) -> &mut LatestById<Waiting> {
        if Ids::is_outside_publish(publish) { &mut self.outside } else { &mut self.scripted }
    }

    pub(super) fn published(&mut self, moment: Moment, publish: PublishId, exchange: usize) {
        if let Some((_, count)) = self.exchanges.get_index_mut(exchange) {
            *count += 1;
        }
        self.waiting(publish).put(publish.0, Waiting(moment), |_| {});
    }

    pub(super) fn ended(&mut self, outcome: PublishOutcome) {
        self.rest.ended(outcome);
    }

    pub(super) fn delivered(&mut self, moment: Moment, publish: Option<PublishId>, queue: usize, redelivered: bool) {
        if let Some((_, tally)) = self.queues.get_index_mut(queue) {
            tally.delivered += 1;
            tally.redelivered += u64::from(redelivered);
        }
        let Some(publish) = publish else { return };
        let waiting = self.waiting(publish).get_mut(publish.0).map(std::mem::take);
        if let Some(Waiting(published)) = waiting.filter(|waiting| waiting.0 != Waiting::default().0) {
            self.rest.took(Millis(moment.0.saturating_sub(published.0)));
        }
    }

    pub(super) fn settled(&mut self, settlement: Settlement) {
        self.rest.settled(settlement);
    }

    pub(super) fn told(&mut self, insight: &Explanation) {
        self.rest.told(insight);
    }

    /// Puts the numbers together.
    pub(super) fn counts(&self) -> RunCounts {
        let mut counts = self.rest.clone();
        let used = self.exchanges.iter().filter(|(_, count)| **count > 0);
        counts.published = used.map(|(name, count)| (name.clone(), *count)).collect();
        let of = |number: fn(&CountedDeliveries) -> u64| {
            let used = self.queues.iter().map(move |(name, tally)| (name.clone(), number(tally)));
            used.filter(|(_, count)| *count > 0).collect()
        };
        counts.delivered = of(|tally| tally.delivered);
        counts.redelivered = of(|tally| tally.redelivered);
        counts
    }
}
