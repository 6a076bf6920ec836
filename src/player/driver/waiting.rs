//! When expectations are judged: at quiet, at the first moment they hold, throughout from quiet on, or at a moment.
//! Waits by the player's events and moments; the judging itself is `judge`.

use crate::broker::{Command, Refusal, Reply};
use crate::model::{
    Act, Consumer, Count, Expectation, Millis, Moment, Name, QueueName, Step, Subject, TallySource, Text, When,
};
use crate::player::asker::Asker;
use crate::player::assert::evidence::Evidence;
use crate::player::assert::judge::judge;
use crate::player::context::Player;
use crate::player::driver::instant::Instant;
use crate::player::driver::state::{DriverState, RunStage};
use crate::player::record::failure::{FailureSubject, Finding};
use crate::player::record::timeline::TimelineEvent;
use crate::source::{Code, Span};

/// How far a measured time may always be off on a live broker, of real time.
const LIVE_TOLERANCE_FLOOR: Millis = Millis(100);

/// How long a message may be on its way and be counted nowhere, of real time (60 ms at worst between quorum queues).
const ON_ITS_WAY: Millis = Millis(100);

/// What to do when quiet does not come to an expectation.
const NEVER_QUIET: &str = "messages go round without end: give the loop an end (`attempt`, `x_death`, a delivery limit) \
                           or a pause of 200ms (a TTL, `delay`); or say how long to wait: `within: 10s`";

/// What to do when it does not come at the end, and no consumer is to blame.
const AT_THE_END: &str = "the steps are over, and messages go round without end: give the loop an end (a delivery limit, an \
                          expectation of `x_death`) or a pause of 200ms (a TTL)";

impl Player {
    pub(crate) fn await_quiet(&mut self) {
        self.driver.doing = DriverState::Quieting;
        self.ask(Asker::Quiet, |request| Command::AwaitQuiet { request });
    }

    pub(crate) fn driver_quiet(&mut self, reply: Result<Reply, Refusal>) {
        if matches!(self.driver.doing, DriverState::EndingInstant(_)) {
            return self.end_step(None);
        }
        if !matches!(self.driver.doing, DriverState::Quieting) {
            return;
        }
        self.driver.doing = DriverState::Nothing;
        // What holds throughout holds from quiet on; where work never rests, from when that is known.
        if let Some(expectation) = self.current_expectation()
            && matches!(expectation.when, When::For(_))
        {
            return self.refresh_or_judge(&expectation);
        }
        if let Err(refusal) = reply {
            return self.never_quiet(refusal.text);
        }
        if !std::mem::take(&mut self.driver.lingered) {
            let until = self.reach(self.now, false);
            if until > self.now {
                self.driver.doing = DriverState::Lingering { until };
                return;
            }
        }
        if self.driver.stage == RunStage::Outcome {
            self.took = self.now;
            self.read_everything();
            return;
        }
        match self.current_expectation() {
            Some(expectation) if contents_of(&expectation).is_some() => self.read_for(&expectation),
            Some(expectation) => self.judge_once(&expectation),
            None => {}
        }
    }

    fn never_quiet(&mut self, text: String) {
        let (span, restless) = self.place_of_unrest();
        self.failed(Code::RunNeverQuiet, text, span, vec![]);
        let help = match (restless, self.driver.stage) {
            (Some(consumer), _) => format!(
                "the steps are over, and {consumer} works on: end with the step `stop: {consumer}`, or give the loop an end \
                 (`attempt`, `x_death`, a delivery limit)"
            ),
            (None, RunStage::Outcome) => AT_THE_END.to_owned(),
            (None, _) => NEVER_QUIET.to_owned(),
        };
        if let Some(failure) = self.failures.last_mut() {
            failure.help = Some(help);
        }
    }

    /// Returns where to tell of a quiet that does not come: at the expectation that waits for it, and once the steps are
    /// over, at the consumer that goes on, with its name.
    pub(crate) fn place_of_unrest(&self) -> (Span, Option<Name>) {
        let span = self.driver.span(&self.scenario);
        let last = (self.driver.stage == RunStage::Outcome).then(|| self.latest_at_work()).flatten();
        match last {
            Some(consumer) => (consumer.span, Some(consumer.name.clone())),
            None => (span, None),
        }
    }

