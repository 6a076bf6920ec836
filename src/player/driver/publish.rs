//! How the driver does the step `publish`, and what it makes of the end of its publishes.

use crate::broker::{PublishId, Refusal};
use crate::model::{Act, Publish, PublishOutcome, Scenario, Step};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::publish_step::{PublishProgress, PublishStep};
use crate::player::driver::state::{Driver, DriverState};
use crate::source::Code;

impl Driver {
    /// Begins a publish step; where its channel is open, the messages that are due go out at once.
    pub fn begin_publish(
        &mut self,
        step: &Step,
        publish: &Publish,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let channel = match &publish.channel {
            None => match self.transaction_of(step) {
                Some(channel) => (Vec::new(), channel),
                None => self.connect_for(step, context),
            },
            Some(name) => match consumers.channel_named(name, scenario) {
                Some(channel) => (Vec::new(), channel),
                None => {
                    let message = format!("no consumer has the channel '{name}' open");
                    context.failed(Code::StepNotConnected, message, step.span, vec![]);
                    return;
                }
            },
        };
        let is_held = self.transactions.values().any(|(_, of)| *of == channel.1);
        let (begun, progress) = PublishStep::begin(step, publish, channel, is_held, context);
        self.publish_came(Box::new(begun), progress, context, scenario);
    }

    /// Goes on with the publish step at hand; says whether anything was done.
    pub fn go_on_publishing(
        &mut self,
        mut begun: Box<PublishStep>,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        let Some((step, Act::Publish(publish))) = self.current_step(scenario).map(|step| (step, &step.act)) else {
            return false;
        };
        let progress = begun.go_on(step, publish, context);
        self.publish_came(begun, progress, context, scenario)
    }

    fn publish_came(
        &mut self,
        begun: Box<PublishStep>,
        progress: PublishProgress,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        let fails = matches!(progress, PublishProgress::Fails(_));
        self.doing = if fails { DriverState::Nothing } else { DriverState::Publishing(begun) };
        match progress {
            PublishProgress::Waits | PublishProgress::Acts => {}
            PublishProgress::Ends(ref refusal) => self.end_step(refusal.as_ref(), context, scenario),
            PublishProgress::Fails(ref bad) => context.bad_value(bad, self.span(scenario)),
        }
        !matches!(progress, PublishProgress::Waits)
    }

    /// Hears how a publish of the driver ended: one of a step, or the question of a call.
    pub fn publish_ended(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let ends = match &mut self.doing {
            DriverState::Publishing(step) => step.ended(publish, outcome, refusal),
            DriverState::PendingCall(_) => return self.question_ended(publish, outcome, refusal, context, scenario),
            _ => false,
        };
        if ends {
            self.end_step(refusal, context, scenario);
        }
    }
}
