//! The order in which commands of several channels and connections reach the broker. Only those that touch the same queues
//! can change places, and of schedules that differ in nothing else only one is played (sleep sets).

use crate::broker::{ChannelId, Command};
use crate::sim::Touched;
use crate::simulate::explore::choice::{Alternative, Choice, ChoiceKind};
use crate::simulate::explore::explored_run::{ExploredRun, KNOWN_MAX};
use crate::simulate::explore::lane::{Asleep, Lane, LateLane, lane_of};

/// How many of the ready commands are looked at.
const LOOKED_AT_MAX: usize = 200;

impl ExploredRun {
    /// Returns whether a command must come before a later one.
    fn is_before(&self, earlier: &Command, later: &Command) -> bool {
        let (a, b) = (lane_of(earlier), lane_of(later));
        let opens = |command: &Command, channel: ChannelId| match command {
            Command::OpenChannel { channel: opened, .. } => *opened == channel,
            _ => false,
        };
        match (a, b) {
            _ if a == b => true,
            (Lane::Connection(connection), Lane::Channel(channel)) => {
                opens(earlier, channel) || self.sim.connection_of(channel) == Some(connection)
            }
            (Lane::Channel(channel), Lane::Connection(connection)) => {
                self.sim.connection_of(channel) == Some(connection)
            }
            _ => false,
        }
    }

    /// Lists the ready commands that no earlier one must come before, oldest first; not those of a late lane.
    pub(super) fn enabled(&self) -> Vec<usize> {
        let is_late = |command: &Command| self.late.is_some_and(|late| late.lane == lane_of(command));
        let (mut free, mut earlier): (Vec<usize>, Vec<&Command>) = (Vec::new(), Vec::new());
        for (at, command) in self.player.ready_commands().take(LOOKED_AT_MAX).enumerate() {
            let waits = earlier.iter().any(|earlier| self.is_before(earlier, command));
            if !waits && !is_late(command) {
                free.push(at);
            }
            // One of a lane is enough to block the rest of it.
            if matches!(command, Command::OpenChannel { .. }) || !waits {
                earlier.push(command);
            }
        }
        free
    }

    /// Returns the first of them.
    pub(super) fn first_enabled(&self) -> Option<usize> {
        if self.late.is_none() {
            return self.player.ready_commands().next().map(|_| 0);
        }
        self.enabled().first().copied()
    }

    fn sleeps(&self, at: usize) -> bool {
        if self.asleep.is_empty() {
            return false;
        }
        let lane = self.player.ready_commands().nth(at).map(lane_of);
        self.asleep.iter().any(|asleep| Some(asleep.lane) == lane)
    }

    pub(super) fn all_asleep(&self) -> bool {
        !self.asleep.is_empty() && self.enabled().into_iter().all(|at| self.sleeps(at))
    }

    /// Returns the first that is awake.
    pub(super) fn awake(&self, first: usize) -> usize {
        if self.asleep.is_empty() {
            return first;
        }
        self.enabled().into_iter().find(|at| !self.sleeps(*at)).unwrap_or(first)
    }

    /// Says which of the ready commands may come first: those that depend on the first one, directly or by others. Or it is
    /// late, and what comes of others overtakes it.
    pub(super) fn open_arrivals(&self) -> Option<Choice> {
        let others_act = self.late.is_none() && self.player.has_work();
        if self.player.ready_commands().nth(1).is_none() {
            return if others_act { self.open_delay_of_the_only() } else { None };
        }
        let mut left = self.enabled();
        if left.len() == 1 && !others_act {
            return None;
        }
        left.retain(|at| !self.sleeps(*at));
        let head = *left.first()?;
        left.remove(0);
        let touched = self.touched_at(head);
        let (mut chosen, mut at) = (vec![(head, touched)], 0);
        while let Some(&(_, touched)) = chosen.get(at) {
            at += 1;
            left.retain(|other| {
                let other = (*other, self.touched_at(*other));
                let meets = touched.meets(other.1);
                chosen.extend(meets.then_some(other));
                !meets
            });
        }
        let kind = self.kind_of(chosen.iter().map(|(at, _)| *at));
        let mut actions: Vec<Alternative> = chosen.iter().map(|(at, _)| Alternative::Arrive(*at)).collect();
        let others_go_on = self.player.has_work() || !left.is_empty();
        let delays = self.late.is_none() && actions.len() == 1 && others_go_on && touched != Touched::NOTHING;
        if delays {
            actions.push(Alternative::Delay);
        }
        (actions.len() > 1).then_some(Choice { kind, actions })
    }

    /// The same where one command is ready and others have work.
    fn open_delay_of_the_only(&self) -> Option<Choice> {
        if self.sleeps(0) || self.touched_at(0) == Touched::NOTHING {
            return None;
        }
        let kind = self.kind_of(std::iter::once(0));
        Some(Choice { kind, actions: vec![Alternative::Arrive(0), Alternative::Delay] })
    }

    fn kind_of(&self, chosen: impl Iterator<Item = usize>) -> ChoiceKind {
        let mut kind = ChoiceKind::Turn;
        for command in chosen.filter_map(|at| self.player.ready_commands().nth(at)) {
            if command.is_leave() {
                return ChoiceKind::Leave;
            }
            if !matches!(command, Command::Settle { .. }) {
                kind = ChoiceKind::Arrival;
            }
        }
        kind
    }

    /// The other schedules of a choice are played, too: what was first there need not come until something touches it.
    pub(super) fn put_to_sleep(&mut self, taken: usize, choice: &Choice) {
        for action in &choice.actions {
            match action {
                Alternative::Arrive(at) if *at == taken => break,
                Alternative::Arrive(at) => {
                    let touched = self.touched_at(*at);
                    if let Some(lane) = self.player.ready_commands().nth(*at).map(lane_of) {
                        self.asleep.push(Asleep { lane, touched });
                    }
                }
                _ => {}
            }
        }
    }

    /// A command arrives: who touches the same is awake again, and a late one is late no more.
    pub(super) fn wake(&mut self, command: &Command, touched: Touched) {
        let lane = lane_of(command);
        self.asleep.retain(|asleep| asleep.lane != lane && !asleep.touched.meets(touched));
        if self.late.is_some_and(|late| late.touched.meets(touched)) {
            self.late = None;
        }
    }

    /// Lets the first ready command be late.
    pub(super) fn delay(&mut self, choice: &Choice) {
        let Some(&Alternative::Arrive(at)) = choice.actions.first() else { return };
        let touched = self.touched_at(at);
        let lane = self.player.ready_commands().nth(at).map(lane_of);
        self.late = lane.map(|lane| LateLane { lane, touched });
    }

    /// Returns what a ready command touches. It is asked several times before one of them arrives.
    pub(super) fn touched_at(&self, at: usize) -> Touched {
        let mut known = self.known_touched.get();
        if let Some(Some(touched)) = known.get(at) {
            return *touched;
        }
        let Some(command) = self.player.ready_commands().nth(at) else { return Touched::NOTHING };
        let touched = self.sim.touched(command);
        if at < KNOWN_MAX {
            known[at] = Some(touched);
            self.known_touched.set(known);
        }
        touched
    }

    /// The ready commands stand at other places now, or touch other queues.
    pub(super) fn forget_touched(&self) {
        self.known_touched.set(Default::default());
    }
}
