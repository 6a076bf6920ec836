//! Where a run could turn out otherwise on a live broker, whose steps take a little time: the points at which something
//! is judged or done at a certain moment. A rehearsal shifts one of them a little and compares what comes of it.

use crate::model::{Act, Millis, Moment, Scenario, When};
use crate::player::context::Context;
use crate::player::driver::decision_points::{DecisionPoint, Direction, Perturbation, RACE, SHIFT};
use crate::player::driver::quiet::unrest::{Unrest, rest_of};
use crate::player::driver::state::{Driver, RunStage};
use crate::player::record::outcome::{MessageRecord, Outcome};
use crate::source::Span;

/// How many points of a run are remembered.
const POINTS_MAX: usize = 1_000;

impl Driver {
    /// Notes a point and gives the moment at which it is reached in this run.
    pub fn reach(&mut self, moment: Moment, exact: bool, context: &Context, scenario: &Scenario) -> Moment {
        let (span, restless) = self.place_of_unrest(context, scenario);
        let number = self.points.len();
        if number < POINTS_MAX {
            let of_broker = context.clock.of_broker(moment).unwrap_or(moment);
            self.points.push(DecisionPoint { moment: of_broker, span, exact, restless });
        }
        match self.shift {
            Some(Perturbation { point, way: Direction::Earlier }) if point == number => {
                Moment(moment.0.saturating_sub(SHIFT.0)).max(context.now())
            }
            Some(Perturbation { point, way }) if point == number => {
                if way == Direction::Rest {
                    let rest = rest_of(scenario);
                    self.unrest = Some(Unrest::new(context.now(), rest));
                    return moment + rest;
                }
                moment + SHIFT
            }
            _ => moment,
        }
    }

    /// Returns when an `advance` ends. What is judged after it has a point of its own.
    pub fn end_of_advance(&mut self, length: Millis, context: &Context, scenario: &Scenario) -> Moment {
        let end = context.now() + length;
        let next = match self.stage {
            RunStage::Steps(at) => scenario.steps.get(at + 1),
            _ => None,
        };
        let waits = |act: &Act| matches!(act, Act::Expect(_) | Act::Advance(_) | Act::WaitUntilQuiet(_));
        if next.is_none_or(|step| waits(&step.act)) { end } else { self.reach(end, false, context, scenario) }
    }

    /// Notes an expectation that held so late that a live broker may come too late for it.
    pub fn note_narrow_escape(&self, when: When, span: Span, context: &mut Context) {
        let When::Within(length) = when else { return };
        let (until, now) = (self.began + length, context.now());
        if !context.broker.live && now > self.began && until - now < RACE {
            let left = until - now;
            let words = match left.0 {
                0 => "this holds only at the very end of its time: on a live broker it races".to_owned(),
                _ => format!("this holds only {left} before its time is over: on a live broker it races"),
            };
            context.notes.push((span, words));
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
