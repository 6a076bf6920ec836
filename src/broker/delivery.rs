//! A message in the hands of a client: what basic.deliver and basic.get-ok carry.

use crate::broker::{DeliveredMessage, DeliveryTag};
use crate::model::Name;

/// A message on its way to a consumer, or taken by get.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Counts on its channel.
    pub tag: DeliveryTag,
    /// The broker handed it out before.
    pub redelivered: bool,
    /// Where it was published to last; `""` is the default exchange.
    pub exchange: Name,
    /// The key of that publish.
    pub routing_key: Name,
    /// Properties and body.
    pub message: DeliveredMessage,
}

impl Delivery {
    /// Returns whether nothing tells of an earlier delivery or death: a queue that is drained gives such.
    pub fn is_fresh(&self) -> bool {
        !self.redelivered && self.message.header("x-death").is_none()
    }
}
