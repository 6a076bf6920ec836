//! The step `wait_until_quiet`: ends when nothing is left that moves by itself, or when nothing has moved for a while.
//! Fails when its time is over before, and says what still moves.

use crate::broker::{Command, Refusal, Reply};
use crate::model::{Act, Millis, Moment, QuietWait, Scenario};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::quiet::motion::{StillMoving, movers};
use crate::player::driver::state::{Driver, DriverState};
use crate::player::record::failure::FailureSubject;
use crate::source::Code;

/// By how much a live broker's quiet may come late, of real time: it is found by looking.
const LATE: Millis = Millis(1_000);

/// How many things that still move are named.
const NAMED_MAX: usize = 3;

/// What to do when something moves later than the step waits.
const LATER: &str = "wait longer, or say how far ahead it matters: `{within: 30s, for: 200ms}` is quiet when nothing has moved \
                     for 200ms";

/// What to do when something goes on.
const GOES_ON: &str =
    "give what goes round an end (`attempt`, `x_death`, a delivery limit), stop its consumer, or wait longer";

impl Driver {
    pub fn begin_wait_until_quiet(&mut self, wait: QuietWait, context: &mut Context) {
        self.began = context.now();
        self.ask_for_quiet(self.began + wait.within, context);
    }

    /// Returns the wait at hand.
    pub fn quiet_wait(&self, scenario: &Scenario) -> Option<QuietWait> {
        match self.current_step(scenario)?.act {
            Act::WaitUntilQuiet(wait) => Some(wait),
            _ => None,
        }
    }

    fn ask_for_quiet(&mut self, until: Moment, context: &mut Context) {
        let late = if context.broker.live { context.broker.scale.own(LATE) } else { Millis(0) };
        self.doing = DriverState::AwaitingQuiet { until: until + late };
        context.ask(context.quiet_asker(), |request| Command::AwaitQuiet { request });
    }

    /// Takes the answer to the wait for quiet; what moves later is waited for.
    pub fn quiet_answered(
        &mut self,
        reply: &Result<Reply, Refusal>,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let Some(wait) = self.quiet_wait(scenario) else { return };
        let (now, end) = (context.now(), self.began + wait.within);
        let mut moving = match reply {
            Ok(reply) => movers(reply, context, scenario, consumers),
            Err(refusal) => {
                let what = refusal.text.strip_prefix("never quiet: ").unwrap_or(&refusal.text);
                vec![StillMoving { when: Some(now), what: what.to_owned(), queue: None }]
            }
        };
        if let Some(length) = wait.lasting {
            moving.retain(|one| one.when.is_some_and(|when| when <= now + length));
        }
        let late = if context.broker.live { context.broker.scale.own(LATE) } else { Millis(0) };
        if moving.is_empty() && now <= end + late {
            self.is_quiet(wait, context, scenario);
            return;
        }
        let next = moving.iter().filter_map(|one| one.when).min();
        let never = moving.iter().all(|one| one.when.is_some_and(|when| when > end));
        if never || now >= end {
            return self.still_moves(wait, &moving, context, scenario);
        }
        self.news = false;
        self.doing = DriverState::Moving { until: next.unwrap_or(end).min(end) };
    }

    fn is_quiet(&mut self, wait: QuietWait, context: &mut Context, scenario: &Scenario) {
        match wait.lasting {
            None => self.end_step(None, context, scenario),
            Some(length) => {
                let end = context.now() + length;
                self.news = false;
                self.doing = DriverState::KeepingQuiet { until: self.reach(end, false, context, scenario) };
            }
        }
    }

    /// Something moved, or its moment has come: looks again.
    pub fn go_on_moving(&mut self, until: Moment, context: &mut Context, scenario: &Scenario) -> bool {
        if !self.news && context.now() < until {
            self.doing = DriverState::Moving { until };
            return false;
        }
        self.look_again(context, scenario)
    }

    /// It was quiet: goes on when it has been for long enough.
    pub fn go_on_keeping_quiet(&mut self, until: Moment, context: &mut Context, scenario: &Scenario) -> bool {
        if self.news {
            return self.look_again(context, scenario);
        }
        if context.now() < until {
            self.doing = DriverState::KeepingQuiet { until };
            return false;
        }
        self.end_step(None, context, scenario);
        true
    }

    fn look_again(&mut self, context: &mut Context, scenario: &Scenario) -> bool {
        let wait = self.quiet_wait(scenario);
        if let Some(wait) = wait {
            self.ask_for_quiet(self.began + wait.within, context);
        }
        wait.is_some()
    }

    /// No quiet came in time, and the broker does not say why.
    pub fn quiet_is_late(&mut self, context: &mut Context, scenario: &Scenario, consumers: &ConsumerInstances) {
        let Some(wait) = self.quiet_wait(scenario) else { return };
        let mut moving = movers(&Reply::Done, context, scenario, consumers);
        if moving.is_empty() {
            moving.push(StillMoving::at_some_time("messages are still on their way"));
        }
        self.still_moves(wait, &moving, context, scenario);
    }

    fn still_moves(&mut self, wait: QuietWait, moving: &[StillMoving], context: &mut Context, scenario: &Scenario) {
        self.doing = DriverState::Nothing;
        let mut named: Vec<&str> = moving.iter().map(|one| &*one.what).take(NAMED_MAX).collect();
        let more = moving.len().saturating_sub(named.len());
        let more = format!("{more} more");
        if moving.len() > named.len() {
            named.push(&more);
        }
        let what = if named.is_empty() { "something moved again".to_owned() } else { named.join("; ") };
        let lasting = wait.lasting.map_or_else(String::new, |length| format!(" for {length}"));
        let message = format!("not quiet{lasting} within {}: {what}", wait.within);
        let end = self.began + wait.within;
        let is_later = moving.iter().any(|one| one.when.is_none_or(|when| when > end));
        let failure = context.failed(Code::RunNeverQuiet, message, self.span(scenario), vec![]);
        let queues = moving.iter().filter_map(|one| one.queue.clone());
        failure.subjects.extend(queues.take(NAMED_MAX).map(FailureSubject::Queue));
        failure.help(if is_later && wait.lasting.is_none() { LATER } else { GOES_ON });
    }
}
