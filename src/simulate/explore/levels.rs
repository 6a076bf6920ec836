//! The systematic part: that of a plain run, then all that choose otherwise once, then twice, and so on. A level of too many is
//! drawn from first. Each is forked from the run that it leaves last, where it leaves it.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::search::Search;
use std::collections::BTreeSet;

/// How many states of runs are held at a time; others are come to once more.
const HELD_MAX: usize = 1_000;

/// How many events apart states are held where others may leave a run, which is not known yet.
const APART_MIN: u64 = 8;

/// They are at least this part of all events apart: copies of a large run are dear.
const APART_OF_ALL: u64 = 32;

/// A run that others leave.
pub(super) struct Parent {
    path: Vec<Deviation>,
    /// Where they leave it, in order.
    pub followers: Vec<Deviation>,
    /// As it stood at some of these places, or not long before, in order.
    held: Vec<ExploredRun>,
}

impl Parent {
    /// Returns where it leaves the plain run; `None` for one by another table of rules.
    pub fn first_place(&self) -> Option<Deviation> {
        self.path.first().copied().filter(|first| first.0 != TIE)
    }
}

/// The runs of a level.
#[derive(Default)]
pub(super) struct PlayedLevel {
    pub parents: Vec<Parent>,
    held: usize,
    /// How many schedules leave them: the next level.
    beyond: usize,
}

impl Search {
    /// Plays level by level, until there are enough or no more.
    pub(super) fn play_levels(&mut self) {
        let mut seen = BTreeSet::new();
        let mut roots = self.roots.clone().into_iter().enumerate();
        let mut level = PlayedLevel::default();
        if let Some((_, root)) = roots.next() {
            match self.usual.take() {
                Some((usual, held)) => self.settle(*usual, Stop::Over, held, &mut level, &mut seen),
                None => self.play_from(root, &mut level, &mut seen),
            }
        }
        let mut ties: Vec<ExploredRun> = roots.map(|(tie, root)| root.of_tie(tie as u16)).collect();
        for number in 1.. {
            let beyond = level.beyond + ties.len();
            if self.is_enough() || beyond == 0 {
                break;
            }
            if number > 1 && beyond > self.level_max && self.drawn.is_empty() {
                self.draws = true;
                self.draw(number - 1, &level);
                self.draws = self.is_enough();
            }
            let mut next = PlayedLevel::default();
            for parent in level.parents {
                self.leave(parent, &mut next, &mut seen);
                if self.is_enough() {
                    return;
                }
            }
            for root in std::mem::take(&mut ties) {
                self.play_from(root, &mut next, &mut seen);
            }
            level = next;
        }
        self.is_whole = !self.has_more();
    }

    /// Plays all that leave a run: from the states of it that are held, or else along it once more.
    fn leave(&mut self, parent: Parent, next: &mut PlayedLevel, seen: &mut BTreeSet<Vec<Deviation>>) {
        let Parent { path, followers, held } = parent;
        let mut held = held.into_iter().peekable();
        let mut nearest: Option<ExploredRun> = None;
        let mut left = followers.as_slice();
        while let [(at, alternative), rest @ ..] = left {
            while let Some(mut nearer) = held.next_if(|state| state.choice_number() <= *at) {
                nearer.races.forget(&followers);
                nearest = Some(nearer);
            }
            let mut trunk = nearest.take().unwrap_or_else(|| self.along(&path));
            while trunk.run() == Stop::Open && trunk.choice_number() < *at {
                trunk.take(0);
                trunk.races.forget(&followers);
            }
            if trunk.run() != Stop::Open {
                return;
            }
            left = rest;
            let is_left_again = |next: &Deviation| held.peek().is_none_or(|state| state.choice_number() > next.0);
            let mut fork = match rest.first().is_some_and(is_left_again) {
                true => nearest.insert(trunk).clone(),
                false => trunk,
            };
            fork.take(usize::from(*alternative));
            self.play_from(fork, next, seen);
            if self.is_enough() {
                return;
            }
        }
    }

