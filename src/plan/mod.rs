//! Desired and observed topology in; ordered, explained changes out, and the commands that bring them about.
//! Says what would be lost, what cannot be changed and what a broker holds beside the file, before anything is written.
//! Deletes nothing that it was not told to.
//!
//! ```text
//!   desired, observed ──► plan (diff/) ──► changes, risks, extras ──► applier (apply/) ──► commands
//! ```

mod all_objects;
mod apply;
mod change;
mod compose;
mod decision;
mod definitions;
mod deletion;
mod destroy;
mod diff;
mod explain;
mod extra;
mod extras;
mod foreign;
mod held_after;
mod ignore_list;
mod lost_ways;
mod move_queue;
mod needed_plugins;
mod observed;
mod password;
mod prune;
mod replace;
mod replace_way;
mod risk;
mod saved;
mod stakes;
mod unset;

pub(crate) use all_objects::all_objects;
pub use apply::{Applied, Applier, Stepwise};
pub use change::{Change, ChangeKind, FieldChange, Plan, PolicyEffect, Write};
pub use compose::plan;
pub use decision::{DELETIONS_MAX, Decision};
pub use definitions::{Export, read_definitions, read_export, read_saved, write_definitions, write_saved};
pub use destroy::{destroy, spared_from_destroy};
pub use diff::loss::judge_policies;
pub use explain::{explain, explain_extra, named};
pub use extra::Extra;
pub use extras::{cluster_extras, extras, is_throw_away};
pub use foreign::{Maker, Makers};
pub use held_after::held_after;
pub use ignore_list::IgnoreList;
pub use move_queue::{
    FreshCounts, Holding, MethodSequence, MoveAct, MoveFacts, MoveStage, MoveStop, MoveTally, Mover, QueueStanding,
    Transfer, TransferEnd, TransferOrder, TransferOutcome,
};
pub use needed_plugins::missing_plugins;
pub use observed::{Abilities, Observed, QueueFacts};
pub use password::{hash_of, is_hash_of};
pub use prune::{DeletionScope, prune, spared};
pub use replace::{ReplaceWishes, policy_instead, settle_replacements};
pub use replace_way::ReplaceWay;
pub use risk::Risk;
pub use saved::{NoSavedPlan, SavedPlan, digest_of, without_passwords};
pub use stakes::Stakes;
pub use unset::fill_unset;
