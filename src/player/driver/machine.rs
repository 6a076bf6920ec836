//! The driver: opens the stage, does the steps one after another, reads the outcome, judges, and closes up.
//! A failed step ends the steps; `finally` always runs. Waits by moments and answers, never by sleeping.

use crate::broker::Event;
use crate::model::{Millis, Moment, Name, Scale, Scenario};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::held::HeldMessages;
use crate::player::driver::reading::contents::Contents;
use crate::player::driver::state::{ConsumerRequest, Continuation, Driver, DriverState, RunStage};
use crate::source::{Code, Span};
use std::collections::BTreeMap;

impl Driver {
    pub fn new(scenario: &Scenario, scale: Scale) -> Self {
        Self {
            limit: Moment(scenario.time_limit(scale).0),
            stage: RunStage::Connecting(0),
            doing: DriverState::Nothing,
            request: None,
            connections: BTreeMap::new(),
            transactions: BTreeMap::new(),
            held: HeldMessages::default(),
            described: None,
            letters_counted: false,
            look_at: None,
            contents: Contents::default(),
            outcome: None,
            points: Vec::new(),
            shift: None,
            pace: Vec::new(),
            news: true,
            vhosts: scenario.vhosts(),
            began: Moment(0),
            stretch: Millis(0),
            confirmed: false,
            lingered: false,
            unrest: None,
            repetition_began: Moment(0),
            restarting: false,
            frozen: false,
            timed_out: false,
            failures_before: 0,
            tidied: None,
            is_kept_open: false,
        }
    }

    pub fn is_done(&self) -> bool {
        self.stage == RunStage::Done
    }

    /// Returns whether the outcome is being read: counts no longer speak of the run.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Returns whether consumers do nothing more: what the run left behind is being read, or everything is being closed.
    pub fn rests_consumers(&self) -> bool {
        self.frozen || matches!(self.stage, RunStage::Closing | RunStage::Done)
    }

    /// Returns whether it publishes more than goes out at once, and is in the midst of it.
    pub fn is_amid_bulk(&self) -> bool {
        matches!(&self.doing, DriverState::Publishing(step) if step.is_amid_bulk())
    }

    /// Takes notice of an event, whomever it is for.
    pub fn note_event(&mut self, now: Moment, event: &Event) {
        self.news = true;
        if let Some(unrest) = &mut self.unrest {
            unrest.note(now, event);
        }
    }

    /// Counts a delivery where the rest of a moment is awaited.
    pub fn note_delivery(&mut self, message: &Name) {
        if let DriverState::EndingInstant(instant) = &mut self.doing {
            instant.delivered(message);
        }
    }

    /// Takes notice of what consumers did: that is news too, since a settlement has no answer.
    pub fn note_consumers(&mut self, now: Moment) {
        self.news = true;
        if let Some(unrest) = &mut self.unrest {
            unrest.acted(now);
        }
    }

    /// Returns the next moment at which the driver acts by itself.
    pub fn wake_at(&self) -> Option<Moment> {
        let own = match &self.doing {
            DriverState::Publishing(step) => step.wake_at(),
            DriverState::PendingCall(call) => Some(call.wake_at()),
            DriverState::Watching { until } => self.look_at.into_iter().chain([*until]).min(),
            DriverState::Sleeping { until } => Some(*until),
            DriverState::Confirming { until, .. } => Some(*until),
            DriverState::Pausing { until } | DriverState::Lingering { until } => Some(*until),
            DriverState::Holding { until } => Some(*until),
            DriverState::AwaitingQuiet { until } => Some(*until),
            DriverState::Moving { until } | DriverState::KeepingQuiet { until } => Some(*until),
            _ => None,
        };
        let timeout = (!self.timed_out && !self.is_done() && !self.is_kept_open).then_some(self.limit);
        own.into_iter().chain(timeout).min()
    }

    /// Returns the place in the file where the run stands.
    pub fn span(&self, scenario: &Scenario) -> Span {
        let step = match self.stage {
            RunStage::Connecting(_) | RunStage::Subscribing(_) => scenario.steps.first(),
            RunStage::Steps(at) => scenario.steps.get(at).or(scenario.steps.last()),
            RunStage::AtEnd(at) => scenario.at_end.get(at),
            RunStage::Finally(at) => scenario.finally.get(at),
            RunStage::Outcome | RunStage::Closing | RunStage::Done => scenario.steps.last(),
        };
        let consumer = scenario.consumers.first().map(|consumer| consumer.span);
        let nowhere = Span::new(crate::source::FileId::default(), 0, 0);
        step.map(|step| step.span).or(consumer).unwrap_or(nowhere)
    }

