//! What a session says to whoever looks on: the latest sentences, numbered, and how expectations came out.

use crate::model::Moment;
use std::collections::VecDeque;

/// How many sentences are kept.
const SENTENCES_MAX: usize = 200;

/// How an expectation came out at a line: how often it held and failed, and when it was last judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JudgedAtLine {
    pub holds: u64,
    pub fails: u64,
    pub last: Moment,
}

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something was done, or came to be.
    News,
    /// Something was not done.
    Fault,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaySentence {
    /// Counted from 1.
    pub number: u64,
    pub at: Moment,
    pub tone: Tone,
    pub text: String,
}

/// The latest sentences.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlayLog {
    kept: VecDeque<PlaySentence>,
    count: u64,
}

impl PlayLog {
    pub(crate) fn say(&mut self, at: Moment, tone: Tone, text: impl Into<String>) {
        self.count += 1;
        if self.kept.len() == SENTENCES_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(PlaySentence { number: self.count, at, tone, text: text.into() });
    }

    /// Returns how many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Lists those after one.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &PlaySentence> {
        self.kept.iter().filter(move |one| one.number > number)
    }
}
