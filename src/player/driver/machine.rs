//! The driver: opens the stage, does the steps one after another, reads the outcome, judges, and closes up.
//! A failed step ends the steps; `finally` always runs. Waits by moments and answers, never by sleeping.

use crate::broker::{ChannelId, ConnectionId, PublishId, Refusal, Reply, RequestId};
use crate::model::{Act, Millis, Moment, Name, PublishOutcome, Scale, Scenario, Step};
use crate::player::asker::{Asker, Role};
use crate::player::context::Player;
use crate::player::driver::command_sequence::{Ask, CommandSequence};
use crate::player::driver::publish_series::PublishSeries;
use crate::player::driver::state::Continuation;
use crate::player::driver::state::Driver;
use crate::player::driver::state::DriverState;
use crate::player::driver::state::RunStage;
use crate::player::driver::state::UserConnection;
use crate::player::driver::state::UserOfVhost;
use crate::player::record::timeline::Attempt;
use crate::source::{Code, Span};
use std::collections::BTreeMap;

impl Driver {
    pub fn new(scenario: &Scenario, scale: Scale) -> Self {
        Self {
            limit: Moment(scenario.time_limit(scale).0),
            stage: RunStage::Linking(0),
            doing: DriverState::Nothing,
            links: BTreeMap::new(),
            vhosts: scenario.vhosts(),
            began: Moment(0),
            stretch: Millis(0),
            second_look: false,
            lingered: false,
            unrest: None,
            series_began: Moment(0),
            restarting: false,
            frozen: false,
            timed_out: false,
            failures_before: 0,
            tidied: None,
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
    pub fn rests_actors(&self) -> bool {
        self.frozen || matches!(self.stage, RunStage::Closing | RunStage::Done)
    }

    /// Returns whether it publishes more than goes out at once, and is in the midst of it.
    pub fn is_amid_bulk(&self) -> bool {
        matches!(&self.doing, DriverState::Publishing(series) if series.is_amid_bulk())
    }

    /// Counts a delivery where the rest of a moment is awaited.
    pub fn note_delivery(&mut self, message: &Name) {
        if let DriverState::EndingInstant(instant) = &mut self.doing {
            instant.delivered(message);
        }
    }

    /// Returns the next moment at which the driver acts by itself.
    pub fn wake_at(&self) -> Option<Moment> {
        let own = match &self.doing {
            DriverState::Publishing(series) => series.wake_at(),
            DriverState::PendingCall(calling) => Some(calling.wake_at()),
            DriverState::Watching { until } | DriverState::Sleeping { until } => Some(*until),
            DriverState::Pausing { until } | DriverState::Lingering { until } => Some(*until),
            _ => None,
        };
        let timeout = (!self.timed_out && !self.is_done()).then_some(self.limit);
        own.into_iter().chain(timeout).min()
    }

    /// Returns the place in the file where the run stands.
    pub fn span(&self, scenario: &Scenario) -> Span {
        let step = match self.stage {
            RunStage::Linking(_) | RunStage::Opening(_) => scenario.steps.first(),
            RunStage::Steps(at) => scenario.steps.get(at).or(scenario.steps.last()),
            RunStage::AtEnd(at) => scenario.at_end.get(at),
            RunStage::Finally(at) => scenario.finally.get(at),
            RunStage::Outcome | RunStage::Closing | RunStage::Done => scenario.steps.last(),
        };
        let consumer = scenario.consumers.first().map(|consumer| consumer.span);
        let nowhere = Span::new(crate::source::FileId::default(), 0, 0);
        step.map(|step| step.span).or(consumer).unwrap_or(nowhere)
    }
}

impl Player {
    /// Goes on as far as possible at this moment; says whether anything was done.
    pub(crate) fn step_driver(&mut self, moment: Moment) -> bool {
        if self.has_begun() && !self.driver.timed_out && self.now >= self.driver.limit && !self.driver.is_done() {
            self.driver.timed_out = true;
            let limit = self.driver.limit - Moment(0);
            let real = self.ground.scale.real(limit);
            let aside = if real == limit { String::new() } else { format!(", {real} of the broker's time,") };
            let message = format!("the scenario's timeout of {limit}{aside} is over");
            self.fail(Code::RunTimeout, message, Some("a longer one is set by `timeout:` at the top".into()));
            self.note_under_way();
        }
        if self.failures.len() > self.driver.failures_before {
            self.driver.failures_before = self.failures.len();
            if !matches!(
                self.driver.stage,
                RunStage::AtEnd(_) | RunStage::Finally(_) | RunStage::Closing | RunStage::Done
            ) {
                self.enter(RunStage::Finally(0));
                return true;
            }
        }
        match std::mem::replace(&mut self.driver.doing, DriverState::Nothing) {
            DriverState::Nothing => self.next_stage(moment),
            DriverState::CommandSequence(program, then) => self.run_program(program, then),
            DriverState::Publishing(series) => self.go_on_publishing(*series),
            DriverState::PendingCall(calling) => self.go_on_calling(calling),
            DriverState::ClosingConnections(severing) => self.go_on_severing(severing),
            DriverState::Leaving => self.go_on_leaving(),
            DriverState::Reading(reading) => self.go_on_reading(reading),
            DriverState::Watching { until } => self.go_on_watching(until),
            DriverState::Sleeping { until } if until <= self.now => {
                self.woke_up();
                true
            }
            DriverState::Lingering { until } if until <= self.now => self.lingered(),
            DriverState::EndingInstant(instant) if instant.is_endless() => {
                self.end_step(None);
                true
            }
            DriverState::Pausing { until } if until <= self.now => {
                if let Some(step) = self.current_step() {
                    self.perform_step(&step);
                }
                true
            }
            other => {
                self.driver.doing = other;
                false
            }
        }
    }

    pub(crate) fn enter(&mut self, stage: RunStage) {
        self.driver.stage = stage;
        self.driver.doing = DriverState::Nothing;
    }

    fn next_stage(&mut self, moment: Moment) -> bool {
        let scenario = self.scenario.clone();
        match self.driver.stage {
            RunStage::Linking(at) => match self.driver.vhosts.get(at).cloned() {
                Some(vhost) => {
                    let program = CommandSequence::new(self.link_asks(&(None, vhost)));
                    self.driver.doing = DriverState::CommandSequence(program, Continuation::Linked);
                }
                None => {
                    self.watch_all();
                    self.enter(RunStage::Opening(0));
                }
            },
            RunStage::Opening(at) if at < self.actors.len() => {
                let consumer = &scenario.consumers[self.actors[at].consumer];
                if consumer.start_manually {
                    self.enter(RunStage::Opening(at + 1));
                } else {
                    self.start_actor(at);
                }
            }
            RunStage::Opening(_) => {
                self.begin(moment);
                self.enter(RunStage::Steps(0));
            }
            RunStage::Steps(at) => match scenario.steps.get(at) {
                Some(step) => self.begin_step(step),
                None => {
                    self.enter(RunStage::Outcome);
                    self.await_quiet();
                }
            },
            RunStage::Outcome => self.enter(RunStage::AtEnd(0)),
            RunStage::AtEnd(at) => match scenario.at_end.get(at) {
                Some(step) => self.judge_at_end(step, at),
                None => {
                    self.keep_outcome();
                    self.enter(RunStage::Finally(0));
                }
            },
            RunStage::Finally(at) => match scenario.finally.get(at) {
                // It failed; the others still have their turn.
                Some(_) if self.driver.tidied == Some(at) => self.enter(RunStage::Finally(at + 1)),
                Some(step) => {
                    self.driver.tidied = Some(at);
                    self.begin_step(step);
                }
                None => self.close_up(),
            },
            RunStage::Closing => self.enter(RunStage::Done),
            RunStage::Done => return false,
        }
        true
    }

    fn watch_all(&mut self) {
        let scenario = self.scenario.clone();
        for queue in &scenario.topology.queues {
            self.watch(queue.id());
        }
    }

    pub(crate) fn start_actor(&mut self, index: usize) {
        self.actors[index].comeback = None;
        let asks = self.subscribe(index);
        self.driver.doing = DriverState::CommandSequence(CommandSequence::new(asks), Continuation::Started(index));
    }

    /// Lists what is missing for a user to publish in a vhost: a connection, a channel.
    pub(crate) fn link_asks(&mut self, name: &UserOfVhost) -> Vec<Ask> {
        let mut asks = Vec::new();
        let link = match self.driver.links.get(name).copied() {
            Some(link) => link,
            None => {
                let connection = self.ids.connection();
                asks.push(Ask::Connect { connection, user: name.0.clone(), vhost: name.1.clone() });
                UserConnection { connection, publishing: None }
            }
        };
        let publishing = link.publishing.unwrap_or_else(|| {
            let channel = self.ids.channel();
            asks.push(Ask::Open { channel, connection: link.connection });
            self.channels.insert(channel, (link.connection, Role::Driver));
            channel
        });
        self.driver.links.insert(name.clone(), UserConnection { publishing: Some(publishing), ..link });
        asks
    }

    fn run_program(&mut self, mut program: CommandSequence, then: Continuation) -> bool {
        if program.is_over() {
            self.program_over(program, then);
            return true;
        }
        let next = program.next();
        let asked = next.is_some();
        if let Some(ask) = next {
            program.waiting = Some(self.ask(Asker::Driver, |request| ask.command(request)));
        }
        self.driver.doing = DriverState::CommandSequence(program, then);
        asked
    }

    pub(crate) fn driver_answered(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        let program = match &mut self.driver.doing {
            DriverState::CommandSequence(program, _) => program,
            DriverState::Reading(reading) => &mut reading.program,
            _ => return,
        };
        if program.waiting == Some(request) {
            program.answered(reply);
        }
    }

    fn program_over(&mut self, program: CommandSequence, then: Continuation) {
        let refusal = program.refusal;
        match then {
            Continuation::Linked => match (refusal, self.driver.stage) {
                (Some(refusal), _) => self.runner_refused(&refusal),
                (None, RunStage::Linking(at)) => self.enter(RunStage::Linking(at + 1)),
                (None, _) => self.driver.doing = DriverState::Nothing,
            },
            Continuation::Closed => self.driver.doing = DriverState::Nothing,
            Continuation::Started(index) => self.actor_started(index, refusal),
            Continuation::EndStep => self.end_step(refusal.as_ref()),
            Continuation::Restarted => {
                self.driver.restarting = false;
                self.end_step(refusal.as_ref());
            }
            Continuation::Ask(channel) => match refusal {
                Some(refusal) => self.end_step(Some(&refusal)),
                None => self.ask_question(channel),
            },
            Continuation::Severed(severing) => match refusal {
                Some(refusal) => self.end_step(Some(&refusal)),
                None => self.driver.doing = DriverState::ClosingConnections(severing),
            },
            Continuation::Read(reading) => match refusal {
                Some(refusal) => self.runner_refused(&refusal),
                None => self.driver.doing = DriverState::Reading(*reading),
            },
            Continuation::Publish => match refusal {
                Some(refusal) => self.end_step(Some(&refusal)),
                None => self.begin_series(),
            },
        }
    }

    fn actor_started(&mut self, index: usize, refusal: Option<Refusal>) {
        let queue = self.ledger.consumers[index].queue.clone();
        match refusal {
            None => self.subscribed(index),
            // What was opened for it is closed before anything else is asked.
            Some(_) => self.withdraw(index),
        }
        if let RunStage::Opening(at) = self.driver.stage {
            if let Some(refusal) = refusal {
                let span = self.scenario.consumers[self.actors[index].consumer].span;
                self.refused(self.actors[index].name.clone(), Attempt::Consume(queue.name), &refusal);
                self.failed(Code::StepRefused, format!("a consumer could not start: {refusal}"), span, vec![]);
            } else {
                self.enter(RunStage::Opening(at + 1));
            }
            return;
        }
        let next = index + 1;
        let whole = self.current_step().is_some_and(|step| match &step.act {
            Act::Start(name) => *name == self.scenario.consumers[self.actors[index].consumer].name,
            _ => false,
        });
        let more = whole
            && refusal.is_none()
            && self.actors.get(next).is_some_and(|actor| actor.consumer == self.actors[index].consumer);
        if more { self.start_actor(next) } else { self.end_step(refusal.as_ref()) }
    }

    fn begin_series(&mut self) {
        let Some(Step { act: Act::Publish(publish), .. }) = self.current_step() else { return self.end_step(None) };
        let link = self.current_step().map(|step| (step.actor.clone(), step.vhost.clone()));
        let channel = link.and_then(|name| self.driver.links.get(&name)).and_then(|link| link.publishing);
        match channel {
            Some(channel) => {
                self.driver.doing = DriverState::Publishing(Box::new(PublishSeries::new(*publish, channel, self.now)))
            }
            None => self.end_step(None),
        }
    }

    fn go_on_publishing(&mut self, mut series: PublishSeries) -> bool {
        if series.is_over() {
            self.end_step(None);
            return true;
        }
        let by: Name = self.current_step().and_then(|step| step.actor).unwrap_or_else(|| "driver".into());
        let mut sent = false;
        while let Some(n) = series.due(self.now) {
            let mut scope = crate::model::Scope::new();
            match crate::player::message::compose::compose(&series.publish, n, &mut scope) {
                Ok(composed) => {
                    let publish = self.publish(composed, series.channel, by.clone(), None);
                    series.sent(publish);
                    sent = true;
                }
                Err(bad) => {
                    self.bad_step(&bad);
                    return true;
                }
            }
        }
        self.driver.doing = DriverState::Publishing(Box::new(series));
        sent
    }

    pub(crate) fn driver_publish_ended(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
    ) {
        let DriverState::Publishing(series) = &mut self.driver.doing else {
            return self.question_ended(publish, outcome, refusal);
        };
        if !series.ended(publish) || series.broken {
            return;
        }
        let gone = matches!(outcome, PublishOutcome::Refused | PublishOutcome::Lost);
        series.broken = gone;
        if let Some(refusal) = refusal {
            self.end_step(Some(&refusal.clone()));
        }
    }

    pub(crate) fn driver_channel_closed(&mut self, channel: ChannelId) {
        for link in self.driver.links.values_mut().filter(|link| link.publishing == Some(channel)) {
            link.publishing = None;
        }
    }

    pub(crate) fn driver_connection_closed(&mut self, connection: ConnectionId) {
        self.forget_link(connection);
    }
}
