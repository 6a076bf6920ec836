//! What stands around the end of a run that took too long: what had not come to its end. Reads and changes nothing.

use crate::model::Scenario;
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::driver::judging::failure_subject;
use crate::player::driver::state::{Driver, DriverState};
use crate::player::record::circumstances::{Awaited, UnderWay};
use crate::player::record::failure::FailureSubject;

/// How many publishes without an outcome are named.
const PUBLISHES_MAX: usize = 10;

/// How many messages at work a failure is about.
const SUBJECTS_MAX: usize = 3;

impl Driver {
    /// Lists what has not come to its end: the step at hand, the consumers' work, publishes.
    pub fn under_way(&self, context: &Context, scenario: &Scenario, consumers: &ConsumerInstances) -> Vec<UnderWay> {
        let span = self.span(scenario);
        let awaited = self.awaited(context, scenario, consumers);
        let mut all = Vec::from_iter(awaited.map(|awaits| UnderWay::Step { span, awaits }));
        all.extend(consumers.unfinished());
        let publishes = context.in_flight.values().take(PUBLISHES_MAX);
        all.extend(publishes.map(|one| UnderWay::Publish { by: one.by.clone(), message: one.name.clone() }));
        all
    }

    /// Returns what the end of such a run is about: the messages at work, or else what the step at hand expects.
    pub fn subjects_under_way(&self, scenario: &Scenario, consumers: &ConsumerInstances) -> Vec<FailureSubject> {
        let at_work = consumers.at_work().take(SUBJECTS_MAX);
        let mut subjects: Vec<_> = at_work.map(|name| FailureSubject::Message(name.clone())).collect();
        if subjects.is_empty()
            && let Some(expectation) = self.current_expectation(scenario)
        {
            subjects.extend(failure_subject(&expectation.subject, scenario));
        }
        subjects
    }

    /// Returns what the driver waits for.
    fn awaited(&self, context: &Context, scenario: &Scenario, consumers: &ConsumerInstances) -> Option<Awaited> {
        Some(match &self.doing {
            DriverState::Nothing => return None,
            DriverState::CommandSequence(..) | DriverState::ClosingConnections(_) | DriverState::Reading(_) => {
                Awaited::Answer
            }
            DriverState::Publishing(_) => Awaited::Confirms,
            DriverState::PendingCall(_) => Awaited::Reply,
            DriverState::Leaving => Awaited::Consumers,
            DriverState::Quieting | DriverState::EndingInstant(_) | DriverState::Refreshing(_) => Awaited::Quiet,
            DriverState::Lingering { .. } | DriverState::AwaitingQuiet { .. } => Awaited::Quiet,
            DriverState::Moving { .. } | DriverState::KeepingQuiet { .. } => Awaited::Quiet,
            DriverState::Watching { until } | DriverState::Confirming { until, .. } => {
                let expectation = self.current_expectation(scenario);
                let missing = expectation.map(|one| self.findings(&one.subject, context, scenario, consumers));
                Awaited::Expectation { until: *until, missing: missing.unwrap_or_default() }
            }
            DriverState::Sleeping { until } | DriverState::Pausing { until } | DriverState::Holding { until } => {
                Awaited::Time { until: *until }
            }
        })
    }
}
