//! The systematic part: that of a plain run, then all that choose otherwise once, then twice, and so on. A level of too many is
//! drawn from first. Each is forked from the run that it leaves last, where it leaves it.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::held::{HeldStates, Way};
use crate::simulate::explore::search::Search;
use std::collections::BTreeSet;
use std::rc::Rc;

/// How many states of runs are held at a time; others are come to once more.
const HELD_MAX: usize = 1_000;

/// A run that others leave.
pub(super) struct Parent {
    path: Vec<Deviation>,
    /// Where they leave it, in order.
    pub followers: Vec<Deviation>,
    /// As it stood at some of these places, or not long before, in order.
    held: Vec<ExploredRun>,
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
                Some((usual, held)) => self.settle(*usual, Way::Played(Stop::Over), held, &mut level, &mut seen),
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
                self.draw(&level);
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
            while let Some(nearer) = held.next_if(|state| state.choice_number() <= *at) {
                nearest = Some(nearer.leaving(&followers));
            }
            let mut trunk = nearest.take().unwrap_or_else(|| self.along(&path));
            if !trunk.go_on_to(*at, &followers) {
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

    /// Forks a run where others leave it.
    pub(super) fn fork(&self, parent: &Parent, place: Deviation) -> Option<ExploredRun> {
        let nearest = parent.held.iter().rfind(|state| state.choice_number() <= place.0);
        self.fork_from(nearest.cloned(), &parent.path, &parent.followers, place)
    }

    /// Forks a run that nothing else leaves.
    pub(super) fn fork_once(&self, parent: Parent, place: Deviation) -> Option<ExploredRun> {
        let Parent { path, followers, held } = parent;
        let nearest = held.into_iter().take_while(|state| state.choice_number() <= place.0).last();
        self.fork_from(nearest, &path, &followers, place)
    }

    fn fork_from(
        &self,
        nearest: Option<ExploredRun>,
        path: &[Deviation],
        followers: &[Deviation],
        (at, alternative): Deviation,
    ) -> Option<ExploredRun> {
        let mut fork = nearest.map_or_else(|| self.along(path), |state| state.leaving(followers));
        let is_there = fork.go_on_to(at, followers);
        is_there.then(|| fork.take(usize::from(alternative)))?;
        Some(fork)
    }

    /// Plays a drawn schedule to the end, and returns it where others leave it, if these are asked for.
    pub(super) fn play_drawn(&mut self, world: ExploredRun, goes_on: bool) -> Option<Parent> {
        let mut alone = PlayedLevel { held: if goes_on { 0 } else { HELD_MAX }, ..PlayedLevel::default() };
        self.play_from(world, &mut alone, &mut BTreeSet::new());
        alone.parents.pop()
    }

    /// Plays on the usual way to the end, and notes where others leave this run.
    fn play_from(&mut self, mut world: ExploredRun, level: &mut PlayedLevel, seen: &mut BTreeSet<Vec<Deviation>>) {
        (world.races.followers, world.races.earlier) = (Vec::new(), Vec::new());
        let mut held = if self.draws { HeldStates::for_one() } else { HeldStates::default() };
        let holds = level.held < HELD_MAX && !self.suffice(level.beyond);
        let way = held.follow(&mut world, &mut self.rests, holds);
        self.settle(world, way, held, level, seen);
    }

    /// Keeps what came of a run, and notes where others leave it.
    fn settle(
        &mut self,
        mut world: ExploredRun,
        way: Way,
        mut held: HeldStates,
        level: &mut PlayedLevel,
        seen: &mut BTreeSet<Vec<Deviation>>,
    ) {
        let mut followers = std::mem::take(&mut world.races.followers);
        let earlier = std::mem::take(&mut world.races.earlier);
        if world.taken.is_empty() {
            self.rests.usual_events = Some(world.all_events());
        }
        let path = world.taken.clone();
        let known = match &way {
            Way::Known(passed) => self.rests.get(passed),
            Way::Played(_) => None,
        };
        let mut length = world.length();
        if let Some(rest) = known {
            let so_far = world.choice_number();
            followers.extend(rest.followers.iter().map(|place| (place.0 + so_far, place.1)));
            length.add(rest);
        }
        let (facts, goes_on) = known.map_or((None, false), |rest| (rest.facts.clone(), !rest.followers.is_empty()));
        self.note_events(length.events);
        // One whose beginning was played once more may find what others found.
        if !self.draws && !self.settled.insert(path.clone()) {
            return;
        }
        followers.sort_unstable();
        let crowded = world.races.crowded;
        let is_new = if self.draws { self.drawn.insert(path.clone()) } else { !self.drawn.contains(&path) };
        if is_new {
            let facts = match way {
                Way::Known(_) => {
                    self.finish_alike(path.clone(), world.kinds.clone(), length.entries, facts.as_deref());
                    if goes_on {
                        held.add(world);
                    }
                    Some(facts)
                }
                Way::Played(Stop::Over) => Some(self.finish(world).map(Rc::new)),
                Way::Played(_) => None,
            };
            if let Some(facts) = facts {
                self.rests.keep(std::mem::take(&mut held.passed), &followers, length, facts);
            }
        } else if goes_on {
            held.add(world);
        }
        let others = earlier.into_iter().map(|place| {
            let kept = path.iter().take_while(|taken| taken.0 == TIE || taken.0 < place.0);
            kept.copied().chain([place]).collect()
        });
        let others: Vec<Vec<Deviation>> = others.collect();
        if !followers.is_empty() {
            // Along the run another part of a crowd would have been forgotten.
            let held = if crowded { held.first() } else { held.needed(&followers) };
            level.beyond += followers.len();
            level.held += held.len();
            level.parents.push(Parent { path, followers, held });
        }
        for other in others {
            if !self.draws && !self.is_enough() && !self.settled.contains(&other) && seen.insert(other.clone()) {
                let world = self.along(&other);
                self.play_from(world, level, seen);
            }
        }
    }
}
