//! Steps a client and the sim together, jumping the clock to the next wake-up; and plays a whole cell that way.
//! Never waits and never reads a clock.

mod drift;
mod explore;
mod rehearse;
mod stepping;

pub use drift::drift;
pub use explore::{
    ChoiceKind, ClosingExploration, Exploration, Explored, Fact, FactPlace, FactValue, Schedule, Total, Uncounted,
    explore, explore_closing, list_schedules, play_schedule,
};
pub(crate) use rehearse::{Prepared, fail_unless_done, prepare};
pub use rehearse::{refused_objects, rehearse, rehearse_by, rehearse_counting, rehearse_covering, rehearse_once};
pub use stepping::{Ended, Limits, simulate};
