//! What a consumer does at one moment: takes up work, chooses the first rule that matches, goes on with its actions.
//! Works on `concurrency` messages or batches at once; what takes longer than its `timeout` is given up.

use crate::broker::{Command, DeliveryTag, Method, Settlement};
use crate::model::{Consumer, Millis, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::job::{Job, JobState, Wait};
use crate::player::consumer::matching::{ReadJson, matches};
use crate::player::consumer::others::Others;
use crate::player::context::Context;
use crate::player::context::owner::Asker;
use crate::player::message::bad_value::BadValue;
use crate::player::message::compose::AtHand;
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::TimelineEvent;

/// What an action does that concerns all that share the instance's channel or connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedAct {
    /// Settles all deliveries of the channel up to one.
    SettleUpTo(DeliveryTag, Settlement),
    Crash,
    CloseChannel,
}

/// One turn of an instance: how far it got with its jobs, and whether it did anything.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub acted: bool,
    /// The job at hand.
    at: usize,
}

/// How work on a job ends for now.
enum Pause {
    /// It goes on later.
    Waits,
    Over,
    /// It goes on once that is done.
    Asks(SharedAct),
}

impl ConsumerInstance {
    /// Begins a turn: connects again where that is due, and takes up work.
    pub fn begin_turn(&mut self, context: &mut Context, scenario: &Scenario, others: Others) -> Turn {
        let back = self.go_on_reconnecting(context, scenario, others);
        let taken = self.take_up(context, scenario);
        Turn { acted: back || taken, at: 0 }
    }

    /// Goes on with its jobs as far as it can at this moment; what it asks for must be done before it goes on again.
    pub fn go_on(
        &mut self,
        turn: &mut Turn,
        context: &mut Context,
        scenario: &Scenario,
        others: Others,
    ) -> Option<SharedAct> {
        while turn.at < self.jobs.len() {
            let mut job = self.jobs.remove(turn.at);
            let (next, waited) = (job.next_action, job.wait != Wait::Nothing);
            let pause = self.work_on(&mut job, context, scenario, others);
            turn.acted |=
                !matches!(pause, Pause::Waits) || next != job.next_action || waited != (job.wait != Wait::Nothing);
            if matches!(pause, Pause::Over) {
                continue;
            }
            turn.at = turn.at.min(self.jobs.len());
            self.jobs.insert(turn.at, job);
            match pause {
                Pause::Asks(act) => return Some(act),
                _ => turn.at += 1,
            }
        }
        None
    }

    /// Fills free hands with what waits; says whether anything was taken up.
    fn take_up(&mut self, context: &mut Context, scenario: &Scenario) -> bool {
        let consumer = self.declared(scenario);
        let now = context.now();
        let mut taken = false;
        while self.jobs.len() < usize::from(consumer.concurrency.max(1)) {
            let Some(held) = self.next_work(consumer.batch, now) else { break };
            taken = true;
            let mut job = Job::new(held, JobState::Timeout);
            if consumer.batch.is_some() {
                context.ledger.batched(self.number, job.held.len() as u64);
                let consumer = self.name.clone();
                context.record(TimelineEvent::BatchTaken { consumer, batch: job.unit() });
            }
            match self.choose_rule(context, scenario, &job) {
                Ok(Some(rule)) => {
                    context.memories[self.consumer].matched += 1;
                    job.doing = JobState::Rule(rule);
                    job.over_at = consumer.timeout.as_ref().map(|timeout| now + timeout.after);
                    self.jobs.push(job);
                }
                // No rule matches: the messages stay in hand.
                Ok(None) => {
                    context.memories[self.consumer].unmatched += 1;
                    self.note_done(context, &job, &ActionRecord::Held);
                }
                Err(bad) => context.bad_value(&bad, consumer.span),
            }
        }
        taken
    }

