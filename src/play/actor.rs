//! One consumer instance: takes deliveries, picks the first rule that matches and does its actions in order.
//! Works on `concurrency` messages at once; a publish of an action is confirmed before the next action.

use super::compose::{AtHand, compose, compose_forward, scope_of};
use super::ledger::Ledger;
use super::matching::{BadTemplate, matches};
use super::player::{Player, Waiting};
use super::program::Ask;
use super::timeline::{Happening, exchange_in_words};
use crate::broker::{
    ChannelId, Command, ConnectionId, Delivery, DeliveryTag, Ids, Method, PublishId, Refusal, Settlement,
};
use crate::model::{Action, Consumer, Moment, Name, PublishOutcome, Scenario, Value};
use std::collections::{BTreeMap, VecDeque};

/// Of how many messages a consumer counts the attempts.
const ATTEMPTS_KEPT: usize = 10_000;

/// Is one consumer instance.
#[derive(Debug)]
pub(super) struct Actor {
    /// Its index among the scenario's consumers.
    pub consumer: usize,
    pub instance: u16,
    pub name: Name,
    pub running: bool,
    pub connection: Option<ConnectionId>,
    pub channel: Option<ChannelId>,
    /// The channel beside the consuming one, for what its actions publish.
    publishing: Option<ChannelId>,
    inbox: VecDeque<Job>,
    jobs: Vec<Job>,
    /// Unsettled deliveries.
    in_hand: BTreeMap<DeliveryTag, Name>,
    attempts: BTreeMap<Name, u64>,
}

/// Is one message that the consumer works on.
#[derive(Debug)]
struct Job {
    delivery: Box<Delivery>,
    name: Name,
    /// The receipt's index in the ledger.
    receipt: u64,
    attempt: u64,
    rule: Option<usize>,
    next_action: usize,
    wait: Wait,
}

/// What a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Nothing,
    Until(Moment),
    Publish(PublishId),
}

impl Actor {
    /// Makes all instances of a scenario's consumers, in file order, and enters them in the ledger.
    pub fn all(scenario: &Scenario, ledger: &mut Ledger) -> Vec<Actor> {
        let mut actors = Vec::new();
        for (index, consumer) in scenario.consumers.iter().enumerate() {
            for instance in 1..=consumer.instances.max(1) {
                let single = consumer.instances <= 1;
                let name: Name =
                    if single { consumer.name.clone() } else { format!("{}.{instance}", consumer.name).into() };
                ledger.add_consumer(name.clone(), consumer.queue.clone());
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
                    attempts: BTreeMap::new(),
                });
            }
        }
        actors
    }

    /// Gives what it takes to subscribe: connection, channels, prefetch, consume.
    pub fn start(&mut self, consumer: &Consumer, ids: &mut Ids) -> Vec<Ask> {
        let (connection, channel) = (ids.connection(), ids.channel());
        (self.connection, self.channel) = (Some(connection), Some(channel));
        let mut asks = vec![
            Ask::Connect { connection, user: consumer.actor.clone(), vhost: consumer.queue.vhost.clone() },
            Ask::Open { channel, connection },
        ];
        let publishes = |action: &Action| matches!(action, Action::Publish(_) | Action::Forward(_));
        if consumer.rules.iter().any(|rule| rule.actions.iter().any(publishes)) {
            let publishing = ids.channel();
            self.publishing = Some(publishing);
            asks.push(Ask::Open { channel: publishing, connection });
        }
        if consumer.prefetch > 0 {
            let method = Method::Qos { prefetch: consumer.prefetch, global: false };
            asks.push(Ask::Call { channel, method });
        }
        let mut arguments = consumer.arguments.clone();
        if let Some(priority) = consumer.priority {
            arguments.insert("x-priority".into(), Value::I64(priority));
        }
        let method = Method::Consume {
            queue: consumer.queue.name.clone(),
            consumer: self.name.clone(),
            no_ack: consumer.auto_ack,
            exclusive: consumer.exclusive,
            arguments,
        };
        asks.push(Ask::Call { channel, method });
        asks
    }

    /// Lists its channels, consuming one first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> {
        self.channel.into_iter().chain(self.publishing)
    }

    pub fn wake_at(&self) -> Option<Moment> {
        let moments = self.jobs.iter().filter_map(|job| match job.wait {
            Wait::Until(moment) => Some(moment),
            _ => None,
        });
        moments.min()
    }

    /// Forgets everything that was under way and gives how many deliveries were in hand.
    fn drop_work(&mut self) -> u64 {
        self.inbox.clear();
        self.jobs.clear();
        let in_hand = self.in_hand.len() as u64;
        self.in_hand.clear();
        self.running = false;
        in_hand
    }
}