    fn latest_at_work(&self) -> Option<&Consumer> {
        let at_work = self.timeline.entries().rev().find_map(|entry| match &entry.what {
            TimelineEvent::Delivered { consumer, .. }
            | TimelineEvent::Settled { consumer, .. }
            | TimelineEvent::Working { consumer, .. } => Some(consumer),
            _ => None,
        })?;
        let actor = self.actors.iter().find(|actor| actor.name == *at_work)?;
        Some(&self.scenario.consumers[actor.consumer])
    }

    /// The shifted point is reached; where rest is awaited, only once nothing has happened for a while.
    pub(crate) fn lingered(&mut self) -> bool {
        match &self.driver.unrest {
            Some(unrest) if unrest.is_too_long(self.now) => {
                self.driver.unrest = None;
                self.never_quiet("never quiet".to_owned());
            }
            Some(unrest) if unrest.until(self.now).is_some() => {
                let until = unrest.until(self.now).unwrap_or(self.now);
                self.driver.doing = DriverState::Lingering { until };
                return false;
            }
            _ => {
                self.driver.unrest = None;
                self.driver.lingered = true;
                self.await_quiet();
            }
        }
        true
    }

    /// A fresh count of a queue came in.
    pub(crate) fn driver_counted(&mut self, queue: &QueueName) {
        let DriverState::Refreshing(awaited) = &self.driver.doing else { return };
        if awaited != queue {
            return;
        }
        self.driver.doing = DriverState::Nothing;
        let Some(expectation) = self.current_expectation() else { return };
        let until = match expectation.when {
            When::Within(length) | When::For(length) => self.driver.began + length + self.driver.stretch,
            When::Quiet | When::At(_) => return self.judge_once(&expectation),
        };
        self.driver.doing = DriverState::Watching { until };
    }

    /// Returns the queue of which an expectation adds up what the broker counts and what its consumers have in hand: on a
    /// live broker the two are told at different moments.
    fn adds_up(&self, expectation: &Expectation) -> Option<QueueName> {
        let Subject::Queue(queue) = &expectation.subject else { return None };
        let both = queue.total.is_some() || queue.ready.is_some() && queue.unacked.is_some();
        (self.ground.live && both).then(|| queue.queue.clone())
    }

    /// Puts off a judgement by what may be on its way between queue and consumer: true when it is put off.
    fn looks_again(&mut self, expectation: &Expectation, decides: bool, until: Moment) -> bool {
        let Some(queue) = self.adds_up(expectation) else { return false };
        if self.ledger.queues.get(&queue).is_some_and(|tally| tally.moved) {
            self.driver.second_look = false;
            self.driver.doing = DriverState::Refreshing(queue.clone());
            self.watch(queue);
            return true;
        }
        let first = decides && !self.driver.second_look;
        self.driver.second_look = first;
        if first {
            let pause = self.ground.scale.own(ON_ITS_WAY).min(Millis((until - self.driver.began).0 / 10));
            self.driver.doing = DriverState::Sleeping { until: (self.now + pause).min(until) };
        }
        first
    }

    pub(crate) fn go_on_watching(&mut self, until: Moment) -> bool {
        let Some(expectation) = self.current_expectation() else { return false };
        let late = self.now >= until;
        if !self.news && !late {
            self.driver.doing = DriverState::Watching { until };
            return false;
        }
        let findings = self.findings(&expectation.subject);
        let decides = matches!(expectation.when, When::Within(_)) == findings.is_empty();
        if !late && self.looks_again(&expectation, decides, until) {
            return false;
        }
        match (expectation.when, findings.is_empty()) {
            (When::Within(_), true) if contents_of(&expectation).is_some() => self.read_for(&expectation),
            (When::Within(_), true) => {
                self.note_narrow_escape(expectation.when, expectation.span);
                self.judged(&expectation, findings);
            }
            (When::For(_), false) => self.judged(&expectation, findings),
            _ if late => self.judged(&expectation, findings),
            _ => {
                self.driver.doing = DriverState::Watching { until };
                return false;
            }
        }
        true
    }

