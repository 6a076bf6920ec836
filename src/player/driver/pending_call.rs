//! The step `call`: a question over a channel of its own, with direct reply-to, and the wait for its answer (RT-22).
//! Ends with the reply, with the refusal of the question, or when the time is over.

use crate::broker::{ChannelId, Command, Delivery, Method, PublishId, Refusal};
use crate::model::{Act, Call, Name, PublishOutcome, QueueName, Scope, Step};
use crate::player::asker::Role;
use crate::player::assert::judge_messages::compare_message;
use crate::player::context::Player;
use crate::player::driver::command_sequence::{Ask, CommandSequence};
use crate::player::driver::state::PendingCall;
use crate::player::driver::state::{Continuation, DriverState};
use crate::player::message::compose::compose;
use crate::player::record::failure::{FailureSubject, Finding};
use crate::player::record::outcome::{MessageRecord, ReplyRecord};
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;

/// The name that stands for a channel's own replies.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

impl Player {
    pub(crate) fn begin_call(&mut self, step: &Step) {
        let link = (step.actor.clone(), step.vhost.clone());
        let mut asks = self.link_asks(&link);
        let Some(connection) = self.driver.links.get(&link).map(|link| link.connection) else { return };
        let channel = self.ids.channel();
        self.channels.insert(channel, (connection, Role::Driver));
        let method = Method::Consume {
            queue: REPLY_TO.into(),
            consumer: "reply".into(),
            no_ack: true,
            exclusive: false,
            arguments: Default::default(),
        };
        asks.extend([Ask::Open { channel, connection }, Ask::Call { channel, method }]);
        self.driver.doing = DriverState::CommandSequence(CommandSequence::new(asks), Continuation::Ask(channel));
    }

    /// Sends the question once its channel listens for the answer.
    pub(crate) fn ask_question(&mut self, channel: ChannelId) {
        let Some(Step { act: Act::Call(call), actor, .. }) = self.current_step() else { return self.end_step(None) };
        let Call { mut publish, within, .. } = *call;
        publish.reply_to = Some(REPLY_TO.into());
        match compose(&publish, 1, &mut Scope::new()) {
            Ok(composed) => {
                let by = actor.unwrap_or_else(|| "driver".into());
                let (publish, question) = self.publish_named(composed, channel, by, None);
                let until = self.now + within;
                let calling = PendingCall { channel, publish, question, confirmed: false, reply: None, until };
                self.driver.doing = DriverState::PendingCall(Box::new(calling));
            }
            Err(bad) => self.bad_step(&bad),
        }
    }

    /// Takes a delivery of the channel that listens; says whether it was one.
    pub(crate) fn take_reply(&mut self, channel: ChannelId, delivery: &Delivery) -> bool {
        let DriverState::PendingCall(calling) = &mut self.driver.doing else { return false };
        if calling.channel != channel {
            return false;
        }
        // A second answer to the same question reaches nobody.
        calling.reply.get_or_insert_with(|| Box::new(delivery.clone()));
        true
    }

    /// Hears how the question itself ended; without a channel there will be no answer.
    pub(crate) fn question_ended(&mut self, publish: PublishId, outcome: PublishOutcome, refusal: Option<&Refusal>) {
        let DriverState::PendingCall(calling) = &mut self.driver.doing else { return };
        if calling.publish != publish {
            return;
        }
        calling.confirmed = outcome == PublishOutcome::Confirmed;
        let question = calling.question.clone();
        match (outcome, refusal) {
            (PublishOutcome::Confirmed, _) => {}
            (_, Some(refusal)) => self.end_step(Some(&refusal.clone())),
            (outcome, None) => {
                let message = format!("{question} found nobody to answer: it is {}", outcome.as_str());
                self.no_reply(&question, message, "check exchange and routing key: the question reached no queue");
            }
        }
    }

    pub(crate) fn go_on_calling(&mut self, calling: Box<PendingCall>) -> bool {
        match (&calling.reply, calling.confirmed) {
            (Some(reply), true) => {
                self.close_quietly(calling.channel);
                self.answered(&calling.question, reply);
                true
            }
            _ if calling.until <= self.now => {
                self.close_quietly(calling.channel);
                let message = format!("no reply to {} came", calling.question);
                let help = "the one who answers publishes to the message's `reply_to`: `do: [{reply: {json: …}}, ack]`; \
                            a longer wait is set by `within:`";
                self.no_reply(&calling.question, message, help);
                true
            }
            _ => {
                self.driver.doing = DriverState::PendingCall(calling);
                false
            }
        }
    }

    fn answered(&mut self, question: &Name, reply: &Delivery) {
        let Some(Step { act: Act::Call(call), span, actor, vhost, .. }) = self.current_step() else { return };
        let replies = QueueName { vhost: vhost.clone(), name: REPLY_TO.into() };
        let record = MessageRecord::new(self.name_of(&replies, reply), reply);
        let by: Name = actor.unwrap_or_else(|| "driver".into());
        self.record(TimelineEvent::Replied {
            to: by,
            question: question.clone(),
            message: std::sync::Arc::clone(&reply.message),
        });
        let mut findings = Vec::new();
        if let Some(pattern) = &call.reply {
            compare_message(pattern, &record, &Scope::new(), &mut findings);
        }
        let asked = call.publish.correlation_id.as_ref().and_then(|id| id.render(&Scope::new()).ok());
        let answered = reply.message.properties.correlation_id.clone();
        if let Some(asked) = asked.filter(|asked| answered.as_ref() != Some(asked)) {
            findings.push(Finding::new("correlation_id", asked, answered.as_deref().unwrap_or("none")));
        }
        self.ledger.replies.push(ReplyRecord { to: question.clone(), record }, question.as_bytes());
        if findings.is_empty() {
            return self.end_step(None);
        }
        self.failed(Code::StepReply, format!("the reply to {question} is not as expected"), span, findings);
        self.failed_about(FailureSubject::Message(question.clone()));
    }

    fn no_reply(&mut self, question: &Name, message: String, help: &str) {
        let span = self.driver.span(&self.scenario);
        self.failed(Code::StepNoReply, message, span, vec![]);
        self.failed_about(FailureSubject::Message(question.clone()));
        if let Some(failure) = self.failures.last_mut() {
            failure.help = Some(help.to_owned());
        }
    }

    fn close_quietly(&mut self, channel: ChannelId) {
        if self.channels.remove(&channel).is_some() {
            self.ask(crate::player::asker::Asker::Nobody, |request| Command::CloseChannel { request, channel });
        }
    }
}
