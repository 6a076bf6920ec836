//! What the events add up to so far: counts and peaks of queues, receipts of consumers, how publishes ended.
//! Fed by the player with each event; asked by the judge. Holds no more than the ends of long lists.

use crate::broker::{Counts, Delivery, Settlement};
use crate::model::{
    Message, Moment, Name, PublishOutcome, QueueKind, QueueName, Scenario, Subject, Text, of_same_id, of_series,
};
use crate::player::assert::tally::Tallies;
use crate::player::record::outcome::{
    ActionRecord, ConsumerOutcome, MessageRecord, PublishRecord, Receipt, RefusalRecord, ReplyRecord,
};
use crate::player::record::reach::Reach;
use crate::player::record::returns::Returns;
use crate::player::{BoundedLog, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// How many messages are remembered that expire by themselves.
const EXPIRATIONS_MAX: usize = 10_000;

/// What is known of one queue.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct QueueTally {
    /// The broker's last word; `None` before any, or when the queue is not there.
    pub counts: Option<Counts>,
    /// It is a stream: what its readers have in hand is still ready.
    pub is_stream: bool,
    /// Its type, where an expectation asked for it.
    pub kind: Option<QueueKind>,
    /// Its dead letters that wait for the confirms of their targets, when that was last asked for.
    pub dead_lettering: u64,
    /// Deliveries to consumers of this run that are not settled.
    pub unacked: u64,
    /// What is unacked changed since a count was asked for: the two speak of different moments.
    pub moved: bool,
    /// Deliveries that consumers returned to the queue and that were not seen redelivered since: ready, dropped or on their way.
    pub returned: u64,
    /// Messages that the runner took to read and keeps until the end.
    pub held: Vec<MessageRecord>,
    pub peak_ready: u64,
    pub peak_unacked: u64,
    pub peak_total: u64,
}

impl QueueTally {
    /// Counts what is ready, the messages kept by the runner among them.
    pub fn ready(&self) -> u64 {
        self.counts.map_or(0, |counts| counts.ready) + self.held.len() as u64
    }

    /// Counts what it holds, ready or in hand.
    pub fn total(&self) -> u64 {
        self.ready() + if self.is_stream { 0 } else { self.unacked }
    }
}

/// A message that a consumer settled.
#[derive(Debug, Clone, PartialEq, Hash)]
pub(crate) struct SettledMessage {
    pub name: Name,
    /// The receipt's index among the consumer's.
    pub receipt: u64,
}

/// Adds up a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub queues: BTreeMap<QueueName, QueueTally>,
    pub consumers: Vec<ConsumerOutcome>,
    /// Settlements by consumer index: acked, nacked, rejected messages.
    pub settled: Vec<[BoundedLog<SettledMessage>; 3]>,
    /// Sizes of batches by consumer index.
    pub batches: Vec<BoundedLog<u64>>,
    /// By publisher.
    pub publishes: BTreeMap<Name, BoundedLog<PublishRecord>>,
    pub reach: Reach,
    pub ended: BTreeMap<PublishOutcome, u64>,
    /// The same, for the ids that an expectation asks for.
    pub ended_of: BTreeMap<(Name, PublishOutcome), u64>,
    /// When the messages that an expectation asks for were delivered.
    pub deliveries_of: BTreeMap<Name, Vec<Moment>>,
    pub refusals: Vec<RefusalRecord>,
    pub replies: BoundedLog<ReplyRecord>,
    /// In which queues messages were seen that an expectation asks for.
    pub seen_in: BTreeMap<Name, BTreeSet<QueueName>>,
    pub tallies: Tallies,
    /// Publishes that no queue took: those that were returned.
    pub unroutable: u64,
    pub dropped: u64,
    pub returns: Returns,
    /// When messages expire by themselves that nobody has acked or rejected since.
    pub expirations: BTreeMap<Name, Moment>,
    asked_ids: BTreeSet<Name>,
}

