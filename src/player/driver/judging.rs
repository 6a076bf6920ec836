//! Judges an expectation by what is known at this moment, and what follows: the step ends, or the run fails.

use crate::broker::Command;
use crate::model::{
    Act, Count, Expectation, Millis, Name, QueueName, Scenario, Step, Subject, TallySource, Text, When,
};
use crate::player::assert::evidence::Evidence;
use crate::player::assert::judge::judge;
use crate::player::assert::judge_metric::name_of;
use crate::player::assert::list_advice::list_advice;
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::instant::Instant;
use crate::player::driver::state::{Driver, DriverState, RunStage};
use crate::player::record::failure::{FailureSubject, Finding};
use crate::player::record::timeline::TimelineEvent;
use crate::source::Code;

/// How far a measured time may always be off on a live broker, of real time.
const LIVE_TOLERANCE_FLOOR: Millis = Millis(100);

impl Driver {
    fn evidence<'a>(
        &'a self,
        subject: &Subject,
        context: &'a Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> Evidence<'a> {
        let connections = match subject {
            Subject::Connections(_) => self.open_connections(scenario, consumers),
            _ => Vec::new(),
        };
        let connections = connections.into_iter().map(|(_, names)| names).collect();
        let live = context.broker.live;
        // Of real time: on a broker whose time runs faster it is longer for the scenario.
        let tolerance_floor = if live { context.broker.scale.own(LIVE_TOLERANCE_FLOOR) } else { Millis(0) };
        let counts = context.timeline.counts();
        Evidence { ledger: &context.ledger, contents: &self.contents, connections, counts, live, tolerance_floor }
    }

    /// Lists what does not fit now; contents are left out until they were read.
    pub fn findings(
        &self,
        subject: &Subject,
        context: &Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> Vec<Finding> {
        let evidence = self.evidence(subject, context, scenario, consumers);
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

    pub fn judge_once(
        &mut self,
        expectation: &Expectation,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let findings = judge(&expectation.subject, &self.evidence(&expectation.subject, context, scenario, consumers));
        self.judged(expectation, findings, context, scenario);
    }

    /// Goes on after a judgement.
    pub fn judged(
        &mut self,
        expectation: &Expectation,
        findings: Vec<Finding>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        if !holds(expectation, findings, context, scenario) {
            return;
        }
        if matches!(expectation.when, When::Within(_)) && !context.broker.live {
            self.doing = DriverState::EndingInstant(Instant::default());
            context.ask(context.quiet_asker(), |request| Command::AwaitQuiet { request });
        } else {
            self.end_step(None, context, scenario);
        }
    }

    pub fn judge_at_end(
        &mut self,
        step: &Step,
        at: usize,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if let Act::Expect(expectation) = &step.act {
            let findings =
                judge(&expectation.subject, &self.evidence(&expectation.subject, context, scenario, consumers));
            holds(expectation, findings, context, scenario);
        }
        self.enter(RunStage::AtEnd(at + 1));
    }
}

/// Notes a judgement; says whether the expectation holds, and fails the run if not.
fn holds(expectation: &Expectation, findings: Vec<Finding>, context: &mut Context, scenario: &Scenario) -> bool {
    note_unobservable(expectation, context);
    let holds = findings.is_empty();
    context.record(TimelineEvent::Judged { span: expectation.span, holds });
    if !holds {
        let (code, sentence) = (code_of(&expectation.subject), sentence_of(expectation));
        let advice = list_advice(&expectation.subject, &findings, scenario);
        let failure = context.failed(code, sentence, expectation.span, findings);
        failure.help = advice;
        failure.subjects.extend(failure_subject(&expectation.subject, scenario));
    }
    holds
}

/// Reports where a check is none: why messages are dropped shows on the sim only.
fn note_unobservable(expectation: &Expectation, context: &mut Context) {
    let words = match &expectation.subject {
        Subject::Dropped(_) => "not checked: drops and their reasons are not observable on a live broker",
        Subject::Metric(wanted) if wanted.metric.is_of_reasons() => {
            "not checked: why messages die or are dropped is not observable on a live broker"
        }
        _ => return,
    };
    if context.broker.live {
        context.notes.push((expectation.span, words.to_owned()));
    }
}

/// Returns what the failure of an expectation is about.
pub(crate) fn failure_subject(subject: &Subject, scenario: &Scenario) -> Option<FailureSubject> {
    let consumer = |name: &Name| {
        let declared = scenario.consumers.iter().find(|consumer| consumer.name == *name)?;
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
        Subject::Metric(wanted) => wanted.metric.queue().cloned().map(FailureSubject::Queue),
        Subject::Unroutable(_) => Some(FailureSubject::Unroutable),
        Subject::Dropped(_) => Some(FailureSubject::Dropped),
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
        Subject::Metric(_) => Code::ExpectMetric,
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
        Subject::Metric(wanted) => format!("metric {}", name_of(&wanted.metric)),
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
