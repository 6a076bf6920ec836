//! A scenario that plays beside others on the same broker: its end waits for theirs, and what it cannot know of them.

use crate::model::{Act, Moment, Scenario, Step};
use crate::player::client::Player;
use crate::player::driver::judging::contents_of;
use crate::player::driver::state::DriverState;
use crate::source::{Code, Problem};

impl Player {
    /// Keeps the end of the run from beginning until [`Player::release`]: what the steps began goes on meanwhile, and no
    /// timeout counts.
    pub fn kept_open(mut self) -> Self {
        self.driver.is_kept_open = true;
        self
    }

    /// Lets the run come to its end, which has as much time from now on as a whole run.
    pub fn release(&mut self, now: Moment) {
        self.context.clock.set(now);
        self.driver.is_kept_open = false;
        self.driver.limit = self.context.now() + self.scenario.time_limit(self.context.broker.scale);
    }

    /// Returns whether the quiet that it waits for is the end of this moment, and not that others rest.
    pub fn ends_instant(&self) -> bool {
        matches!(self.driver.doing, DriverState::EndingInstant(_))
    }
}

/// Lists the steps that mean nothing beside clients that nobody directs: reading what a queue holds takes its messages.
pub fn unfit_beside(scenario: &Scenario) -> Vec<Problem> {
    let reads = |step: &&Step| matches!(&step.act, Act::Expect(expectation) if contents_of(expectation).is_some());
    let problem = |step: &Step| {
        let message = "the contents of a queue are read at the end, beside outside clients: reading takes the messages";
        Problem::new(Code::RunBesideClients, message)
            .at(step.span, "before the end")
            .help("move it to `at_end:`, or expect counts: `ready: 3`")
    };
    scenario.steps.iter().filter(reads).map(problem).collect()
}
