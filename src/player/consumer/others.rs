//! The other consumer instances as one of them sees them: who shares its channel or its connection, who is to.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::Scenario;
use crate::player::consumer::instance::ConsumerInstance;

/// All instances but one, to look at.
#[derive(Clone, Copy, Default)]
pub(crate) struct Others<'a> {
    before: &'a [ConsumerInstance],
    after: &'a [ConsumerInstance],
}

impl<'a> Others<'a> {
    /// Takes one instance out of all.
    pub fn split(all: &'a mut [ConsumerInstance], number: usize) -> (&'a mut ConsumerInstance, Self) {
        let (before, rest) = all.split_at_mut(number);
        let (one, after) = rest.split_at_mut(1);
        (&mut one[0], Self { before, after })
    }

    fn all(self) -> impl Iterator<Item = &'a ConsumerInstance> {
        self.before.iter().chain(self.after)
    }

    /// Lists those that consume over a channel.
    pub fn on_channel(self, channel: Option<ChannelId>) -> impl Iterator<Item = &'a ConsumerInstance> {
        self.all().filter(move |other| channel.is_some() && other.channel == channel)
    }

    /// Returns whether anyone else uses a connection.
    pub fn use_connection(self, connection: ConnectionId) -> bool {
        self.all().any(|other| other.connection == Some(connection))
    }

    /// Returns the open connection and channel of another instance of the same `channel:`.
    pub fn shared_channel(self, one: &ConsumerInstance, scenario: &Scenario) -> Option<(ConnectionId, ChannelId)> {
        self.partners(one, scenario).find_map(|other| other.connection.zip(other.channel))
    }

    /// Returns whether another instance of the same `channel:` is opening it.
    pub fn are_connecting(self, one: &ConsumerInstance, scenario: &Scenario) -> bool {
        self.partners(one, scenario).any(ConsumerInstance::is_connecting)
    }

    /// Lists the others of the same `channel:`, whether they are there or not.
    fn partners(self, one: &ConsumerInstance, scenario: &Scenario) -> impl Iterator<Item = &'a ConsumerInstance> {
        let channel = scenario.consumers[one.consumer].channel.as_ref();
        self.all().filter(move |other| channel.is_some() && other.declared(scenario).channel.as_ref() == channel)
    }
}
