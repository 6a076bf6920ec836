//! What the broker holds, to be looked at: nothing that is asked here changes anything.

use crate::broker::{ChannelId, DeliveryTag};
use crate::model::{Moment, QueueName};
use crate::sim::broker::Sim;

/// A delivery that waits to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledDelivery {
    /// The channel that it was delivered on.
    pub channel: ChannelId,
    /// Its tag there.
    pub tag: DeliveryTag,
    /// Where it was taken from.
    pub queue: QueueName,
    /// When.
    pub since: Moment,
}

impl Sim {
    /// Returns the delivery that has waited longest to be settled, among channels that fit.
    pub fn oldest_unsettled(&self, fits: impl Fn(ChannelId) -> bool) -> Option<UnsettledDelivery> {
        let channels = self.channels.iter().map(|(_, channel)| channel).filter(|channel| fits(channel.id));
        let first = channels.filter_map(|channel| Some((channel.id, channel.unacked.front()?)));
        let (channel, oldest) = first.min_by_key(|(_, unacked)| unacked.since)?;
        let queue = self.queues.get(oldest.queue)?.name.clone();
        Some(UnsettledDelivery { channel, tag: DeliveryTag(oldest.tag), queue, since: oldest.since })
    }
}
