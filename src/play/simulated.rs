//! A run on the simulated broker, done bit by bit: one command with what came before it, then the next; the clock is moved by
//! whoever holds the run. The slow twin of `simulate`.

use crate::broker::{Client, Command, Event, Reply, RequestId};
use crate::model::{Cell, Moment};
use crate::player::Player;
use crate::rules::{Edition, differences_of};
use crate::sim::{QueueStatus, Sim};
use crate::simulate::{Ended, Prepared, prepare};
use std::collections::VecDeque;

/// The simulated broker of a run, and where it stands.
#[derive(Clone)]
pub(crate) struct SimulatedPlay {
    sim: Sim,
    now: Moment,
    quiet: VecDeque<RequestId>,
    /// The last command settled a delivery.
    settled: bool,
    /// How much was done at this moment, and how much is a loop.
    bits: u64,
    bits_max: u64,
}

impl SimulatedPlay {
    /// Declares the topology of a cell on a fresh broker, and lets the consumers subscribe; no step has begun then.
    pub(crate) fn begin(cell: &Cell, edition: Edition) -> (Self, Player) {
        let Prepared { sim, player, moment, limits, .. } = prepare(differences_of(edition), cell, edition, true);
        let bits_max = limits.events_at_one_moment_max;
        let play = Self { sim, now: moment, quiet: VecDeque::new(), settled: false, bits: 0, bits_max };
        (play, player.kept_open())
    }

    /// Returns the broker's moment.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// Does the next bit that is to be done at this moment; returns whether there was any.
    pub(crate) fn bit(&mut self, player: &mut Player) -> bool {
        self.bits += 1;
        self.sim.advance(self.now);
        // What a settlement brings is still on its way when a cancel follows at once.
        let is_leaving = self.settled && player.is_leaving();
        if !is_leaving {
            self.sim.hand_events_to(player, self.now);
        }
        let command = player.poll_command(self.now);
        self.settled = matches!(command, Some(Command::Settle { .. }));
        match command {
            Some(Command::AwaitQuiet { request }) => self.quiet.push_back(request),
            Some(command) => self.sim.handle(self.now, command),
            None if self.sim.rest() || self.sim.is_due(self.now) => {}
            None => {
                let Some(request) = self.quiet.pop_front() else { return false };
                let reply = Ok(Reply::Quiet { next: self.sim.next_motion().map(Box::new) });
                player.handle_event(self.now, Event::Reply { request, reply });
            }
        }
        true
    }

    /// Returns when something next happens by itself, once nothing is left to do at this moment.
    pub(crate) fn next(&self, player: &Player) -> Option<Moment> {
        let next = self.sim.wake_at().into_iter().chain(player.wake_at()).min();
        next.map(|next| next.max(self.now))
    }

    /// Moves the clock on.
    pub(crate) fn go_to(&mut self, moment: Moment) {
        if moment > self.now {
            (self.now, self.bits) = (moment, 0);
        }
    }

    /// Returns why the run goes no further, where something goes round without time passing; it may go on if told to.
    pub(crate) fn take_loop(&mut self) -> Option<Ended> {
        if self.bits <= self.bits_max {
            return None;
        }
        self.bits = 0;
        Some(Ended::runaway(self.now, &self.sim))
    }

    /// Lists all queues.
    pub(crate) fn queues(&self) -> Vec<QueueStatus> {
        self.sim.queue_views()
    }
}
