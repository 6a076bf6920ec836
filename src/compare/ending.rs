//! How a run ended, as far as brokers are compared by it: what a snapshot would hold, and what failed.

use crate::player::RunResult;
use crate::source::{Code, Span};

/// The end of a run without what differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The outcome as a snapshot shows it; `None` where the run broke off, or the scenario keeps no snapshot.
    pub outcome: Option<String>,
    /// What failed, in its order.
    pub failures: Vec<FailedThere>,
}

/// A step or an expectation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedThere {
    /// Its place.
    pub span: Span,
    /// What failed, in a word.
    pub code: Code,
    /// The sentence of the failure.
    pub message: String,
    /// What was found instead, field by field.
    pub found: Vec<String>,
}

impl Ending {
    /// Takes what counts of a run, and its outcome as a snapshot shows it.
    pub fn new(played: &RunResult, outcome: Option<String>) -> Self {
        let failures = played.failures.iter().map(|failure| FailedThere {
            span: failure.span,
            code: failure.code,
            message: failure.message.clone(),
            found: failure.findings.iter().map(|one| format!("{}: {}", one.field, one.found)).collect(),
        });
        Self { outcome, failures: failures.collect() }
    }
}
