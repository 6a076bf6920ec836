//! Runs a sequence of commands: asks them one after another, takes the answers, and goes on with what follows.

use crate::broker::{Refusal, Reply, RequestId};
use crate::model::Scenario;
use crate::player::context::Context;
use crate::player::context::command_sequence::{Ask, CommandSequence};
use crate::player::driver::state::{ConsumerRequest, Continuation, Driver, DriverState, RunStage};
use crate::source::Code;

impl Driver {
    /// Begins to ask for something.
    pub fn ask(&mut self, asks: impl IntoIterator<Item = Ask>, then: Continuation) {
        self.doing = DriverState::CommandSequence(CommandSequence::new(asks), then);
    }

    pub fn go_on_asking(
        &mut self,
        mut sequence: CommandSequence,
        then: Continuation,
        context: &mut Context,
        scenario: &Scenario,
    ) -> bool {
        if sequence.is_over() {
            self.all_answered(sequence, then, context, scenario);
            return true;
        }
        let asker = context.asker();
        let asked = sequence.ask_next(context, asker);
        self.doing = DriverState::CommandSequence(sequence, then);
        asked
    }

    /// Takes the answer to a request of the driver.
    pub fn answered(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        match &mut self.doing {
            DriverState::CommandSequence(sequence, _) => sequence.answer(request, reply),
            DriverState::Publishing(step) => step.answered(request, reply),
            DriverState::Reading(reading) => reading.sequence.answer(request, reply),
            _ => {}
        }
    }

    fn all_answered(
        &mut self,
        sequence: CommandSequence,
        then: Continuation,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        if matches!(then, Continuation::Hold) {
            return self.end_get(sequence, context, scenario);
        }
        let refusal = sequence.refusal;
        match then {
            Continuation::Connected => match (refusal, self.stage) {
                (Some(refusal), _) => self.runner_refused(&refusal, context, scenario),
                (None, RunStage::Connecting(at)) => self.enter(RunStage::Connecting(at + 1)),
                (None, _) => self.doing = DriverState::Nothing,
            },
            Continuation::Closed => self.doing = DriverState::Nothing,
            Continuation::Described(queue) => {
                let kind = match sequence.replies.first() {
                    Some(Reply::Described { kind, .. }) => *kind,
                    _ => None,
                };
                context.ledger.queues.entry(queue).or_default().kind = kind;
                self.doing = DriverState::Nothing;
            }
            Continuation::LettersCounted(queue, until) => self.take_letters(queue, until, &sequence.replies, context),
            Continuation::Started(number) => self.request = Some(ConsumerRequest::Started(number, refusal)),
            Continuation::Settled(channel) => self.settled_held(channel, refusal, context, scenario),
            Continuation::Transacted(channel, act) => self.transacted(channel, act, refusal, context, scenario),
            Continuation::EndStep | Continuation::Hold => self.end_step(refusal.as_ref(), context, scenario),
            Continuation::Restarted => {
                self.restarting = false;
                self.end_step(refusal.as_ref(), context, scenario);
            }
            Continuation::Ask(channel) => match refusal {
                Some(refusal) => self.end_step(Some(&refusal), context, scenario),
                None => self.ask_question(channel, context, scenario),
            },
            Continuation::ConnectionClosed(closing) => match refusal {
                Some(refusal) => self.end_step(Some(&refusal), context, scenario),
                None => self.doing = DriverState::ClosingConnections(closing),
            },
            Continuation::Read(reading) => match refusal {
                Some(refusal) => self.runner_refused(&refusal, context, scenario),
                None => self.doing = DriverState::Reading(*reading),
            },
        }
    }

    fn runner_refused(&self, refusal: &Refusal, context: &mut Context, scenario: &Scenario) {
        let message = format!("the runner cannot connect: {refusal}");
        context.failed(Code::RunConnect, message, self.span(scenario), vec![]);
    }
}
