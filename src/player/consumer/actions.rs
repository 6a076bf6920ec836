//! What each action of a consumer does: settles, publishes, waits, leaves.
//! A publish is confirmed before the next action; over a batch, what concerns one message is done for each.

use crate::broker::Settlement;
use crate::model::{Action, Forward, Publish, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::job::{Job, SentFor, Wait};
use crate::player::consumer::others::Others;
use crate::player::consumer::working::SharedAct;
use crate::player::context::Context;
use crate::player::context::in_flight::Sender;
use crate::player::context::owner::{Asker, Owner};
use crate::player::message::bad_value::BadValue;
use crate::player::message::compose::{Composed, compose, compose_forward, compose_reply, compose_retry, scope_of};
use crate::player::record::failure::FailureSubject;
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;
use std::collections::BTreeMap;

impl ConsumerInstance {
    /// Carries an action out; gives back what is to be done by all that share its channel or connection.
    pub fn act(
        &mut self,
        job: &mut Job,
        action: &Action,
        context: &mut Context,
        scenario: &Scenario,
        others: Others,
    ) -> Result<Option<SharedAct>, BadValue> {
        match action {
            Action::Ack { multiple } => {
                job.trial.settled = true;
                return Ok(self.settle(job, *multiple, Settlement::Ack, context, scenario, others));
            }
            Action::Nack { requeue, multiple } => {
                job.trial.settled = true;
                let settlement = Settlement::Nack { requeue: *requeue };
                return Ok(self.settle(job, *multiple, settlement, context, scenario, others));
            }
            Action::Reject { requeue } => {
                job.trial.settled = true;
                let settlement = Settlement::Reject { requeue: *requeue };
                return Ok(self.settle(job, false, settlement, context, scenario, others));
            }
            Action::Hold => self.note_done(context, job, &ActionRecord::Held),
            Action::Delay(length) => {
                job.wait = Wait::Until(context.now() + *length);
                let consumer = self.name.clone();
                context.record(TimelineEvent::Working { consumer, on: job.unit(), for_how_long: *length });
            }
            Action::Publish(publish) => self.act_publish(job, publish, context, scenario)?,
            Action::Forward(forward) => self.act_forward(job, forward, context, scenario)?,
            Action::Reply(reply) => self.act_reply(job, reply, context, scenario)?,
            Action::Retry => self.act_retry(job, context, scenario)?,
            Action::Crash => {
                self.note_done(context, job, &ActionRecord::Crashed);
                return Ok(Some(SharedAct::Crash));
            }
            Action::CloseChannel => {
                self.note_done(context, job, &ActionRecord::ClosedChannel);
                return Ok(Some(SharedAct::CloseChannel));
            }
            Action::Cancel => {
                self.note_done(context, job, &ActionRecord::Cancelled);
                self.cancel(context, Asker::Nobody);
            }
        }
        Ok(None)
    }

    /// Sends once for the job, however many messages it is about.
    fn act_publish(
        &self,
        job: &mut Job,
        publish: &Publish,
        context: &mut Context,
        scenario: &Scenario,
    ) -> Result<(), BadValue> {
        let at_hand = self.at_hand(context, scenario, job, 0);
        let Some(mut scope) = at_hand.map(|at_hand| scope_of(&at_hand)) else { return Ok(()) };
        for n in 1..=publish.count {
            let composed = compose(publish, n, &mut scope)?;
            self.note_done(context, job, &sent(false, &composed));
            self.send(job, composed, SentFor { held: 0, acks: false }, context, scenario);
        }
        Ok(())
    }

    fn act_forward(
        &self,
        job: &mut Job,
        forward: &Forward,
        context: &mut Context,
        scenario: &Scenario,
    ) -> Result<(), BadValue> {
        for at in 0..job.held.len() {
            let Some(at_hand) = self.at_hand(context, scenario, job, at) else { continue };
            let composed = compose_forward(forward, at_hand.delivery, &scope_of(&at_hand))?;
            let composed = Composed { sent_on: Some(at_hand.name.clone()), ..composed };
            context.ledger.did(self.number, job.held[at].receipt, sent(true, &composed));
            self.send(job, composed, SentFor { held: at, acks: false }, context, scenario);
        }
        Ok(())
    }

    fn act_reply(
        &self,
        job: &mut Job,
        reply: &Publish,
        context: &mut Context,
        scenario: &Scenario,
    ) -> Result<(), BadValue> {
        for at in 0..job.held.len() {
            let Some(at_hand) = self.at_hand(context, scenario, job, at) else { continue };
            let Some(to) = at_hand.delivery.message.properties.reply_to.clone() else {
                self.no_reply_to(job, at, context, scenario);
                continue;
            };
            let composed = compose_reply(reply, at_hand.delivery, &to, &mut scope_of(&at_hand))?;
            context.ledger.did(self.number, job.held[at].receipt, ActionRecord::Replied { to });
            self.send(job, composed, SentFor { held: at, acks: false }, context, scenario);
        }
        Ok(())
    }

    /// Fails the run: somebody waits for an answer that has no address, or nobody asked.
    fn no_reply_to(&self, job: &Job, at: usize, context: &mut Context, scenario: &Scenario) {
        let name = &job.held[at].name;
        let message = format!("{} cannot reply to {name}: it names no reply_to", self.name);
        let help = "publish the question with `reply_to: QUEUE`, or let only questions match";
        context
            .failed(Code::StepReply, message, self.declared(scenario).span, vec![])
            .about(FailureSubject::Message(name.clone()))
            .help(help);
    }

    /// Sends each message to its next rung; it is acked once that is confirmed. After the last rung, where nothing
    /// else is declared, it is rejected: its queue's dead-letter exchange may take it.
    fn act_retry(&mut self, job: &mut Job, context: &mut Context, scenario: &Scenario) -> Result<(), BadValue> {
        let Some(ladder) = &self.declared(scenario).ladder else { return Ok(()) };
        for at in 0..job.held.len() {
            let held = &job.held[at];
            let (tag, receipt) = (held.delivery.tag, held.receipt);
            let (to, composed) = compose_retry(ladder, &held.delivery)?;
            let (consumer, message) = (self.name.clone(), held.name.clone());
            context.record(TimelineEvent::Retried { consumer, message, to });
            match composed {
                Some(composed) => {
                    let composed = Composed { sent_on: Some(held.name.clone()), ..composed };
                    let rung = composed.routing_key.clone();
                    context.ledger.did(self.number, receipt, ActionRecord::Retried { rung });
                    self.send(job, composed, SentFor { held: at, acks: true }, context, scenario);
                    if self.declared(scenario).transactional {
                        self.settle_one(tag, Settlement::Ack, false, context, scenario);
                    }
                }
                None => {
                    context.ledger.did(self.number, receipt, ActionRecord::RetriesUsedUp);
                    self.settle_one(tag, Settlement::Reject { requeue: false }, true, context, scenario);
                }
            }
        }
        Ok(())
    }

    /// Publishes for a job, which waits for the end of it.
    fn send(&self, job: &mut Job, composed: Composed, sent: SentFor, context: &mut Context, scenario: &Scenario) {
        let Some(channel) = job.trial.channel.or(self.publishing) else { return };
        let consumer = self.declared(scenario);
        let sender = Sender {
            owner: Owner::Instance(self.number),
            by: self.name.clone(),
            consumer: Some(&consumer.name),
            vhost: &consumer.queue.vhost,
            channel,
        };
        let (publish, _) = context.publish(composed, sender);
        if consumer.transactional {
            // Its end comes with the commit.
            return;
        }
        match &mut job.wait {
            Wait::Publishes(waits) => drop(waits.insert(publish, sent)),
            _ => job.wait = Wait::Publishes(BTreeMap::from([(publish, sent)])),
        }
    }
}

fn sent(forward: bool, composed: &Composed) -> ActionRecord {
    ActionRecord::Sent { forward, exchange: composed.exchange.clone(), routing_key: composed.routing_key.clone() }
}
