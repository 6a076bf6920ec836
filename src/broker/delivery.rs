//! A message in the hands of a client: what basic.deliver and basic.get-ok carry.

use crate::broker::{DeliveredMessage, DeliveryTag};
use crate::model::Name;

/// A message on its way to a consumer, or taken by get.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub tag: DeliveryTag,
    pub redelivered: bool,
    pub exchange: Name,
    pub routing_key: Name,
    pub message: DeliveredMessage,
}

impl Delivery {
    /// Returns whether nothing tells of an earlier delivery or death: a queue that is drained gives such.
    pub fn is_fresh(&self) -> bool {
        !self.redelivered && self.message.header("x-death").is_none()
    }
}
