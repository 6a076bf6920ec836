//! How the driver starts consumer instances, at the beginning and by the step `start`, and waits for those that leave.

use crate::broker::Refusal;
use crate::model::{Act, Scenario};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::Asker;
use crate::player::driver::state::{ConsumerRequest, Continuation, Driver, DriverState, RunStage};
use crate::player::record::timeline::Attempt;
use crate::rules::{Access, missing_right};
use crate::source::Code;

impl Driver {
    /// Runs what it takes to start an instance.
    pub fn start_instance(&mut self, number: usize, asks: Vec<Ask>) {
        self.ask(asks, Continuation::Started(number));
    }

    /// Goes on after the start of an instance, well or not: with the next one, or with the next step.
    pub fn instance_started(
        &mut self,
        number: usize,
        refusal: Option<&Refusal>,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        if let RunStage::Subscribing(at) = self.stage {
            match refusal {
                Some(refusal) => cannot_start(number, refusal, context, scenario, consumers),
                None => self.enter(RunStage::Subscribing(at + 1)),
            }
            return;
        }
        let step = self.current_step(scenario);
        let starts_all_of = |number| match (step.map(|step| &step.act), consumers.declared(number, scenario)) {
            (Some(Act::Start(name)), Some(consumer)) => *name == consumer.name,
            _ => false,
        };
        let next = number + 1;
        if refusal.is_none() && starts_all_of(number) && starts_all_of(next) {
            self.request = Some(ConsumerRequest::Start(next));
        } else {
            self.end_step(refusal, context, scenario);
        }
    }

    /// Ends the step once the broker has answered all who leave by it; one that was gone already is gone as was asked.
    pub fn go_on_leaving(&mut self, context: &mut Context, scenario: &Scenario) -> bool {
        if context.outbox.awaits(Asker::Leaving) {
            self.doing = DriverState::Leaving;
            return false;
        }
        self.end_step(None, context, scenario);
        true
    }
}

fn cannot_start(
    number: usize,
    refusal: &Refusal,
    context: &mut Context,
    scenario: &Scenario,
    consumers: &ConsumerInstances,
) {
    let Some(consumer) = consumers.declared(number, scenario) else { return };
    let what = Attempt::Consume(context.ledger.consumers[number].queue.name.clone());
    context.refused(consumers.name_of(number), what, refusal);
    let help = missing_right(&refusal.text, Access::Read);
    let expect = "if that is what must happen: `start: manual`, and a step `start` with `refused: {code: …}` beside it";
    context.failed(Code::StepRefused, format!("a consumer could not start: {refusal}"), consumer.span, vec![]).help =
        help.or_else(|| Some(expect.to_owned()));
}
