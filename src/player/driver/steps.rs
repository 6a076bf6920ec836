//! The driver's steps: what each asks of the broker, and whether it may be refused.

use crate::broker::{ChannelId, Management, Method};
use crate::model::{Act, Expectation, LimitedParty, Millis, Name, Object, Scenario, Step, Subject};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::driver::state::{ConsumerRequest, Continuation, Driver, DriverState, RunStage};
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;

impl Driver {
    /// Returns the step at hand.
    pub fn current_step<'s>(&self, scenario: &'s Scenario) -> Option<&'s Step> {
        match self.stage {
            RunStage::Steps(at) => scenario.steps.get(at),
            RunStage::AtEnd(at) => scenario.at_end.get(at),
            RunStage::Finally(at) => scenario.finally.get(at),
            _ => None,
        }
    }

    /// Returns the expectation at hand.
    pub fn current_expectation<'s>(&self, scenario: &'s Scenario) -> Option<&'s Expectation> {
        match &self.current_step(scenario)?.act {
            Act::Expect(expectation) => Some(expectation),
            _ => None,
        }
    }

    pub fn begin_step(
        &mut self,
        step: &Step,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if let Some(pace) = step.pace {
            if pace.index == 0 {
                self.repetition_began = context.now();
            }
            let until = self.repetition_began + Millis(pace.every.0.saturating_mul(pace.index.into()));
            if until > context.now() {
                self.doing = DriverState::Pausing { until };
                return;
            }
        }
        self.perform_step(step, context, scenario, consumers);
    }

    pub fn perform_step(
        &mut self,
        step: &Step,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if self.asks_for_type(step) {
            return;
        }
        match &step.act {
            Act::Expect(expectation) => self.begin_expectation(expectation, context, scenario, consumers),
            Act::Advance(length) => {
                context.record(TimelineEvent::Advanced { by: *length });
                self.doing = DriverState::Sleeping { until: self.end_of_advance(*length, context, scenario) };
            }
            Act::WaitUntilQuiet(wait) => self.begin_wait_until_quiet(*wait, context),
            Act::Publish(publish) => self.begin_publish(step, publish, context, scenario, consumers),
            Act::Call(_) => self.begin_call(step, context),
            Act::CloseConnection { of, by } => self.begin_closing(of, *by, context, scenario, consumers),
            Act::RestartBroker => self.begin_restart(context),
            Act::Start(name) => match consumers.named(name, scenario).next() {
                Some(first) => self.request = Some(ConsumerRequest::Start(first)),
                None => self.end_step(None, context, scenario),
            },
            Act::Stop(name) => {
                self.doing = DriverState::Leaving;
                self.request = Some(ConsumerRequest::Stop(name.clone()));
            }
            Act::Crash(name) => {
                self.doing = DriverState::Leaving;
                self.request = Some(ConsumerRequest::Crash(name.clone()));
            }
            // One that must be refused holds nothing, and closes no channel over which others are held.
            Act::Get { queue, held_as: Some(name), .. } if step.refused.is_none() => {
                self.begin_holding(step, queue, name, context);
            }
            // What the broker still sends would come after it, under tags that mean nothing any more.
            Act::Recover { .. } => self.await_quiet(context),
            Act::Qos { of, prefetch, global } => {
                let method = Method::Qos { prefetch: *prefetch, global: *global };
                let channels = consumers.channels_of(of, scenario);
                self.call_over(channels, of, &method, step, context);
            }
            Act::Transaction(act) => self.begin_transaction_step(step, *act, context),
            Act::Settle { held, how, multiple } => self.begin_settling(step, held, *how, *multiple, context),
            act => {
                let acts = management_of(act);
                let asks = match acts.is_empty() {
                    true => self.call_asks(step, context),
                    false => acts.into_iter().map(Ask::Manage).collect(),
                };
                self.ask(asks, Continuation::EndStep);
            }
        }
    }

    /// Calls a method over channels that are open.
    pub fn call_over(
        &mut self,
        channels: Vec<ChannelId>,
        of: &Name,
        method: &Method,
        step: &Step,
        context: &mut Context,
    ) {
        if channels.is_empty() {
            let message = format!("{of} has no open channel");
            context.failed(Code::StepNotConnected, message, step.span, vec![]);
            return;
        }
        let asks = channels.into_iter().map(|channel| Ask::Call { channel, method: method.clone() });
        self.ask(asks, Continuation::EndStep);
    }

    /// Asks which type the queue of an expectation has, once a step; says whether it does.
    pub fn asks_for_type(&mut self, step: &Step) -> bool {
        let Act::Expect(expectation) = &step.act else { return false };
        let Subject::Queue(wanted) = &expectation.subject else { return false };
        if wanted.kind.is_none() || self.described == Some(self.stage) {
            return false;
        }
        self.described = Some(self.stage);
        let queue = wanted.queue.clone();
        let describe = Ask::Manage(Management::DescribeQueue { queue: queue.clone() });
        self.ask([describe], Continuation::Described(queue));
        true
    }

    /// Makes the calls of a step, over a channel of its own: a refusal closes nothing else.
    fn call_asks(&mut self, step: &Step, context: &mut Context) -> Vec<Ask> {
        let (mut asks, channel) = self.channel_asks(step, context);
        let Some(channel) = channel else { return asks };
        asks.extend(methods_of(&step.act).into_iter().map(|method| Ask::Call { channel, method }));
        asks.push(Ask::Close(channel));
        asks
    }
}

