//! All consumer instances: gives each its turn and what is meant for it. What concerns those that share a channel or a
//! connection is in `together`, what others may know of them in `overview`.

use crate::broker::{ChannelId, ConnectionId, Delivery, PublishId, Refusal, Reply, RequestId, Scope};
use crate::model::{Moment, Name, PublishOutcome, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::others::Others;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::Owner;
use crate::player::message::anonymous_messages::Alike;
use crate::player::record::timeline::{Attempt, ConsumerEnd};

/// All consumer instances of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsumerInstances {
    pub(super) instances: Vec<ConsumerInstance>,
}

impl ConsumerInstances {
    /// Makes all instances of a scenario's consumers, in file order, and enters them in the ledger.
    pub fn new(scenario: &Scenario, context: &mut Context) -> Self {
        Self { instances: ConsumerInstance::all(scenario, context) }
    }

    /// Makes the instances of consumers that came to a scenario: those from an index on.
    pub fn extend(&mut self, scenario: &Scenario, from: usize, context: &mut Context) {
        for (index, consumer) in scenario.consumers.iter().enumerate().skip(from) {
            self.instances.extend(ConsumerInstance::of_consumer(index, consumer, context));
        }
    }

    /// Lists all instances.
    pub fn instances(&self) -> impl Iterator<Item = &ConsumerInstance> {
        self.instances.iter()
    }

    /// Polls each instance in file order; returns whether any did anything.
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

    /// Lists the instances that act by themselves, with when each does next.
    pub fn wakes<'a>(&'a self, scenario: &'a Scenario) -> impl Iterator<Item = (&'a Name, Moment)> {
        self.instances.iter().filter_map(|instance| Some((&instance.name, instance.wake_at(scenario)?)))
    }

    /// Returns whether an instance can go on at this moment.
    pub fn have_work(&self, scenario: &Scenario) -> bool {
        self.instances.iter().any(|instance| instance.has_work(scenario))
    }

    /// Returns whether an instance that can go on may do what concerns all that it was sent.
    pub fn concern_all_sent(&self, scenario: &Scenario) -> bool {
        self.instances.iter().any(|instance| {
            let consumer = instance.declared(scenario);
            consumer.prefetch != 1 && consumer.concerns_all_sent() && instance.has_work(scenario)
        })
    }

    /// Finds the instance that a broker means: its channel may carry several.
    pub fn find(&self, context: &Context, channel: ChannelId, consumer: &Name) -> Option<usize> {
        let is_it = |instance: &ConsumerInstance| instance.channel == Some(channel) && instance.name == *consumer;
        match context.channels.owner(channel)? {
            Owner::Instance(number) if is_it(&self.instances[number]) => Some(number),
            Owner::Instance(_) => self.instances.iter().position(is_it),
            Owner::Driver | Owner::Hand(_) => None,
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
    pub fn answered(
        &mut self,
        number: usize,
        request: RequestId,
        reply: Result<Reply, Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        self.instances[number].answered_job(request, &reply, context, scenario);
        self.instances[number].answered(request, reply);
    }

    /// The broker cancelled an instance's subscription.
    pub fn cancelled(&mut self, number: usize, context: &mut Context) {
        self.instances[number].cancelled(context);
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
            instance.settlement_refused(cause, context, scenario);
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
