//! An advance of the clock that is under way, or how it ended.

use crate::clock::debt::Debt;
use crate::model::{Millis, Moment};
use std::fmt;

/// The longest advance.
pub(crate) const ADVANCE_MAX: Millis = Millis(366 * 86_400_000);

/// How far the clock is to be advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// By a length of time.
    By(Millis),
    /// To the next thing that happens by itself, so many times.
    Timers(u64),
    /// Until what its owner waits for has come ([`ClockSurroundings::is_met`](crate::clock::ClockSurroundings)).
    Until,
}

/// Names a job; counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// An advance, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockJob {
    /// Its name.
    pub id: JobId,
    /// What was asked for.
    pub advance: Advance,
    /// Where the clock was.
    pub from: Moment,
    /// Where it is, or was at the end.
    pub at: Moment,
    /// How often it jumped.
    pub jumps: u64,
    /// How it stands.
    pub state: ClockJobState,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockJobState {
    /// It goes on when nobody owes anything.
    Running,
    /// The clock is where it was to go, or nothing more happens by itself.
    Done,
    /// A client owed something for too long.
    Stuck(Debt),
    /// What was waited for did not come.
    Missed(GoalMissed),
}

/// Why what an advance waits for did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalMissed {
    /// Nothing more happens by itself.
    NothingHappens,
    /// A year passed.
    TooLong,
    /// The clock jumped very often.
    TooOften,
}

impl fmt::Display for GoalMissed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GoalMissed::NothingHappens => "nothing more happens by itself, and it did not come",
            GoalMissed::TooLong => "it did not come within 366d",
            GoalMissed::TooOften => "it did not come within 1,000,000 jumps",
        })
    }
}

/// Why the clock is not advanced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdvanceRefused {
    /// Another advance is under way.
    Busy(JobId),
    /// The length is zero, or more than a year.
    OutOfRange,
    /// This clock follows real time.
    NotManual,
}

impl fmt::Display for AdvanceRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdvanceRefused::Busy(JobId(id)) => write!(f, "job {id} advances the clock already"),
            AdvanceRefused::OutOfRange => f.write_str("give a time from 1ms to 366d, or a number of timers from 1"),
            AdvanceRefused::NotManual => f.write_str("this clock follows real time: serve with --clock manual"),
        }
    }
}