impl Hash for Ledger {
    /// What expectations ask for is the scenario's; refusals are for who hashes it to look at.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            queues,
            consumers,
            settled,
            batches,
            publishes,
            reach,
            ended,
            ended_of,
            deliveries_of,
            refusals: _,
            replies,
            seen_in,
            tallies,
            unroutable,
            dropped,
            returns,
            expirations,
            asked_ids: _,
        } = self;
        (queues, consumers, settled, batches, publishes, reach.reached(), ended, ended_of).hash(state);
        (deliveries_of, replies, seen_in, tallies, unroutable, dropped, returns, expirations).hash(state);
    }
}

impl Ledger {
    /// Makes an empty one that knows which queues are streams, and what the scenario's expectations will ask for.
    pub fn of(scenario: &Scenario, streams: &BTreeSet<QueueName>) -> Self {
        let mut ledger = Self { asked_ids: ids_asked_for(scenario), reach: Reach::of(scenario), ..Self::default() };
        for stream in streams {
            ledger.queues.entry(stream.clone()).or_default().is_stream = true;
        }
        ledger.tallies.ask_for(scenario.expectations().filter_map(|expectation| match &expectation.subject {
            Subject::Tally(tally) => Some(&**tally),
            _ => None,
        }));
        ledger
    }

    /// Adds a consumer instance and gives its index.
    pub fn add_consumer(&mut self, name: Name, queue: QueueName) -> usize {
        self.consumers.push(ConsumerOutcome { name, queue, received: BoundedLog::default() });
        self.settled.push(Default::default());
        self.batches.push(BoundedLog::default());
        self.consumers.len() - 1
    }

    pub fn counted(&mut self, queue: QueueName, counts: Option<Counts>) {
        let tally = self.queues.entry(queue).or_default();
        tally.counts = counts;
        tally.peak_ready = tally.peak_ready.max(tally.ready());
    }

    /// Takes a delivery and gives the receipt's index among the consumer's.
    pub fn delivered(&mut self, consumer: usize, name: Name, delivery: &Delivery, moment: Moment) -> u64 {
        let queue = self.consumers[consumer].queue.clone();
        let tally = self.queues.entry(queue).or_default();
        tally.unacked += 1;
        tally.moved = true;
        tally.returned = tally.returned.saturating_sub(delivery.redelivered.into());
        tally.peak_unacked = tally.peak_unacked.max(tally.unacked);
        if self.asked_ids.contains(&name) {
            self.deliveries_of.entry(name.clone()).or_default().push(moment);
            let seen = self.seen_in.entry(name.clone()).or_default();
            seen.extend(queues_seen(&self.consumers[consumer].queue, &delivery.message));
        }
        self.tallies.delivered(&self.consumers[consumer].name, &name, delivery);
        let received = &mut self.consumers[consumer].received;
        let record = MessageRecord::new(name.clone(), delivery);
        received.push(Receipt { record, did: Vec::new() }, name.as_bytes());
        received.count() - 1
    }

    /// Takes what a step got and holds.
    pub fn held(&mut self, queue: &QueueName, name: &Name, delivery: &Delivery) {
        let tally = self.queues.entry(queue.clone()).or_default();
        tally.unacked += 1;
        tally.moved = true;
        tally.returned = tally.returned.saturating_sub(delivery.redelivered.into());
        tally.peak_unacked = tally.peak_unacked.max(tally.unacked);
        if self.asked_ids.contains(name) {
            let seen = self.seen_in.entry(name.clone()).or_default();
            seen.extend(queues_seen(queue, &delivery.message));
        }
    }

    /// Takes what a step held off the account of its queue.
    pub fn let_go_of(&mut self, queue: &QueueName, returned: bool) {
        let tally = self.queues.entry(queue.clone()).or_default();
        tally.unacked = tally.unacked.saturating_sub(1);
        tally.moved = true;
        tally.returned += u64::from(returned);
    }

    /// Notes what a consumer did with a delivery.
    pub fn did(&mut self, consumer: usize, receipt: u64, what: ActionRecord) {
        if let Some(receipt) = self.consumers[consumer].received.get_mut(receipt) {
            receipt.did.push(what);
        }
    }

    /// Notes that a consumer took up a batch.
    pub fn batched(&mut self, consumer: usize, size: u64) {
        self.batches[consumer].push(size, &size.to_le_bytes());
    }

