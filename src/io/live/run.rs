//! Steps a client and a live broker together: the twin of `simulate`, over real time.
//! Ends when the client is done, when nothing can happen any more, or with the failure of the environment.

use crate::broker::Client;
use crate::io::failure::BrokerFailure;
use crate::io::live::adapter::Live;
use crate::io::live::limits::LiveLimits;
use crate::model::{Millis, Moment};
use std::time::Instant;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveEnded {
    /// The client is done.
    Done,
    /// The client waits, nothing is under way, and nothing came for as long as the limits allow.
    Stuck,
}

/// Plays a client against a live broker.
///
/// The broker moves first: all events are handed over, then commands are polled until there are none, then time
/// passes until something happens or the client wants to wake. Events are stamped once per batch.
///
/// # Errors
/// The broker is not there, refuses the runner, stops answering or dies; never a refusal that a client can hear of.
pub async fn run_live(
    client: &mut dyn Client,
    broker: &mut Live,
    limits: &LiveLimits,
) -> Result<(Moment, LiveEnded), BrokerFailure> {
    broker.limits = limits.clone();
    let mut now = broker.now();
    let mut heard = Instant::now();
    loop {
        while broker.has_room()
            && let Some(command) = client.poll_command(now)
        {
            broker.submit(command);
            heard = Instant::now();
        }
        if client.is_done() {
            return Ok((now, LiveEnded::Done));
        }
        // A wake-up that is past and brought no command must not spin.
        let wake = client.wake_at().map(|wake| wake.max(now + Millis(1)));
        let bounded = wake.is_none() && broker.is_idle();
        let patience = Millis(limits.stuck.saturating_sub(heard.elapsed()).as_millis() as u64 + 1);
        let until = if bounded { Some(now + patience) } else { wake };
        let events = broker.happen(until, !broker.has_room()).await?;
        now = broker.now();
        if !events.is_empty() {
            heard = Instant::now();
        } else if bounded && broker.is_idle() && heard.elapsed() >= limits.stuck {
            return Ok((now, LiveEnded::Stuck));
        }
        for event in events {
            client.handle_event(now, event);
        }
    }
}