    /// Plays on the usual way to the end, and notes where others leave this run.
    fn play_from(&mut self, mut world: ExploredRun, level: &mut PlayedLevel, seen: &mut BTreeSet<Vec<Deviation>>) {
        (world.races.followers, world.races.earlier) = (Vec::new(), Vec::new());
        let mut held = Held::default();
        let holds = level.held < HELD_MAX && !self.suffice(level.beyond);
        let end = if holds { held.follow(&mut world) } else { go_on_as_usual(&mut world) };
        self.settle(world, end, held, level, seen);
    }

    /// Keeps what came of a run, and notes where others leave it.
    fn settle(
        &mut self,
        mut world: ExploredRun,
        end: Stop,
        held: Held,
        level: &mut PlayedLevel,
        seen: &mut BTreeSet<Vec<Deviation>>,
    ) {
        let mut followers = std::mem::take(&mut world.races.followers);
        let earlier = std::mem::take(&mut world.races.earlier);
        if world.taken.is_empty() {
            self.choices = world.choice_number();
        }
        let path = world.taken.clone();
        self.note_events(&world);
        // One whose beginning was played once more may find what others found.
        if !self.settled.insert(path.clone()) {
            return;
        }
        let crowded = world.races.crowded;
        if end == Stop::Over && !self.drawn.contains(&path) {
            self.finish(world);
        }
        let others = earlier.into_iter().map(|place| {
            let kept = path.iter().take_while(|taken| taken.0 == TIE || taken.0 < place.0);
            kept.copied().chain([place]).collect()
        });
        let others: Vec<Vec<Deviation>> = others.collect();
        if !followers.is_empty() {
            followers.sort_unstable();
            // Along the run another part of a crowd would have been forgotten.
            let held = if crowded { held.first() } else { held.needed(&followers) };
            level.beyond += followers.len();
            level.held += held.len();
            level.parents.push(Parent { path, followers, held });
        }
        for other in others {
            if !self.is_enough() && !self.settled.contains(&other) && seen.insert(other.clone()) {
                let world = self.along(&other);
                self.play_from(world, level, seen);
            }
        }
    }
}

/// Plays on the usual way to the end.
fn go_on_as_usual(world: &mut ExploredRun) -> Stop {
    loop {
        match world.run() {
            Stop::Open => world.take(0),
            end => return end,
        }
    }
}

/// States of a run at which others may leave it, in order.
#[derive(Default)]
pub(super) struct Held {
    states: Vec<ExploredRun>,
    /// How many events the last one had.
    events: u64,
}

impl Held {
    /// Plays a run on the usual way to the end, and holds states of it.
    pub fn follow(&mut self, world: &mut ExploredRun) -> Stop {
        loop {
            match world.run() {
                Stop::Open => {
                    self.hold(world);
                    world.take(0);
                }
                end => return end,
            }
        }
    }

    /// Holds a run as it stands at a choice, unless it is not far from the last state that is held: the way from there is
    /// shorter than what a copy costs.
    fn hold(&mut self, world: &ExploredRun) {
        let events = world.all_events();
        let apart = if world.is_surely_left() { 0 } else { APART_MIN };
        if self.states.is_empty() || events - self.events >= apart.max(events / APART_OF_ALL) {
            self.events = events;
            self.states.push(world.clone());
        }
    }

    /// Keeps the state at the first place where others may leave the run.
    fn first(mut self) -> Vec<ExploredRun> {
        self.states.truncate(1);
        self.states
    }

    /// Keeps the last state before each place where others leave the run.
    fn needed(self, followers: &[Deviation]) -> Vec<ExploredRun> {
        let mut ends: Vec<u32> = self.states.iter().skip(1).map(ExploredRun::choice_number).collect();
        ends.push(u32::MAX);
        let is_needed = |(state, end): &(ExploredRun, u32)| {
            let first = followers.partition_point(|place| place.0 < state.choice_number());
            followers.get(first).is_some_and(|place| place.0 < *end)
        };
        self.states.into_iter().zip(ends).filter(is_needed).map(|(state, _)| state).collect()
    }
}
