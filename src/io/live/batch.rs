//! What one wake-up brought, put into the order in which the client hears of it.
//! Consumers begin before their deliveries; returns come before their confirms; ends come last.

use crate::broker::{ChannelId, Confirmation, Event, PublishId};
use lapin::message::BasicReturnMessage;

/// Collects events of one wake-up.
#[derive(Default)]
pub(crate) struct EventBatch {
    /// Replies to consume: deliveries may follow in the same wake-up.
    pub(crate) begun: Vec<Event>,
    pub(crate) deliveries: Vec<Event>,
    pub(crate) returned: Vec<(ChannelId, BasicReturnMessage)>,
    pub(crate) confirmed: Vec<(ChannelId, PublishId, Confirmation)>,
    pub(crate) replies: Vec<Event>,
    pub(crate) cancelled: Vec<Event>,
    pub(crate) closed: Vec<Event>,
    pub(crate) counted: Vec<Event>,
}

impl EventBatch {
    pub(crate) fn is_empty(&self) -> bool {
        let events = [&self.begun, &self.deliveries, &self.replies, &self.cancelled, &self.closed, &self.counted];
        events.iter().all(|events| events.is_empty()) && self.returned.is_empty() && self.confirmed.is_empty()
    }

    /// Joins all in order; `published` are the returns and confirms, already matched.
    pub(crate) fn into_events(mut self, published: Vec<Event>) -> Vec<Event> {
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
