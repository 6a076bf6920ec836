//! What is due by itself: a look close to a timer, timers of one moment, dead letters that are on their way.

use crate::broker::Client;
use crate::player::Perturbation;
use crate::sim::Touched;
use crate::simulate::explore::choice::{Alternative, Choice, ChoiceKind};
use crate::simulate::explore::explored_run::{ExploredRun, Next};

impl ExploredRun {
    /// Only late commands are ready: others go on, and what they send may overtake.
    pub(super) fn step_late(&mut self) -> Next {
        let before = self.player.ready_commands().count();
        while self.player.ready_commands().count() == before {
            if !self.player.go_on(self.now) {
                return if self.player.hesitates_now() { Next::GoOn } else { Next::Same };
            }
        }
        Next::GoOn
    }

    /// A look that a timer close by would change may come earlier or later.
    pub(super) fn open_look(&mut self) -> Option<Choice> {
        let point = self.player.points().len();
        if self.looks_asked > point {
            return None;
        }
        self.looks_asked = point + 1;
        let ways = self.looks.get(point).filter(|ways| !ways.is_empty())?;
        let shifts = ways.iter().map(|&way| Alternative::Shift(Perturbation { point, way }));
        Some(Choice { kind: ChoiceKind::Look, actions: std::iter::once(Alternative::Look).chain(shifts).collect() })
    }

    pub(super) fn step_timers(&mut self) -> Next {
        if !std::mem::replace(&mut self.moment_asked, true)
            && self.sim.timer_due(self.now) == Some(self.now)
            && self.player.wake_at().is_some_and(|at| at <= self.now)
        {
            let actions = vec![Alternative::TimersFirst, Alternative::ClientsFirst];
            return Next::Open(Choice { kind: ChoiceKind::TimerOrClient, actions });
        }
        let together = self.sim.due_together(self.now);
        let mut actions = vec![Alternative::Fire(0)];
        if let Some((first, others)) = together.split_first() {
            let met = others.iter().enumerate().filter(|(_, other)| first.meets(**other));
            actions.extend(met.map(|(at, _)| Alternative::Fire(at + 1)));
        }
        if actions.len() > 1 {
            return Next::Open(Choice { kind: ChoiceKind::Timer, actions });
        }
        self.races.forget_causes();
        if !self.sim.fire_next(self.now) {
            self.sim.advance(self.now);
        }
        Next::GoOn
    }

    pub(super) fn step_letters(&mut self, touched: Touched, by_worker: bool) -> Next {
        let mut actions = vec![Alternative::SendLetters];
        let rivals = self.enabled().into_iter().filter(|&at| self.touched_at(at).meets(touched));
        let rivals: Vec<Alternative> = rivals.map(Alternative::Arrive).collect();
        // Who hears of something only now may do something before they arrive.
        let others_act = self.player.has_work() || self.sim.has_events();
        let may_delay = rivals.is_empty() && others_act;
        actions.extend(rivals);
        actions.extend(may_delay.then_some(Alternative::DelayLetters));
        if actions.len() == 1 {
            self.send_letters();
            return Next::GoOn;
        }
        let kind = if by_worker { ChoiceKind::Worker } else { ChoiceKind::DeadLetter };
        Next::Open(Choice { kind, actions })
    }
}
