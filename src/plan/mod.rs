//! Desired and observed topology in; ordered, explained changes out, and the commands that bring them about.
//! Says what would be lost, what cannot be changed and what a broker holds beside the file, before anything is written.
//! Never deletes an object.
//!
//! ```text
//!   desired, observed ──► plan (diff/) ──► changes, risks, extras ──► applier (apply/) ──► commands
//! ```

mod apply;
mod change;
mod compose;
mod decision;
mod definitions;
mod diff;
mod explain;
mod extra;
mod extras;
mod foreign;
mod observed;
mod password;
mod risk;
mod saved;
mod stakes;

pub use apply::{Applied, Applier};
pub use change::{Change, ChangeKind, FieldChange, Plan, Write};
pub use compose::plan;
pub use decision::Decision;
pub use definitions::{read_definitions, read_saved, write_definitions, write_saved};
pub use explain::{explain, explain_extra};
pub use extra::Extra;
pub use extras::{cluster_extras, extras, is_throw_away};
pub use foreign::{HOLDING_SUFFIX, Maker, Makers};
pub use observed::{Abilities, Observed, QueueFacts};
pub use password::{hash_of, is_hash_of};
pub use risk::Risk;
pub use saved::{NoSavedPlan, SavedPlan, digest_of, without_passwords};
pub use stakes::Stakes;
