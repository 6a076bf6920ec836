//! A scenario beside the outside clients: whose turn it is, what it waits for, and how it comes to its end.

mod ending;
pub(crate) mod neighbours;
