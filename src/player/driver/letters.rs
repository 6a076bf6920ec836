//! Dead letters that wait at an at-least-once queue for the confirms of their targets: no passive declare counts them, so the
//! management side is asked when something happened. A live broker tells them late, and is asked again and again.

use crate::broker::{Management, Reply};
use crate::model::{Expectation, Millis, Moment, QueueName};
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::driver::state::{Continuation, Driver, DriverState};

/// How late a live broker may tell them, of real time.
const LATE: Millis = Millis(10_000);

/// Between two looks on a live broker, of real time.
const LOOK: Millis = Millis(1_000);

impl Driver {
    /// Judges waiting dead letters once they can be known, now that nothing more happens.
    pub fn watch_letters(&mut self, context: &Context) {
        let late = if context.broker.live { context.broker.scale.own(LATE) } else { Millis(0) };
        self.news = true;
        self.began = context.now();
        self.doing = DriverState::Watching { until: context.now() + late };
    }

    /// Has the dead letters counted that an expectation speaks of, unless that was just done; says whether the judgement is put
    /// off. What a live broker tells at first may be older than the step.
    pub fn counts_letters_first(&mut self, expectation: &Expectation, until: Moment, context: &Context) -> bool {
        let Some(queue) = expectation.letters() else { return false };
        if std::mem::take(&mut self.letters_counted) {
            return false;
        }
        let known_from = self.began + context.broker.scale.own(LATE);
        if context.broker.live && context.now() < known_from.min(until) {
            (self.news, self.look_at) = (false, Some(known_from));
            self.doing = DriverState::Watching { until };
            return true;
        }
        let describe = Ask::Manage(Management::DescribeQueue { queue: queue.clone() });
        self.ask([describe], Continuation::LettersCounted(queue.clone(), until));
        true
    }

    /// Takes the count; what was put off is judged.
    pub fn take_letters(&mut self, queue: QueueName, until: Moment, replies: &[Reply], context: &mut Context) {
        let dead_lettering = match replies.first() {
            Some(Reply::Described { dead_lettering, .. }) => *dead_lettering,
            _ => 0,
        };
        context.ledger.queues.entry(queue).or_default().dead_lettering = dead_lettering;
        (self.letters_counted, self.news) = (true, true);
        self.doing = DriverState::Watching { until };
    }

    /// They were counted and do not fit: looks again when something happened, on a live broker after a while.
    pub fn plan_look(&mut self, expectation: &Expectation, context: &Context) {
        if expectation.letters().is_some() {
            self.news = false;
            let again = context.now() + context.broker.scale.own(LOOK);
            self.look_at = context.broker.live.then_some(again);
        }
    }
}
