//! Brokers compared: what differs from each to the next, grouped by cause, as text, JSON, Markdown and JUnit.
//! Takes steps as data, with the rule book; returns strings. Never plays, never decides what differs.

mod causes;
mod data;
mod findings;
mod json;
mod junit;
mod markdown;
mod text;
mod words;

pub use causes::{ComparedScenario, causes_between, ending, unexplained};
pub use data::{
    CellCause, ComparedBroker, ComparedCell, ComparedLine, ComparedStep, ComparedTopology, Sameness, VersionFinding,
};
pub use findings::VersionFindings;
pub use json::{compared_topology_json, comparison_json};
pub use junit::comparison_junit;
pub use markdown::comparison_markdown;
pub use text::{compared_topology_text, comparison_summary, comparison_text};
