//! The clock of a served broker: how its moments follow real time, or wait for whoever advances them.
//! Takes real milliseconds and what is under way as arguments; never reads a clock, never steps a broker itself.

mod debt;
mod job;
mod mode;
mod served_clock;

pub use debt::Debt;
pub use job::{Advance, AdvanceRefused, ClockJob, ClockJobState, GoalMissed, JobId};
pub use mode::ClockMode;
pub use served_clock::{AutoRest, ClockStep, ClockSurroundings, ServedClock};
