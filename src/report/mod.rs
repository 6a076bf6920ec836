//! (in the making)

mod problem;
pub use problem::{draw, draw_one, mask, problem_summary, problems_json};
