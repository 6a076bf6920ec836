//! How a consumer comes back that lost its connection or channel: after a pause, as often as its `reconnect` allows.
//! Attempts are counted anew for each loss; an instance whose attempts are used up stays away.

use crate::broker::{Refusal, Reply, RequestId};
use crate::model::Scenario;
use crate::player::consumer::absence::{Absence, AbsenceState};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::others::Others;
use crate::player::context::Context;
use crate::player::context::command_sequence::CommandSequence;
use crate::player::context::owner::Asker;
use crate::player::record::timeline::TimelineEvent;

impl ConsumerInstance {
    /// Plans the first attempt of an instance that is gone against its will.
    pub fn plan_reconnect(&mut self, context: &Context, scenario: &Scenario) {
        let reconnect = self.declared(scenario).reconnect;
        if let Some(reconnect) = reconnect.filter(|_| self.absence.is_none()) {
            let state = AbsenceState::Pausing { until: context.now() + reconnect.after };
            self.absence = Some(Absence { attempts: 0, state });
        }
    }

    /// Goes on with an attempt as far as it can; says whether anything was done.
    pub fn go_on_reconnecting(&mut self, context: &mut Context, scenario: &Scenario, others: Others) -> bool {
        let Some(mut absence) = self.absence.take() else { return false };
        let acted = match &mut absence.state {
            AbsenceState::Pausing { until } if *until > context.now() || others.are_connecting(self, scenario) => false,
            AbsenceState::Pausing { .. } => {
                absence.attempts += 1;
                let (consumer, attempt) = (self.name.clone(), absence.attempts);
                context.record(TimelineEvent::Reconnecting { consumer, attempt });
                let asks = self.subscribe(context, scenario, others);
                absence.state = AbsenceState::Connecting(Box::new(CommandSequence::new(asks)));
                true
            }
            AbsenceState::Connecting(sequence) if sequence.is_over() => {
                let refusal = sequence.refusal.take();
                self.attempt_ended(absence.attempts, refusal, context, scenario, others);
                return true;
            }
            AbsenceState::Connecting(sequence) => sequence.ask_next(context, Asker::Instance(self.number)),
        };
        self.absence = Some(absence);
        acted
    }

    /// Ends an attempt, well or not.
    fn attempt_ended(
        &mut self,
        attempts: u32,
        refusal: Option<Refusal>,
        context: &mut Context,
        scenario: &Scenario,
        others: Others,
    ) {
        let Some(refusal) = refusal else { return self.subscribed(context, scenario) };
        let consumer = self.name.clone();
        context.record(TimelineEvent::ReconnectFailed { consumer: consumer.clone(), refusal: Box::new(refusal) });
        self.withdraw(context, scenario, others);
        let Some(reconnect) = self.declared(scenario).reconnect else { return };
        if reconnect.attempts.is_some_and(|max| attempts >= max) {
            return context.record(TimelineEvent::ReconnectGivenUp { consumer, attempts });
        }
        let state = AbsenceState::Pausing { until: context.now() + reconnect.after };
        self.absence = Some(Absence { attempts, state });
    }

    /// Takes the answer to what it asked in order to connect again.
    pub fn answered(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        if let Some(Absence { state: AbsenceState::Connecting(sequence), .. }) = &mut self.absence {
            sequence.answer(request, reply);
        }
    }
}
