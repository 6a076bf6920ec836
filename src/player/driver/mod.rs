//! The driver: steps one after another, what they wait for and what they read.

pub(crate) mod asking;
pub(crate) mod circumstances;
pub(crate) mod closing_connections;
pub(crate) mod connections;
pub(crate) mod decision_points;
pub(crate) mod end_of_step;
pub(crate) mod held;
pub(crate) mod instant;
pub(crate) mod judging;
pub(crate) mod letters;
pub(crate) mod machine;
pub(crate) mod pending_call;
pub(crate) mod publish;
pub(crate) mod publish_step;
pub(crate) mod quiet;
pub(crate) mod reading;
pub(crate) mod starting;
pub(crate) mod state;
pub(crate) mod steps;
pub(crate) mod timing_races;
pub(crate) mod transactions;
pub(crate) mod watching;

#[cfg(test)]
mod tests;