    /// Goes on as far as possible at this moment of the broker; says whether anything was done. What it then requests of
    /// consumers must be done before it goes on again.
    pub fn step(
        &mut self,
        moment: Moment,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        self.give_up_in_time(context, scenario, consumers);
        if context.failures.len() > self.failures_before {
            self.failures_before = context.failures.len();
            if !matches!(self.stage, RunStage::AtEnd(_) | RunStage::Finally(_) | RunStage::Closing | RunStage::Done) {
                self.enter(RunStage::Finally(0));
                return true;
            }
        }
        let now = context.now();
        match std::mem::replace(&mut self.doing, DriverState::Nothing) {
            DriverState::Nothing => self.next_stage(moment, context, scenario, consumers),
            DriverState::CommandSequence(sequence, then) => self.go_on_asking(sequence, then, context, scenario),
            DriverState::Publishing(step) => self.go_on_publishing(step, context, scenario),
            DriverState::PendingCall(call) => self.go_on_calling(call, context, scenario),
            DriverState::ClosingConnections(closing) => self.go_on_closing(closing, context, scenario, consumers),
            DriverState::Leaving => self.go_on_leaving(context, scenario),
            DriverState::Reading(reading) => self.go_on_reading(reading, context, scenario, consumers),
            DriverState::Watching { until } => self.go_on_watching(until, context, scenario, consumers),
            DriverState::Confirming { until, end } => self.go_on_confirming(until, end, context, scenario, consumers),
            DriverState::Moving { until } => self.go_on_moving(until, context, scenario),
            DriverState::KeepingQuiet { until } => self.go_on_keeping_quiet(until, context, scenario),
            DriverState::AwaitingQuiet { until } if context.broker.live && until <= now => {
                self.quiet_is_late(context, scenario, consumers);
                true
            }
            DriverState::Sleeping { until } if until <= now => {
                self.woke_up(context, scenario, consumers);
                true
            }
            DriverState::Lingering { until } if until <= now => self.lingered(context, scenario),
            DriverState::EndingInstant(instant) if instant.is_endless() => {
                self.end_step(None, context, scenario);
                true
            }
            DriverState::Holding { until } if until <= now => true,
            DriverState::Pausing { until } if until <= now => {
                if let Some(step) = self.current_step(scenario) {
                    self.perform_step(step, context, scenario, consumers);
                }
                true
            }
            other => {
                self.doing = other;
                false
            }
        }
    }

    fn give_up_in_time(&mut self, context: &mut Context, scenario: &Scenario, consumers: &ConsumerInstances) {
        let is_bounded = context.clock.has_begun() && !self.is_kept_open && !self.is_done();
        if !is_bounded || self.timed_out || context.now() < self.limit {
            return;
        }
        self.timed_out = true;
        let limit = self.limit - Moment(0);
        let real = context.broker.scale.real(limit);
        let aside = if real == limit { String::new() } else { format!(", {real} of the broker's time,") };
        let message = format!("the scenario's timeout of {limit}{aside} is over");
        let under_way = self.under_way(context, scenario, consumers);
        let subjects = self.subjects_under_way(scenario, consumers);
        let failure = context.failed(Code::RunTimeout, message, self.span(scenario), vec![]);
        failure.help("a longer one is set by `timeout:` at the top");
        failure.circumstances.under_way = under_way;
        failure.subjects = subjects;
    }

    pub fn enter(&mut self, stage: RunStage) {
        self.stage = stage;
        self.doing = DriverState::Nothing;
    }

    /// Returns whether the steps are done, or ended by a failure, and nothing of the end has begun.
    pub fn is_through(&self, scenario: &Scenario) -> bool {
        match self.stage {
            RunStage::Steps(at) => at >= scenario.steps.len(),
            RunStage::Finally(at) => at == 0 && self.tidied.is_none(),
            _ => false,
        }
    }

    /// Notes when a step begins; where the run keeps the times of another, waits for that of the step.
    fn waits_for_its_time(&mut self, at: usize, context: &mut Context) -> bool {
        if context.hand.is_some() || context.begun.len() > at {
            return false;
        }
        if let Some(until) = self.pace.get(at).copied().filter(|until| *until > context.now()) {
            self.doing = DriverState::Holding { until };
            return true;
        }
        context.begun.push(context.now());
        false
    }

    fn next_stage(
        &mut self,
        moment: Moment,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        if self.is_kept_open && self.is_through(scenario) {
            return false;
        }
        if let RunStage::Steps(at) = self.stage
            && self.waits_for_its_time(at, context)
        {
            return true;
        }
        match self.stage {
            RunStage::Connecting(at) => match self.vhosts.get(at).cloned() {
                Some(vhost) => {
                    let (asks, _) = self.connect((None, vhost), context);
                    self.ask(asks, Continuation::Connected);
                }
                None => {
                    scenario.topology.queues.iter().for_each(|queue| context.watch(scenario, queue.id()));
                    self.enter(RunStage::Subscribing(0));
                }
            },
            RunStage::Subscribing(at) => match consumers.declared(at, scenario) {
                Some(consumer) if consumer.start_manually => self.enter(RunStage::Subscribing(at + 1)),
                Some(_) => self.request = Some(ConsumerRequest::Start(at)),
                None => {
                    context.clock.begin(moment);
                    self.enter(RunStage::Steps(0));
                }
            },
            RunStage::Steps(at) => match scenario.steps.get(at) {
                Some(step) => self.begin_step(step, context, scenario, consumers),
                None => {
                    self.enter(RunStage::Outcome);
                    self.await_quiet(context);
                }
            },
            RunStage::Outcome => self.enter(RunStage::AtEnd(0)),
            RunStage::AtEnd(at) => match scenario.at_end.get(at) {
                Some(step) if self.asks_for_type(step) => {}
                Some(step) => self.judge_at_end(step, at, context, scenario, consumers),
                None => {
                    self.keep_outcome(context, scenario);
                    self.enter(RunStage::Finally(0));
                }
            },
            RunStage::Finally(at) => match scenario.finally.get(at) {
                // It failed; the others still have their turn.
                Some(_) if self.tidied == Some(at) => self.enter(RunStage::Finally(at + 1)),
                Some(step) => {
                    self.tidied = Some(at);
                    self.begin_step(step, context, scenario, consumers);
                }
                None => self.close_up(context, consumers),
            },
            RunStage::Closing => self.enter(RunStage::Done),
            RunStage::Done => return false,
        }
        true
    }
}
