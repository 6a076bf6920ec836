//! The driver's steps: what each asks of the broker, and whether it may be refused.

use crate::broker::{Management, Method, Refusal, Scope};
use crate::model::{Act, Expectation, Millis, Name, Object, Step};
use crate::player::asker::{Asker, Role};
use crate::player::context::Player;
use crate::player::driver::command_sequence::{Ask, CommandSequence};
use crate::player::driver::state::{Continuation, DriverState, RunStage};
use crate::player::message::bad_value::BadValue;
use crate::player::record::failure::{FailureSubject, Finding};
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::source::{Code, Span};

impl Player {
    /// Returns the step at hand.
    pub(crate) fn current_step(&self) -> Option<Step> {
        let scenario = &self.scenario;
        match self.driver.stage {
            RunStage::Steps(at) => scenario.steps.get(at).cloned(),
            RunStage::AtEnd(at) => scenario.at_end.get(at).cloned(),
            RunStage::Finally(at) => scenario.finally.get(at).cloned(),
            _ => None,
        }
    }

    /// Returns the expectation at hand.
    pub(crate) fn current_expectation(&self) -> Option<Expectation> {
        match self.current_step()?.act {
            Act::Expect(expectation) => Some(*expectation),
            _ => None,
        }
    }

    pub(crate) fn begin_step(&mut self, step: &Step) {
        self.record(TimelineEvent::Step { span: step.span });
        if let Some(pace) = step.pace {
            if pace.index == 0 {
                self.driver.series_began = self.now;
            }
            let until = self.driver.series_began + Millis(pace.every.0.saturating_mul(pace.index.into()));
            if until > self.now {
                self.driver.doing = DriverState::Pausing { until };
                return;
            }
        }
        self.perform_step(step);
    }

    pub(crate) fn perform_step(&mut self, step: &Step) {
        match &step.act {
            Act::Expect(expectation) => self.begin_expectation(expectation),
            Act::Advance(length) => {
                self.record(TimelineEvent::Advanced { by: *length });
                self.driver.doing = DriverState::Sleeping { until: self.end_of_advance(*length) };
            }
            Act::Publish(_) => {
                let asks = self.link_asks(&(step.actor.clone(), step.vhost.clone()));
                self.driver.doing = DriverState::CommandSequence(CommandSequence::new(asks), Continuation::Publish);
            }
            Act::Call(_) => self.begin_call(step),
            Act::CloseConnection { of, by } => self.begin_closing(of, *by),
            Act::RestartBroker => self.begin_restart(),
            Act::Start(name) => match self.actors_of(name).first() {
                Some(first) => self.start_actor(*first),
                None => self.end_step(None),
            },
            Act::Stop(name) => {
                self.actors_of(name).into_iter().for_each(|actor| self.stop(actor, Asker::Leaving));
                self.driver.doing = DriverState::Leaving;
            }
            Act::Crash(name) => {
                self.actors_of(name).into_iter().for_each(|actor| self.crash(actor, Asker::Leaving));
                self.driver.doing = DriverState::Leaving;
            }
            act => {
                let asks = match management_of(act) {
                    Some(act) => vec![Ask::Manage(act)],
                    None => self.call_asks(step),
                };
                self.driver.doing = DriverState::CommandSequence(CommandSequence::new(asks), Continuation::EndStep);
            }
        }
    }

    fn actors_of(&self, consumer: &Name) -> Vec<usize> {
        let index = self.scenario.consumers.iter().position(|one| one.name == *consumer);
        let is_meant =
            |actor: &crate::player::consumer::actor::Actor| Some(actor.consumer) == index || actor.name == *consumer;
        (0..self.actors.len()).filter(|actor| is_meant(&self.actors[*actor])).collect()
    }

    /// Makes the calls of a step, over a channel of its own: a refusal closes nothing else.
    fn call_asks(&mut self, step: &Step) -> Vec<Ask> {
        let mut asks = self.link_asks(&(step.actor.clone(), step.vhost.clone()));
        let Some(link) = self.driver.links.get(&(step.actor.clone(), step.vhost.clone())) else { return asks };
        let connection = link.connection;
        let channel = self.ids.channel();
        self.channels.insert(channel, (connection, Role::Driver));
        asks.push(Ask::Open { channel, connection });
        asks.extend(methods_of(&step.act).into_iter().map(|method| Ask::Call { channel, method }));
        asks.push(Ask::Close(channel));
        asks
    }

    fn published_in_step(&self) -> Vec<Name> {
        let entries = self.timeline.entries().rev().map(|entry| &entry.what);
        let of_step = entries.take_while(|what| !matches!(what, TimelineEvent::Step { .. }));
        let names = of_step.filter_map(|what| match what {
            TimelineEvent::Published { message, .. } => Some(message.clone()),
            _ => None,
        });
        names.collect()
    }

