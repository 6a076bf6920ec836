//! The driver: steps one after another, what they wait for and what they read.

pub(crate) mod circumstances;
pub(crate) mod closing_connections;
pub(crate) mod command_sequence;
pub(crate) mod contents;
pub(crate) mod decision_points;
pub(crate) mod instant;
pub(crate) mod machine;
pub(crate) mod pending_call;
pub(crate) mod publish_series;
pub(crate) mod reading;
pub(crate) mod state;
pub(crate) mod steps;
pub(crate) mod timing_races;
pub(crate) mod unrest;
pub(crate) mod waiting;
