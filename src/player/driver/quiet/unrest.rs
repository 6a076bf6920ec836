//! Work that goes on after quiet, watched as long as a live broker would wait for its rest.

use crate::broker::{Event, MotionTracker, OnTheWay};
use crate::model::{Millis, Moment, Scenario};
use crate::player::driver::decision_points::SHIFT;

/// How long a live broker bears unrest before it says "never quiet".
const UNREST_MAX: Millis = Millis(2_000);

/// Returns how long a live broker waits for rest at most, by the queues that the scenario ever has.
pub fn rest_of(scenario: &Scenario) -> Millis {
    let set = scenario.all_steps().filter_map(|step| step.act.policy_set());
    let policies = scenario.topology.policies.iter().chain(&scenario.topology.operator_policies).chain(set);
    let defaults = scenario.topology.vhosts.iter().filter_map(|vhost| vhost.default_queue_type.as_deref());
    let reach = MotionTracker::of(scenario.declared_queues(), policies).reach();
    let keeps_logs = reach >= OnTheWay::ThroughLogs || defaults.into_iter().any(|kind| kind != "classic");
    // What is slow to confirm makes it longer.
    if keeps_logs { SHIFT } else { reach.rest() }
}

/// Watches work go on after quiet, as long as a live broker would wait for its rest.
#[derive(Debug, Clone)]
pub(crate) struct Unrest {
    /// When the wait began, or an end came nearer: what is emptied comes to an end.
    since: Moment,
    /// The last that happened.
    stirred: Moment,
    /// Something was published meanwhile: a new message need not be one message less.
    published: bool,
    /// How long nothing may happen.
    rest: Millis,
}

impl Unrest {
    pub fn new(now: Moment, rest: Millis) -> Self {
        Self { since: now, stirred: now, published: false, rest }
    }

    pub fn note(&mut self, now: Moment, event: &Event) {
        match event {
            Event::Told(_) => return,
            Event::Delivered { delivery, .. } if delivery.is_fresh() && !self.published => self.since = now,
            Event::Confirmed { .. } => self.published = true,
            _ => {}
        }
        self.stirred = now;
    }

    pub fn acted(&mut self, now: Moment) {
        self.stirred = now;
    }

    /// Says until when rest must be waited for; `None`: it is there.
    pub fn until(&self, now: Moment) -> Option<Moment> {
        Some(self.stirred + self.rest).filter(|until| *until > now)
    }

    pub fn is_too_long(&self, now: Moment) -> bool {
        now >= self.since + UNREST_MAX
    }
}
