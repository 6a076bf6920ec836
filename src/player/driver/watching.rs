//! When expectations are judged: at quiet, at the first moment they hold, throughout from quiet on, or at a moment.
//! Waits by events and moments, and for fresh counts.

use crate::model::{Expectation, Millis, Moment, QueueName, Scenario, Subject, When};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::judging::contents_of;
use crate::player::driver::state::{Driver, DriverState};
use crate::source::Code;

/// How long a message may be on its way and be counted nowhere, of real time (60 ms at worst between quorum queues).
const ON_ITS_WAY: Millis = Millis(100);

impl Driver {
    pub fn begin_expectation(
        &mut self,
        expectation: &Expectation,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let now = context.now();
        self.began = now;
        self.second_look = false;
        self.stretch = Millis(0);
        match expectation.when {
            When::Quiet => self.await_quiet(context),
            When::Within(_) => self.refresh_or_judge(expectation, context, scenario, consumers),
            When::For(length) => {
                let end = now + length;
                self.stretch = self.reach(end, false, context, scenario) - end;
                self.await_quiet(context);
            }
            When::At(moment) if moment >= now => {
                self.doing = DriverState::Sleeping { until: self.reach(moment, true, context, scenario) };
            }
            When::At(moment) => {
                let message = format!("the moment {moment} has passed: it is {now} now");
                context.failed(Code::ExpectTooLate, message, expectation.span, vec![]);
            }
        }
    }

    /// Judges an expectation that has waited for its moment; counts are read anew first.
    pub fn refresh_or_judge(
        &mut self,
        expectation: &Expectation,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        match (&expectation.subject, self.watch_until(expectation)) {
            (Subject::Queue(queue), _) => self.refresh(queue.queue.clone(), context, scenario),
            (_, Some(until)) => {
                self.news = true;
                self.doing = DriverState::Watching { until };
            }
            (_, None) => self.judge_once(expectation, context, scenario, consumers),
        }
    }

    /// Has a queue counted anew, and waits for that.
    fn refresh(&mut self, queue: QueueName, context: &mut Context, scenario: &Scenario) {
        self.doing = DriverState::Refreshing(queue.clone());
        context.watch(scenario, queue);
    }

    /// Returns until when an expectation is judged at each change.
    fn watch_until(&self, expectation: &Expectation) -> Option<Moment> {
        match expectation.when {
            When::Within(length) | When::For(length) => Some(self.began + length + self.stretch),
            When::Quiet | When::At(_) => None,
        }
    }

    /// A fresh count of a queue came in.
    pub fn counted(
        &mut self,
        queue: &QueueName,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if !matches!(&self.doing, DriverState::Refreshing(awaited) if awaited == queue) {
            return;
        }
        self.doing = DriverState::Nothing;
        let Some(expectation) = self.current_expectation(scenario) else { return };
        match self.watch_until(expectation) {
            Some(until) => self.doing = DriverState::Watching { until },
            None => self.judge_once(expectation, context, scenario, consumers),
        }
    }

    pub fn go_on_watching(
        &mut self,
        until: Moment,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        let Some(expectation) = self.current_expectation(scenario) else { return false };
        let late = context.now() >= until;
        if !self.news && !late {
            self.doing = DriverState::Watching { until };
            return false;
        }
        let findings = self.findings(&expectation.subject, context, scenario, consumers);
        let decides = matches!(expectation.when, When::Within(_)) == findings.is_empty();
        if !late && self.looks_again(expectation, decides, until, context, scenario) {
            return false;
        }
        match (expectation.when, findings.is_empty()) {
            (When::Within(_), true) if contents_of(expectation).is_some() => self.read_for(expectation, context),
            (When::Within(_), true) => {
                self.note_narrow_escape(expectation.when, expectation.span, context);
                self.judged(expectation, findings, context, scenario);
            }
            (When::For(_), false) => self.judged(expectation, findings, context, scenario),
            _ if late => self.judged(expectation, findings, context, scenario),
            _ => {
                self.doing = DriverState::Watching { until };
                return false;
            }
        }
        true
    }

    /// Puts off a judgement by what may be on its way between queue and consumer: true when it is put off.
    fn looks_again(
        &mut self,
        expectation: &Expectation,
        decides: bool,
        until: Moment,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        let Some(queue) = adds_up(expectation).filter(|_| context.broker.live) else { return false };
        if context.ledger.queues.get(queue).is_some_and(|tally| tally.moved) {
            self.second_look = false;
            self.refresh(queue.clone(), context, scenario);
            return true;
        }
        let first = decides && !self.second_look;
        self.second_look = first;
        if first {
            let pause = context.broker.scale.own(ON_ITS_WAY).min(Millis((until - self.began).0 / 10));
            self.doing = DriverState::Sleeping { until: (context.now() + pause).min(until) };
        }
        first
    }

    pub fn woke_up(&mut self, context: &mut Context, scenario: &Scenario, consumers: &ConsumerInstances) {
        match self.current_expectation(scenario) {
            Some(expectation) => self.refresh_or_judge(expectation, context, scenario, consumers),
            None => self.end_step(None, context, scenario),
        }
    }
}

/// Returns the queue of which an expectation adds up what the broker counts and what its consumers have in hand: on a
/// live broker the two are told at different moments.
fn adds_up(expectation: &Expectation) -> Option<&QueueName> {
    let Subject::Queue(queue) = &expectation.subject else { return None };
    let both = queue.total.is_some() || queue.ready.is_some() && queue.unacked.is_some();
    both.then_some(&queue.queue)
}
