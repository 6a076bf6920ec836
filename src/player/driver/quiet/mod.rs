//! Quiet: how an expectation waits until nothing more happens now, and how a step waits until nothing moves any more.

pub(crate) mod awaiting;
pub(crate) mod motion;
pub(crate) mod unrest;
pub(crate) mod until_quiet;
