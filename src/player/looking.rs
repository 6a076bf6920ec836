//! What somebody who looks on may know of a run under way: where its steps stand, its consumers, what tallies came to so far.
//! Changes nothing.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Moment, Name, QueueName, Scenario, TallyExpectation, TallySource};
use crate::player::assert::tally::key_in_words;
use crate::player::client::Player;
use crate::player::consumer::absence::Absence;
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::driver::state::RunStage;
use crate::player::record::failure::Failure;
use crate::player::record::timeline::Timeline;
use crate::source::Span;

/// Where the steps of a run stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPosition {
    /// Connections are made and consumers subscribe; no step has begun.
    Preparing,
    /// This step is next, or under way.
    Step(Span),
    /// The steps are done, or one failed; what they began goes on.
    Through,
    /// The end is judged, and everything is closed.
    Ending,
    Done,
}

/// A consumer instance under way.
#[derive(Debug, Clone, PartialEq)]
pub struct ActorView {
    pub name: Name,
    pub queue: QueueName,
    pub running: bool,
    /// When it means to come back.
    pub back_at: Option<Moment>,
    /// The messages that it was sent and has not settled.
    pub in_hand: Vec<Name>,
    pub received: u64,
    pub acked: u64,
    /// Nacked and rejected.
    pub refused: u64,
}

/// What a tally of the scenario came to so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyView {
    /// The consumer whose deliveries are added up; none where publishes are.
    pub consumer: Option<Name>,
    /// By what messages are grouped.
    pub by: Option<String>,
    /// What is added up; none counts messages.
    pub sum: Option<String>,
    /// Only some messages count.
    pub is_partial: bool,
    pub groups: Vec<(String, u64)>,
}

impl Player {
    /// Returns what it plays, with what came to it by hand.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Returns what happened so far.
    pub fn timeline(&self) -> &Timeline {
        &self.context.timeline
    }

    /// Returns what failed so far.
    pub fn failures(&self) -> &[Failure] {
        &self.context.failures
    }

    /// Returns what could not be checked, or is seldom meant, with its place.
    pub fn notes(&self) -> &[(Span, String)] {
        &self.context.notes
    }

    /// Returns how many messages consumers got.
    pub fn delivered_count(&self) -> u64 {
        self.context.ledger.consumers.iter().map(|consumer| consumer.received.count()).sum()
    }

    /// Returns where its steps stand.
    pub fn position(&self) -> RunPosition {
        match self.driver.stage {
            RunStage::Connecting(_) | RunStage::Subscribing(_) => RunPosition::Preparing,
            RunStage::Done => RunPosition::Done,
            _ if self.driver.is_kept_open && self.driver.is_through(&self.scenario) => RunPosition::Through,
            RunStage::Steps(_) if !self.scenario.steps.is_empty() => {
                RunPosition::Step(self.driver.span(&self.scenario))
            }
            _ => RunPosition::Ending,
        }
    }

    /// Returns the run's own moment for one of the broker's; 0 before the run has begun.
    pub fn own_moment(&self, of_broker: Moment) -> Moment {
        let began = self.context.clock.of_broker(Moment(0));
        Moment(began.map_or(0, |began| of_broker.0.saturating_sub(began.0)))
    }

    /// Lists its consumer instances.
    pub fn actors(&self) -> Vec<ActorView> {
        let ledger = &self.context.ledger;
        let view = |one: &ConsumerInstance| {
            let [acked, nacked, rejected] = &ledger.settled[one.number];
            ActorView {
                name: one.name.clone(),
                queue: ledger.consumers[one.number].queue.clone(),
                running: one.running,
                back_at: one.absence.as_ref().and_then(Absence::wake_at),
                in_hand: one.in_hand.values().map(|held| held.name.clone()).collect(),
                received: ledger.consumers[one.number].received.count(),
                acked: acked.count(),
                refused: nacked.count() + rejected.count(),
            }
        };
        self.consumers.instances().map(view).collect()
    }

    /// Lists the queues that are watched, with what is ready and what its consumers have in hand.
    pub fn counted_queues(&self) -> impl Iterator<Item = (&QueueName, Option<u64>, u64)> {
        let queues = self.context.ledger.queues.iter();
        queues.map(|(name, tally)| (name, tally.counts.map(|counts| counts.ready), tally.unacked))
    }

    /// Lists what the tallies of the scenario came to so far; those of what queues hold are known at the end only.
    pub fn tallies(&self) -> Vec<TallyView> {
        let asked = self.context.ledger.tallies.so_far();
        let view = |(tally, groups): (&TallyExpectation, Vec<(String, u64)>)| {
            let consumer = match &tally.source {
                TallySource::Consumer(name) => Some(name.clone()),
                TallySource::Published => None,
                TallySource::Queue(_) => return None,
            };
            Some(TallyView {
                consumer,
                by: tally.by.as_ref().map(key_in_words),
                sum: tally.sum.as_ref().map(key_in_words),
                is_partial: tally.only != Default::default(),
                groups,
            })
        };
        asked.filter_map(view).collect()
    }
}
