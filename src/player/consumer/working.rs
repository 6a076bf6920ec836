//! What a consumer does at one moment: takes up work, chooses the first rule that matches, goes on with its actions.
//! Works on `concurrency` messages or batches at once; what takes longer than its `timeout` is given up.

use crate::broker::{ChannelId, Delivery};
use crate::model::{Consumer, Millis, Name};
use crate::player::consumer::actor::InHand;
use crate::player::consumer::job::{Held, Job, JobState, Wait};
use crate::player::consumer::matching::matches;
use crate::player::context::Player;
use crate::player::message::anonymous_messages::Alike;
use crate::player::message::bad_value::BadValue;
use crate::player::message::compose::AtHand;
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::TimelineEvent;

impl Player {
    /// Finds the consumer instance that a broker means: its channel may carry several.
    pub(crate) fn actor_of(&self, channel: ChannelId, consumer: &Name) -> Option<usize> {
        let is_it =
            |actor: &crate::player::consumer::actor::Actor| actor.channel == Some(channel) && actor.name == *consumer;
        match self.channels.get(&channel)?.1 {
            crate::player::asker::Role::Actor(index) if is_it(&self.actors[index]) => Some(index),
            crate::player::asker::Role::Actor(_) => self.actors.iter().position(is_it),
            crate::player::asker::Role::Driver => None,
        }
    }

    /// Hands a delivery to an actor.
    pub(crate) fn deliver_to(&mut self, index: usize, (name, alike): (Name, Option<Alike>), delivery: Delivery) {
        let receipt = self.ledger.delivered(index, name.clone(), &delivery, self.now);
        let queue = self.ledger.consumers[index].queue.clone();
        let consumer = self.actors[index].consumer;
        let memory = &mut self.memories[consumer];
        let attempt = memory.attempt(&name, &delivery);
        let auto_ack = self.scenario.consumers[consumer].auto_ack;
        if auto_ack {
            self.ledger.released(index, 1);
        }
        let actor = &mut self.actors[index];
        if !auto_ack {
            let in_hand = InHand { name: name.clone(), alike, receipt, keys: memory.keys(&delivery) };
            actor.in_hand.insert(delivery.tag, in_hand);
        }
        let entry = TimelineEvent::Delivered {
            consumer: actor.name.clone(),
            queue,
            name: name.clone(),
            redelivered: delivery.redelivered,
            message: std::sync::Arc::clone(&delivery.message),
        };
        actor.inbox.push_back(Held { delivery, name, receipt, attempt, arrived: self.now });
        self.record(entry);
    }

    /// Lets an actor do what it can at this moment; says whether it did anything.
    pub(crate) fn step_actor(&mut self, index: usize) -> bool {
        // What the run left behind is being read: a consumer that went on would change it.
        if self.driver.rests_actors() {
            return false;
        }
        let back = self.come_back(index);
        let taken = self.take_up(index);
        let mut acted = back || taken;
        let mut at = 0;
        while at < self.actors[index].jobs.len() {
            let mut job = self.actors[index].jobs.remove(at);
            let (next, waited) = (job.next_action, job.wait != Wait::Nothing);
            let more = self.work_on(index, &mut job);
            acted |= !more || next != job.next_action || waited != (job.wait != Wait::Nothing);
            if more {
                at = at.min(self.actors[index].jobs.len());
                self.actors[index].jobs.insert(at, job);
                at += 1;
            }
        }
        acted
    }

    /// Fills free hands with what waits; says whether anything was taken up.
    fn take_up(&mut self, index: usize) -> bool {
        let scenario = self.scenario.clone();
        let consumer = &scenario.consumers[self.actors[index].consumer];
        let mut taken = false;
        while self.actors[index].jobs.len() < usize::from(consumer.concurrency.max(1)) {
            let Some(held) = self.actors[index].next_work(consumer.batch, self.now) else { break };
            taken = true;
            let mut job = Job { held, doing: JobState::Timeout, next_action: 0, wait: Wait::Nothing, over_at: None };
            if consumer.batch.is_some() {
                self.ledger.batched(index, job.held.len() as u64);
                let consumer = self.actors[index].name.clone();
                self.record(TimelineEvent::BatchTaken { consumer, batch: job.unit() });
            }
            match self.choose_rule(index, consumer, &job) {
                Ok(Some(rule)) => {
                    self.memories[self.actors[index].consumer].matched += 1;
                    job.doing = JobState::Rule(rule);
                    job.over_at = consumer.timeout.as_ref().map(|timeout| self.now + timeout.after);
                    self.actors[index].jobs.push(job);
                }
                // No rule matches: the messages stay in hand.
                Ok(None) => {
                    self.memories[self.actors[index].consumer].unmatched += 1;
                    self.note_done(index, &job, &ActionRecord::Held);
                }
                Err(bad) => self.bad_action(index, bad),
            }
        }
        taken
    }

