//! Faults on purpose: which wait to happen, what is done when they do, and whose connections they meet.

mod acts;
pub(crate) mod clients;
pub(crate) mod waiting;
