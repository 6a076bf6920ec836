//! Scenarios for what nothing exercises: dead-letter ways, limits, rights, retries, bindings; each written as a person would, and
//! played before it is given. Takes a topology, versions and what is missing; gives texts that pass, and what has none and
//! why. Never writes a file.

mod concerned;
mod drafts;
mod expected;
mod lengths;
mod playing;
mod publishing;
mod queues;
mod retries;
mod rights;
mod routes;
mod sample;
mod suggestion;
#[cfg(test)]
mod tests;
mod yaml;

pub use playing::{SuggestRequest, is_suggested, probe_of, suggest, suggest_missing};
pub use suggestion::{NoSuggestion, Suggested, Suggestion, WhyNoSuggestion};
