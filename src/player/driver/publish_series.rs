//! One publish step under way: its messages go out in a window, at their times, and each outcome is awaited.

use crate::broker::{ChannelId, PublishId};
use crate::model::{Millis, Moment, Publish};
use std::collections::BTreeSet;

/// How many publishes may be unsettled at once.
const WINDOW: usize = 1_000;

/// A publish step under way.
#[derive(Debug)]
pub(crate) struct PublishSeries {
    count: u32,
    every: Millis,
    pub channel: ChannelId,
    began: Moment,
    /// The next message to send, from 1.
    next: u32,
    in_flight: BTreeSet<PublishId>,
    /// The channel is gone: nothing more is sent.
    pub broken: bool,
}

impl PublishSeries {
    /// Begins a step at a moment.
    pub fn new(publish: &Publish, channel: ChannelId, began: Moment) -> Self {
        let Publish { count, every, .. } = *publish;
        Self { count, every, channel, began, next: 1, in_flight: BTreeSet::new(), broken: false }
    }

    /// Returns the number of the message that may go out now.
    pub fn due(&self, now: Moment) -> Option<u32> {
        let open = !self.broken && self.next <= self.count && self.in_flight.len() < WINDOW;
        (open && self.moment_of_next() <= now).then_some(self.next)
    }

    /// Notes that the due message went out.
    pub fn sent(&mut self, publish: PublishId) {
        self.in_flight.insert(publish);
        self.next += 1;
    }

    /// Notes that a publish ended, whichever way; says whether it was one of these.
    pub fn ended(&mut self, publish: PublishId) -> bool {
        self.in_flight.remove(&publish)
    }

    /// Returns when the next message is due, unless an outcome is awaited first.
    pub fn wake_at(&self) -> Option<Moment> {
        let waits = !self.broken && self.next <= self.count && self.in_flight.len() < WINDOW;
        waits.then(|| self.moment_of_next())
    }

    /// Returns whether more went out at once than may be unsettled, and that there is more to send.
    pub fn is_amid_bulk(&self) -> bool {
        self.every == Millis(0) && self.next as usize > WINDOW && self.next <= self.count
    }

    /// Returns whether all were sent and all have ended.
    pub fn is_over(&self) -> bool {
        self.in_flight.is_empty() && (self.broken || self.next > self.count)
    }

    fn moment_of_next(&self) -> Moment {
        Moment(self.began.0 + u64::from(self.next - 1) * self.every.0)
    }
}
