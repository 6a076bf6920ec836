//! Where a run could turn out otherwise on a live broker, whose steps take a little time: the points at which something
//! is judged or done at a certain moment. A rehearsal shifts one of them a little and compares what comes of it.

use crate::model::{Act, Millis, Moment, When};
use crate::player::context::Player;
use crate::player::driver::decision_points::DecisionPoint;
use crate::player::driver::decision_points::Direction;
use crate::player::driver::decision_points::Perturbation;
use crate::player::driver::decision_points::RACE;
use crate::player::driver::decision_points::SHIFT;
use crate::player::driver::unrest::Unrest;
use crate::player::record::outcome::{MessageRecord, Outcome};
use crate::source::Span;

/// How many points of a run are remembered.
const POINTS_MAX: usize = 1_000;

impl Player {
    /// Plays with one point shifted.
    pub fn shifted(mut self, shift: Perturbation) -> Self {
        self.shift = Some(shift);
        self
    }

    /// Notes a point and gives the moment at which it is reached in this run.
    pub(crate) fn reach(&mut self, moment: Moment, exact: bool) -> Moment {
        let (span, restless) = self.place_of_unrest();
        let number = self.points.len();
        if number < POINTS_MAX {
            let moment = Moment(moment.0 + self.epoch.unwrap_or_default().0);
            self.points.push(DecisionPoint { moment, span, exact, restless });
        }
        match self.shift {
            Some(Perturbation { point, way: Direction::Earlier }) if point == number => {
                Moment(moment.0.saturating_sub(SHIFT.0)).max(self.now)
            }
            Some(Perturbation { point, way }) if point == number => {
                self.driver.unrest = (way == Direction::Rest).then(|| Unrest::new(self.now));
                moment + SHIFT
            }
            _ => moment,
        }
    }

    /// Returns when an `advance` ends. What is judged after it has a point of its own.
    pub(crate) fn end_of_advance(&mut self, length: Millis) -> Moment {
        let end = self.now + length;
        let next = match self.driver.stage {
            crate::player::driver::state::RunStage::Steps(at) => self.scenario.steps.get(at + 1),
            _ => None,
        };
        let waits = |act: &Act| matches!(act, Act::Expect(_) | Act::Advance(_));
        if next.is_none_or(|step| waits(&step.act)) { end } else { self.reach(end, false) }
    }

    /// Notes an expectation that held so late that a live broker may come too late for it.
    pub(crate) fn note_narrow_escape(&mut self, when: When, span: Span) {
        let When::Within(length) = when else { return };
        let until = self.driver.began + length;
        if !self.ground.live && self.now > self.driver.began && until - self.now < RACE {
            let left = until - self.now;
            let words = match left.0 {
                0 => "this holds only at the very end of its time: on a live broker it races".to_owned(),
                _ => format!("this holds only {left} before its time is over: on a live broker it races"),
            };
            self.notes.push((span, words));
        }
    }
}

impl Outcome {
    /// Returns whether two runs came to the same, times aside.
    pub fn is_same_story(&self, other: &Outcome) -> bool {
        let queues = |outcome: &Outcome| {
            let queues = outcome.queues.iter().map(|(name, queue)| {
                let messages = queue.messages.as_ref().map(|all| all.iter().map(traits).collect::<Vec<_>>());
                (name.clone(), queue.ready, queue.unacked, messages)
            });
            queues.collect::<Vec<_>>()
        };
        let consumers = |outcome: &Outcome| {
            let all = outcome.consumers.iter().map(|consumer| {
                let received = consumer.received.iter().map(|receipt| (traits(&receipt.record), receipt.did.clone()));
                (consumer.received.count(), received.collect::<Vec<_>>())
            });
            all.collect::<Vec<_>>()
        };
        self.publishes == other.publishes
            && self.refusals == other.refusals
            && queues(self) == queues(other)
            && consumers(self) == consumers(other)
    }
}

/// Returns what tells a message's story: its name, its deliveries and its deaths.
fn traits(record: &MessageRecord) -> (crate::model::Name, bool, usize, i64) {
    let message = &record.message;
    (record.name.clone(), record.redelivered, message.deaths().count(), message.deaths_counted())
}
