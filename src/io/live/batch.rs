//! What one wake-up brought, put into the order in which the client hears of it.
//! Consumers begin before their deliveries; returns come before their confirms; ends come last.

use crate::broker::{ChannelId, Confirmation, Event, PublishId};
use lapin::message::BasicReturnMessage;

/// Collects events of one wake-up.
#[derive(Default)]
pub(super) struct Batch {
    /// Replies to consume: deliveries may follow in the same wake-up.
    pub(super) begun: Vec<Event>,
    pub(super) deliveries: Vec<Event>,
    pub(super) returned: Vec<(ChannelId, BasicReturnMessage)>,
    pub(super) confirmed: Vec<(ChannelId, PublishId, Confirmation)>,
    pub(super) replies: Vec<Event>,
    pub(super) cancelled: Vec<Event>,
    pub(super) closed: Vec<Event>,
    pub(super) counted: Vec<Event>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        let events = [&self.begun, &self.deliveries, &self.replies, &self.cancelled, &self.closed, &self.counted];
        events.iter().all(|events| events.is_empty()) && self.returned.is_empty() && self.confirmed.is_empty()
    }

    /// Joins all in order; `published` are the returns and confirms, already matched.
    pub(super) fn into_events(mut self, published: Vec<Event>) -> Vec<Event> {
        let mut all = std::mem::take(&mut self.begun);
        for mut part in [self.deliveries, published, self.replies, self.cancelled, self.closed, self.counted] {
            if all.is_empty() {
                all = part;
            } else {
                all.append(&mut part);
            }
        }
        all
    }
}
