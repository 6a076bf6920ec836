//! A queue's life: declaration to deletion, messages that enter, expire or are dropped, policies in effect.

pub(crate) mod append;
pub(crate) mod enqueue;
pub(crate) mod expiry;
pub(crate) mod lifecycle;
pub(crate) mod policy;
