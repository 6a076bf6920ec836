//! Compares what a file declares with what a broker holds, kind by kind, and judges what a change can lose.
//! Takes both topologies; gives changes. Never writes, never orders them.

pub(crate) mod abilities;
pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod effective_policy;
pub(crate) mod equality;
pub(crate) mod findings;
pub(crate) mod loss;
pub(crate) mod own_rights;
mod own_topics;
mod patterns;
pub(crate) mod policies;
pub(crate) mod sure_refusals;
pub(crate) mod wiring;