    /// Ends the step at hand; judges whether it should have been refused.
    pub(crate) fn end_step(&mut self, refusal: Option<&Refusal>) {
        self.driver.doing = DriverState::Nothing;
        let Some(step) = self.current_step() else { return };
        if let Some(refusal) = refusal {
            let who = step.actor.clone().unwrap_or_else(|| "driver".into());
            self.refused(who, Attempt::Step(Box::new(step.act.clone())), refusal);
            if refusal.scope == Scope::Connection {
                self.driver.links.remove(&(step.actor.clone(), step.vhost.clone()));
            }
        }
        if let (None, Act::DeclareQueue(queue)) = (refusal, &step.act) {
            self.watch(queue.id());
        }
        match (&step.refused, refusal) {
            (None, None) => {
                let told = matches!(
                    step.act,
                    Act::Publish(_)
                        | Act::Call(_)
                        | Act::Expect(_)
                        | Act::Advance(_)
                        | Act::Start(_)
                        | Act::Stop(_)
                        | Act::Crash(_)
                        | Act::RestartBroker
                );
                if !told {
                    let who = step.actor.clone().unwrap_or_else(|| "driver".into());
                    self.record(TimelineEvent::Did { who, act: Box::new(step.act.clone()) });
                }
            }
            (Some(wanted), Some(refusal)) => {
                let mut findings = Vec::new();
                if let Some(code) = wanted.code.filter(|code| *code != refusal.code) {
                    findings.push(Finding::new("code", code, refusal.code));
                }
                if let Some(text) = wanted.text.as_ref().filter(|text| !refusal.text.contains(text.as_str())) {
                    findings.push(Finding::new("text", text, &refusal.text));
                }
                if !findings.is_empty() {
                    let message = format!("{} is refused, but otherwise than expected", step.act);
                    self.failed(Code::StepRefused, message, wanted.span, findings);
                }
            }
            (Some(wanted), None) => {
                let code = wanted.code.map_or(String::new(), |code| format!(" with {code}"));
                let message = format!("{} was not refused", step.act);
                let findings = vec![Finding::new("refused", format!("refused{code}"), "done")];
                self.failed(Code::StepNotRefused, message, wanted.span, findings);
                self.published_in_step().into_iter().for_each(|name| self.failed_about(FailureSubject::Message(name)));
            }
            (None, Some(refusal)) => {
                let message = format!("{} is refused: {refusal}", step.act);
                self.failed(Code::StepRefused, message, step.span, vec![]);
                if let Some(failure) = self.failures.last_mut() {
                    let may_be = "if that is what must happen, say `refused: {code: …}` in this step";
                    failure.help = step.act.may_be_refused().then(|| may_be.to_owned());
                }
            }
        }
        let next = match self.driver.stage {
            RunStage::Steps(at) => RunStage::Steps(at + 1),
            RunStage::AtEnd(at) => RunStage::AtEnd(at + 1),
            RunStage::Finally(at) => RunStage::Finally(at + 1),
            stage => stage,
        };
        self.enter(next);
    }
}

impl Player {
    /// Fails the run because of a value; what several messages share is said once.
    pub(crate) fn bad_value(&mut self, bad: &BadValue, otherwise: Span) {
        let (code, message, findings, help) = bad.in_words();
        let span = bad.span.unwrap_or(otherwise);
        if self.failures.iter().any(|failure| failure.code == code && failure.span == span) {
            return;
        }
        self.failed(code, message, span, findings);
        if let Some(failure) = self.failures.last_mut() {
            failure.help = help;
        }
    }

    pub(crate) fn bad_step(&mut self, bad: &BadValue) {
        let span = self.driver.span(&self.scenario);
        self.bad_value(bad, span);
    }

    pub(crate) fn runner_refused(&mut self, refusal: &Refusal) {
        let span = self.driver.span(&self.scenario);
        self.failed(Code::RunConnect, format!("the runner cannot connect: {refusal}"), span, vec![]);
    }
}

/// Lists what a step calls on its channel.
fn methods_of(act: &Act) -> Vec<Method> {
    vec![match act {
        Act::DeclareQueue(queue) => Method::DeclareQueue(queue.clone()),
        Act::DeclareExchange(exchange) => Method::DeclareExchange(exchange.clone()),
        Act::Bind(binding) => Method::Bind(binding.clone()),
        Act::Unbind(binding) => Method::Unbind(binding.clone()),
        Act::Purge(queue) => Method::Purge { queue: queue.name.clone() },
        Act::Get { queue, ack } => Method::Get { queue: queue.name.clone(), no_ack: *ack },
        Act::Consume { queue } => {
            let consumer: Name = "probe".into();
            let consume = Method::Consume {
                queue: queue.name.clone(),
                consumer: consumer.clone(),
                // Replies are never acknowledged (RT-22).
                no_ack: &*queue.name == "amq.rabbitmq.reply-to",
                exclusive: false,
                arguments: Default::default(),
            };
            return vec![Method::Qos { prefetch: 1, global: false }, consume, Method::Cancel { consumer }];
        }
        Act::Delete(Object::Queue { name, .. }) => {
            Method::DeleteQueue { queue: name.clone(), if_unused: false, if_empty: false }
        }
        Act::Delete(Object::Exchange { name, .. }) => {
            Method::DeleteExchange { exchange: name.clone(), if_unused: false }
        }
        _ => return Vec::new(),
    }]
}

fn management_of(act: &Act) -> Option<Management> {
    Some(match act {
        Act::SetPolicy(policy) => Management::PutPolicy { policy: policy.clone(), operator: false },
        Act::ClearPolicy { vhost, name } => {
            Management::ClearPolicy { vhost: vhost.clone(), name: name.clone(), operator: false }
        }
        Act::SetPermission(permission) => Management::PutPermission(permission.clone()),
        _ => return None,
    })
}
