//! Desired and observed topology in; ordered, explained changes out, and the commands that bring them about.
//! Says what would be lost and what cannot be changed before anything is written. Never deletes an object.
//!
//! ```text
//!   desired, observed ──► plan (access, policies, wiring) ──► changes, risks ──► applier ──► commands
//! ```

mod apply;
mod change;
mod compose;
mod diff;
mod explain;
mod observed;
mod password;
mod risk;

pub use apply::{Applied, Applier};
pub use change::{Change, ChangeKind, FieldChange, Plan, Write};
pub use compose::plan;
pub use explain::explain;
pub use observed::{Observed, QueueFacts};
pub use password::is_hash_of;
pub use risk::Risk;
