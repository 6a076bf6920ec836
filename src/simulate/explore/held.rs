//! States of a run on its way: those from which others may leave it, to fork these there, and those at rest, to know others by.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, Stop};
use crate::simulate::explore::standing::{KnownRests, StateAtRest};

/// How many events apart states are held where others may leave a run, which is not known yet: a copy costs as much as a few.
const APART_MIN: u64 = 32;

/// How many they are apart where one other leaves the run.
const APART_FOR_ONE: u64 = 64;

/// They are at least this part of all events apart: copies of a large run are dear.
const APART_OF_ALL: u64 = 32;

/// States of a run, in order.
#[derive(Default)]
pub(super) struct HeldStates {
    states: Vec<ExploredRun>,
    /// How many events the last one had.
    events: u64,
    /// One other leaves the run, wherever that is.
    for_one: bool,
    /// Where it was at rest.
    pub passed: Vec<StateAtRest>,
}

/// How a run came to its end.
pub(super) enum Way {
    Played(Stop),
    /// It stands as another one did: what comes behind is known.
    Known(StateAtRest),
}

impl HeldStates {
    /// Those of a run that one other leaves.
    pub fn for_one() -> Self {
        Self { for_one: true, ..Self::default() }
    }

    /// Plays a run on the usual way to the end, or until it stands as another one did; holds states of it, if it is told to.
    pub fn follow(&mut self, world: &mut ExploredRun, known: &mut KnownRests, holds: bool) -> Way {
        world.rests = true;
        loop {
            match world.run() {
                Stop::Open => {
                    if holds {
                        self.hold(world);
                    }
                    world.take(0);
                }
                Stop::AtRest => {
                    if !known.is_worth_it(world.all_events()) {
                        continue;
                    }
                    let Some(passed) = world.standing() else { continue };
                    if known.has(&passed) {
                        return Way::Known(passed);
                    }
                    self.passed.push(passed);
                }
                end => return Way::Played(end),
            }
        }
    }

    /// Holds a run as it stands at a choice, unless it is not far from the last state that is held: the way from there is
    /// shorter than what a copy costs.
    fn hold(&mut self, world: &ExploredRun) {
        let events = world.all_events();
        let apart = match self.for_one {
            true => APART_FOR_ONE,
            false if world.is_surely_left() => 0,
            false => APART_MIN,
        };
        if self.states.is_empty() || events - self.events >= apart.max(events / APART_OF_ALL) {
            self.events = events;
            self.states.push(world.clone());
        }
    }

    /// Holds a run as it stands.
    pub fn add(&mut self, world: ExploredRun) {
        self.states.push(world);
    }

    /// Keeps the state at the first place where others may leave the run.
    pub fn first(mut self) -> Vec<ExploredRun> {
        self.states.truncate(1);
        self.states
    }

    /// Keeps the last state before each place where others leave the run.
    pub fn needed(self, followers: &[Deviation]) -> Vec<ExploredRun> {
        let mut ends: Vec<u32> = self.states.iter().skip(1).map(ExploredRun::choice_number).collect();
        ends.push(u32::MAX);
        let is_needed = |(state, end): &(ExploredRun, u32)| {
            let first = followers.partition_point(|place| place.0 < state.choice_number());
            followers.get(first).is_some_and(|place| place.0 < *end)
        };
        self.states.into_iter().zip(ends).filter(is_needed).map(|(state, _)| state).collect()
    }
}

impl ExploredRun {
    /// Lets it be left where others are known to leave it: these need not be found once more.
    pub fn leaving(mut self, followers: &[Deviation]) -> Self {
        self.races.forget(followers);
        self.rests = false;
        self
    }

    /// Goes on the usual way up to a choice; whether it came there.
    pub fn go_on_to(&mut self, choice: u32, followers: &[Deviation]) -> bool {
        while self.run() == Stop::Open && self.choices < choice {
            self.take(0);
            self.races.forget(followers);
        }
        self.run() == Stop::Open
    }
}
