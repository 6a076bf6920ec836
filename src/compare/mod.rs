//! Which rules make two brokers end a scenario otherwise.
//! Takes how the same cell ended on several brokers; gives the rules that versions follow differently and that alone
//! turn one ending into the other, each with what it changes. Never plays on a real broker, never writes a word.

mod effects;
mod ending;

pub use effects::{RuleEffect, effects, touched_queues};
pub use ending::{Ending, FailedThere};
