//! The points of a run at which something is judged or done at a certain moment, and how one of them is shifted.

use crate::model::{Millis, Moment, Name};
use crate::source::Span;

/// Timers that are less than this away from such a point race with it on a live broker.
pub const RACE: Millis = Millis(200);

/// A moment of the run that matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecisionPoint {
    /// The broker's.
    pub moment: Moment,
    /// The place in the scenario.
    pub span: Span,
    /// It was meant for that very moment, so that it may also come before what happens then.
    pub exact: bool,
    /// The steps are over, and this consumer was the last at work.
    pub restless: Option<Name>,
}

/// Which point of a run is shifted, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Perturbation {
    /// Counts the points from 0.
    pub point: usize,
    /// To which side it is moved.
    pub way: Direction,
}

/// Which way a point is shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the start, by a little less than timers race.
    Earlier,
    /// Towards the end, by as much.
    Later,
    /// Until work rests, as a live broker's quiet does: it cannot tell a pause from an end.
    Rest,
}

/// By how much a point is shifted.
pub(crate) const SHIFT: Millis = Millis(RACE.0 - 1);