impl Player {
    /// Hands a delivery to an actor.
    pub(super) fn deliver_to(&mut self, index: usize, name: Name, delivery: Box<Delivery>) {
        let receipt = self.ledger.delivered(index, name.clone(), &delivery, self.now);
        let queue = self.ledger.consumers[index].queue.clone();
        let consumer = &self.scenario.consumers[self.actors[index].consumer];
        if consumer.auto_ack {
            self.ledger.released(index, 1);
        }
        let auto_ack = consumer.auto_ack;
        let actor = &mut self.actors[index];
        if !auto_ack {
            actor.in_hand.insert(delivery.tag, name.clone());
        }
        let again = delivery.redelivered || delivery.message.header("x-death").is_some();
        // Past that many messages only those that come back are counted, so that memory does not grow with the run.
        let attempt = if again || actor.attempts.len() < ATTEMPTS_KEPT {
            let count = actor.attempts.entry(name.clone()).or_default();
            *count += 1;
            *count
        } else {
            1
        };
        let entry = Happening::Delivered {
            consumer: actor.name.clone(),
            queue,
            name: name.clone(),
            redelivered: delivery.redelivered,
            message: delivery.message.clone(),
        };
        let job = Job { delivery, name, receipt, attempt, rule: None, next_action: 0, wait: Wait::Nothing };
        actor.inbox.push_back(job);
        self.record(entry);
    }

    /// Lets an actor do what it can at this moment; says whether it did anything.
    pub(super) fn step_actor(&mut self, index: usize) -> bool {
        let mut acted = false;
        let slots = usize::from(self.scenario.consumers[self.actors[index].consumer].concurrency.max(1));
        while self.actors[index].jobs.len() < slots {
            let Some(job) = self.actors[index].inbox.pop_front() else { break };
            acted = true;
            match self.choose_rule(index, &job) {
                Ok(Some(rule)) => self.actors[index].jobs.push(Job { rule: Some(rule), ..job }),
                // No rule matches: the message stays in hand.
                Ok(None) => self.ledger.did(index, job.receipt, "hold".to_owned()),
                Err(bad) => self.bad_template(index, bad),
            }
        }
        let mut at = 0;
        while at < self.actors[index].jobs.len() {
            let mut job = self.actors[index].jobs.remove(at);
            let before = (job.next_action, job.wait);
            let more = self.work_on(index, &mut job);
            acted |= !more || before != (job.next_action, job.wait);
            if more {
                at = at.min(self.actors[index].jobs.len());
                self.actors[index].jobs.insert(at, job);
                at += 1;
            }
        }
        acted
    }

    fn at_hand<'a>(&self, actor: &'a Actor, job: &'a Job) -> AtHand<'a> {
        AtHand {
            delivery: &job.delivery,
            name: &job.name,
            attempt: job.attempt,
            consumer: &actor.name,
            instance: actor.instance,
            moment: self.now,
        }
    }

