//! The scenario that plays beside the outside clients: whose turn it is, what it waits for, and whether it goes round
//! without end. Never decides what time it is.

use crate::broker::{Client, Command, RequestId};
use crate::model::{Cell, Moment, Scale};
use crate::player::{BrokerTraits, Player};
use crate::rules::Edition;
use std::collections::VecDeque;

/// How many commands at one moment are a loop, and how many more for each publish of the steps.
const COMMANDS_AT_ONE_MOMENT_MAX: u64 = 50_000;
const COMMANDS_OF_A_PUBLISH: u64 = 50;

/// A wait of the scenario until nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuietWanted {
    pub request: RequestId,
    /// Since when, in real milliseconds.
    pub since_ms: u64,
}

/// The player of a scenario, among outside clients.
#[derive(Clone)]
pub(crate) struct ScriptedNeighbours {
    pub player: Player,
    quiet: VecDeque<QuietWanted>,
    /// The outside clients have the next turn.
    yields: bool,
    /// The last command settled a delivery.
    settled: bool,
    moment: Moment,
    /// How many commands it gave at that moment.
    commands: u64,
    commands_max: u64,
}

impl ScriptedNeighbours {
    /// Makes the player of a cell whose topology is declared; ids go on from there.
    pub(crate) fn new(cell: &Cell, edition: Edition, ids: crate::broker::Ids) -> Self {
        let ground = BrokerTraits { live: false, version: edition.profile.version(), scale: Scale::ONE };
        Self {
            player: Player::new(cell, ground, ids).kept_open(),
            quiet: VecDeque::new(),
            yields: false,
            settled: false,
            moment: Moment(0),
            commands: 0,
            commands_max: COMMANDS_AT_ONE_MOMENT_MAX + COMMANDS_OF_A_PUBLISH * cell.scenario.publishes_at_most(),
        }
    }

    /// Returns the next command, unless others have their turn first.
    pub(crate) fn poll(&mut self, now: Moment, now_ms: u64, others_wait: bool) -> Option<Command> {
        if std::mem::take(&mut self.yields) && others_wait && !self.is_leaving() {
            return None;
        }
        loop {
            let command = self.player.poll_command(now)?;
            if let Command::AwaitQuiet { request } = command {
                self.quiet.push_back(QuietWanted { request, since_ms: now_ms });
                continue;
            }
            self.commands = if self.moment == now { self.commands + 1 } else { 0 };
            self.moment = now;
            self.yields = true;
            self.settled = matches!(command, Command::Settle { .. });
            return Some(command);
        }
    }

    /// Returns whether what a settlement brings is still on its way, and comes too late for a consumer that leaves.
    pub(crate) fn is_leaving(&self) -> bool {
        self.settled && self.player.is_leaving()
    }

    /// Returns whether it goes round without time passing.
    pub(crate) fn is_runaway(&self) -> bool {
        self.commands > self.commands_max
    }

    /// Begins to count anew.
    pub(crate) fn count_anew(&mut self) {
        self.commands = 0;
    }

    /// Returns the wait for quiet that is first in turn.
    pub(crate) fn quiet_wanted(&self) -> Option<QuietWanted> {
        self.quiet.front().copied()
    }

    /// Takes the wait that is answered.
    pub(crate) fn take_quiet(&mut self) -> Option<QuietWanted> {
        self.quiet.pop_front()
    }
}
