//! A consumer that is away and means to come back.

use crate::model::Moment;
use crate::player::driver::command_sequence::CommandSequence;

/// Is an absence that is meant to end.
#[derive(Debug)]
pub(crate) struct Reconnect {
    /// Made since the loss.
    pub attempts: u32,
    pub state: State,
}

#[derive(Debug)]
pub(crate) enum State {
    Waiting { until: Moment },
    Connecting(Box<CommandSequence>),
}

impl Reconnect {
    /// Gives when the next attempt is due.
    pub fn wake_at(&self) -> Option<Moment> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::Connecting(_) => None,
        }
    }

    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(_))
    }
}
