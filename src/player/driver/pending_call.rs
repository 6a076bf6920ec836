//! The step `call`: a question over a channel of its own, with direct reply-to, and the wait for its answer (RT-22).
//! Ends with the reply, with the refusal of the question, or when the time is over.

use crate::broker::{ChannelId, Command, Delivery, Method, PublishId, Refusal};
use crate::model::{Act, Call, DIRECT_REPLY_TO, Name, PublishOutcome, QueueName, Scenario, Scope, Step};
use crate::player::assert::judge_messages::compare_message;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::in_flight::Sender;
use crate::player::context::owner::Asker;
use crate::player::driver::state::{Continuation, Driver, DriverState, PendingCall};
use crate::player::message::compose::compose;
use crate::player::record::failure::{FailureSubject, Finding};
use crate::player::record::outcome::{MessageRecord, ReplyRecord};
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;

impl Driver {
    pub fn begin_call(&mut self, step: &Step, context: &mut Context) {
        let (mut asks, channel) = self.channel_asks(step, context);
        let Some(channel) = channel else { return };
        let method = Method::Consume {
            queue: DIRECT_REPLY_TO.into(),
            consumer: "reply".into(),
            no_ack: true,
            exclusive: false,
            arguments: Default::default(),
        };
        asks.push(Ask::Call { channel, method });
        self.ask(asks, Continuation::Ask(channel));
    }

    /// Returns the call at hand, with its step.
    fn current_call<'s>(&self, scenario: &'s Scenario) -> Option<(&'s Call, &'s Step)> {
        let step = self.current_step(scenario)?;
        match &step.act {
            Act::Call(call) => Some((call, step)),
            _ => None,
        }
    }

    /// Sends the question once its channel listens for the answer.
    pub fn ask_question(&mut self, channel: ChannelId, context: &mut Context, scenario: &Scenario) {
        let Some((call, step)) = self.current_call(scenario) else { return self.end_step(None, context, scenario) };
        let mut question = call.publish.clone();
        question.reply_to = Some(DIRECT_REPLY_TO.into());
        match compose(&question, 1, &mut Scope::new()) {
            Ok(composed) => {
                let (owner, by) = (context.owner(), context.who(step));
                let sender = Sender { owner, by, consumer: None, vhost: &step.vhost, channel };
                let (publish, question) = context.publish(composed, sender);
                let until = context.now() + call.within;
                let call = PendingCall { channel, publish, question, confirmed: false, reply: None, until };
                self.doing = DriverState::PendingCall(Box::new(call));
            }
            Err(bad) => context.bad_value(&bad, self.span(scenario)),
        }
    }

    /// Takes a delivery of the channel that listens; says whether it was one.
    pub fn take_reply(&mut self, channel: ChannelId, delivery: &Delivery) -> bool {
        let DriverState::PendingCall(call) = &mut self.doing else { return false };
        if call.channel != channel {
            return false;
        }
        // A second answer to the same question reaches nobody.
        call.reply.get_or_insert_with(|| Box::new(delivery.clone()));
        true
    }

    /// Hears how the question itself ended; without a channel there will be no answer.
    pub fn question_ended(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let DriverState::PendingCall(call) = &mut self.doing else { return };
        if call.publish != publish {
            return;
        }
        call.confirmed = outcome == PublishOutcome::Confirmed;
        let question = call.question.clone();
        match (outcome, refusal) {
            (PublishOutcome::Confirmed, _) => {}
            (_, Some(refusal)) => self.end_step(Some(refusal), context, scenario),
            (outcome, None) => {
                let message = format!("{question} found nobody to answer: it is {}", outcome.as_str());
                let help = "check exchange and routing key: the question reached no queue";
                self.no_reply(&question, message, help, context, scenario);
            }
        }
    }

    pub fn go_on_calling(&mut self, call: Box<PendingCall>, context: &mut Context, scenario: &Scenario) -> bool {
        match (&call.reply, call.confirmed) {
            (Some(reply), true) => {
                close_quietly(call.channel, context);
                self.replied(&call.question, reply, context, scenario);
                true
            }
            _ if call.until <= context.now() => {
                close_quietly(call.channel, context);
                let message = format!("no reply to {} came", call.question);
                let help = "the one who answers publishes to the message's `reply_to`: `do: [{reply: {json: …}}, ack]`; \
                            a longer wait is set by `within:`";
                self.no_reply(&call.question, message, help, context, scenario);
                true
            }
            _ => {
                self.doing = DriverState::PendingCall(call);
                false
            }
        }
    }

    fn replied(&mut self, question: &Name, reply: &Delivery, context: &mut Context, scenario: &Scenario) {
        let Some((call, step)) = self.current_call(scenario) else { return };
        let replies = QueueName { vhost: step.vhost.clone(), name: DIRECT_REPLY_TO.into() };
        let (name, _) = context.names.of_delivery(&replies, reply);
        let record = MessageRecord::new(name, reply);
        context.record(TimelineEvent::Replied {
            to: step.who(),
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
        context.ledger.replies.push(ReplyRecord { to: question.clone(), record }, question.as_bytes());
        if findings.is_empty() {
            return self.end_step(None, context, scenario);
        }
        let message = format!("the reply to {question} is not as expected");
        let about = FailureSubject::Message(question.clone());
        context.failed(Code::StepReply, message, step.span, findings).about(about);
    }

    fn no_reply(&self, question: &Name, message: String, help: &str, context: &mut Context, scenario: &Scenario) {
        let about = FailureSubject::Message(question.clone());
        context.failed(Code::StepNoReply, message, self.span(scenario), vec![]).about(about).help(help);
    }
}

fn close_quietly(channel: ChannelId, context: &mut Context) {
    if context.channels.close(channel).is_some() {
        context.ask(Asker::Nobody, |request| Command::CloseChannel { request, channel });
    }
}
