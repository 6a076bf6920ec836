//! Plays a cell under the orders that RabbitMQ leaves open: systematically first, then by seeded chance.
//! Runs are forked where they choose, not played again from their beginning. Gives what varied, and who failed.

mod arrivals;
mod choice;
mod facts;
mod search;
mod world;

pub use choice::ChoiceKind;
pub use facts::{Fact, FactValue, Place};
pub use search::{Exploration, Explored, Schedule, explore, play_schedule};
