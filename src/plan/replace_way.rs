//! The ways in which an object is replaced that RabbitMQ never changes, or the reason why it stays. Plain data.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::plan::move_queue::MoveStop;

/// How one object is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReplaceWay {
    /// Nothing says how.
    #[default]
    Refused,
    /// `if-empty`, and it is not.
    NotEmpty,
    CannotMove(MoveStop),
    /// An earlier move is unfinished, and nothing says that it is to be gone on with.
    Unfinished,
    IfEmpty,
    Drop,
    Move {
        /// An earlier move is gone on with.
        resumes: bool,
        /// The broker does not take a carried x-death for its own (DL-22).
        counts_deaths_anew: bool,
        /// The queue hands its messages out by priority, and so they are carried.
        by_priority: bool,
    },
}

impl ReplaceWay {
    /// Returns the word for machines.
    pub fn as_str(&self) -> &'static str {
        match self {
            ReplaceWay::Refused => "refused",
            ReplaceWay::NotEmpty => "not-empty",
            ReplaceWay::CannotMove(_) => "cannot-move",
            ReplaceWay::Unfinished => "unfinished-move",
            ReplaceWay::IfEmpty => "if-empty",
            ReplaceWay::Drop => "drop",
            ReplaceWay::Move { .. } => "move",
        }
    }

    /// Returns whether the object stays as it is.
    pub fn is_refused(&self) -> bool {
        !matches!(self, ReplaceWay::IfEmpty | ReplaceWay::Drop | ReplaceWay::Move { .. })
    }
}
