//! What a player is told of its broker before a run, and what it gives after it.

use crate::model::{Millis, Moment, Scale, Version};
use crate::player::driver::decision_points::DecisionPoint;
use crate::player::record::failure::Failure;
use crate::player::record::outcome::Outcome;
use crate::player::record::timeline::Timeline;
use crate::source::Span;

/// What a run must know of the broker that it plays on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerTraits {
    /// A real broker, in real time.
    pub live: bool,
    /// The broker's, or the profile's.
    pub version: Version,
    /// How much longer a duration takes there than the scenario says.
    pub scale: Scale,
}

/// A finished run.
#[derive(Debug)]
pub struct RunResult {
    /// What happened, up to the end.
    pub timeline: Timeline,
    /// Absent when the run failed before its end.
    pub outcome: Option<Outcome>,
    /// In the order of their moments; empty when all held.
    pub failures: Vec<Failure>,
    /// What could not be checked on this broker, with its place.
    pub notes: Vec<(Span, String)>,
    /// Where it might race on a live broker.
    pub points: Vec<DecisionPoint>,
    /// The run's own time from set-up to the outcome.
    pub took: Millis,
    /// How many consumers received.
    pub deliveries: u64,
    /// The run's own moments at which its steps began, each in its turn, and then at which they were over.
    pub begun: Vec<Moment>,
}

impl RunResult {
    /// Forgets what happened and what it came to in detail: thousands of runs that passed take little room then.
    pub fn forget_details(&mut self) {
        self.timeline = Timeline::default();
        self.outcome = None;
        self.points = Vec::new();
        self.begun = Vec::new();
    }
}
