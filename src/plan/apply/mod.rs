//! Carries a plan out: a client of the seam, and the order in which it asks.
//! Never deletes, never retries what was refused.

mod applier;
mod apply_queue;

pub use applier::{Applied, Applier};
