//! Which things are worth being late: what stands behind a command in another lane, touches the same and does not come of it.
//! Only such schedules differ from the usual one; a run finds them while it does the usual thing.

use crate::broker::{Command, Event};
use crate::sim::Touched;
use crate::simulate::explore::choice::{Alternative, Choice};
use crate::simulate::explore::explored_run::{ExploredRun, TIE};
use crate::simulate::explore::lane::{Lane, lane_of};
use crate::simulate::explore::race::{Race, Races};

impl ExploredRun {
    /// Notes the other alternatives of a choice that goes the usual way: as schedules, or to see whether they are.
    pub(super) fn noted(&mut self, choice: &Choice, number: u32) -> Option<Race> {
        let mut race = None;
        for (at, action) in choice.actions.iter().enumerate().skip(1) {
            let place = (number, at as u16);
            let late = match (action, choice.actions.first()) {
                (Alternative::Delay, Some(&Alternative::Arrive(first))) => {
                    let command = self.player.ready_commands().nth(first);
                    let step = command.and_then(|command| self.player.driver_step(command));
                    Some((command.map(lane_of), step, self.touched_at(first)))
                }
                (Alternative::DelayLetters, _) => {
                    Some((None, None, self.sim.waiting_letters().map_or(Touched::NOTHING, |(touched, _)| touched)))
                }
                _ => None,
            };
            match late {
                Some((lane, step, touched)) => {
                    race = Some(Race { place, lane, touched, step, caused: 0, is_cause: true });
                }
                None => self.races.followers.push(place),
            }
        }
        race
    }

    /// A command reaches the broker: what touches the same could have been late, unless the command comes of it.
    pub(super) fn meet_races(&mut self, command: &Command, touched: Touched) {
        self.races.letters_mixed = self.sim.has_waiting_letters();
        if self.races.pending.is_empty() {
            return;
        }
        let lane = lane_of(command);
        let by = match (command, lane) {
            (Command::Publish { .. } | Command::Settle { .. }, Lane::Channel(channel)) => {
                self.player.instances_on(channel)
            }
            _ => 0,
        };
        let step = self.player.driver_step(command);
        let last = self.taken.last().copied();
        let Self { races: Races { pending, followers, earlier, .. }, .. } = self;
        pending.retain_mut(|race| {
            let is_later_step = race.step.is_some() && step.is_some() && race.step != step;
            let comes_of_it = is_later_step || by != 0 && race.caused & by == by;
            race.is_cause = comes_of_it;
            let meets = race.lane != Some(lane) && race.touched.meets(touched) && !comes_of_it;
            if meets {
                let is_later = last.is_none_or(|last| last.0 == TIE || race.place > last);
                if is_later { followers.push(race.place) } else { earlier.push(race.place) }
            }
            !meets
        });
    }

    /// Notes who hears what comes of something: a consumer that has nothing else to do acts by it.
    pub(super) fn spread(&mut self, event: &Event) {
        if self.races.pending.is_empty() {
            return;
        }
        let hears = self.player.heard_by(event);
        if hears == 0 {
            return;
        }
        let rests = self.player.are_at_rest(hears, self.now);
        for race in &mut self.races.pending {
            if !race.is_cause {
                race.caused &= !hears;
            } else if rests {
                race.caused |= hears;
            }
        }
    }

    /// Sends waiting dead letters on.
    pub(super) fn send_letters(&mut self) {
        if self.races.letters_mixed {
            self.races.forget_causes();
        }
        self.sim.send_waiting_letters();
    }
}
