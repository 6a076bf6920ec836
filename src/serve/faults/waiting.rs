//! Faults that are asked for: publishes that are not taken, methods that are refused, deliveries that come late.
//! Decides what they meet; what then happens is done by the served broker.

use crate::broker::{ChannelId, Event, RequestId, code};
use crate::model::{Millis, Moment, Name};
use std::collections::BTreeMap;

/// The request by which the broker is restarted.
pub(crate) const RESTART_REQUEST: RequestId = RequestId(u64::MAX - 2);

/// A method that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedMethod {
    /// Class and method.
    pub ids: (u16, u16),
    pub name: &'static str,
    pub code: u16,
    pub text: String,
    /// How often it still is.
    pub left: u64,
}

/// Deliveries that come late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateDeliveries {
    pub by: Millis,
    /// Of this queue only.
    pub queue: Option<Name>,
    /// How many still are; absent: all.
    pub left: Option<u64>,
}

/// The faults that wait to happen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// How many publishes are nacked.
    pub nacks: u64,
    pub refused: Vec<RefusedMethod>,
    pub late: Option<LateDeliveries>,
    held: BTreeMap<(Moment, u64), (ChannelId, Event)>,
    held_count: u64,
}

/// Returns whether a code ends the connection, and not its channel alone.
pub(crate) fn ends_connection(number: u16) -> bool {
    !matches!(
        number,
        code::CONTENT_TOO_LARGE
            | code::NO_ROUTE
            | code::ACCESS_REFUSED
            | code::NOT_FOUND
            | code::RESOURCE_LOCKED
            | code::PRECONDITION_FAILED
    )
}

impl Faults {
    /// Returns whether any fault waits for a command.
    pub(crate) fn meets_commands(&self) -> bool {
        self.nacks > 0 || !self.refused.is_empty()
    }

    /// Returns whether deliveries come late, or some are kept back that no later one may overtake.
    pub(crate) fn delays(&self) -> bool {
        self.late.is_some() || !self.held.is_empty()
    }

    /// Takes the refusal that a method meets: code and text.
    pub(crate) fn refusal_of(&mut self, ids: (u16, u16)) -> Option<(u16, String)> {
        let at = self.refused.iter().position(|refused| refused.ids == ids)?;
        let refused = &mut self.refused[at];
        refused.left -= 1;
        let refusal = (refused.code, refused.text.clone());
        if refused.left == 0 {
            self.refused.remove(at);
        }
        Some(refusal)
    }

    /// Returns whether the next publish is nacked, and counts it.
    pub(crate) fn nacks_next(&mut self) -> bool {
        let nacks = self.nacks > 0;
        self.nacks = self.nacks.saturating_sub(1);
        nacks
    }

    /// Keeps a delivery back that is to come late, or that would overtake one; gives it back where it may go.
    pub(crate) fn keep_back(
        &mut self,
        now: Moment,
        channel: ChannelId,
        queue: Option<&Name>,
        event: Event,
    ) -> Option<Event> {
        let before = self.held.iter().rev().find(|(_, (of, _))| *of == channel).map(|((at, _), _)| *at);
        let fits = |late: &&mut LateDeliveries| late.queue.is_none() || late.queue.as_ref() == queue;
        let late = self.late.as_mut().filter(fits).map(|late| {
            late.left = late.left.map(|left| left.saturating_sub(1));
            now + late.by
        });
        if self.late.as_ref().is_some_and(|late| late.left == Some(0)) {
            self.late = None;
        }
        let Some(at) = late.into_iter().chain(before).max() else { return Some(event) };
        self.held_count += 1;
        self.held.insert((at, self.held_count), (channel, event));
        None
    }

    /// Takes a delivery whose time has come.
    pub(crate) fn take_due(&mut self, now: Moment) -> Option<Event> {
        let entry = self.held.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove().1)
    }

    /// Returns when the next delivery goes that is kept back.
    pub(crate) fn wake_at(&self) -> Option<Moment> {
        self.held.first_key_value().map(|((at, _), _)| *at)
    }

    /// Returns whether deliveries of a channel are kept back: its client does not have them.
    pub(crate) fn holds_of(&self, channel: ChannelId) -> bool {
        self.held.values().any(|(of, _)| *of == channel)
    }

    /// Forgets all faults that wait; what is kept back still comes when it was to.
    pub(crate) fn clear(&mut self) {
        (self.nacks, self.late) = (0, None);
        self.refused.clear();
    }
}
