//! The simulator and all that play on it, stepped together up to a moment that is handed in.

use crate::broker::{Client, Command, Event, Ids, Management, Refusal, Reply, RequestId};
use crate::clock::{ClockJobState, ClockMode, ClockStep, ClockSurroundings, Debt, ServedClock};
use crate::model::{Millis, Moment, Object, Origins, Topology};
use crate::plan::{Applier, Observed, plan};
use crate::rules::{Edition, differences_of};
use crate::serve::accounts::Accounts;
use crate::serve::server::Server;
use crate::sim::Sim;
use crate::simulate::{Limits, simulate};
use std::collections::BTreeMap;

/// How many commands are carried out before sockets are looked at again.
const COMMANDS_OF_A_TURN_MAX: usize = 20_000;

/// The request by which the host itself asks.
const OWN_REQUEST: RequestId = RequestId(u64::MAX);

/// Somebody who works on, unseen by the broker.
#[derive(Debug, Clone)]
struct Hold {
    by: String,
    until_ms: u64,
}

/// A served broker: the simulator with its outside clients.
#[derive(Clone)]
pub struct ServedBroker {
    sim: Sim,
    /// The outside clients.
    pub server: Server,
    /// The answer to what the host asked itself.
    answered: Option<Result<Reply, Refusal>>,
    /// The clock that it follows.
    pub clock: ServedClock,
    holds: BTreeMap<u64, Hold>,
    held: u64,
    refused: Vec<(Object, Refusal)>,
}

impl ServedBroker {
    /// Makes a broker of an edition that holds a topology; its users log in with their passwords, `guest` where there are
    /// none. `epoch_s` is the second since 1970 of moment 0, for the times that x-death tells.
    pub fn new(edition: Edition, topology: &Topology, origins: &Origins, epoch_s: u64) -> Self {
        let mut sim = Sim::following(differences_of(edition)).with_epoch(epoch_s);
        let planned = plan(topology, origins, &Observed::empty(edition.profile));
        let mut applier = Applier::new(planned, Ids::default());
        simulate(&mut applier, &mut sim, Moment(0), &Limits::default());
        let refused = applier.finish().0.refused;
        let server = Server::new(edition, Accounts::of(&topology.users));
        let clock = ServedClock::new(ClockMode::Real, Millis(0), Millis(0));
        Self { sim, server, answered: None, clock, holds: BTreeMap::new(), held: 0, refused }
    }

    /// Returns what the broker refused of its topology.
    pub fn refused(&self) -> &[(Object, Refusal)] {
        &self.refused
    }

    /// Makes it follow a clock; without, a millisecond is a millisecond.
    pub fn with_clock(mut self, clock: ServedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Does all that is to be done at a real millisecond, and lets the clock jump as far as nobody owes anything; returns
    /// whether more is left to do at once.
    pub fn turn(&mut self, now_ms: u64) -> bool {
        for _ in 0..COMMANDS_OF_A_TURN_MAX {
            let now = self.clock.moment(now_ms);
            self.sim.advance(now);
            self.hand_out(now);
            match self.server.poll_command(now) {
                Some(command) => self.sim.handle(now, command),
                None if self.sim.rest() || self.sim.is_due(now) => {}
                None => match self.clock_step(now_ms) {
                    ClockStep::Go(moment) if moment > now => {}
                    _ => return false,
                },
            }
        }
        true
    }

    /// Returns whether the clock is being advanced.
    pub fn is_advancing(&self) -> bool {
        self.clock.job().is_some_and(|job| job.state == ClockJobState::Running)
    }

    /// Returns when it is to be looked at again without anything from outside, in real milliseconds.
    pub fn next_ms(&mut self, now_ms: u64) -> Option<u64> {
        let clock = match self.clock_step(now_ms) {
            ClockStep::Go(_) => Some(now_ms),
            ClockStep::WaitUntil(at) => Some(at),
            ClockStep::Rest => None,
        };
        clock.into_iter().chain(self.server.next_tick_ms()).chain(self.holds.values().map(|hold| hold.until_ms)).min()
    }

    fn clock_step(&mut self, now_ms: u64) -> ClockStep {
        // Each is looked at where the clock asks for it: outstanding deliveries may be many.
        let jumps = self.clock.mode() == ClockMode::Auto || self.is_advancing();
        let wake_at = if jumps { self.sim.wake_at() } else { self.sim.wakes_from() };
        let debt = if jumps { self.debt(now_ms) } else { None };
        self.clock.step(now_ms, &ClockSurroundings { wake_at, debt, stirred_ms: self.server.stirred_ms() })
    }

    /// Returns what somebody still has to do before time may pass.
    fn debt(&mut self, now_ms: u64) -> Option<Debt> {
        self.holds.retain(|_, hold| hold.until_ms > now_ms);
        let held = self.holds.iter().next().map(|(id, hold)| {
            let what = format!("hold {id} is not released");
            Debt { connection: hold.by.clone(), what }
        });
        let bytes = || self.server.debt_of_bytes();
        let delivery = || self.server.debt_of(&self.sim.oldest_unsettled(Ids::is_outside_channel)?);
        held.or_else(bytes).or_else(delivery)
    }

    /// Keeps time from jumping until the hold is released, or a real time is over; returns its number.
    pub fn hold(&mut self, by: impl Into<String>, until_ms: u64) -> u64 {
        self.held += 1;
        self.holds.insert(self.held, Hold { by: by.into(), until_ms });
        self.held
    }

    /// Releases a hold; returns whether there was one of that number.
    pub fn release(&mut self, hold: u64) -> bool {
        self.holds.remove(&hold).is_some()
    }

    /// Hands each event to whom it concerns.
    fn hand_out(&mut self, now: Moment) {
        while let Some(event) = self.sim.poll_event() {
            match event {
                Event::Reply { request: OWN_REQUEST, reply } => self.answered = Some(reply),
                event if Server::owns(&event) => self.server.handle_event(now, event),
                _ => {}
            }
        }
    }

    /// Has the management side do something, and returns its answer.
    ///
    /// # Errors
    /// As the management API refuses it: code and reason.
    pub fn manage(&mut self, now_ms: u64, act: Management) -> Result<Reply, Refusal> {
        let now = self.clock.moment(now_ms);
        self.answered = None;
        self.sim.handle(now, Command::Manage { request: OWN_REQUEST, act });
        self.hand_out(now);
        self.answered.take().unwrap_or(Ok(Reply::Done))
    }

    /// Returns the second since 1970 at which a moment is.
    pub fn second_of(&self, moment: Moment) -> u64 {
        self.sim.second_of(moment)
    }

    /// Returns the moment at which the broker is.
    pub fn now(&self) -> Moment {
        self.sim.now()
    }
}
