//! Plays a scenario: a state machine that is polled for commands and fed events, and keeps the timeline.
//! Takes a cell and the ground it plays on; gives verdicts and the outcome. Never knows which broker it plays on
//! beyond its version and whether it is live, never reads a clock.

mod acting;
mod actor;
mod calling;
mod comeback;
mod compose;
mod contents;
mod driver;
mod failure;
mod fitness;
mod job;
mod judge;
mod judge_consumer;
mod judge_messages;
mod kept;
mod leaving;
mod ledger;
mod matching;
mod memory;
mod nameless;
mod names;
mod outcome;
mod played;
mod player;
mod program;
mod racing;
mod reading;
mod scaled;
mod series;
mod severing;
mod steps;
mod subscription;
mod tally;
mod timeline;
mod verdict;
mod view;
mod waiting;
mod working;

pub use failure::{Failure, Finding};
pub use fitness::{Host, TimeScale, choose_scale, versions_of, why_not};
pub use kept::{Kept, digest_of};
pub use ledger::deaths_in_words;
pub use outcome::{
    ConsumerOutcome, Deed, MessageRecord, Outcome, PublishRecord, QueueOutcome, Receipt, RefusalRecord, ReplyRecord,
};
pub use played::{Ground, Played};
pub use player::Player;
pub use racing::{Point, RACE, Shift, Way};
pub use scaled::Scaled;
pub use timeline::{
    Entry, Happening, Timeline, exchange_in_words, insight_in_words, outcome_in_words, settlement_in_words,
};
pub use verdict::Verdict;
