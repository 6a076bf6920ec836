//! The step `publish`, from its beginning to its end: opens what it lacks, sends its messages, hears how each ended.

use crate::broker::{PublishId, Refusal};
use crate::model::{Act, Name, PublishOutcome, Scenario, Scope, Step};
use crate::player::context::Context;
use crate::player::context::command_sequence::CommandSequence;
use crate::player::context::in_flight::Sender;
use crate::player::context::owner::{Asker, Owner};
use crate::player::driver::connections::{name_of_user, user_of};
use crate::player::driver::publish_series::PublishSeries;
use crate::player::driver::state::{Driver, DriverState};
use crate::player::message::compose::compose;

impl Driver {
    pub fn begin_publish(&mut self, step: &Step, context: &mut Context) {
        let asks = self.connect_asks(&user_of(step), context);
        self.doing = DriverState::PreparingPublish(CommandSequence::new(asks));
    }

    /// Goes on to open what the step lacks; then its messages are due.
    pub fn go_on_preparing(
        &mut self,
        mut sequence: CommandSequence,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        if sequence.is_over() {
            match sequence.refusal {
                Some(refusal) => self.end_step(Some(&refusal), context, scenario),
                None => self.begin_series(context, scenario),
            }
            return true;
        }
        let asked = sequence.ask_next(&mut context.outbox, Asker::Driver);
        self.doing = DriverState::PreparingPublish(sequence);
        asked
    }

    fn begin_series(&mut self, context: &mut Context, scenario: &Scenario) {
        let series = self.current_step(scenario).and_then(|step| match &step.act {
            Act::Publish(publish) => {
                let channel = self.connections.get(&user_of(step))?.publishing?;
                Some(PublishSeries::new(publish, channel, context.now()))
            }
            _ => None,
        });
        match series {
            Some(series) => self.doing = DriverState::Publishing(Box::new(series)),
            None => self.end_step(None, context, scenario),
        }
    }

    /// Sends what is due; the step ends once all were sent and all have ended.
    pub fn go_on_publishing(
        &mut self,
        mut series: Box<PublishSeries>,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        let step = self.current_step(scenario);
        let publish = step.and_then(|step| match &step.act {
            Act::Publish(publish) => Some((publish, step)),
            _ => None,
        });
        let Some((publish, step)) = publish.filter(|_| !series.is_over()) else {
            self.end_step(None, context, scenario);
            return true;
        };
        let by: Name = name_of_user(step);
        let mut sent = false;
        while let Some(n) = series.due(context.now()) {
            let composed = match compose(publish, n, &mut Scope::new()) {
                Ok(composed) => composed,
                Err(bad) => {
                    context.bad_value(&bad, self.span(scenario));
                    return true;
                }
            };
            let sender = Sender {
                owner: Owner::Driver,
                by: by.clone(),
                consumer: None,
                vhost: &step.vhost,
                channel: series.channel,
            };
            series.sent(context.publish(composed, sender).0);
            sent = true;
        }
        self.doing = DriverState::Publishing(series);
        sent
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
        let DriverState::Publishing(series) = &mut self.doing else {
            return self.question_ended(publish, outcome, refusal, context, scenario);
        };
        if !series.ended(publish) || series.broken {
            return;
        }
        series.broken = matches!(outcome, PublishOutcome::Refused | PublishOutcome::Lost);
        if let Some(refusal) = refusal {
            self.end_step(Some(refusal), context, scenario);
        }
    }
}
