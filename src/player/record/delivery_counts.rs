//! How often messages were delivered: one that comes again and again without end is a loop.

use crate::model::Name;
use crate::player::message::anonymous_messages::NAMES_KEPT;
use std::collections::BTreeMap;

/// How often one message may be delivered before the run is called a loop.
pub(crate) const DELIVERIES_OF_ONE_MESSAGE_MAX: u64 = 10_000;

/// Counts the deliveries to all consumers.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct DeliveryCounts {
    pub all: u64,
    of_message: BTreeMap<Name, u64>,
}

impl DeliveryCounts {
    /// Counts a delivery of a message with an id; says whether the message came as often as it may.
    pub fn is_last_of(&mut self, message: &Name) -> bool {
        if self.of_message.len() >= NAMES_KEPT && !self.of_message.contains_key(message) {
            return false;
        }
        let count = self.of_message.entry(message.clone()).or_default();
        *count += 1;
        *count == DELIVERIES_OF_ONE_MESSAGE_MAX
    }
}
