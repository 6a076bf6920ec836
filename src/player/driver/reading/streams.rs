//! Reads streams for expectations that count or compare what they hold, since a stream tells its count late (ST-6): when they are
//! judged, and again while they wait.

use crate::broker::{ChannelId, Delivery};
use crate::model::{Expectation, Millis, QueueKind, QueueName, Scenario, Subject, Version, When};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::queue_kind::kind_of_name;
use crate::player::driver::judging::contents_of;
use crate::player::driver::state::{Driver, DriverState};

/// Between two readings of a stream on a live broker, of real time.
const LOOK: Millis = Millis(250);

impl Driver {
    /// Takes a delivery of a stream that is being read; says whether it was one.
    pub fn take_read(&mut self, channel: ChannelId, delivery: &Delivery, context: &mut Context) -> bool {
        let DriverState::Reading(reading) = &mut self.doing else { return false };
        match reading.take_delivery(channel, delivery) {
            Some(settling) => {
                settling.into_iter().for_each(|command| context.outbox.send(command));
                true
            }
            None => false,
        }
    }

    /// Judges an expectation whose queue was read. One that waits for what a stream holds has it read again later.
    pub fn judge_reading(
        &mut self,
        expectation: &Expectation,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) {
        let is_stream = counted_stream(expectation, context.broker.version, scenario).is_some();
        let Some(until) = self.watch_until(expectation).filter(|_| is_stream) else {
            return self.judge_once(expectation, context, scenario, consumers);
        };
        let findings = self.findings(&expectation.subject, context, scenario, consumers);
        let decides = matches!(expectation.when, When::Within(_)) == findings.is_empty();
        if decides || context.now() >= until {
            return self.judged(expectation, findings, context, scenario);
        }
        self.news = false;
        self.look_at = context.broker.live.then(|| context.now() + context.broker.scale.own(LOOK));
        self.doing = DriverState::Watching { until };
    }
}

/// Returns the queue that is read before an expectation is judged: its contents are compared, or it is a stream, whose
/// count a live broker tells late.
pub(crate) fn queue_to_read(expectation: &Expectation, version: Version, scenario: &Scenario) -> Option<QueueName> {
    contents_of(expectation).cloned().or_else(|| counted_stream(expectation, version, scenario))
}

/// Returns the stream whose messages an expectation counts or compares.
pub(crate) fn counted_stream(expectation: &Expectation, version: Version, scenario: &Scenario) -> Option<QueueName> {
    let Subject::Queue(wanted) = &expectation.subject else { return None };
    let counts = wanted.ready.is_some() || wanted.total.is_some() || wanted.messages.is_some();
    let is_stream = || kind_of_name(&wanted.queue, version, scenario) == QueueKind::Stream;
    (counts && is_stream()).then(|| wanted.queue.clone())
}
