//! Deliveries that go back to a queue with a consumer's channel.
//! Plain data.

use crate::player::message::anonymous_messages::Alike;

/// Deliveries that go back to a queue with a consumer's channel.
#[derive(Debug, Clone)]
pub(crate) struct GivenBack {
    /// The index of the instance.
    pub consumer: usize,
    pub count: u64,
    /// Those among them that have no id.
    pub alike: Vec<Alike>,
}
