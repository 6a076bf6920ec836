//! Timelines, plans, problems and outcomes as text, JSON, JUnit and snapshots.
//! Takes data, returns strings. Never prints, never writes a file, never decides.

mod cell;
mod failure;
mod json;
mod junit;
mod palette;
mod plan;
mod problem;
mod record;
mod snapshot;
mod snapshot_name;
mod story;

pub use cell::{CellReport, cell_line, cell_name, header, summary};
pub use failure::failure_text;
pub use json::{cell_json, summary_json};
pub use junit::junit;
pub use palette::Palette;
pub use plan::{applied_text, plan_text};
pub use problem::{draw, draw_one, mask, problem_summary, problems_json};
pub use snapshot::{Comparison, body, compare, whole_file};
pub use snapshot_name::{SnapshotNames, snapshot_names};
pub use story::trace;
