//! What a failure says beside its messages: which policies and arguments lost, and what had not come to its end.
//! Plain data; `report` writes the words.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Moment, Name};
use crate::player::record::finding::Finding;
use crate::player::record::timeline::WorkUnit;
use crate::rules::PolicyContest;
use crate::source::Span;

/// What stood around a failure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Circumstances {
    /// How many steps were done by then.
    pub steps_done: usize,
    /// Of each declared queue on which a policy or an argument lost.
    pub contests: Vec<PolicyContest>,
    /// What a run that was given up had not ended.
    pub under_way: Vec<UnderWay>,
}

/// Something that had begun and not ended.
#[derive(Debug, Clone, PartialEq)]
pub enum UnderWay {
    /// A step of the driver.
    Step { span: Span, awaits: Awaited },
    /// A consumer's work, and until when its pause lasts.
    Work { consumer: Name, on: WorkUnit, until: Option<Moment> },
    /// Deliveries that a consumer has not settled and does not work on.
    Held { consumer: Name, messages: Vec<Name>, more: usize },
    /// Deliveries that wait for the consumer's other work.
    Waiting { consumer: Name, messages: Vec<Name>, more: usize },
    /// A publish without an outcome.
    Publish { by: Name, message: Name },
    /// A consumer that means to come back.
    Away { consumer: Name },
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Awaited {
    /// That an expectation holds, or its end; what does not fit yet.
    Expectation {
        until: Moment,
        missing: Vec<Finding>,
    },
    Time {
        until: Moment,
    },
    Confirms,
    Reply,
    Quiet,
    Consumers,
    /// An answer of the broker.
    Answer,
}
