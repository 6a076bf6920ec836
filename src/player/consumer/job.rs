//! What a consumer works on: one message, or a batch, with the rule that was chosen and how far it got.
//! Plain data.

use crate::broker::{Delivery, PublishId};
use crate::model::{Action, Consumer, Moment, Name};
use crate::player::record::timeline::WorkUnit;
use crate::source::Span;
use std::collections::BTreeMap;

/// One piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// One message, or the batch.
    pub held: Vec<Held>,
    pub doing: JobState,
    pub next_action: usize,
    pub wait: Wait,
    /// When the rule has taken too long.
    pub over_at: Option<Moment>,
}

/// One message in a consumer's hands.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub delivery: Delivery,
    pub name: Name,
    /// The receipt's index in the ledger.
    pub receipt: u64,
    pub attempt: u64,
    pub arrived: Moment,
}

/// Which actions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Rule(usize),
    Timeout,
}

/// What a job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    Nothing,
    Until(Moment),
    /// Publishes that have not ended; the message that is acked when one is confirmed.
    Publishes(BTreeMap<PublishId, Option<usize>>),
}

impl Job {
    /// Returns the actions at hand.
    pub fn actions<'c>(&self, consumer: &'c Consumer) -> &'c [Action] {
        match self.doing {
            JobState::Rule(rule) => consumer.rules.get(rule).map_or(&[], |rule| &rule.actions),
            JobState::Timeout => consumer.timeout.as_ref().map_or(&[], |timeout| &timeout.actions),
        }
    }

    /// Returns where the action before the next one stands.
    pub fn place(&self, consumer: &Consumer) -> Option<Span> {
        let places = match self.doing {
            JobState::Rule(rule) => &consumer.rules.get(rule)?.places,
            JobState::Timeout => &consumer.timeout.as_ref()?.places,
        };
        places.get(self.next_action.checked_sub(1)?).copied()
    }

    /// Names what is worked on.
    pub fn unit(&self) -> WorkUnit {
        match self.held.as_slice() {
            [] => WorkUnit::Message(Name::default()),
            [one] => WorkUnit::Message(one.name.clone()),
            [first, .., last] => {
                WorkUnit::Batch { size: self.held.len(), first: first.name.clone(), last: last.name.clone() }
            }
        }
    }
}
