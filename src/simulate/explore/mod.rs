//! Plays a cell under the orders that RabbitMQ leaves open: systematically first, then by seeded chance.
//! Runs are forked where they choose, not played again from their beginning. Gives what varied, and who failed.

mod arrivals;
mod choice;
mod explored_run;
mod facts;
mod lane;
mod search;

pub use choice::ChoiceKind;
pub use facts::{Fact, FactPlace, FactValue};
pub use search::{Exploration, Explored, Schedule, explore, play_schedule};
