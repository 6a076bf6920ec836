//! The wait for quiet: nothing more happens now. Where work never rests, says at whom that lies.

use crate::broker::{Command, Refusal, Reply};
use crate::model::{Act, Consumer, Name, Scenario, Step, When};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::reading::streams::queue_to_read;
use crate::player::driver::state::{Driver, DriverState, RunStage};
use crate::player::record::timeline::TimelineEvent;
use crate::source::{Code, Span};

/// What to do when quiet does not come to an expectation.
const NEVER_QUIET: &str = "messages go round without end: give the loop an end (`attempt`, `x_death`, a delivery limit) \
                           or a pause of 200ms (a TTL, `delay`); or say how long to wait: `within: 10s`";

/// What to do when it does not come at the end, and no consumer is to blame.
const AT_THE_END: &str = "the steps are over, and messages go round without end: give the loop an end (a delivery limit, an \
                          expectation of `x_death`) or a pause of 200ms (a TTL)";

impl Driver {
    pub fn await_quiet(&mut self, context: &mut Context) {
        self.doing = DriverState::Quieting;
        context.ask(context.quiet_asker(), |request| Command::AwaitQuiet { request });
    }

    /// Takes the answer to the wait for quiet.
    pub fn quiet(
        &mut self,
        reply: Result<Reply, Refusal>,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if matches!(self.doing, DriverState::EndingInstant(_)) {
            return self.end_step(None, context, scenario);
        }
        if matches!(self.doing, DriverState::AwaitingQuiet { .. }) {
            return self.quiet_answered(&reply, context, scenario, consumers);
        }
        if !matches!(self.doing, DriverState::Quieting) {
            return;
        }
        self.doing = DriverState::Nothing;
        // What holds throughout holds from quiet on; where work never rests, from when that is known.
        let expectation = self.current_expectation(scenario);
        if let Some(expectation) = expectation
            && matches!(expectation.when, When::For(_))
        {
            return self.refresh_or_judge(expectation, context, scenario, consumers);
        }
        if let Some(Step { act: Act::Recover { of, requeue }, .. }) = self.current_step(scenario) {
            return self.recover(of, *requeue, context, scenario, consumers);
        }
        if let Err(refusal) = reply {
            return self.never_quiet(refusal.text, context, scenario);
        }
        if !std::mem::take(&mut self.lingered) {
            let until = self.reach(context.now(), false, context, scenario);
            if until > context.now() {
                self.doing = DriverState::Lingering { until };
                return;
            }
        }
        match expectation {
            _ if self.stage == RunStage::Outcome => {
                context.took = context.now();
                self.read_everything(context, scenario);
            }
            Some(expectation) if expectation.letters().is_some() => self.watch_letters(context),
            Some(expectation) if queue_to_read(expectation, context.broker.version, scenario).is_some() => {
                self.read_for(expectation, context, scenario);
            }
            Some(expectation) => self.judge_once(expectation, context, scenario, consumers),
            None => {}
        }
    }

    fn never_quiet(&self, text: String, context: &mut Context, scenario: &Scenario) {
        let (span, restless) = self.place_of_unrest(context, scenario);
        let help = match (restless, self.stage) {
            (Some(consumer), _) => format!(
                "the steps are over, and {consumer} works on: end with the step `stop: {consumer}`, or give the loop an end \
                 (`attempt`, `x_death`, a delivery limit)"
            ),
            (None, RunStage::Outcome) => AT_THE_END.to_owned(),
            (None, _) => NEVER_QUIET.to_owned(),
        };
        context.failed(Code::RunNeverQuiet, text, span, vec![]).help(help);
    }

    /// Returns where to tell of a quiet that does not come: at the expectation that waits for it, and once the steps are
    /// over, at the consumer that goes on, with its name.
    pub fn place_of_unrest(&self, context: &Context, scenario: &Scenario) -> (Span, Option<Name>) {
        let last = (self.stage == RunStage::Outcome).then(|| latest_at_work(context, scenario)).flatten();
        match last {
            Some(consumer) => (consumer.span, Some(consumer.name.clone())),
            None => (self.span(scenario), None),
        }
    }

    /// The shifted point is reached; where rest is awaited, only once nothing has happened for a while.
    pub fn lingered(&mut self, context: &mut Context, scenario: &Scenario) -> bool {
        let now = context.now();
        match &self.unrest {
            Some(unrest) if unrest.is_too_long(now) => {
                self.unrest = None;
                self.never_quiet("never quiet".to_owned(), context, scenario);
            }
            Some(unrest) if unrest.until(now).is_some() => {
                let until = unrest.until(now).unwrap_or(now);
                self.doing = DriverState::Lingering { until };
                return false;
            }
            _ => {
                self.unrest = None;
                self.lingered = true;
                self.await_quiet(context);
            }
        }
        true
    }
}

fn latest_at_work<'s>(context: &Context, scenario: &'s Scenario) -> Option<&'s Consumer> {
    let at_work = context.timeline.entries().rev().find_map(|entry| match &entry.what {
        TimelineEvent::Delivered { consumer, .. }
        | TimelineEvent::Settled { consumer, .. }
        | TimelineEvent::Working { consumer, .. } => Some(consumer),
        _ => None,
    })?;
    scenario.consumers.iter().find(|consumer| consumer.instance_names().any(|name| name == *at_work))
}