    /// Shows one message of a job to matchers and templates.
    pub fn at_hand<'a>(
        &self,
        context: &'a Context,
        scenario: &'a Scenario,
        job: &'a Job,
        at: usize,
    ) -> Option<AtHand<'a>> {
        let held = job.held.get(at)?;
        Some(AtHand {
            delivery: &held.delivery,
            name: &held.name,
            attempt: held.attempt,
            consumer: &self.declared(scenario).name,
            instance: self.instance,
            moment: context.now(),
            batch: &job.held,
            seed: scenario.seed,
            memory: &context.memories[self.consumer],
        })
    }

    /// Finds the first rule that matches; a batch goes by its first message.
    fn choose_rule(&self, context: &Context, scenario: &Scenario, job: &Job) -> Result<Option<usize>, BadValue> {
        let Some(at_hand) = self.at_hand(context, scenario, job, 0) else { return Ok(None) };
        let read = ReadJson::new();
        for (number, rule) in self.declared(scenario).rules.iter().enumerate() {
            let matched = matches(&rule.matcher, &at_hand, &read);
            if matched.map_err(|bad| bad.or_at(Some(rule.span)))? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Goes on with a job until it must wait.
    fn work_on(&mut self, job: &mut Job, context: &mut Context, scenario: &Scenario, others: Others) -> Pause {
        let consumer = self.declared(scenario);
        loop {
            // Without its channel nothing can be done with the message any more.
            if self.channel.is_none() {
                return Pause::Over;
            }
            let waits = match job.wait {
                Wait::Until(moment) => moment > context.now(),
                Wait::Publishes(_) | Wait::Answer(_) => true,
                Wait::Nothing => false,
            };
            if waits && job.over_at.is_none_or(|over| over > context.now()) {
                return Pause::Waits;
            }
            if waits {
                self.give_up(context, consumer, job);
            }
            job.wait = Wait::Nothing;
            if self.ask_behind(job, consumer, context) {
                return Pause::Waits;
            }
            let Some(action) = job.actions(consumer).get(job.next_action) else {
                if consumer.transactional && !std::mem::replace(&mut job.committed, true) {
                    self.commit(job, context);
                    return Pause::Waits;
                }
                self.work_done(context, consumer, job);
                return Pause::Over;
            };
            if self.open_for(job, action, consumer, context) {
                return Pause::Waits;
            }
            job.next_action += 1;
            match self.act(job, action, context, scenario, others) {
                Ok(None) => {}
                Ok(Some(act)) => return Pause::Asks(act),
                Err(bad) => {
                    let place = match job.doing {
                        JobState::Rule(rule) => consumer.rules.get(rule).map(|rule| rule.span),
                        JobState::Timeout => consumer.timeout.as_ref().map(|timeout| timeout.span),
                        JobState::Returned { .. } => job.place(consumer),
                    };
                    context.bad_value(&bad.or_at(place), consumer.span);
                    return Pause::Over;
                }
            }
        }
    }

    /// Carries out what the actions published and settled.
    fn commit(&self, job: &mut Job, context: &mut Context) {
        let Some(channel) = self.channel else { return };
        let call = |request| Command::Call { request, channel, method: Method::TxCommit };
        job.wait = Wait::Answer(context.ask(Asker::Instance(self.number), call));
    }

    /// Abandons the actions that are left, for those of the timeout.
    fn give_up(&self, context: &mut Context, consumer: &Consumer, job: &mut Job) {
        self.end_trial(job, context);
        (job.doing, job.next_action, job.over_at) = (JobState::Timeout, 0, None);
        job.committed = false;
        self.note_done(context, job, &ActionRecord::TimedOut);
        let after = consumer.timeout.as_ref().map_or(Millis(0), |timeout| timeout.after);
        context.record(TimelineEvent::TimedOut { consumer: self.name.clone(), on: job.unit(), after });
    }

    /// Without settlements the end of the work is what counts as processed.
    fn work_done(&self, context: &mut Context, consumer: &Consumer, job: &Job) {
        if consumer.auto_ack {
            let now = context.now();
            let memory = &mut context.memories[self.consumer];
            for held in &job.held {
                let keys = memory.keys(&held.delivery);
                memory.acked(keys, now);
            }
        }
    }

    /// Writes onto the receipts of a job's messages what was done with them.
    pub fn note_done(&self, context: &mut Context, job: &Job, what: &ActionRecord) {
        for held in &job.held {
            context.ledger.did(self.number, held.receipt, what.clone());
        }
    }
}
