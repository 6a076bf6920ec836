//! One consumer instance: its connection and channels, what it was sent, what it works on and what it has in hand.
//! State and its wake-up. What it does with it is in `working`, `actions`, `settling`, `subscription`, `teardown` and
//! `reconnect`; what concerns those that share its channel, it asks of `together`.

use crate::broker::{ChannelId, ConnectionId, Delivery, DeliveryTag};
use crate::model::{Batch, Consumer, Moment, Name, Scenario};
use crate::player::consumer::absence::Absence;
use crate::player::consumer::job::{Held, Job, Wait};
use crate::player::context::Context;
use crate::player::message::anonymous_messages::Alike;
use crate::player::record::memory::Remembered;
use crate::player::record::timeline::TimelineEvent;
use std::collections::{BTreeMap, VecDeque};

/// One consumer instance.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerInstance {
    /// Its number among all instances, also in the ledger.
    pub number: usize,
    /// Its index among the scenario's consumers.
    pub consumer: usize,
    /// Counts those of its consumer from 1.
    pub instance: u16,
    pub name: Name,
    pub running: bool,
    pub connection: Option<ConnectionId>,
    pub channel: Option<ChannelId>,
    /// The channel beside the consuming one, for what its actions publish.
    pub publishing: Option<ChannelId>,
    pub inbox: VecDeque<Held>,
    pub jobs: Vec<Job>,
    /// Unsettled deliveries.
    pub in_hand: BTreeMap<DeliveryTag, InHand>,
    /// Away and means to come back.
    pub absence: Option<Absence>,
}

/// One unsettled delivery.
#[derive(Debug, Clone, Hash)]
pub(crate) struct InHand {
    pub name: Name,
    /// Which one it is of those that are alike, when it has no id.
    pub alike: Option<Alike>,
    /// The receipt's index in the ledger.
    pub receipt: u64,
    /// By what it would be known again.
    pub keys: Vec<Remembered>,
}

impl ConsumerInstance {
    /// Makes all instances of a scenario's consumers, in file order, and enters them in the ledger.
    pub fn all(scenario: &Scenario, context: &mut Context) -> Vec<Self> {
        let consumers = scenario.consumers.iter().enumerate();
        consumers.flat_map(|(index, consumer)| Self::of_consumer(index, consumer, context)).collect()
    }

    /// Makes the instances of one consumer, by its index among the scenario's, and enters them in the ledger.
    pub fn of_consumer(index: usize, consumer: &Consumer, context: &mut Context) -> Vec<Self> {
        let nameless = consumer.own_queue.as_ref().is_some_and(|own| own.queue.name.is_empty());
        let make = |(instance, name): (u16, Name)| {
            let mut queue = consumer.queue.clone();
            if nameless {
                // The server's name differs in each run: the queue is called after whom it belongs to.
                queue.name = format!("{name}'s queue").into();
            }
            let number = context.ledger.add_consumer(name.clone(), queue);
            Self {
                number,
                consumer: index,
                instance,
                name,
                running: false,
                connection: None,
                channel: None,
                publishing: None,
                inbox: VecDeque::new(),
                jobs: Vec::new(),
                in_hand: BTreeMap::new(),
                absence: None,
            }
        };
        (1..).zip(consumer.instance_names()).map(make).collect()
    }

    /// Returns the consumer that it is an instance of.
    pub fn declared<'s>(&self, scenario: &'s Scenario) -> &'s Consumer {
        &scenario.consumers[self.consumer]
    }

    /// Returns whether it is on its way back.
    pub fn is_connecting(&self) -> bool {
        self.absence.as_ref().is_some_and(Absence::is_connecting)
    }

    /// Returns whether it can go on at this moment: something waits for a free hand, or is in hand and waits for nothing.
    pub fn has_work(&self, scenario: &Scenario) -> bool {
        let consumer = self.declared(scenario);
        let free = self.jobs.len() < usize::from(consumer.concurrency.max(1));
        let full = consumer.batch.is_none_or(|batch| self.inbox.len() >= usize::from(batch.size));
        self.running
            && (free && full && !self.inbox.is_empty() || self.jobs.iter().any(|job| job.wait == Wait::Nothing))
    }

    /// Returns the next moment at which it acts by itself.
    pub fn wake_at(&self, scenario: &Scenario) -> Option<Moment> {
        let consumer = self.declared(scenario);
        let jobs = self.jobs.iter().flat_map(|job| {
            let until = match job.wait {
                Wait::Until(moment) => Some(moment),
                _ => None,
            };
            until.into_iter().chain(job.over_at)
        });
        let free = self.jobs.len() < usize::from(consumer.concurrency.max(1));
        let first = consumer.batch.filter(|_| free).zip(self.inbox.front());
        let filled = first.map(|(batch, held)| held.arrived + batch.after);
        let back = self.absence.as_ref().and_then(Absence::wake_at);
        jobs.chain(filled).chain(back).min()
    }

    /// Takes a delivery, under the name that the run gave the message.
    pub fn deliver(
        &mut self,
        context: &mut Context,
        scenario: &Scenario,
        (name, alike): (Name, Option<Alike>),
        delivery: Delivery,
    ) {
        let arrived = context.now();
        let receipt = context.ledger.delivered(self.number, name.clone(), &delivery, arrived);
        let memory = &mut context.memories[self.consumer];
        let attempt = memory.attempt(&name, &delivery);
        if self.declared(scenario).auto_ack {
            context.ledger.released(self.number, 1);
            context.ledger.expirations.remove(&name);
        } else {
            let in_hand = InHand { name: name.clone(), alike, receipt, keys: memory.keys(&delivery) };
            self.in_hand.insert(delivery.tag, in_hand);
        }
        context.record(TimelineEvent::Delivered {
            consumer: self.name.clone(),
            queue: context.ledger.consumers[self.number].queue.clone(),
            name: name.clone(),
            redelivered: delivery.redelivered,
            message: std::sync::Arc::clone(&delivery.message),
        });
        self.inbox.push_back(Held { delivery, name, receipt, attempt, arrived });
    }

    /// Takes what is to be worked on next: a message, or a batch that is full or has waited long enough.
    pub fn next_work(&mut self, batch: Option<Batch>, now: Moment) -> Option<Vec<Held>> {
        let Some(batch) = batch else { return self.inbox.pop_front().map(|held| vec![held]) };
        let first = self.inbox.front()?;
        let size = usize::from(batch.size);
        let due = self.inbox.len() >= size || first.arrived + batch.after <= now;
        due.then(|| self.inbox.drain(..self.inbox.len().min(size)).collect())
    }

    /// Forgets everything that was under way and gives the deliveries that were in hand.
    pub fn drop_work(&mut self) -> BTreeMap<DeliveryTag, InHand> {
        self.inbox.clear();
        self.jobs.clear();
        std::mem::take(&mut self.in_hand)
    }
}
