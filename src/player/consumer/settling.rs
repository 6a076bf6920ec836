//! How an instance settles what it has in hand, and what the end of a publish means for the message that waits for it.

use crate::broker::{Command, DeliveryTag, PublishId, Refusal, Settlement};
use crate::model::{PublishOutcome, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::job::{Job, Wait};
use crate::player::consumer::others::Others;
use crate::player::consumer::working::SharedAct;
use crate::player::context::Context;
use crate::player::message::anonymous_messages::Fate;
use crate::player::message::bad_value::place_of_refused;
use crate::player::record::ledger::SettledMessage;
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::rules::{Access, missing_right};
use crate::source::Code;

impl ConsumerInstance {
    /// Settles all messages of a job: at once where nothing else would be settled with them, which is the channel's.
    pub fn settle(
        &mut self,
        job: &Job,
        multiple: bool,
        settlement: Settlement,
        context: &mut Context,
        scenario: &Scenario,
        others: Others,
    ) -> Option<SharedAct> {
        let last = job.held.last()?.delivery.tag;
        let rejects = matches!(settlement, Settlement::Reject { .. });
        if multiple || job.held.len() > 1 && !rejects && self.has_no_other_up_to(last, job, others) {
            return Some(SharedAct::SettleUpTo(last, settlement));
        }
        for held in &job.held {
            if !self.in_hand.contains_key(&held.delivery.tag) {
                // Settled before: the broker will say what it thinks of that.
                context.ledger.did(self.number, held.receipt, ActionRecord::Settled(settlement));
            }
            self.settle_one(held.delivery.tag, settlement, true, context, scenario);
        }
        None
    }

    /// Returns whether all that is unsettled on the channel up to a delivery belongs to a job.
    fn has_no_other_up_to(&self, last: DeliveryTag, job: &Job, others: Others) -> bool {
        let is_ours = |tag: &DeliveryTag| job.held.iter().any(|held| held.delivery.tag == *tag);
        self.in_hand.range(..=last).all(|(tag, _)| is_ours(tag))
            && others.on_channel(self.channel).all(|other| other.in_hand.range(..=last).all(|(tag, _)| is_ours(tag)))
    }

    /// Settles one delivery; `done` says that an ack means the message was processed.
    pub fn settle_one(
        &mut self,
        tag: DeliveryTag,
        settlement: Settlement,
        done: bool,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let Some(channel) = self.channel else { return };
        context.outbox.send(Command::Settle { channel, tag, multiple: false, settlement });
        self.settled((tag, tag), settlement, done, context, scenario);
    }

    /// Notes that the deliveries of a range are settled, as far as this instance had them in hand.
    pub fn settled(
        &mut self,
        (first, last): (DeliveryTag, DeliveryTag),
        settlement: Settlement,
        done: bool,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let returns = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        if returns {
            let count = self.in_hand.range(first..=last).count() as u64;
            self.note_returns(count, context, scenario);
        }
        while let Some(tag) = self.in_hand.range(first..=last).next().map(|(tag, _)| *tag) {
            let Some(in_hand) = self.in_hand.remove(&tag) else { break };
            context.ledger.did(self.number, in_hand.receipt, ActionRecord::Settled(settlement));
            let message = SettledMessage { name: in_hand.name.clone(), receipt: in_hand.receipt };
            context.ledger.settled(self.number, message, settlement);
            if let Some(alike) = in_hand.alike.filter(|_| settlement != Settlement::Ack) {
                let queue = &context.ledger.consumers[self.number].queue;
                context.names.ended(queue, alike, if returns { Fate::Returned } else { Fate::Rejected });
            }
            if done && settlement == Settlement::Ack {
                let now = context.now();
                context.memories[self.consumer].acked(in_hand.keys, now);
            }
            let (consumer, message) = (self.name.clone(), in_hand.name);
            context.record(TimelineEvent::Settled { consumer, message, settlement });
        }
    }

    /// Hears how a publish of its own ended: the job that waits goes on, and what was to be acked then is.
    pub fn publish_ended(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let (mut place, mut judged) = (None, false);
        let consumer = self.declared(scenario);
        let waits = |job: &Job| matches!(&job.wait, Wait::Publishes(waits) if waits.contains_key(&publish));
        if let Some(at) = self.jobs.iter().position(waits) {
            let job = &mut self.jobs[at];
            let action = job.next_action.checked_sub(1).and_then(|at| job.actions(consumer).get(at));
            place = refusal.zip(action).and_then(|(refusal, action)| place_of_refused(action, refusal.code));
            place = place.or_else(|| job.place(consumer));
            let acked = job.note_end(publish, outcome, refusal);
            judged = job.line(consumer).is_some_and(|line| line.refused.is_some());
            match acked {
                Some((tag, _)) if outcome == PublishOutcome::Confirmed => {
                    self.settle_one(tag, Settlement::Ack, false, context, scenario);
                }
                // Not in safety elsewhere: it stays in hand rather than be lost.
                Some((_, receipt)) => context.ledger.did(self.number, receipt, ActionRecord::Held),
                None => {}
            }
            if self.jobs[at].wait == Wait::Nothing {
                self.all_ended(at, context, scenario);
            }
        }
        if judged {
            return;
        }
        let Some(refusal) = refusal else { return };
        // Without its channel the actions cannot go on as written: the message stays in hand, and the run fails.
        self.jobs.clear();
        context.refused(self.name.clone(), Attempt::Publish, refusal);
        let message = format!("a publish of {} was refused: {refusal}", self.name);
        let help = missing_right(&refusal.text, Access::Write);
        context.failed(Code::StepRefused, message, place.unwrap_or(consumer.span), vec![]).help = help;
    }
}
