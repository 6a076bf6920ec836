//! What others may know of the consumer instances: whose they are, what they work on, which connections they have.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::{Consumer, Moment, Name, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::record::circumstances::UnderWay;

impl ConsumerInstances {
    /// Lists all instances, in file order.
    pub fn all(&self) -> &[ConsumerInstance] {
        &self.instances
    }

    /// Returns the consumer that an instance is of, if there is that instance.
    pub fn declared<'s>(&self, number: usize, scenario: &'s Scenario) -> Option<&'s Consumer> {
        self.instances.get(number).map(|instance| instance.declared(scenario))
    }

    pub fn name_of(&self, number: usize) -> Name {
        self.instances[number].name.clone()
    }

    /// Lists the instances that a name means: all of a consumer, or one.
    pub fn named<'a>(&'a self, name: &'a Name, scenario: &'a Scenario) -> impl Iterator<Item = usize> + 'a {
        let is_meant =
            move |one: &&ConsumerInstance| one.name == *name || scenario.consumers[one.consumer].name == *name;
        self.instances.iter().filter(is_meant).map(|instance| instance.number)
    }

    /// Lists the consuming channels that are open of those that a name means, each once.
    pub fn channels_of(&self, name: &Name, scenario: &Scenario) -> Vec<ChannelId> {
        let open = self.named(name, scenario).filter_map(|number| {
            let instance = &self.instances[number];
            instance.channel.filter(|_| !instance.is_connecting())
        });
        let mut channels: Vec<ChannelId> = open.collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// Returns those that consume or publish over a channel, a bit each; none where one has no bit.
    pub fn users_of(&self, channel: ChannelId) -> u64 {
        if self.instances.len() > 64 {
            return 0;
        }
        let uses = |one: &&ConsumerInstance| one.channel == Some(channel) || one.publishing == Some(channel);
        self.instances.iter().filter(uses).fold(0, |users, one| users | 1 << one.number)
    }

    /// Returns whether none of these has anything to do at this moment.
    pub fn are_at_rest(&self, which: u64, now: Moment, scenario: &Scenario) -> bool {
        let mut meant = self.instances.iter().take(64).filter(|one| which & 1 << one.number != 0);
        meant.all(|one| !one.has_work(scenario) && one.wake_at(scenario).is_none_or(|at| at > now))
    }

    /// Returns the open channel of the instances that share one of this name.
    pub fn channel_named(&self, channel: &Name, scenario: &Scenario) -> Option<ChannelId> {
        let shares = |one: &&ConsumerInstance| one.declared(scenario).channel.as_ref() == Some(channel);
        self.instances.iter().filter(shares).filter(|one| !one.is_connecting()).find_map(|one| one.channel)
    }

    /// Lists what they have begun and not ended.
    pub fn unfinished(&self) -> impl Iterator<Item = UnderWay> {
        self.instances.iter().flat_map(ConsumerInstance::unfinished)
    }

    /// Lists the messages that they work on.
    pub fn at_work(&self) -> impl Iterator<Item = &Name> {
        self.instances.iter().flat_map(|instance| &instance.jobs).flat_map(|job| &job.held).map(|held| &held.name)
    }

    /// Lists the connections that instances have or ask for, of each instance on its own.
    pub fn all_connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.instances.iter().filter_map(|instance| instance.connection)
    }

    /// Lists the open connections with all names that mean whom they belong to.
    pub fn open_connections(&self, scenario: &Scenario) -> Vec<(ConnectionId, Vec<Name>)> {
        let mut open: Vec<(ConnectionId, Vec<Name>)> = Vec::new();
        for instance in self.instances.iter().filter(|instance| !instance.is_connecting()) {
            let Some(connection) = instance.connection else { continue };
            let consumer = instance.declared(scenario);
            let names = [Some(consumer.name.clone()), Some(instance.name.clone()), consumer.actor.clone()];
            let names = names.into_iter().flatten();
            match open.iter_mut().find(|(known, _)| *known == connection) {
                Some((_, known)) => known.extend(names),
                None => open.push((connection, names.collect())),
            }
        }
        open
    }
}
