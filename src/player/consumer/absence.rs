//! A consumer that is away and means to come back.

use crate::model::Moment;
use crate::player::context::command_sequence::CommandSequence;

/// An absence that is meant to end.
#[derive(Debug, Clone)]
pub(crate) struct Absence {
    /// Made since the loss.
    pub attempts: u32,
    pub state: AbsenceState,
}

#[derive(Debug, Clone)]
pub(crate) enum AbsenceState {
    Pausing { until: Moment },
    Connecting(Box<CommandSequence>),
}

impl Absence {
    /// Returns when the next attempt is due.
    pub fn wake_at(&self) -> Option<Moment> {
        match self.state {
            AbsenceState::Pausing { until } => Some(until),
            AbsenceState::Connecting(_) => None,
        }
    }

    pub fn is_connecting(&self) -> bool {
        matches!(self.state, AbsenceState::Connecting(_))
    }
}
