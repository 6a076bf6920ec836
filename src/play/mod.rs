//! Plays a scenario: a state machine that is polled for commands and fed events, and keeps the timeline.
//! Takes a cell and the ground it plays on; gives verdicts and the outcome. Never knows which broker it plays on
//! beyond its version and whether it is live, never reads a clock.

mod acting;
mod actor;
mod comeback;
mod compose;
mod contents;
mod driver;
mod failure;
mod job;
mod judge;
mod judge_consumer;
mod judge_messages;
mod kept;
mod leaving;
mod ledger;
mod matching;
mod memory;
mod names;
mod outcome;
mod player;
mod program;
mod reading;
mod series;
mod steps;
mod subscription;
mod timeline;
mod verdict;
mod view;
mod waiting;
mod working;

pub use failure::{Failure, Finding};
pub use kept::{Kept, digest_of};
pub use outcome::{ConsumerOutcome, MessageRecord, Outcome, PublishRecord, QueueOutcome, Receipt, RefusalRecord};
pub use player::{Ground, Played, Player};
pub use timeline::{Entry, Happening, Timeline, outcome_in_words};
pub use verdict::Verdict;
