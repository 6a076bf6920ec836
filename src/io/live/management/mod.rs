//! What a live run asks of the management API, and restarts.

pub(crate) mod acts;
pub(crate) mod nodes;
pub(crate) mod restart;
mod shell;
