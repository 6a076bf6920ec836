//! Consumers: subscription, rules, actions, end and reconnect.

pub(crate) mod absence;
pub(crate) mod actions;
pub(crate) mod actor;
pub(crate) mod job;
pub(crate) mod matching;
pub(crate) mod memory;
pub(crate) mod reconnect;
pub(crate) mod returns;
pub(crate) mod subscription;
pub(crate) mod teardown;
pub(crate) mod working;
