//! Carries a plan out: a client of the seam, and the order in which it asks.
//! Never retries what was refused.

mod applier;
mod apply_queue;
mod stepwise;

pub use applier::{Applied, Applier};
pub use stepwise::Stepwise;
