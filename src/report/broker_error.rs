//! What kept a run from playing on a broker: not there, no rights, died, or lent to somebody else.

use serde_json::{Value as Json, json};

/// An error of the environment, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerError {
    /// As the reports of its cells name it; before it said its version, as `--broker` takes it. Absent when the error
    /// is of no broker.
    pub broker: Option<String>,
    /// One sentence without a full stop.
    pub message: String,
    /// What to try.
    pub help: Option<String>,
}

/// Returns an error as the line that `--json` writes.
pub fn error_json(error: &BrokerError) -> Json {
    json!({ "type": "error", "broker": error.broker, "message": error.message, "help": error.help })
}
