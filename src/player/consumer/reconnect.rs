//! How a consumer comes back that lost its connection or channel: after a pause, as often as its `reconnect` allows.
//! Attempts are counted anew for each loss; an actor whose attempts are used up stays away.

use crate::broker::{Refusal, Reply, RequestId};
use crate::player::asker::Asker;
use crate::player::consumer::absence::Absence;
use crate::player::consumer::absence::AbsenceState;
use crate::player::context::Player;
use crate::player::driver::command_sequence::CommandSequence;
use crate::player::record::timeline::TimelineEvent;

impl Player {
    /// Plans the first attempt of an actor that is gone against its will.
    pub(crate) fn plan_comeback(&mut self, index: usize) {
        let reconnect = self.scenario.consumers[self.actors[index].consumer].reconnect;
        if let Some(reconnect) = reconnect.filter(|_| self.actors[index].comeback.is_none()) {
            let state = AbsenceState::Pausing { until: self.now + reconnect.after };
            self.actors[index].comeback = Some(Absence { attempts: 0, state });
        }
    }

    /// Goes on with a comeback as far as it can; says whether anything was done.
    pub(crate) fn come_back(&mut self, index: usize) -> bool {
        let Some(mut comeback) = self.actors[index].comeback.take() else { return false };
        let acted = match &mut comeback.state {
            AbsenceState::Pausing { until } if *until > self.now || self.partner_connects(index) => false,
            AbsenceState::Pausing { .. } => {
                comeback.attempts += 1;
                let consumer = self.actors[index].name.clone();
                self.record(TimelineEvent::Reconnecting { consumer, attempt: comeback.attempts });
                comeback.state = AbsenceState::Connecting(Box::new(CommandSequence::new(self.subscribe(index))));
                true
            }
            AbsenceState::Connecting(program) if program.is_over() => {
                let refusal = program.refusal.take();
                return self.came_back(index, comeback.attempts, refusal);
            }
            AbsenceState::Connecting(program) => match program.next() {
                Some(ask) => {
                    program.waiting = Some(self.ask(Asker::Actor(index), |request| ask.command(request)));
                    true
                }
                None => false,
            },
        };
        self.actors[index].comeback = Some(comeback);
        acted
    }

    /// One that shares the channel is opening it.
    fn partner_connects(&self, index: usize) -> bool {
        self.partners(index).filter_map(|other| other.comeback.as_ref()).any(Absence::is_connecting)
    }

    /// Ends an attempt, well or not.
    fn came_back(&mut self, index: usize, attempts: u32, refusal: Option<Refusal>) -> bool {
        let Some(refusal) = refusal else {
            self.subscribed(index);
            return true;
        };
        let consumer = self.actors[index].name.clone();
        self.record(TimelineEvent::ReconnectFailed { consumer: consumer.clone(), refusal: Box::new(refusal) });
        self.withdraw(index);
        let Some(reconnect) = self.scenario.consumers[self.actors[index].consumer].reconnect else { return true };
        if reconnect.attempts.is_some_and(|max| attempts >= max) {
            self.record(TimelineEvent::ReconnectGivenUp { consumer, attempts });
            return true;
        }
        let state = AbsenceState::Pausing { until: self.now + reconnect.after };
        self.actors[index].comeback = Some(Absence { attempts, state });
        true
    }

    pub(crate) fn actor_answered(&mut self, index: usize, request: RequestId, reply: Result<Reply, Refusal>) {
        if let Some(Absence { state: AbsenceState::Connecting(program), .. }) = &mut self.actors[index].comeback
            && program.waiting == Some(request)
        {
            program.answered(reply);
        }
    }
}
