//! Consumers: subscription, rules, actions, end and reconnect.

pub(crate) mod absence;
pub(crate) mod actions;
pub(crate) mod instance;
pub(crate) mod instances;
pub(crate) mod job;
pub(crate) mod matching;
pub(crate) mod others;
pub(crate) mod overview;
pub(crate) mod reconnect;
pub(crate) mod returns;
pub(crate) mod settling;
pub(crate) mod subscription;
pub(crate) mod teardown;
pub(crate) mod together;
pub(crate) mod trial;
pub(crate) mod unfinished;
pub(crate) mod working;

#[cfg(test)]
mod tests;
