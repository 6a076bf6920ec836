//! Plans, and what came of them, as lines for the terminal and as JSON.
//! Takes data, returns strings and values. Never decides.

mod json;
mod moving;
mod text;

pub use json::{PlannedFor, apply_json, plan_json};
pub use moving::{StoppedMove, move_stage_text, moved_text, refused_replacements_text, stopped_move};
pub use text::{
    EQUAL_COVERS, applied_text, at_stake_text, beside_text, changes_text, deleted_text, extras_text, plan_text,
    stakes_text,
};
