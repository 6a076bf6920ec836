//! Why a cell failed, as data: the place in the file, and what was expected and found.

use crate::model::{Moment, Name, PublishOutcome, QueueName};
use crate::player::record::circumstances::Circumstances;
pub use crate::player::record::finding::{Difference, Finding};
use crate::source::{Code, Span};

/// One failed step or expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What failed, in a word: `rmqplay explain` tells more.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// The step, the expectation or the declaration.
    pub span: Span,
    /// When it failed.
    pub moment: Moment,
    /// The timeline's count when it failed; what stands before it led here.
    pub sequence: u64,
    /// What it is about; empty when that is no queue, consumer or message.
    pub subjects: Vec<FailureSubject>,
    /// The fields that differ, if it is about fields.
    pub findings: Vec<Finding>,
    /// What to do next.
    pub help: Option<String>,
    /// What stood around it.
    pub circumstances: Circumstances,
}

impl Failure {
    /// Adds what it is about.
    pub(crate) fn about(&mut self, subject: FailureSubject) -> &mut Self {
        self.subjects.push(subject);
        self
    }

    /// Adds what to do about it.
    pub(crate) fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }
}

/// What a failure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureSubject {
    /// What it holds or held.
    Queue(QueueName),
    /// With all its instances, and the queue that it consumes from.
    Consumer(Name, QueueName),
    /// One message, with its copies.
    Message(Name),
    /// Publishes that ended so.
    Publishes(PublishOutcome),
    /// Messages that no queue took.
    Unroutable,
    /// Messages that were dropped.
    Dropped,
}