    /// Shows one message of a job to matchers and templates.
    pub(crate) fn at_hand<'a>(&'a self, index: usize, job: &'a Job, at: usize) -> Option<AtHand<'a>> {
        let actor = &self.actors[index];
        let held = job.held.get(at)?;
        Some(AtHand {
            delivery: &held.delivery,
            name: &held.name,
            attempt: held.attempt,
            consumer: &self.scenario.consumers[actor.consumer].name,
            instance: actor.instance,
            moment: self.now,
            batch: &job.held,
            seed: self.scenario.seed,
            memory: &self.memories[actor.consumer],
        })
    }

    /// Finds the first rule that matches; a batch goes by its first message.
    fn choose_rule(&self, index: usize, consumer: &Consumer, job: &Job) -> Result<Option<usize>, BadValue> {
        let Some(at_hand) = self.at_hand(index, job, 0) else { return Ok(None) };
        for (number, rule) in consumer.rules.iter().enumerate() {
            let matched = matches(&rule.matcher, &at_hand);
            if matched.map_err(|bad| bad.or_at(Some(rule.span)))? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn bad_action(&mut self, index: usize, bad: BadValue) {
        let span = self.scenario.consumers[self.actors[index].consumer].span;
        self.bad_value(&bad, span);
    }

    /// Goes on with a job until it must wait; says whether there is more to do.
    fn work_on(&mut self, index: usize, job: &mut Job) -> bool {
        let scenario = self.scenario.clone();
        let consumer = &scenario.consumers[self.actors[index].consumer];
        loop {
            let waits = match job.wait {
                Wait::Until(moment) => moment > self.now,
                Wait::Publishes(_) => true,
                Wait::Nothing => false,
            };
            if waits && job.over_at.is_none_or(|over| over > self.now) {
                return true;
            }
            if waits {
                self.give_up(index, job);
            }
            job.wait = Wait::Nothing;
            let Some(action) = job.actions(consumer).get(job.next_action) else {
                self.work_done(index, consumer, job);
                return false;
            };
            job.next_action += 1;
            if let Err(bad) = self.act(index, job, action) {
                let place = match job.doing {
                    JobState::Rule(rule) => consumer.rules.get(rule).map(|rule| rule.span),
                    JobState::Timeout => consumer.timeout.as_ref().map(|timeout| timeout.span),
                };
                self.bad_action(index, bad.or_at(place));
                return false;
            }
            if self.actors[index].channel.is_none() {
                return false;
            }
        }
    }

    /// Abandons the actions that are left, for those of the timeout.
    fn give_up(&mut self, index: usize, job: &mut Job) {
        (job.doing, job.next_action, job.over_at) = (JobState::Timeout, 0, None);
        self.note_done(index, job, &ActionRecord::TimedOut);
        let timeout = self.scenario.consumers[self.actors[index].consumer].timeout.as_ref();
        let after = timeout.map_or(Millis(0), |timeout| timeout.after);
        let consumer = self.actors[index].name.clone();
        self.record(TimelineEvent::TimedOut { consumer, on: job.unit(), after });
    }

    /// Without settlements the end of the work is what counts as processed.
    fn work_done(&mut self, index: usize, consumer: &Consumer, job: &Job) {
        if consumer.auto_ack {
            let memory = &mut self.memories[self.actors[index].consumer];
            for held in &job.held {
                let keys = memory.keys(&held.delivery);
                memory.acked(keys, self.now);
            }
        }
    }

    /// Writes onto the receipts of a job's messages what was done with them.
    pub(crate) fn note_done(&mut self, index: usize, job: &Job, what: &ActionRecord) {
        for held in &job.held {
            self.ledger.did(index, held.receipt, what.clone());
        }
    }

    /// Notes consumers that got messages and never had a rule for one: that is seldom meant.
    pub(crate) fn note_idle_rules(&mut self) {
        let scenario = self.scenario.clone();
        for (consumer, memory) in scenario.consumers.iter().zip(&self.memories) {
            if !consumer.rules.is_empty() && memory.matched == 0 && memory.unmatched > 0 {
                self.notes
                    .push((consumer.span, "no rule of this consumer matched any message: it held them all".to_owned()));
            }
        }
    }
}
