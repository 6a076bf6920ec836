//! What is due without being woken: rounds of reading, time limits, quiet. And the wait for whatever comes first.
//! Every wait ends: by an event, by the client's wake-up, or by a time limit.

use super::adapter::Live;
use super::link::LinkState;
use super::returned::settle;
use crate::broker::{ChannelId, Event, Refusal, Scope};
use crate::io::failure::{Failure, FailureKind};
use crate::model::Moment;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// How long a channel's end may go without a reason before it is told without one.
const REASON: Duration = Duration::from_millis(500);
/// Between two looks at duties while events come one after another: a look goes over everything.
const BREATH: Duration = Duration::from_millis(1);
/// After so many events within a breath, those of the next one are gathered: each wake-up has its price.
const CROWD: usize = 16;
/// How often time limits are looked at while something is under way.
const TICK: Duration = Duration::from_millis(250);

impl Live {
    /// Waits until something happened, the client's wake-up came, or there is room again for its commands.
    pub(super) async fn happen(&mut self, wake: Option<Moment>, throttled: bool) -> Result<Vec<Event>, Failure> {
        let wake = wake.map(|wake| self.instant_of(wake));
        loop {
            // A busy broker is always ready: others, such as whoever listens for Ctrl-C, need their turn.
            tokio::task::coop::consume_budget().await;
            if std::mem::take(&mut self.is_crowded) {
                let breath = Instant::now() + BREATH;
                sleep_until(wake.map_or(breath, |wake| wake.min(breath)).into()).await;
            }
            let duty = self.next_duty(Instant::now());
            let until = wake.map_or(duty, |wake| wake.min(duty));
            tokio::select! {
                biased;
                () = poll_fn(|context| self.poll_step(context)) => {}
                () = sleep_until(until.into()) => {}
            }
            let now = Instant::now();
            self.owes_duties = now < self.duties_done + BREATH;
            if !self.owes_duties {
                self.do_duties(now);
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let events = self.take_events(now);
            if !events.is_empty() || wake.is_some_and(|wake| wake <= now) || throttled && self.has_room() {
                return Ok(events);
            }
        }
    }

    /// Takes the batch: returns are matched now that all of it is read.
    fn take_events(&mut self, now: Instant) -> Vec<Event> {
        if self.batch.is_empty() {
            return Vec::new();
        }
        let mut batch = std::mem::take(&mut self.batch);
        let mut by_channel: BTreeMap<ChannelId, (Vec<_>, Vec<_>)> = BTreeMap::new();
        for (channel, returned) in batch.returned.drain(..) {
            by_channel.entry(channel).or_default().0.push(returned);
        }
        for (channel, publish, how) in batch.confirmed.drain(..) {
            by_channel.entry(channel).or_default().1.push((publish, how));
        }
        let mut published = Vec::new();
        for (channel, (returns, confirmed)) in by_channel {
            if let Some(line) = self.lines.get_mut(&channel) {
                published.append(&mut settle(line, returns, confirmed, &self.names));
            }
        }
        let events = batch.into_events(published);
        self.note_events(&events, now);
        if now >= self.crowd_since + BREATH {
            (self.crowd, self.crowd_since) = (0, now);
        }
        self.crowd += events.len();
        self.is_crowded = self.crowd >= CROWD;
        events
    }

    fn next_duty(&self, now: Instant) -> Instant {
        let tick = if self.is_idle() { Duration::from_secs(5) } else { TICK };
        let round = if self.restarting { None } else { self.watches.next_round(now) };
        let owed = self.owes_duties.then(|| self.duties_done + BREATH);
        let duties = [round, self.quiet_duty(now), owed];
        duties.into_iter().flatten().fold(now + tick, Instant::min)
    }

    fn do_duties(&mut self, now: Instant) {
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
            let open = self.links.get(&line.connection).is_some_and(|link| link.state == LinkState::Open);
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
            self.close_line(channel, Refusal { scope: Scope::Channel, code: 0, text });
        }
    }

    /// Ends the run when an answer is overdue.
    fn check_limits(&mut self, now: Instant) {
        let after = self.limits.answer;
        let overdue = |since: Instant| now.duration_since(since) > after;
        let request = self.waiting.values().find(|waiting| !waiting.patient && overdue(waiting.since));
        let fence = self.lines.values().filter_map(|line| line.calling.as_ref()).find(|calling| overdue(calling.since));
        let publish =
            self.lines.values().find(|line| line.is_open() && !line.unsettled.is_empty() && overdue(line.progress));
        let doing = match (request, fence, publish) {
            (Some(waiting), _, _) => waiting.doing.clone(),
            (None, Some(calling), _) => calling.what.clone(),
            (None, None, Some(line)) => format!("waiting for {} publishes to be confirmed", line.unsettled.len()),
            (None, None, None) => return,
        };
        let failure = Failure::new(FailureKind::NoAnswer { doing, after }, &self.address);
        let blocked = self.links.values().find_map(|link| link.blocked.clone());
        self.fail(match blocked {
            Some(reason) => failure.hint(format!("the broker has blocked publishing connections: {reason}")),
            None => failure,
        });
    }
}
