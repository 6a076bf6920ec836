//! Why a cell failed, as data: the place in the file, and what was expected and found.

use crate::model::{Moment, Name, PublishOutcome, QueueName};
use crate::source::{Code, Span};

/// One failed step or expectation.
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
    /// What it is about; empty when that is no queue, consumer or message.
    pub subjects: Vec<FailureSubject>,
    pub findings: Vec<Finding>,
    pub help: Option<String>,
}

/// What a failure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureSubject {
    Queue(QueueName),
    /// With all its instances, and the queue that it consumes from.
    Consumer(Name, QueueName),
    Message(Name),
    /// Publishes that ended so.
    Publishes(PublishOutcome),
    /// Messages that no queue took.
    Unroutable,
    Dropped,
}

/// One field that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `ready`, `messages[1].x_death[0].count`.
    pub field: String,
    pub expected: String,
    pub found: String,
    pub difference: Difference,
}

/// How what was found differs from what was expected, as far as messages tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Difference {
    /// In a value, or in nothing that is counted.
    #[default]
    Value,
    Fewer,
    More,
    /// By name; a missing one may end in `*`.
    Messages {
        missing: Vec<Name>,
        surplus: Vec<Name>,
    },
}

impl Finding {
    /// Makes a finding from anything that can be shown.
    pub fn new(field: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        let difference = Difference::Value;
        Self { field: field.into(), expected: expected.to_string(), found: found.to_string(), difference }
    }

    /// Adds how the two differ.
    pub fn by(self, difference: Difference) -> Self {
        Self { difference, ..self }
    }
}
