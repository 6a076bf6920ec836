//! What a consumer works on: one message, or a batch, with the rule that was chosen and how far it got.
//! Plain data.

use crate::broker::{ChannelId, Delivery, PublishId, Refusal, RequestId};
use crate::model::{Action, ActionLine, ActionList, Consumer, Moment, Name};
use crate::player::record::timeline::WorkUnit;
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

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
    /// What is known of the action under way that its line asks about.
    pub trial: Trial,
    /// Its transaction was committed.
    pub committed: bool,
}

/// An action that must be refused, or that may come back, while it is under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trial {
    /// The channel of its own that it publishes over: a refusal closes nothing else.
    pub channel: Option<ChannelId>,
    /// A settlement was sent whose refusal a call behind it would show.
    pub settled: bool,
    pub refusal: Option<Refusal>,
    /// Nobody can know whether it was refused.
    pub is_lost: bool,
    /// The messages at hand whose publishes came back.
    pub returned: BTreeSet<usize>,
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
    /// What stands at the `on_return` of an action of a rule, or of the timeout.
    Returned {
        rule: Option<usize>,
        action: usize,
    },
}

/// What a job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    Nothing,
    Until(Moment),
    /// Publishes that have not ended.
    Publishes(BTreeMap<PublishId, SentFor>),
    /// The answer to a command of the action under way: an open channel, a call behind a settlement.
    Answer(RequestId),
}

/// For which message of a job something is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SentFor {
    /// Its place in the job.
    pub held: usize,
    /// It is acked when the publish is confirmed.
    pub acks: bool,
}

impl Job {
    /// Makes a job that has not begun.
    pub fn new(held: Vec<Held>, doing: JobState) -> Self {
        Self {
            held,
            doing,
            next_action: 0,
            wait: Wait::Nothing,
            over_at: None,
            trial: Trial::default(),
            committed: false,
        }
    }

    /// Returns the actions at hand.
    pub fn actions<'c>(&self, consumer: &'c Consumer) -> &'c [Action] {
        self.list(consumer).map_or(&[], |list| &list.actions)
    }

    /// Returns what stands beside the action before the next one.
    pub fn line<'c>(&self, consumer: &'c Consumer) -> Option<&'c ActionLine> {
        self.list(consumer)?.lines.get(self.next_action.checked_sub(1)?)
    }

    /// Returns what stands beside the next action.
    pub fn line_ahead<'c>(&self, consumer: &'c Consumer) -> Option<&'c ActionLine> {
        self.list(consumer)?.lines.get(self.next_action)
    }

    /// Returns where the action before the next one stands.
    pub fn place(&self, consumer: &Consumer) -> Option<Span> {
        self.line(consumer).map(|line| line.span)
    }

    fn list<'c>(&self, consumer: &'c Consumer) -> Option<&'c ActionList> {
        let of_rule = |rule: usize| consumer.rules.get(rule).map(|rule| &rule.done);
        let of_timeout = || consumer.timeout.as_ref().map(|timeout| &timeout.done);
        match self.doing {
            JobState::Rule(rule) => of_rule(rule),
            JobState::Timeout => of_timeout(),
            JobState::Returned { rule, action } => {
                let list = rule.map_or_else(of_timeout, of_rule)?;
                list.lines.get(action)?.on_return.as_ref()
            }
        }
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
