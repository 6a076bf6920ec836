//! Reading what queues hold: for an expectation that compares it, and of every queue for the outcome.

pub(crate) mod contents;
pub(crate) mod following;
pub(crate) mod queues;
pub(crate) mod streams;
