//! What `get` steps hold under a name, and over which channels: one for each user and vhost, so that `multiple` has a
//! meaning. Data without a verb.

use crate::broker::{ChannelId, ConnectionId, DeliveryTag, Refusal, Settlement};
use crate::model::{Name, QueueName};
use crate::player::message::anonymous_messages::Alike;
use std::collections::BTreeMap;

/// All that is held, and over which channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldMessages {
    pub channels: BTreeMap<(Option<Name>, Name), (ConnectionId, ChannelId)>,
    pub by_name: BTreeMap<Name, HeldMessage>,
    /// Why the broker closed a channel of these last: the answer to what was asked over it says less.
    pub ended: Option<(ChannelId, Refusal)>,
}

/// What was taken under one name.
#[derive(Debug, Clone)]
pub(crate) struct HeldMessage {
    pub channel: ChannelId,
    pub tag: DeliveryTag,
    pub queue: QueueName,
    pub message: Name,
    /// Which one it is of those that are alike, when it has no id.
    pub alike: Option<Alike>,
    pub who: Name,
    pub state: HeldState,
    /// How it was settled in a transaction that is open.
    pub in_transaction: Option<Settlement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldState {
    InHand,
    Settled,
    /// With the end of its channel.
    Returned,
}

impl HeldMessages {
    /// Returns the channel over which a user holds messages in a vhost.
    pub fn channel_of(&self, user: &(Option<Name>, Name)) -> Option<ChannelId> {
        self.channels.get(user).map(|(_, channel)| *channel)
    }

    /// Returns what is in hand over these channels.
    pub fn recover(&mut self, channels: &[ChannelId]) -> Vec<&mut HeldMessage> {
        let in_hand = self.by_name.values_mut().filter(|one| one.state == HeldState::InHand);
        in_hand.filter(|one| channels.contains(&one.channel)).collect()
    }

    /// Forgets the channels that are gone, and gives what was in hand over them.
    pub fn lose(&mut self, is_gone: impl Fn(ConnectionId, ChannelId) -> bool) -> Vec<&mut HeldMessage> {
        let mut gone = Vec::new();
        self.channels.retain(|_, (connection, channel)| {
            let is_gone = is_gone(*connection, *channel);
            gone.extend(is_gone.then_some(*channel));
            !is_gone
        });
        let lost = self.by_name.values_mut();
        let is_held = |one: &HeldMessage| one.state == HeldState::InHand || one.in_transaction.is_some();
        lost.filter(|one| is_held(one) && gone.contains(&one.channel)).collect()
    }
}
