//! What a scenario beside outside clients waits for, and its end: what is left once they are gone is played in virtual time.

use crate::broker::{Client, Event, Refusal, Reply, Scope};
use crate::clock::Debt;
use crate::model::Moment;
use crate::player::RunResult;
use crate::serve::scenario::neighbours::QuietWanted;
use crate::serve::served_broker::ServedBroker;
use crate::simulate::{Ended, fail_unless_done};

/// How much is done at one moment before it is a loop.
const WORK_AT_ONE_MOMENT_MAX: u64 = 2_000_000;

impl ServedBroker {
    /// Returns whether a scenario plays beside the outside clients.
    pub fn has_scenario(&self) -> bool {
        self.neighbours.is_some()
    }

    /// Plays what is left of the scenario, in virtual time and without outside clients, whose sockets are given up; returns
    /// what it came to.
    pub fn finish_scenario(&mut self, now_ms: u64) -> Option<RunResult> {
        self.server.lose_all();
        self.holds.clear();
        let begun = self.clock.moment(now_ms).max(self.sim.now());
        self.neighbours.as_mut()?.player.release(begun);
        let ended = self.play_out(begun, now_ms);
        let mut player = self.neighbours.take()?.player;
        fail_unless_done(&mut player, &ended);
        Some(player.finish())
    }

    fn play_out(&mut self, begun: Moment, now_ms: u64) -> Ended {
        let mut now = begun;
        loop {
            let mut done = 0;
            while self.work_at(now, now_ms) {
                done += 1;
                if done > WORK_AT_ONE_MOMENT_MAX {
                    return Ended::runaway(now, &self.sim);
                }
            }
            let Some(neighbours) = &self.neighbours else { return Ended::Done };
            if neighbours.player.is_done() {
                return Ended::Done;
            }
            let Some(next) = self.sim.wake_at().into_iter().chain(neighbours.player.wake_at()).min() else {
                return Ended::Stuck;
            };
            now = next.max(now);
        }
    }

    /// Returns the real millisecond at which a wait of the scenario for quiet is looked at again.
    pub(crate) fn quiet_at_ms(&self, now_ms: u64) -> Option<u64> {
        let wanted = self.neighbours.as_ref()?.quiet_wanted()?;
        let settled = self.server.stirred_ms() + self.clock.settle_ms();
        let given_up = wanted.since_ms + self.clock.owe_limit_ms();
        Some(if settled > now_ms { settled.min(given_up) } else { given_up })
    }

    /// What the clock waits for besides the outside clients: the scenario's wait for quiet ends by itself.
    pub(crate) fn debt_of_scenario(&self) -> Option<Debt> {
        self.neighbours.as_ref()?.quiet_wanted()?;
        Some(Debt { connection: "the scenario".to_owned(), what: "a step waits until nothing happens".to_owned() })
    }

    /// Answers the scenario's wait for quiet once the broker has nothing to do and the outside clients are idle, or have been
    /// waited for too long; returns whether it did.
    pub(crate) fn answer_quiet(&mut self, now: Moment, now_ms: u64) -> bool {
        let Some(wanted) = self.neighbours.as_ref().and_then(|neighbours| neighbours.quiet_wanted()) else {
            return false;
        };
        let reply = match self.restless(now_ms) {
            None => Ok(Reply::Quiet { next: self.sim.next_motion().map(Box::new) }),
            Some(what) if now_ms >= wanted.since_ms + self.clock.owe_limit_ms() => {
                Err(Refusal::new(Scope::Management, 0, format!("never quiet: {what}")))
            }
            Some(_) => return false,
        };
        let Some(neighbours) = &mut self.neighbours else { return false };
        if let Some(QuietWanted { request, .. }) = neighbours.take_quiet() {
            neighbours.player.handle_event(now, Event::Reply { request, reply });
        }
        true
    }

    /// Returns what outside clients still do.
    fn restless(&mut self, now_ms: u64) -> Option<String> {
        let ends_instant = self.neighbours.as_ref().is_some_and(|neighbours| neighbours.player.ends_instant());
        if self.server.socket_count() == 0 || ends_instant {
            return None;
        }
        if let Some(debt) = self.debt(now_ms) {
            return Some(debt.to_string());
        }
        let stirs = now_ms < self.server.stirred_ms() + self.clock.settle_ms();
        stirs.then(|| "outside clients go on".to_owned())
    }
}
