//! The live side of the seam: lapin connections and the management API as one value, stepped in the client's own task.
//! [`run_live`] is the twin of `simulate`: broker first, all events, then commands until there are none, then time.
//! Throw-away names, their guard and their form live here too. Never decides what an event means.

mod acts;
mod adapter;
mod batch;
mod calls;
mod dial;
mod duties;
mod ear;
mod endings;
mod guard;
mod happening;
mod job;
mod lent;
mod limits;
mod line;
mod link;
mod names;
mod publishing;
mod quiet;
mod restart;
mod returned;
mod run;
mod step;
mod submit;
mod throw_away;
mod translate;
mod watch;

pub use adapter::Live;
pub use dial::check_login;
pub use guard::Guard;
pub use lent::{Lent, NotLent, lend};
pub use limits::LiveLimits;
pub use names::Names;
pub use run::{LiveEnded, run_live};
pub use throw_away::{ThrowAway, now_in_minutes};