    pub fn settled(&mut self, consumer: usize, message: SettledMessage, settlement: Settlement) {
        self.released(consumer, 1);
        let requeued = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        if requeued && let Some(tally) = self.queues.get_mut(&self.consumers[consumer].queue) {
            tally.returned += 1;
        }
        if !requeued {
            self.expirations.remove(&message.name);
        }
        let which = match settlement {
            Settlement::Ack => 0,
            Settlement::Nack { .. } => 1,
            Settlement::Reject { .. } => 2,
        };
        let name = message.name.clone();
        self.settled[consumer][which].push(message, name.as_bytes());
    }

    /// Notes when a message expires by itself.
    pub fn expires(&mut self, message: Name, when: Moment) {
        if self.expirations.len() < EXPIRATIONS_MAX {
            self.expirations.insert(message, when);
        }
    }

    /// Takes deliveries off a consumer's account: settled, or back in the queue with its channel.
    pub fn released(&mut self, consumer: usize, how_many: u64) {
        if let Some(tally) = self.queues.get_mut(&self.consumers[consumer].queue) {
            tally.unacked = tally.unacked.saturating_sub(how_many);
            tally.moved |= how_many > 0;
        }
    }

    /// Notes that a publish went out and gives its place among its publisher's, which are listed in the order of sending,
    /// as the broker promises none for its confirms.
    pub fn published(&mut self, message: Name, by: Name) -> u64 {
        let name = message.clone();
        let log = self.publishes.entry(by.clone()).or_default();
        log.push(PublishRecord { message, by, outcome: PublishOutcome::Lost }, name.as_bytes());
        log.count() - 1
    }

    pub fn publish_ended(&mut self, place: u64, record: PublishRecord) {
        *self.ended.entry(record.outcome).or_default() += 1;
        let name: &str = &record.message;
        let same_id = of_same_id(name).map(|(id, _)| id);
        let series = of_series(same_id.unwrap_or(name)).map(|(series, _)| series);
        for id in [Some(name), same_id, series].into_iter().flatten() {
            if let Some(asked) = self.asked_ids.get(id) {
                *self.ended_of.entry((asked.clone(), record.outcome)).or_default() += 1;
            }
        }
        if let Some(kept) = self.publishes.get_mut(&record.by).and_then(|log| log.get_mut(place)) {
            *kept = record;
        }
    }

    /// Forgets what the runner had taken to read in a vhost: the broker has it back.
    pub fn let_go(&mut self, vhost: &Name) {
        for (_, tally) in self.queues.iter_mut().filter(|(queue, _)| queue.vhost == *vhost) {
            tally.held.clear();
        }
    }

    /// Takes the highest totals; called when all events of a batch are in, as a delivery and its count come apart.
    pub fn note_totals(&mut self) {
        for tally in self.queues.values_mut() {
            tally.peak_total = tally.peak_total.max(tally.total());
        }
    }

    /// Copies what the outcome holds of it; queues are added by the reader of contents.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            publishes: self.publishes.clone(),
            queues: BTreeMap::new(),
            consumers: self.consumers.clone(),
            refusals: self.refusals.clone(),
            replies: self.replies.clone(),
            unordered: self.returns.unordered.clone(),
            streams: self.queues.iter().filter(|(_, tally)| tally.is_stream).map(|(queue, _)| queue.clone()).collect(),
            reached: self.reach.reached().clone(),
        }
    }
}

/// Lists the message ids that expectations speak of by name.
fn ids_asked_for(scenario: &Scenario) -> BTreeSet<Name> {
    let texts = scenario.expectations().filter_map(|expectation| match &expectation.subject {
        Subject::Message(message) => Some(&message.id),
        Subject::Publishes(publishes) => publishes.of.as_ref(),
        _ => None,
    });
    texts.filter_map(Text::fixed).cloned().collect()
}

/// Lists the queues that a message says it was in: the one where it stands, and those where it died.
pub(crate) fn queues_seen(at: &QueueName, message: &Message) -> Vec<QueueName> {
    let died_in = message.deaths().filter_map(|death| death.get("queue")?.as_text());
    let died_in = died_in.map(|name| QueueName { vhost: at.vhost.clone(), name: name.into() });
    died_in.chain([at.clone()]).collect()
}
