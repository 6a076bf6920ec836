//! What is due without being woken: rounds of reading, ends without a reason, time limits, quiet.
//! Each look goes over everything, at most once a [`BREATH`].

use crate::broker::{ChannelId, Refusal, Scope};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::connection::LiveConnectionState;
use crate::model::by_number;
use std::time::{Duration, Instant};

/// How long a channel's end may go without a reason before it is told without one.
const REASON: Duration = Duration::from_millis(500);
/// Between two looks at duties while events come one after another: a look goes over everything.
pub(crate) const BREATH: Duration = Duration::from_millis(1);
/// How often time limits are looked at while something is under way.
const TICK: Duration = Duration::from_millis(250);

impl Live {
    /// Returns when something is due next.
    pub(crate) fn next_duty(&self, now: Instant) -> Instant {
        let tick = if self.is_idle() { Duration::from_secs(5) } else { TICK };
        let round = if self.restarting { None } else { self.watches.next_round(now) };
        let owed = self.owes_duties.then(|| self.duties_done + BREATH);
        let duties = [round, self.quiet_duty(now), owed, self.next_crash()];
        duties.into_iter().flatten().fold(now + tick, Instant::min)
    }

    /// Does what is due.
    pub(crate) fn do_duties(&mut self, now: Instant) {
        self.duties_done = now;
        self.start_rounds(now);
        self.end_suspects(now);
        self.finish_endings();
        self.check_limits(now);
        self.check_quiet(now);
    }

    /// Tells the end of channels whose reason nobody told.
    fn end_suspects(&mut self, now: Instant) {
        for line in self.lines.values_mut().filter(|line| line.is_cut_off()) {
            let open = self.links.get(&line.connection).is_some_and(|link| link.state == LiveConnectionState::Open);
            if open {
                line.suspect.get_or_insert(now);
            }
        }
        let old = |since: &Instant| now.duration_since(*since) >= REASON;
        let suspects: Vec<ChannelId> = (self.lines.iter())
            .filter(|(_, line)| line.suspect.as_ref().is_some_and(old))
            .map(|(channel, _)| *channel)
            .collect();
        for channel in suspects {
            let text = "the broker closed the channel without a known reason".to_owned();
            self.close_line(channel, Refusal::new(Scope::Channel, 0, text));
        }
    }

    /// Ends the run when an answer is overdue.
    fn check_limits(&mut self, now: Instant) {
        let after = self.limits.answer;
        let overdue = |since: Instant| now.duration_since(since) > after;
        let request = self.waiting.values().find(|waiting| !waiting.patient && overdue(waiting.since));
        let fence = self.lines.values().filter_map(|line| line.calling.front()).find(|calling| overdue(calling.since));
        let publish =
            self.lines.values().find(|line| line.is_open() && !line.unsettled.is_empty() && overdue(line.progress));
        let doing = match (request, fence, publish) {
            (Some(waiting), _, _) => waiting.doing.clone(),
            (None, Some(calling), _) => calling.what.clone(),
            (None, None, Some(line)) => {
                let (n, publishes) = (line.unsettled.len(), by_number(line.unsettled.len(), "publish", "publishes"));
                format!("waiting for {n} {publishes} to be confirmed")
            }
            (None, None, None) => return,
        };
        let failure = BrokerFailure::new(BrokerFailureKind::NoAnswer { doing, after }, &self.address);
        let blocked = self.links.values().find_map(|link| link.blocked.clone());
        self.fail(match blocked {
            Some(reason) => failure.hint(format!("the broker has blocked publishing connections: {reason}")),
            None => failure,
        });
    }
}
