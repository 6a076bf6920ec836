//! What each action of a consumer does: settles, publishes, waits, leaves.
//! A publish is confirmed before the next action; over a batch, what concerns one message is done for each.

use crate::broker::{Command, DeliveryTag, PublishId, Refusal, Settlement};
use crate::model::{Action, Forward, Publish, PublishOutcome};
use crate::player::asker::Asker;
use crate::player::consumer::job::{Job, Wait};
use crate::player::context::Player;
use crate::player::message::anonymous_messages::Fate;
use crate::player::message::bad_value::{BadValue, place_of_refused};
use crate::player::message::compose::{Composed, compose, compose_forward, compose_reply, compose_retry, scope_of};
use crate::player::record::failure::FailureSubject;
use crate::player::record::outcome::ActionRecord;
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::source::Code;
use std::collections::BTreeMap;

impl Player {
    pub(crate) fn act(&mut self, index: usize, job: &mut Job, action: &Action) -> Result<(), BadValue> {
        match action {
            Action::Ack { multiple } => self.settle(index, job, *multiple, Settlement::Ack),
            Action::Nack { requeue, multiple } => {
                self.settle(index, job, *multiple, Settlement::Nack { requeue: *requeue });
            }
            Action::Reject { requeue } => self.settle(index, job, false, Settlement::Reject { requeue: *requeue }),
            Action::Hold => self.note_done(index, job, &ActionRecord::Held),
            Action::Delay(length) => {
                job.wait = Wait::Until(self.now + *length);
                let consumer = self.actors[index].name.clone();
                self.record(TimelineEvent::Working { consumer, on: job.unit(), for_how_long: *length });
            }
            Action::Publish(publish) => self.act_publish(index, job, publish)?,
            Action::Forward(forward) => self.act_forward(index, job, forward)?,
            Action::Reply(reply) => self.act_reply(index, job, reply)?,
            Action::Retry => self.act_retry(index, job)?,
            Action::Crash => {
                self.note_done(index, job, &ActionRecord::Crashed);
                self.crash(index, Asker::Nobody);
            }
            Action::CloseChannel => {
                self.note_done(index, job, &ActionRecord::ClosedChannel);
                self.close_channel(index);
            }
            Action::Cancel => {
                self.note_done(index, job, &ActionRecord::Cancelled);
                self.cancel(index, Asker::Nobody);
            }
        }
        Ok(())
    }

    /// Sends once for the job, however many messages it is about.
    fn act_publish(&mut self, index: usize, job: &mut Job, publish: &Publish) -> Result<(), BadValue> {
        let Some(mut scope) = self.at_hand(index, job, 0).map(|at_hand| scope_of(&at_hand)) else { return Ok(()) };
        for n in 1..=publish.count {
            let composed = compose(publish, n, &mut scope)?;
            self.note_done(index, job, &sent(false, &composed));
            self.send_from(index, job, composed, None);
        }
        Ok(())
    }

    fn act_forward(&mut self, index: usize, job: &mut Job, forward: &Forward) -> Result<(), BadValue> {
        for at in 0..job.held.len() {
            let Some(at_hand) = self.at_hand(index, job, at) else { continue };
            let composed = compose_forward(forward, at_hand.delivery, &scope_of(&at_hand))?;
            let composed = Composed { sent_on: Some(at_hand.name.clone()), ..composed };
            self.ledger.did(index, job.held[at].receipt, sent(true, &composed));
            self.send_from(index, job, composed, None);
        }
        Ok(())
    }

    fn act_reply(&mut self, index: usize, job: &mut Job, reply: &Publish) -> Result<(), BadValue> {
        for at in 0..job.held.len() {
            let Some(at_hand) = self.at_hand(index, job, at) else { continue };
            let Some(to) = at_hand.delivery.message.properties.reply_to.clone() else {
                self.no_reply_to(index, job, at);
                continue;
            };
            let composed = compose_reply(reply, at_hand.delivery, &to, &mut scope_of(&at_hand))?;
            self.ledger.did(index, job.held[at].receipt, ActionRecord::Replied { to });
            self.send_from(index, job, composed, None);
        }
        Ok(())
    }

    /// Fails the run: somebody waits for an answer that has no address, or nobody asked.
    fn no_reply_to(&mut self, index: usize, job: &Job, at: usize) {
        let span = self.scenario.consumers[self.actors[index].consumer].span;
        let message =
            format!("{} cannot reply to {}: it names no reply_to", self.actors[index].name, job.held[at].name);
        self.failed(Code::StepReply, message, span, vec![]);
        self.failed_about(FailureSubject::Message(job.held[at].name.clone()));
        if let Some(failure) = self.failures.last_mut() {
            failure.help = Some("publish the question with `reply_to: QUEUE`, or let only questions match".into());
        }
    }

    /// Sends each message to its next rung; it is acked once that is confirmed. After the last rung, where nothing
    /// else is declared, it is rejected: its queue's dead-letter exchange may take it.
    fn act_retry(&mut self, index: usize, job: &mut Job) -> Result<(), BadValue> {
        let scenario = self.scenario.clone();
        let Some(ladder) = &scenario.consumers[self.actors[index].consumer].ladder else { return Ok(()) };
        for at in 0..job.held.len() {
            let held = &job.held[at];
            let (tag, receipt) = (held.delivery.tag, held.receipt);
            let (to, composed) = compose_retry(ladder, &held.delivery)?;
            let (consumer, message) = (self.actors[index].name.clone(), held.name.clone());
            self.record(TimelineEvent::Retried { consumer, message, to });
            match composed {
                Some(composed) => {
                    let composed = Composed { sent_on: Some(held.name.clone()), ..composed };
                    self.ledger.did(index, receipt, ActionRecord::Retried { rung: composed.routing_key.clone() });
                    self.send_from(index, job, composed, Some(at));
                }
                None => {
                    self.ledger.did(index, receipt, ActionRecord::RetriesUsedUp);
                    self.settle_tag(index, tag, false, Settlement::Reject { requeue: false }, true);
                }
            }
        }
        Ok(())
    }

