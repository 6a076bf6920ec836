//! What a party on the playing side must offer.

use crate::broker::{Command, Event};
use crate::model::Moment;
use std::collections::VecDeque;

/// Whoever asks a broker for things: the scenario player, the plan applier.
///
/// The runner (`simulate`, or `io::live`) repeats: hand over all events, then poll commands until there is none,
/// then let time pass to the next wake-up of either side. At one moment the broker moves first.
pub trait Client: Send {
    /// Returns the next command, or `None` when there is nothing to ask at this moment.
    fn poll_command(&mut self, now: Moment) -> Option<Command>;

    /// Takes one thing that the broker said.
    fn handle_event(&mut self, now: Moment, event: Event);

    /// Takes all that the broker said, in its order, and leaves nothing of it.
    fn handle_events(&mut self, now: Moment, events: &mut VecDeque<Event>) {
        while let Some(event) = events.pop_front() {
            self.handle_event(now, event);
        }
    }

    /// Returns the next moment at which polling could yield something without any event.
    fn wake_at(&self) -> Option<Moment>;

    /// Returns whether the client has decided already to end a subscription, a channel or a connection, after settlements or
    /// none: what the broker says meanwhile comes too late to change that.
    fn is_leaving(&self) -> bool {
        false
    }

    /// Returns whether the client will ask for nothing more, whatever happens.
    fn is_done(&self) -> bool;
}
