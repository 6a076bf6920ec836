//! The wait for whatever comes first, and the batch of events that it brought.
//! Every wait ends: by an event, by the client's wake-up, or by a time limit.

use crate::broker::{ChannelId, Event, PublishId};
use crate::io::failure::BrokerFailure;
use crate::io::live::adapter::Live;
use crate::io::live::amqp::channel::LiveChannel;
use crate::io::live::amqp::returned::settle;
use crate::io::live::periodic::BREATH;
use crate::model::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::time::Instant;
use tokio::time::sleep_until;

/// So many events within a breath are a crowd.
const CROWD: usize = 16;

/// Counts what came lately: after a crowd the next events are gathered for a breath, as each wake-up has its price.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    since: Option<Instant>,
    events: usize,
}

impl Crowd {
    fn note(&mut self, events: usize, now: Instant) {
        if self.since.is_none_or(|since| now >= since + BREATH) {
            *self = Self { since: Some(now), events: 0 };
        }
        self.events += events;
    }

    /// Says once whether there was one.
    fn take(&mut self) -> bool {
        let is_crowd = self.events >= CROWD;
        if is_crowd {
            *self = Self::default();
        }
        is_crowd
    }
}

impl Live {
    /// Waits until something happened, the client's wake-up came, or there is room again for its commands. What a busy
    /// broker says within a breath is told as one.
    pub(crate) async fn happen(&mut self, wake: Option<Moment>, throttled: bool) -> Result<Vec<Event>, BrokerFailure> {
        let wake = wake.map(|wake| self.instant_of(wake));
        loop {
            // A busy broker is always ready: others, such as whoever listens for Ctrl-C, need their turn.
            tokio::task::coop::consume_budget().await;
            if self.crowd.take() && !self.lines.values().any(LiveChannel::is_narrow) {
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
            if self.has_gap() {
                tokio::time::sleep(BREATH).await;
                poll_fn(|context| self.poll_step(context)).await;
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

    /// Returns whether a confirm came before that of an earlier publish. An ack for several is told by lapin one publish after
    /// the other, in no order, and the wake-up may have come between; in a crowd nobody asks for the order.
    fn has_gap(&self) -> bool {
        let confirmed = &self.batch.confirmed;
        if !(1..CROWD).contains(&confirmed.len()) {
            return false;
        }
        let mut by_channel: BTreeMap<ChannelId, BTreeSet<PublishId>> = BTreeMap::new();
        for (channel, publish, _) in confirmed {
            by_channel.entry(*channel).or_default().insert(*publish);
        }
        let unsettled = |channel| self.lines.get(channel).map(|line| &line.unsettled);
        by_channel.iter().any(|(channel, confirmed)| unsettled(channel).is_some_and(|all| leaves_gap(all, confirmed)))
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
        self.crowd.note(events.len(), now);
        events
    }
}

/// Returns whether a publish still waits for its confirm while a later one of its channel has it.
fn leaves_gap<T>(unsettled: &BTreeMap<PublishId, T>, confirmed: &BTreeSet<PublishId>) -> bool {
    let last = confirmed.last();
    last.is_some_and(|last| unsettled.range(..last).any(|(publish, _)| !confirmed.contains(publish)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_any_earlier_publish_without_its_confirm() {
        let unsettled: BTreeMap<PublishId, ()> = (1..=4).map(|n| (PublishId(n), ())).collect();
        let gap = |confirmed: &[u64]| leaves_gap(&unsettled, &confirmed.iter().map(|n| PublishId(*n)).collect());
        assert!(gap(&[2]) && gap(&[1, 3]) && gap(&[1, 2, 4]));
        assert!(!gap(&[]) && !gap(&[1]) && !gap(&[2, 1]) && !gap(&[1, 2, 3, 4]));
    }
}