    pub(crate) fn woke_up(&mut self) {
        match self.current_expectation() {
            Some(expectation) => self.refresh_or_judge(&expectation),
            None => self.end_step(None),
        }
    }

    /// Judges an expectation that has waited for its moment; counts are read anew first.
    fn refresh_or_judge(&mut self, expectation: &Expectation) {
        match &expectation.subject {
            Subject::Queue(queue) => {
                self.driver.doing = DriverState::Refreshing(queue.queue.clone());
                self.watch(queue.queue.clone());
            }
            _ => match expectation.when {
                When::Within(length) | When::For(length) => {
                    self.news = true;
                    self.driver.doing =
                        DriverState::Watching { until: self.driver.began + length + self.driver.stretch };
                }
                When::Quiet | When::At(_) => self.judge_once(expectation),
            },
        }
    }

    pub(crate) fn begin_expectation(&mut self, expectation: &Expectation) {
        self.driver.began = self.now;
        self.driver.second_look = false;
        self.driver.stretch = Millis(0);
        match expectation.when {
            When::Quiet => self.await_quiet(),
            When::Within(_) => self.refresh_or_judge(expectation),
            When::For(length) => {
                let end = self.now + length;
                self.driver.stretch = self.reach(end, false) - end;
                self.await_quiet();
            }
            When::At(moment) if moment >= self.now => {
                self.driver.doing = DriverState::Sleeping { until: self.reach(moment, true) };
            }
            When::At(moment) => {
                let message = format!("the moment {moment} has passed: it is {} now", self.now);
                self.failed(Code::ExpectTooLate, message, expectation.span, vec![]);
            }
        }
    }

    fn evidence(&self) -> Evidence<'_> {
        let connections = self.open_connections().into_iter().map(|(_, names)| names).collect();
        let live = self.ground.live;
        // Of real time: on a broker whose time runs faster it is longer for the scenario.
        let tolerance_floor = if live { self.ground.scale.own(LIVE_TOLERANCE_FLOOR) } else { Millis(0) };
        Evidence { ledger: &self.ledger, contents: &self.contents, connections, live, tolerance_floor }
    }

    /// Lists what does not fit now; contents are left out until they were read.
    pub(crate) fn findings(&self, subject: &Subject) -> Vec<Finding> {
        let evidence = self.evidence();
        match subject {
            Subject::Queue(queue) if queue.messages.is_some() && self.contents.of(&queue.queue).is_none() => {
                let mut counts = queue.clone();
                if let Some(messages) = counts.messages.take() {
                    let wanted = messages.entries.len() as u64;
                    let whole = Count { min: wanted, max: (!messages.includes).then_some(wanted) };
                    counts.ready = counts.ready.or(Some(whole));
                }
                judge(&Subject::Queue(counts), &evidence)
            }
            subject => judge(subject, &evidence),
        }
    }

    pub(crate) fn judge_once(&mut self, expectation: &Expectation) {
        let evidence = self.evidence();
        let findings = judge(&expectation.subject, &evidence);
        self.judged(expectation, findings);
    }

    fn judged(&mut self, expectation: &Expectation, findings: Vec<Finding>) {
        self.note_unobservable(expectation);
        self.record(TimelineEvent::Judged { span: expectation.span, holds: findings.is_empty() });
        if !findings.is_empty() {
            self.does_not_hold(expectation, findings);
        } else if matches!(expectation.when, When::Within(_)) && !self.ground.live {
            self.driver.doing = DriverState::EndingInstant(Instant::default());
            self.ask(Asker::Quiet, |request| Command::AwaitQuiet { request });
        } else {
            self.end_step(None);
        }
    }

    fn does_not_hold(&mut self, expectation: &Expectation, findings: Vec<Finding>) {
        self.failed(code_of(&expectation.subject), sentence_of(expectation), expectation.span, findings);
        if let Some(subject) = self.subject_of(&expectation.subject) {
            self.failed_about(subject);
        }
    }

    /// Notes what the last failure is about.
    pub(crate) fn failed_about(&mut self, subject: FailureSubject) {
        if let Some(failure) = self.failures.last_mut() {
            failure.subjects.push(subject);
        }
    }

    pub(crate) fn subject_of(&self, subject: &Subject) -> Option<FailureSubject> {
        let consumer = |name: &Name| {
            let declared = self.scenario.consumers.iter().find(|consumer| consumer.name == *name)?;
            Some(FailureSubject::Consumer(name.clone(), declared.queue.clone()))
        };
        match subject {
            Subject::Queue(queue) => Some(FailureSubject::Queue(queue.queue.clone())),
            Subject::Consumer(wanted) => consumer(&wanted.consumer),
            Subject::Message(message) => message.id.fixed().cloned().map(FailureSubject::Message),
            Subject::Publishes(publishes) => Some(match publishes.of.as_ref().and_then(Text::fixed) {
                Some(id) => FailureSubject::Message(id.clone()),
                None => FailureSubject::Publishes(publishes.outcome),
            }),
            Subject::Tally(tally) => match &tally.source {
                TallySource::Queue(queue) => Some(FailureSubject::Queue(queue.clone())),
                TallySource::Consumer(name) => consumer(name),
                TallySource::Published => None,
            },
            Subject::Connections(_) => None,
            Subject::Unroutable(_) => Some(FailureSubject::Unroutable),
            Subject::Dropped(_) => Some(FailureSubject::Dropped),
        }
    }

    /// Reports where a check is none: why messages are dropped shows on the sim only.
    fn note_unobservable(&mut self, expectation: &Expectation) {
        if self.ground.live && matches!(expectation.subject, Subject::Dropped(_)) {
            self.notes.push((
                expectation.span,
                "not checked: drops and their reasons are not observable on a live broker".to_owned(),
            ));
        }
    }

    pub(crate) fn judge_at_end(&mut self, step: &Step, at: usize) {
        if let Act::Expect(expectation) = &step.act {
            let evidence = self.evidence();
            let findings = judge(&expectation.subject, &evidence);
            self.note_unobservable(expectation);
            self.record(TimelineEvent::Judged { span: expectation.span, holds: findings.is_empty() });
            if !findings.is_empty() {
                self.does_not_hold(expectation, findings);
            }
        }
        self.enter(RunStage::AtEnd(at + 1));
    }
}

