//! How a step ends: with the broker's yes or no, and whether that is as the step says.

use crate::broker::{Refusal, Scope};
use crate::model::{Act, Scenario, Step};
use crate::player::context::Context;
use crate::player::driver::connections::user_of;
use crate::player::driver::state::{Driver, DriverState, RunStage};
use crate::player::record::failure::FailureSubject;
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::source::Code;

impl Driver {
    /// Ends the step at hand; judges whether it should have been refused.
    pub fn end_step(&mut self, refusal: Option<&Refusal>, context: &mut Context, scenario: &Scenario) {
        let published = match std::mem::replace(&mut self.doing, DriverState::Nothing) {
            DriverState::Publishing(step) => step.into_names(),
            _ => Vec::new(),
        };
        let Some(step) = self.current_step(scenario) else { return };
        if let Some(refusal) = refusal {
            context.refused(context.who(step), Attempt::Step(Box::new(step.act.clone())), refusal);
            // A consumer's connection is not that of who does the step.
            let is_of_consumer = match &step.act {
                Act::Start(_) => true,
                Act::Publish(publish) => publish.channel.is_some(),
                _ => false,
            };
            if refusal.scope == Scope::Connection && !is_of_consumer {
                self.connections.remove(&user_of(step));
            }
        }
        if let (None, Act::DeclareQueue(queue)) = (refusal, &step.act) {
            context.watch(scenario, queue.id());
        }
        match (&step.refused, refusal) {
            (None, None) => note_done(step, context),
            (Some(wanted), refusal) => {
                if let Some(failure) = context.judge_refusal(&step.act, wanted, refusal)
                    && refusal.is_none()
                {
                    failure.subjects.extend(published.into_iter().map(FailureSubject::Message));
                }
            }
            (None, Some(refusal)) => {
                let message = format!("{} is refused: {refusal}", step.act);
                let may_be = "if that is what must happen, say `refused: {code: …}` in this step";
                context.failed(Code::StepRefused, message, step.span, vec![]).help =
                    step.act.may_be_refused().then(|| may_be.to_owned());
            }
        }
        self.stage = match self.stage {
            RunStage::Steps(at) => {
                if context.hand.is_none() {
                    context.steps_done = at + 1;
                }
                RunStage::Steps(at + 1)
            }
            RunStage::AtEnd(at) => RunStage::AtEnd(at + 1),
            RunStage::Finally(at) => RunStage::Finally(at + 1),
            stage => stage,
        };
    }
}

/// Adds a step to the timeline that has no story of its own there.
fn note_done(step: &Step, context: &mut Context) {
    let told = matches!(
        step.act,
        Act::Publish(_)
            | Act::Call(_)
            | Act::Expect(_)
            | Act::Advance(_)
            | Act::Start(_)
            | Act::Stop(_)
            | Act::Crash(_)
            | Act::RestartBroker
            | Act::Get { held_as: Some(_), .. }
            | Act::Settle { .. }
    );
    if !told {
        context.record(TimelineEvent::Did { who: context.who(step), act: Box::new(step.act.clone()) });
    }
}
