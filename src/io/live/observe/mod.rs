//! What is seen of a live broker from outside: counts, and whether it is quiet.

pub(crate) mod quiet;
pub(crate) mod watch;
