//! Actions whose end their author foretells: what must be refused, and what is done when a publish comes back.
//! A publish that must be refused has a channel of its own; behind a settlement a call shows whether it was refused.

use crate::broker::{Command, DeliveryTag, Method, PublishId, Refusal, Reply, RequestId};
use crate::model::{Action, Consumer, Name, PublishOutcome, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::job::{Job, JobState, Wait};
use crate::player::context::Context;
use crate::player::context::owner::{Asker, Owner};
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::Attempt;

impl Job {
    /// Notes how a publish ended; gives the message that is acked when it was confirmed.
    pub fn note_end(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
    ) -> Option<(DeliveryTag, u64)> {
        let Wait::Publishes(waits) = &mut self.wait else { return None };
        let sent = waits.remove(&publish)?;
        if waits.is_empty() {
            self.wait = Wait::Nothing;
        }
        match outcome {
            PublishOutcome::Returned => drop(self.trial.returned.insert(sent.held)),
            PublishOutcome::Lost => self.trial.is_lost = true,
            _ => {}
        }
        if let Some(refusal) = refusal {
            self.trial.refusal = Some(refusal.clone());
        }
        self.held.get(sent.held).filter(|_| sent.acks).map(|held| (held.delivery.tag, held.receipt))
    }
}

impl ConsumerInstance {
    /// Opens the channel of an action that must be refused; says whether it has to wait for that.
    pub fn open_for(&self, job: &mut Job, action: &Action, consumer: &Consumer, context: &mut Context) -> bool {
        if !action.publishes() || job.trial.channel.is_some() {
            return false;
        }
        if job.line_ahead(consumer).is_none_or(|line| line.refused.is_none()) {
            return false;
        }
        let Some(connection) = self.connection else { return false };
        let channel = context.ids.channel();
        context.channels.open(channel, connection, Owner::Instance(self.number));
        job.trial.channel = Some(channel);
        let open = |request| Command::OpenChannel { request, channel, connection, confirms: true };
        job.wait = Wait::Answer(context.ask(Asker::Instance(self.number), open));
        true
    }

    /// Calls behind a settlement that must be refused: the broker answers if it was not. Says whether it did.
    pub fn ask_behind(&self, job: &mut Job, consumer: &Consumer, context: &mut Context) -> bool {
        if !std::mem::take(&mut job.trial.settled) || job.line(consumer).is_none_or(|line| line.refused.is_none()) {
            return false;
        }
        let Some(channel) = self.channel else { return false };
        // What every later consumer of the channel has anyhow (CO-2).
        let method = Method::Qos { prefetch: consumer.prefetch, global: false };
        let call = |request| Command::Call { request, channel, method };
        job.wait = Wait::Answer(context.ask(Asker::Instance(self.number), call));
        true
    }

    /// Takes the answer to what a job asked: its channel is open, or its settlement was not refused.
    pub fn answered_job(
        &mut self,
        request: RequestId,
        reply: &Result<Reply, Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let consumer = self.declared(scenario);
        let Some(job) = self.jobs.iter_mut().find(|job| job.wait == Wait::Answer(request)) else { return };
        job.wait = Wait::Nothing;
        if job.trial.channel.is_some() || reply.is_err() {
            return;
        }
        judge(&self.name, job, None, consumer, context);
    }

    /// Compares the end of the channel with what the settlements under way foretell.
    pub fn settlement_refused(&self, cause: &Refusal, context: &mut Context, scenario: &Scenario) {
        let consumer = self.declared(scenario);
        let tried = |job: &&Job| matches!(job.wait, Wait::Answer(_)) && job.trial.channel.is_none();
        for job in self.jobs.iter().filter(tried).filter(|_| cause.code != 0) {
            judge(&self.name, job, Some(cause), consumer, context);
        }
    }

    /// All publishes of a job's action have ended: judges them, and does what is to be done where some came back.
    pub fn all_ended(&mut self, at: usize, context: &mut Context, scenario: &Scenario) {
        let consumer = self.declared(scenario);
        let mut job = self.jobs.remove(at);
        let line = job.line(consumer);
        if line.is_some_and(|line| line.refused.is_some()) && !job.trial.is_lost {
            let refusal = job.trial.refusal.take();
            if let Some(refusal) = &refusal {
                context.refused(self.name.clone(), Attempt::Publish, refusal);
                job.trial.channel = None;
            }
            judge(&self.name, &job, refusal.as_ref(), consumer, context);
        }
        let returned = std::mem::take(&mut job.trial.returned);
        self.end_trial(&mut job, context);
        let action = job.next_action.saturating_sub(1);
        let rule = match job.doing {
            JobState::Rule(rule) => Some(rule),
            JobState::Timeout | JobState::Returned { .. } => None,
        };
        let forwards = matches!(job.actions(consumer).get(action), Some(Action::Forward(_)));
        let is_heeded = line.is_some_and(|line| line.on_return.is_some());
        // Published once for all messages at hand, or each by itself.
        let (back, rest): (Vec<_>, Vec<_>) = job
            .held
            .drain(..)
            .enumerate()
            .partition(|(at, _)| !returned.is_empty() && (!forwards || returned.contains(at)));
        let unnumbered = |held: Vec<(usize, _)>| held.into_iter().map(|(_, held)| held).collect::<Vec<_>>();
        let (mut back, mut rest) = (unnumbered(back), unnumbered(rest));
        if forwards || is_heeded {
            back.iter().for_each(|held| context.ledger.did(self.number, held.receipt, ActionRecord::CameBack));
        }
        if !is_heeded {
            rest.append(&mut back);
            rest.sort_by_key(|held| held.delivery.tag);
        }
        let over_at = job.over_at;
        if !rest.is_empty() {
            job.held = rest;
            self.jobs.insert(at, job);
        }
        if !back.is_empty() {
            self.jobs.insert(at, Job { over_at, ..Job::new(back, JobState::Returned { rule, action }) });
        }
    }

    /// Closes the channel that an action had of its own.
    pub fn end_trial(&self, job: &mut Job, context: &mut Context) {
        let trial = std::mem::take(&mut job.trial);
        if let Some(channel) = trial.channel.filter(|_| !trial.is_lost) {
            context.channels.close(channel);
            context.ask(Asker::Nobody, |request| Command::CloseChannel { request, channel });
        }
    }
}

/// Fails the run where an action was not refused as its line says.
fn judge(name: &Name, job: &Job, refusal: Option<&Refusal>, consumer: &Consumer, context: &mut Context) {
    let action = job.next_action.checked_sub(1).and_then(|at| job.actions(consumer).get(at));
    let wanted = job.line(consumer).and_then(|line| line.refused.as_ref());
    let (Some(action), Some(wanted)) = (action, wanted) else { return };
    context.judge_refusal(format_args!("`{}` of {name}", action.word()), wanted, refusal);
}
