//! When expectations are judged: at quiet, at the first moment they hold, throughout from quiet on, or at a moment.
//! Waits by events and moments, and for fresh counts.

use crate::model::{Expectation, Millis, Moment, QueueName, Scenario, Subject, When};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::judging::contents_of;
use crate::player::driver::reading::streams::counted_stream;
use crate::player::driver::state::{Driver, DriverState};
use crate::player::record::finding::Finding;
use crate::source::Code;

/// How long a message may be on its way and be counted nowhere, of real time (60 ms at worst between quorum queues).
const ON_ITS_WAY: Millis = Millis(100);

/// The same, when a consumer returned what was not seen since: it comes back, if late, on a busy broker.
const ON_ITS_WAY_BACK: Millis = Millis(2_000);

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
        self.confirmed = false;
        self.stretch = Millis(0);
        (self.letters_counted, self.look_at) = (false, None);
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
    pub fn watch_until(&self, expectation: &Expectation) -> Option<Moment> {
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
            None if is_counted(expectation, context, scenario) => self.read_for(expectation, context, scenario),
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
        let looks = self.look_at.is_some_and(|at| context.now() >= at);
        if !self.news && !late && !looks {
            self.doing = DriverState::Watching { until };
            return false;
        }
        if self.counts_letters_first(expectation, until, context) {
            return matches!(self.doing, DriverState::CommandSequence(..));
        }
        // It tells its count too late to be watched, and what it holds not at all.
        let by_count = !context.broker.live && contents_of(expectation).is_none();
        if !by_count && is_counted(expectation, context, scenario) {
            self.read_for(expectation, context, scenario);
            return true;
        }
        let findings = self.findings(&expectation.subject, context, scenario, consumers);
        if self.looks_again(expectation, decides(expectation, &findings), until, context, scenario) {
            return false;
        }
        match (expectation.when, findings.is_empty()) {
            (When::Within(_), true) if contents_of(expectation).is_some() => {
                self.read_for(expectation, context, scenario);
            }
            (When::Within(_), true) => {
                self.note_narrow_escape(expectation.when, expectation.span, context);
                self.judged(expectation, findings, context, scenario);
            }
            (When::For(_), false) => self.judged(expectation, findings, context, scenario),
            _ if late => self.judged(expectation, findings, context, scenario),
            _ => {
                self.doing = DriverState::Watching { until };
                self.plan_look(expectation, context);
                return false;
            }
        }
        true
    }

    /// Puts off a judgement by what may be on its way between queue and consumer: true when it is put off. Between a return
    /// and the next delivery, say, a message is counted nowhere, which is true for an instant only.
    fn looks_again(
        &mut self,
        expectation: &Expectation,
        decides: bool,
        end: Moment,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        let Some(queue) = counted_apart(expectation).filter(|_| context.broker.live) else { return false };
        let late = context.now() >= end;
        let tally = context.ledger.queues.get(queue);
        if !late && tally.is_some_and(|tally| tally.moved) {
            self.confirmed = false;
            self.refresh(queue.clone(), context, scenario);
            return true;
        }
        // At its end a `for` has held for long enough; a `within` must not hold by chance.
        let puts_off = decides && !self.confirmed && !(late && matches!(expectation.when, When::For(_)));
        if puts_off {
            let returned = tally.is_some_and(|tally| tally.returned > 0);
            let pause = if returned { ON_ITS_WAY_BACK } else { ON_ITS_WAY };
            let pause = context.broker.scale.own(pause).min(Millis((end - self.began).0 / 10));
            self.doing = DriverState::Confirming { until: context.now() + pause, end };
        } else {
            self.confirmed = false;
        }
        puts_off
    }

    /// Waits whether what decides stays so; what comes in between takes it back.
    pub fn go_on_confirming(
        &mut self,
        until: Moment,
        end: Moment,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        let Some(expectation) = self.current_expectation(scenario) else { return false };
        if self.news {
            let findings = self.findings(&expectation.subject, context, scenario, consumers);
            if !decides(expectation, &findings) {
                self.doing = DriverState::Watching { until: end };
                return true;
            }
        }
        if until <= context.now() {
            self.confirmed = true;
            self.woke_up(context, scenario, consumers);
            return true;
        }
        self.doing = DriverState::Confirming { until, end };
        false
    }

    pub fn woke_up(&mut self, context: &mut Context, scenario: &Scenario, consumers: &ConsumerInstances) {
        match self.current_expectation(scenario) {
            Some(expectation) => self.refresh_or_judge(expectation, context, scenario, consumers),
            None => self.end_step(None, context, scenario),
        }
    }
}

/// Returns whether an expectation counts the messages of a stream.
fn is_counted(expectation: &Expectation, context: &Context, scenario: &Scenario) -> bool {
    counted_stream(expectation, context.broker.version, scenario).is_some()
}

/// Returns whether what does not fit decides: nothing for a `within`, anything for a `for`.
fn decides(expectation: &Expectation, findings: &[Finding]) -> bool {
    matches!(expectation.when, When::Within(_)) == findings.is_empty()
}

/// Returns the queue of which an expectation counts what its consumers have in hand: on a live broker that and what is
/// ready are told at different moments.
fn counted_apart(expectation: &Expectation) -> Option<&QueueName> {
    let Subject::Queue(queue) = &expectation.subject else { return None };
    (queue.total.is_some() || queue.unacked.is_some()).then_some(&queue.queue)
}
