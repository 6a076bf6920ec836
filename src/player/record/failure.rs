//! Why a cell failed, as data: the place in the file, and what was expected and found.

use crate::model::Moment;
use crate::source::{Code, Span};

/// Is one failed step or expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What failed, in a word: `rmqplay explain` tells more.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    pub span: Span,
    pub moment: Moment,
    /// The timeline's count when it failed; what stands before it led here.
    pub sequence: u64,
    pub findings: Vec<Finding>,
    pub help: Option<String>,
}

/// Is one field that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `ready`, `messages[1].x_death[0].count`.
    pub field: String,
    pub expected: String,
    pub found: String,
}

impl Finding {
    /// Makes a finding from anything that can be shown.
    pub fn new(field: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        Self { field: field.into(), expected: expected.to_string(), found: found.to_string() }
    }
}
