//! What keeps the clock from jumping, and whose it is.

use std::fmt;

/// What a client has not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// The client's connection, as `127.0.0.1:50123`.
    pub connection: String,
    /// What it owes: `delivery 3 of queue orders on channel 1 is not settled`.
    pub what: String,
}

impl fmt::Display for Debt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.connection)
    }
}