    fn send_from(&mut self, index: usize, job: &mut Job, composed: Composed, acks: Option<usize>) {
        let Some(channel) = self.actors[index].publishing else { return };
        let by = self.actors[index].name.clone();
        let publish = self.publish(composed, channel, by, Some(index));
        match &mut job.wait {
            Wait::Publishes(waits) => drop(waits.insert(publish, acks)),
            _ => job.wait = Wait::Publishes(BTreeMap::from([(publish, acks)])),
        }
    }

    /// Settles all messages of a job: at once where nothing else would be settled with them.
    fn settle(&mut self, index: usize, job: &Job, multiple: bool, settlement: Settlement) {
        let Some(last) = job.held.last().map(|held| held.delivery.tag) else { return };
        let is_ours = |tag: &DeliveryTag| job.held.iter().any(|held| held.delivery.tag == *tag);
        let rejects = matches!(settlement, Settlement::Reject { .. });
        let together = multiple
            || job.held.len() > 1
                && !rejects
                && self
                    .sharers(index)
                    .all(|actor| self.actors[actor].in_hand.range(..=last).all(|(tag, _)| is_ours(tag)));
        if together {
            return self.settle_tag(index, last, true, settlement, true);
        }
        for held in &job.held {
            if !self.actors[index].in_hand.contains_key(&held.delivery.tag) {
                // Settled before: the broker will say what it thinks of that.
                self.ledger.did(index, held.receipt, ActionRecord::Settled(settlement));
            }
            self.settle_tag(index, held.delivery.tag, false, settlement, true);
        }
    }

    /// Settles one delivery, or all up to it, of whichever consumer on the channel; `done` says that an ack means the
    /// message was processed.
    fn settle_tag(&mut self, index: usize, tag: DeliveryTag, multiple: bool, settlement: Settlement, done: bool) {
        let Some(channel) = self.actors[index].channel else { return };
        self.outbox.push_back(Command::Settle { channel, tag, multiple, settlement });
        let upto = if multiple { DeliveryTag(0) } else { tag };
        for actor in self.sharers(index).collect::<Vec<_>>() {
            let tags: Vec<DeliveryTag> = self.actors[actor].in_hand.range(upto..=tag).map(|(tag, _)| *tag).collect();
            if let Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true } = settlement {
                self.note_returns(actor, tags.len() as u64);
            }
            for tag in tags {
                let Some(in_hand) = self.actors[actor].in_hand.remove(&tag) else { continue };
                self.ledger.did(actor, in_hand.receipt, ActionRecord::Settled(settlement));
                self.ledger.settled(actor, in_hand.name.clone(), settlement);
                match settlement {
                    Settlement::Ack => {}
                    Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true } => {
                        self.may_come_again(actor, in_hand.alike, Fate::Returned);
                    }
                    _ => self.may_come_again(actor, in_hand.alike, Fate::Rejected),
                }
                if done && settlement == Settlement::Ack {
                    self.memories[self.actors[actor].consumer].acked(in_hand.keys, self.now);
                }
                let consumer = self.actors[actor].name.clone();
                self.record(TimelineEvent::Settled { consumer, message: in_hand.name, settlement });
            }
        }
    }

    pub(crate) fn actor_publish_ended(
        &mut self,
        index: usize,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
    ) {
        let (mut acked, mut place) = (None, None);
        let scenario = self.scenario.clone();
        let consumer = &scenario.consumers[self.actors[index].consumer];
        for job in &mut self.actors[index].jobs {
            let Wait::Publishes(waits) = &mut job.wait else { continue };
            let Some(acks) = waits.remove(&publish) else { continue };
            if waits.is_empty() {
                job.wait = Wait::Nothing;
            }
            let action = job.next_action.checked_sub(1).and_then(|at| job.actions(consumer).get(at));
            place = refusal.zip(action).and_then(|(refusal, action)| place_of_refused(action, refusal.code));
            acked = acks.and_then(|at| job.held.get(at)).map(|held| (held.delivery.tag, held.receipt));
            break;
        }
        match acked {
            Some((tag, _)) if outcome == PublishOutcome::Confirmed => {
                self.settle_tag(index, tag, false, Settlement::Ack, false);
            }
            // Not in safety elsewhere: it stays in hand rather than be lost.
            Some((_, receipt)) => self.ledger.did(index, receipt, ActionRecord::Held),
            None => {}
        }
        let Some(refusal) = refusal else { return };
        // Without its channel the actions cannot go on as written: the message stays in hand, and the run fails.
        self.actors[index].jobs.clear();
        let who = self.actors[index].name.clone();
        self.refused(who.clone(), Attempt::Publish, refusal);
        let span = place.unwrap_or(consumer.span);
        self.failed(Code::StepRefused, format!("a publish of {who} was refused: {refusal}"), span, vec![]);
    }
}

fn sent(forward: bool, composed: &Composed) -> ActionRecord {
    ActionRecord::Sent { forward, exchange: composed.exchange.clone(), routing_key: composed.routing_key.clone() }
}
