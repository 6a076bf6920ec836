//! Plays a cell under the orders that RabbitMQ leaves open: systematically first, then by seeded chance.
//! Runs are forked where they choose, not played again from their beginning. Gives what varied, and who failed.

mod arrivals;
mod choice;
mod draw;
mod due;
mod explored_run;
mod facts;
mod fates;
mod held;
mod lane;
mod levels;
mod race;
mod races;
mod search;
mod standing;
mod ties;

pub use choice::ChoiceKind;
pub use facts::{Fact, FactPlace, FactValue};
pub use search::{
    ClosingExploration, Exploration, Explored, Schedule, Total, Uncounted, explore, explore_closing, list_schedules,
    play_schedule,
};
