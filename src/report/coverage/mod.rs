//! What scenarios exercised of topology files, as text and as JSON.
//! Takes a record and the sources that it points into; returns strings. Decides nothing.

mod json;
mod text;
mod words;

pub use json::coverage_json;
pub use text::{coverage_text, short_percent};
pub use words::no_suggestion;