/// Returns the queue whose contents an expectation compares, if it does.
pub(crate) fn contents_of(expectation: &Expectation) -> Option<&QueueName> {
    match &expectation.subject {
        Subject::Queue(queue) => queue.messages.is_some().then_some(&queue.queue),
        Subject::Tally(tally) => match &tally.source {
            TallySource::Queue(queue) => Some(queue),
            _ => None,
        },
        _ => None,
    }
}

fn code_of(subject: &Subject) -> Code {
    match subject {
        Subject::Queue(_) => Code::ExpectQueue,
        Subject::Consumer(_) => Code::ExpectConsumer,
        Subject::Message(_) => Code::ExpectMessage,
        Subject::Publishes(_) | Subject::Unroutable(_) | Subject::Dropped(_) => Code::ExpectPublishes,
        Subject::Tally(_) => Code::ExpectTally,
        Subject::Connections(_) => Code::ExpectConnections,
    }
}

/// Says in a sentence that an expectation failed.
fn sentence_of(expectation: &Expectation) -> String {
    let whom = match &expectation.subject {
        Subject::Queue(queue) => format!("queue {}", queue.queue.name),
        Subject::Consumer(consumer) => format!("consumer {}", consumer.consumer),
        Subject::Message(message) => {
            format!("message {}", message.id.fixed().map_or("", |id| id))
        }
        Subject::Publishes(_) => "publishes".to_owned(),
        Subject::Tally(_) => "tally".to_owned(),
        Subject::Connections(_) => "connections".to_owned(),
        Subject::Unroutable(_) => "unroutable messages".to_owned(),
        Subject::Dropped(_) => "dropped messages".to_owned(),
    };
    match expectation.when {
        When::Quiet => format!("{whom}: not as expected"),
        When::Within(length) => format!("{whom}: not as expected within {length}"),
        When::For(length) => format!("{whom}: not as expected for {length}"),
        When::At(moment) => format!("{whom}: not as expected at {moment}"),
    }
}