    fn choose_rule(&self, index: usize, job: &Job) -> Result<Option<usize>, BadTemplate> {
        let actor = &self.actors[index];
        let rules = &self.scenario.consumers[actor.consumer].rules;
        for (number, rule) in rules.iter().enumerate() {
            let matched = matches(&rule.matcher, &self.at_hand(actor, job));
            if matched.map_err(|bad| BadTemplate { span: bad.span.or(Some(rule.span)), ..bad })? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn bad_template(&mut self, index: usize, bad: BadTemplate) {
        let span = bad.span.unwrap_or(self.scenario.consumers[self.actors[index].consumer].span);
        self.failed("step::template", format!("a template cannot be rendered: {}", bad.error.message), span, vec![]);
    }

    /// Goes on with a job until it must wait; says whether there is more to do.
    fn work_on(&mut self, index: usize, job: &mut Job) -> bool {
        let scenario = self.scenario.clone();
        let consumer = &scenario.consumers[self.actors[index].consumer];
        let Some(rule) = job.rule.map(|rule| &consumer.rules[rule]) else { return false };
        loop {
            match job.wait {
                Wait::Until(moment) if moment > self.now => return true,
                Wait::Publish(_) => return true,
                Wait::Until(_) | Wait::Nothing => job.wait = Wait::Nothing,
            }
            let Some(action) = rule.actions.get(job.next_action) else { return false };
            job.next_action += 1;
            if let Err(bad) = self.act(index, job, action) {
                self.bad_template(index, BadTemplate { span: bad.span.or(Some(rule.span)), ..bad });
                return false;
            }
            if self.actors[index].channel.is_none() {
                return false;
            }
        }
    }

    fn act(&mut self, index: usize, job: &mut Job, action: &Action) -> Result<(), BadTemplate> {
        let tag = job.delivery.tag;
        match action {
            Action::Ack { multiple } => self.settle(index, job, tag, *multiple, Settlement::Ack),
            Action::Nack { requeue, multiple } => {
                self.settle(index, job, tag, *multiple, Settlement::Nack { requeue: *requeue });
            }
            Action::Reject { requeue } => {
                self.settle(index, job, tag, false, Settlement::Reject { requeue: *requeue });
            }
            Action::Hold => self.ledger.did(index, job.receipt, "hold".to_owned()),
            Action::Delay(length) => {
                job.wait = Wait::Until(self.now + *length);
                let (consumer, message) = (self.actors[index].name.clone(), job.name.clone());
                self.record(Happening::Working { consumer, message, for_how_long: *length });
            }
            Action::Publish(publish) => {
                let mut scope = scope_of(&self.at_hand(&self.actors[index], job));
                for n in 1..=publish.count {
                    let composed = compose(publish, n, &mut scope)?;
                    self.send_from(index, job, composed, "publish to");
                }
            }
            Action::Forward(forward) => {
                let scope = scope_of(&self.at_hand(&self.actors[index], job));
                let composed = compose_forward(forward, &job.delivery, &scope)?;
                self.send_from(index, job, composed, "forward to");
            }
            Action::Crash => {
                self.ledger.did(index, job.receipt, "crash".to_owned());
                self.crash(index);
            }
            Action::CloseChannel => {
                self.ledger.did(index, job.receipt, "close_channel".to_owned());
                if let Some(channel) = self.actors[index].channel {
                    self.ask(Waiting::Nobody, |request| Command::CloseChannel { request, channel });
                    self.channels.remove(&channel);
                }
                self.leave(index, "closes its channel");
            }
            Action::Cancel => {
                self.ledger.did(index, job.receipt, "cancel".to_owned());
                self.cancel(index);
            }
        }
        Ok(())
    }

    fn settle(&mut self, index: usize, job: &Job, tag: DeliveryTag, multiple: bool, settlement: Settlement) {
        let Some(channel) = self.actors[index].channel else { return };
        let word = match settlement {
            Settlement::Ack => "ack",
            Settlement::Nack { requeue: false } => "nack",
            Settlement::Nack { requeue: true } => "nack, requeue",
            Settlement::Reject { requeue: false } => "reject",
            Settlement::Reject { requeue: true } => "reject, requeue",
        };
        self.ledger.did(index, job.receipt, word.to_owned());
        self.outbox.push_back(Command::Settle { channel, tag, multiple, settlement });
        let upto = if multiple { DeliveryTag(0) } else { tag };
        let settled: Vec<DeliveryTag> = self.actors[index].in_hand.range(upto..=tag).map(|(tag, _)| *tag).collect();
        for tag in settled {
            let Some(name) = self.actors[index].in_hand.remove(&tag) else { continue };
            self.ledger.settled(index, name.clone(), settlement);
            let consumer = self.actors[index].name.clone();
            self.record(Happening::Settled { consumer, message: name, settlement });
        }
    }

    fn send_from(&mut self, index: usize, job: &mut Job, composed: super::compose::Composed, verb: &str) {
        let Some(channel) = self.actors[index].publishing else { return };
        let words = format!("{verb} {} with key {}", exchange_in_words(&composed.exchange), composed.routing_key);
        self.ledger.did(index, job.receipt, words);
        let by = self.actors[index].name.clone();
        job.wait = Wait::Publish(self.publish(composed, channel, by, Some(index)));
    }

    pub(super) fn actor_publish_ended(
        &mut self,
        index: usize,
        publish: PublishId,
        _outcome: PublishOutcome,
        refusal: Option<&Refusal>,
    ) {
        if let Some(job) = self.actors[index].jobs.iter_mut().find(|job| job.wait == Wait::Publish(publish)) {
            job.wait = Wait::Nothing;
        }
        let Some(refusal) = refusal else { return };
        // Without its channel the actions cannot go on as written: the message stays in hand, and the run fails.
        self.actors[index].jobs.clear();
        let who = self.actors[index].name.clone();
        self.refused(who.clone(), "publish".into(), refusal);
        let span = self.scenario.consumers[self.actors[index].consumer].span;
        self.failed("step::refused", format!("a publish of {who} was refused: {refusal}"), span, vec![]);
    }

    pub(super) fn actor_channel_closed(&mut self, index: usize, channel: ChannelId, cause: &Refusal) {
        if self.actors[index].publishing == Some(channel) {
            self.actors[index].publishing = None;
            return;
        }
        let who = self.actors[index].name.clone();
        self.refused(who, "its channel".into(), cause);
        self.leave(index, "loses its channel");
    }

    pub(super) fn actor_cancelled(&mut self, index: usize) {
        self.actors[index].running = false;
        let consumer = self.actors[index].name.clone();
        self.record(Happening::Gone { consumer, how: "is cancelled by the broker" });
    }

    /// Drops the actor's socket.
    pub(super) fn crash(&mut self, index: usize) {
        if let Some(connection) = self.actors[index].connection.take() {
            self.ask(Waiting::Nobody, |request| Command::Cut { request, connection });
        }
        self.leave(index, "crashes");
    }

    /// Cancels the subscription; what is in hand stays in hand.
    pub(super) fn cancel(&mut self, index: usize) {
        let consumer = self.actors[index].name.clone();
        if let Some(channel) = self.actors[index].channel.filter(|_| self.actors[index].running) {
            self.call(channel, Method::Cancel { consumer: consumer.clone() });
        }
        self.actors[index].running = false;
        self.record(Happening::Gone { consumer, how: "cancels" });
    }

    /// Cancels and closes politely.
    pub(super) fn stop(&mut self, index: usize) {
        self.cancel(index);
        if let Some(connection) = self.actors[index].connection.take() {
            self.ask(Waiting::Nobody, |request| Command::Disconnect { request, connection });
        }
        self.leave(index, "stops");
    }

    fn leave(&mut self, index: usize, how: &'static str) {
        for channel in self.actors[index].channels().collect::<Vec<_>>() {
            self.channels.remove(&channel);
        }
        let in_hand = self.actors[index].drop_work();
        self.ledger.released(index, in_hand);
        let actor = &mut self.actors[index];
        (actor.channel, actor.publishing) = (None, None);
        let consumer = actor.name.clone();
        self.record(Happening::Gone { consumer, how });
    }
}
