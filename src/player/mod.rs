//! Plays a scenario: a state machine that is polled for commands and fed events, and keeps the timeline.
//! Takes a cell and the traits of the broker it plays on; gives failures and the outcome. Knows of the broker its version,
//! and whether it is live; never reads a clock. `client` is the face: it hands what the broker says to the driver or to the
//! consumers, which share a context and know each other by what the face hands on.

mod assert;
mod beside;
mod by_hand;
mod client;
mod consumer;
mod context;
mod driver;
mod fitness;
mod hands;
mod looking;
mod message;
mod record;
mod run_result;
mod scaled;
mod scheduled;
mod standing;

pub use beside::unfit_beside;
pub use client::Player;
pub use driver::decision_points::{DecisionPoint, Direction, Perturbation, RACE};
pub use fitness::{Host, TimeScale, choose_scale, versions_of, why_not, why_not_on_sim};
pub use looking::{ActorView, RunPosition, TallyView};
pub use record::bounded_log::{BoundedLog, digest_of};
pub use record::circumstances::{Awaited, Circumstances, UnderWay};
pub use record::failure::{Difference, Failure, FailureSubject, Finding};
pub use record::outcome::{
    ActionRecord, ConsumerOutcome, MessageRecord, Outcome, PublishRecord, QueueOutcome, Receipt, RefusalRecord,
    ReplyRecord,
};
pub use record::run_counts::{LATENCY_BOUNDS_MS, RunCounts};
pub use record::timeline::{Attempt, ConsumerEnd, RetryStep, Timeline, TimelineEntry, TimelineEvent, WorkUnit};
pub use record::verdict::Verdict;
pub use run_result::{BrokerTraits, RunResult};
pub use scaled::Scaled;

#[cfg(test)]
mod testing;