/// Lists what a step calls on its channel.
fn methods_of(act: &Act) -> Vec<Method> {
    vec![match act {
        Act::DeclareQueue(queue) => Method::DeclareQueue(queue.clone()),
        Act::DeclarePassive(Object::Queue { name, .. }) => Method::CheckQueue { queue: name.clone() },
        Act::DeclarePassive(Object::Exchange { name, .. }) => Method::CheckExchange { exchange: name.clone() },
        Act::DeclareExchange(exchange) => Method::DeclareExchange(exchange.clone()),
        Act::Bind(binding) => Method::Bind(binding.clone()),
        Act::Unbind(binding) => Method::Unbind(binding.clone()),
        Act::Purge(queue) => Method::Purge { queue: queue.name.clone() },
        Act::Get { queue, ack, .. } => Method::Get { queue: queue.name.clone(), no_ack: *ack },
        Act::Consume { queue, global_prefetch } => {
            let consumer: Name = "probe".into();
            let consume = Method::Consume {
                queue: queue.name.clone(),
                consumer: consumer.clone(),
                // Replies are never acknowledged (RT-22).
                no_ack: queue.is_direct_reply_to(),
                exclusive: false,
                arguments: Default::default(),
            };
            let whole = (*global_prefetch > 0).then_some(Method::Qos { prefetch: *global_prefetch, global: true });
            let each = Method::Qos { prefetch: 1, global: false };
            return [each].into_iter().chain(whole).chain([consume, Method::Cancel { consumer }]).collect();
        }
        Act::Delete { object: Object::Queue { name, .. }, if_unused, if_empty } => {
            Method::DeleteQueue { queue: name.clone(), if_unused: *if_unused, if_empty: *if_empty }
        }
        Act::Delete { object: Object::Exchange { name, .. }, if_unused, .. } => {
            Method::DeleteExchange { exchange: name.clone(), if_unused: *if_unused }
        }
        _ => return Vec::new(),
    }]
}

/// Lists what a step asks of the management side, in order.
fn management_of(act: &Act) -> Vec<Management> {
    vec![match act {
        Act::SetPolicy { policy, operator } => Management::PutPolicy { policy: policy.clone(), operator: *operator },
        Act::ClearPolicy { vhost, name, operator } => {
            Management::ClearPolicy { vhost: vhost.clone(), name: name.clone(), operator: *operator }
        }
        Act::SetPermission(permission) => Management::PutPermission(permission.clone()),
        Act::ClearPermission { user, vhost } => {
            Management::ClearPermission { user: user.clone(), vhost: vhost.clone() }
        }
        Act::SetTopicPermission(permission) => Management::PutTopicPermission(permission.clone()),
        Act::ClearTopicPermission { user, vhost, exchange } => {
            let (user, vhost, exchange) = (user.clone(), vhost.clone(), exchange.clone());
            Management::ClearTopicPermission { user, vhost, exchange }
        }
        Act::SetLimits { of, limits } => {
            return limits.iter().map(|(name, value)| put_limit(of, name.clone(), *value)).collect();
        }
        Act::StopNode { leader_of } => Management::StopNode { leader_of: leader_of.clone() },
        Act::StartNodes => Management::StartNodes,
        Act::ClearLimits { of, limits } => {
            return limits.iter().map(|name| clear_limit(of, name.clone())).collect();
        }
        _ => return Vec::new(),
    }]
}

fn put_limit(of: &LimitedParty, name: Name, value: i64) -> Management {
    match of.clone() {
        LimitedParty::Vhost(vhost) => Management::PutVhostLimit { vhost, name, value },
        LimitedParty::User(user) => Management::PutUserLimit { user, name, value },
    }
}

fn clear_limit(of: &LimitedParty, name: Name) -> Management {
    match of.clone() {
        LimitedParty::Vhost(vhost) => Management::ClearVhostLimit { vhost, name },
        LimitedParty::User(user) => Management::ClearUserLimit { user, name },
    }
}
