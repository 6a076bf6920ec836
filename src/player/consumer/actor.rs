//! One consumer instance: its connection and channels, what it was sent, what it works on and what it has in hand.
//! Plain state and its wake-up; what it does with it is in `working`, `acting`, `subscription`, `leaving`, `comeback`.

use crate::broker::{ChannelId, ConnectionId, DeliveryTag};
use crate::model::{Batch, Consumer, Moment, Name, Scenario};
use crate::player::consumer::absence::Absence;
use crate::player::consumer::job::{Held, Job, Wait};
use crate::player::consumer::memory::Remembered;
use crate::player::message::anonymous_messages::Alike;
use crate::player::record::ledger::Ledger;
use std::collections::{BTreeMap, VecDeque};

/// One consumer instance.
#[derive(Debug)]
pub(crate) struct Actor {
    /// Its index among the scenario's consumers.
    pub consumer: usize,
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
    pub comeback: Option<Absence>,
}

/// One unsettled delivery.
#[derive(Debug)]
pub(crate) struct InHand {
    pub name: Name,
    /// Which one it is of those that are alike, when it has no id.
    pub alike: Option<Alike>,
    /// The receipt's index in the ledger.
    pub receipt: u64,
    /// By what it would be known again.
    pub keys: Vec<Remembered>,
}

impl Actor {
    /// Makes all instances of a scenario's consumers, in file order, and enters them in the ledger.
    pub fn all(scenario: &Scenario, ledger: &mut Ledger) -> Vec<Actor> {
        let mut actors = Vec::new();
        for (index, consumer) in scenario.consumers.iter().enumerate() {
            let nameless = consumer.own_queue.as_ref().is_some_and(|own| own.queue.name.is_empty());
            for (instance, name) in (1..).zip(consumer.instance_names()) {
                let mut queue = consumer.queue.clone();
                if nameless {
                    // The server's name differs in each run: the queue is called after whom it belongs to.
                    queue.name = format!("{name}'s queue").into();
                }
                ledger.add_consumer(name.clone(), queue);
                actors.push(Actor {
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
                    comeback: None,
                });
            }
        }
        actors
    }

    /// Returns whether it is on its way back.
    pub fn is_connecting(&self) -> bool {
        self.comeback.as_ref().is_some_and(Absence::is_connecting)
    }

    /// Lists its channels, consuming one first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> {
        self.channel.into_iter().chain(self.publishing)
    }

    /// Returns the next moment at which it acts by itself.
    pub fn wake_at(&self, consumer: &Consumer) -> Option<Moment> {
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
        let back = self.comeback.as_ref().and_then(Absence::wake_at);
        jobs.chain(filled).chain(back).min()
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
        self.running = false;
        std::mem::take(&mut self.in_hand)
    }
}
