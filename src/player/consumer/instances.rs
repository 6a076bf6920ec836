//! All consumer instances: gives each its turn and what is meant for it, and does what concerns those that share a
//! channel or a connection. Gives the driver what it takes to start one, and who is connected.

use crate::broker::{ChannelId, Command, ConnectionId, Delivery, DeliveryTag, PublishId, Refusal, Reply, RequestId};
use crate::broker::{Scope, Settlement};
use crate::model::{Consumer, Moment, Name, PublishOutcome, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::others::Others;
use crate::player::consumer::working::SharedAct;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::{Asker, Owner};
use crate::player::message::anonymous_messages::Alike;
use crate::player::record::circumstances::UnderWay;
use crate::player::record::timeline::{Attempt, ConsumerEnd};

/// All consumer instances of a run.
#[derive(Debug, Default)]
pub(crate) struct ConsumerInstances {
    instances: Vec<ConsumerInstance>,
}

impl ConsumerInstances {
    /// Makes all instances of a scenario's consumers, in file order, and enters them in the ledger.
    pub fn new(scenario: &Scenario, context: &mut Context) -> Self {
        Self { instances: ConsumerInstance::all(scenario, context) }
    }

    /// Gives each instance its turn, in file order; says whether any did anything.
    pub fn step(&mut self, context: &mut Context, scenario: &Scenario) -> bool {
        let mut acted = false;
        for number in 0..self.instances.len() {
            acted |= self.step_one(number, context, scenario);
        }
        acted
    }

    fn step_one(&mut self, number: usize, context: &mut Context, scenario: &Scenario) -> bool {
        let (instance, others) = Others::split(&mut self.instances, number);
        let mut turn = instance.begin_turn(context, scenario, others);
        loop {
            let (instance, others) = Others::split(&mut self.instances, number);
            match instance.go_on(&mut turn, context, scenario, others) {
                Some(act) => self.act_together(number, act, context, scenario),
                None => return turn.acted,
            }
        }
    }

    /// Returns the next moment at which an instance acts by itself.
    pub fn wake_at(&self, scenario: &Scenario) -> Option<Moment> {
        self.instances.iter().filter_map(|instance| instance.wake_at(scenario)).min()
    }

    /// Finds the instance that a broker means: its channel may carry several.
    pub fn find(&self, context: &Context, channel: ChannelId, consumer: &Name) -> Option<usize> {
        let is_it = |instance: &ConsumerInstance| instance.channel == Some(channel) && instance.name == *consumer;
        match context.channels.owner(channel)? {
            Owner::Instance(number) if is_it(&self.instances[number]) => Some(number),
            Owner::Instance(_) => self.instances.iter().position(is_it),
            Owner::Driver => None,
        }
    }

    /// Hands a delivery to an instance, under the name that the run gave the message.
    pub fn deliver(
        &mut self,
        number: usize,
        named: (Name, Option<Alike>),
        delivery: Delivery,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        self.instances[number].deliver(context, scenario, named, delivery);
    }

    /// Tells an instance how a publish of its own ended.
    pub fn publish_ended(
        &mut self,
        number: usize,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        self.instances[number].publish_ended(publish, outcome, refusal, context, scenario);
    }

    /// Hands an instance the answer to what it asked.
    pub fn answered(&mut self, number: usize, request: RequestId, reply: Result<Reply, Refusal>) {
        self.instances[number].answered(request, reply);
    }

    /// The broker cancelled an instance's subscription.
    pub fn cancelled(&mut self, number: usize, context: &mut Context) {
        self.instances[number].cancelled(context);
    }
}

/// What the driver sees of them, and has them do.
impl ConsumerInstances {
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

    /// Returns what it takes to start an instance.
    pub fn start(&mut self, number: usize, context: &mut Context, scenario: &Scenario) -> Vec<Ask> {
        let (instance, others) = Others::split(&mut self.instances, number);
        instance.absence = None;
        instance.subscribe(context, scenario, others)
    }

    /// Hears how the start of an instance ended. What was opened for one that did not come about is closed.
    pub fn started(&mut self, number: usize, well: bool, context: &mut Context, scenario: &Scenario) {
        let (instance, others) = Others::split(&mut self.instances, number);
        if well { instance.subscribed(context, scenario) } else { instance.withdraw(context, scenario, others) }
    }

    /// Stops all that a name means.
    pub fn stop_all(&mut self, name: &Name, context: &mut Context, scenario: &Scenario) {
        let meant: Vec<usize> = self.named(name, scenario).collect();
        meant.into_iter().for_each(|number| self.stop(number, Asker::Leaving, context, scenario));
    }

    /// Crashes all that a name means.
    pub fn crash_all(&mut self, name: &Name, context: &mut Context, scenario: &Scenario) {
        let meant: Vec<usize> = self.named(name, scenario).collect();
        meant.into_iter().for_each(|number| self.crash(number, Asker::Leaving, context, scenario));
    }

    /// Takes a connection away that the driver closes from this side.
    pub fn hang_up(&mut self, connection: ConnectionId, context: &mut Context, scenario: &Scenario) {
        let user = self.instances.iter().position(|instance| instance.connection == Some(connection));
        if let Some(number) = user {
            self.lose_connection(connection, number, ConsumerEnd::ClosesConnection, context, scenario);
        }
    }

    /// The broker closed a channel: the consuming one of some instances, or the one that an instance publishes over.
    /// `told`: the step at hand says why.
    pub fn channel_closed(
        &mut self,
        channel: ChannelId,
        cause: &Refusal,
        told: bool,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let whole = cause.scope == Scope::Connection;
        for number in 0..self.instances.len() {
            let (instance, others) = Others::split(&mut self.instances, number);
            if instance.publishing == Some(channel) {
                instance.publishing = None;
            }
            if instance.channel != Some(channel) {
                continue;
            }
            if whole {
                instance.connection = None;
            }
            // One that never came to consume has been refused in words already.
            if instance.running {
                if cause.code != 0 && !told {
                    let what = if whole { Attempt::Connection } else { Attempt::Channel };
                    context.refused(instance.name.clone(), what, cause);
                }
                let how = if whole { ConsumerEnd::LosesConnection } else { ConsumerEnd::LosesChannel };
                instance.leave(how, context, scenario, others);
                instance.plan_reconnect(context, scenario);
            }
        }
    }

    /// The broker closed a connection, its channels before it.
    pub fn connection_closed(&mut self, connection: ConnectionId) {
        for instance in self.instances.iter_mut().filter(|instance| instance.connection == Some(connection)) {
            instance.connection = None;
        }
    }
}

/// What concerns those that share a channel or a connection.
impl ConsumerInstances {
    fn act_together(&mut self, number: usize, act: SharedAct, context: &mut Context, scenario: &Scenario) {
        match act {
            SharedAct::SettleUpTo(tag, settlement) => self.settle_up_to(number, tag, settlement, context, scenario),
            SharedAct::Crash => self.crash(number, Asker::Nobody, context, scenario),
            SharedAct::CloseChannel => self.close_channel(number, context, scenario),
        }
    }

    /// Lists an instance and those that share its channel.
    fn sharers(&self, number: usize) -> Vec<usize> {
        let channel = self.instances[number].channel;
        let shares = |one: &&ConsumerInstance| one.number == number || channel.is_some() && one.channel == channel;
        self.instances.iter().filter(shares).map(|instance| instance.number).collect()
    }

    fn settle_up_to(
        &mut self,
        number: usize,
        tag: DeliveryTag,
        settlement: Settlement,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let Some(channel) = self.instances[number].channel else { return };
        context.outbox.send(Command::Settle { channel, tag, multiple: true, settlement });
        for sharer in self.sharers(number) {
            self.instances[sharer].settled((DeliveryTag(0), tag), settlement, true, context, scenario);
        }
    }

    /// Drops an instance's socket.
    fn crash(&mut self, number: usize, asker: Asker, context: &mut Context, scenario: &Scenario) {
        let Some(connection) = self.instances[number].connection else { return };
        context.outbox.ask(asker, |request| Command::Cut { request, connection });
        self.lose_connection(connection, number, ConsumerEnd::Crashes, context, scenario);
    }

    /// Closes the consuming channel politely.
    fn close_channel(&mut self, number: usize, context: &mut Context, scenario: &Scenario) {
        let Some(channel) = self.instances[number].channel else { return };
        context.outbox.ask(Asker::Nobody, |request| Command::CloseChannel { request, channel });
        for sharer in self.sharers(number) {
            let how = if sharer == number { ConsumerEnd::ClosesChannel } else { ConsumerEnd::LosesChannel };
            self.lose(sharer, how, context, scenario);
        }
    }

    /// Cancels and closes politely; a connection that others use stays open.
    fn stop(&mut self, number: usize, asker: Asker, context: &mut Context, scenario: &Scenario) {
        self.instances[number].cancel(context, asker);
        let sharers = self.sharers(number);
        if sharers.iter().any(|sharer| self.instances[*sharer].running) {
            return;
        }
        if let Some(connection) = self.instances[number].connection {
            context.outbox.ask(asker, |request| Command::Disconnect { request, connection });
        }
        for sharer in sharers {
            let (instance, others) = Others::split(&mut self.instances, sharer);
            instance.leave(ConsumerEnd::Stops, context, scenario, others);
            instance.connection = None;
        }
    }

    /// A connection is gone by an instance's doing: all that used it go with it.
    fn lose_connection(
        &mut self,
        connection: ConnectionId,
        by: usize,
        how: ConsumerEnd,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        for number in 0..self.instances.len() {
            if self.instances[number].connection == Some(connection) {
                self.instances[number].connection = None;
                self.lose(
                    number,
                    if number == by { how } else { ConsumerEnd::LosesSharedConnection },
                    context,
                    scenario,
                );
            }
        }
    }

    /// An instance is gone, and comes back if it may.
    fn lose(&mut self, number: usize, how: ConsumerEnd, context: &mut Context, scenario: &Scenario) {
        let (instance, others) = Others::split(&mut self.instances, number);
        instance.leave(how, context, scenario, others);
        instance.plan_reconnect(context, scenario);
    }
}
