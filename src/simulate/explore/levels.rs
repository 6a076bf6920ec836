//! The systematic part: that of a plain run, then all that choose otherwise once, then twice, and so on. A level of too many is
//! drawn from first. Each is forked from the run that it leaves last, where it leaves it.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::search::Search;
use std::collections::BTreeSet;

/// How many beginnings of runs are held at a time; others are played once more.
const HELD_MAX: usize = 1_000;

/// A run that others leave.
pub(super) struct Parent {
    /// As it stood behind its last deviation.
    start: Option<Box<ExploredRun>>,
    path: Vec<Deviation>,
    /// Where they leave it, in order.
    pub followers: Vec<Deviation>,
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
            let parent = match self.usual.take() {
                Some(usual) => self.settle(*usual, Stop::Over, &mut level, &mut seen),
                None => self.play_from(root.clone(), &mut level, &mut seen),
            };
            self.hold(parent, &mut level, || root);
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
                let parent = self.play_from(root.clone(), &mut next, &mut seen);
                self.hold(parent, &mut next, || root);
            }
            level = next;
        }
        self.is_whole = !self.has_more();
    }

    /// Goes along a run once more and plays all that leave it.
    fn leave(&mut self, parent: Parent, next: &mut PlayedLevel, seen: &mut BTreeSet<Vec<Deviation>>) {
        let Parent { start, path, followers } = parent;
        let mut trunk = start.map_or_else(|| self.along(&path), |start| *start);
        let mut left = followers.as_slice();
        while let [(at, alternative), rest @ ..] = left {
            if trunk.run() != Stop::Open {
                return;
            }
            if trunk.choice_number() < *at {
                trunk.take(0);
                trunk.races.forget(&followers);
                continue;
            }
            left = rest;
            let taken = |mut run: ExploredRun| {
                run.take(usize::from(*alternative));
                run
            };
            let parent = self.play_from(taken(trunk.clone()), next, seen);
            if self.is_enough() {
                return;
            }
            if rest.is_empty() {
                return self.hold(parent, next, || taken(trunk));
            }
            self.hold(parent, next, || taken(trunk.clone()));
        }
    }

    /// Plays on the usual way to the end, and notes where others leave this run; returns its place among such of its level.
    fn play_from(
        &mut self,
        mut world: ExploredRun,
        level: &mut PlayedLevel,
        seen: &mut BTreeSet<Vec<Deviation>>,
    ) -> Option<usize> {
        (world.races.followers, world.races.earlier) = (Vec::new(), Vec::new());
        loop {
            match world.run() {
                Stop::Open => world.take(0),
                end => return self.settle(world, end, level, seen),
            }
        }
    }

    /// Keeps what came of a run, and notes where others leave it.
    fn settle(
        &mut self,
        mut world: ExploredRun,
        end: Stop,
        level: &mut PlayedLevel,
        seen: &mut BTreeSet<Vec<Deviation>>,
    ) -> Option<usize> {
        let mut followers = std::mem::take(&mut world.races.followers);
        let earlier = std::mem::take(&mut world.races.earlier);
        if world.taken.is_empty() {
            self.choices = world.choice_number();
        }
        let path = world.taken.clone();
        self.note_events(&world);
        // One whose beginning was played once more may find what others found.
        if !self.settled.insert(path.clone()) {
            return None;
        }
        if end == Stop::Over && !self.drawn.contains(&path) {
            self.finish(world);
        }
        let others = earlier.into_iter().map(|place| {
            let kept = path.iter().take_while(|taken| taken.0 == TIE || taken.0 < place.0);
            kept.copied().chain([place]).collect()
        });
        let others: Vec<Vec<Deviation>> = others.collect();
        let number = (!followers.is_empty()).then_some(level.parents.len());
        if !followers.is_empty() {
            followers.sort_unstable();
            level.beyond += followers.len();
            level.parents.push(Parent { start: None, path, followers });
        }
        for other in others {
            if !self.is_enough() && !self.settled.contains(&other) && seen.insert(other.clone()) {
                let world = self.along(&other);
                self.play_from(world, level, seen);
            }
        }
        number
    }

    /// Keeps where a run of a level began, so that those that leave it need not come to it once more.
    fn hold(&self, parent: Option<usize>, level: &mut PlayedLevel, start: impl FnOnce() -> ExploredRun) {
        let Some(parent) = parent else { return };
        if level.held < HELD_MAX && !self.suffice(level.beyond) {
            level.held += 1;
            level.parents[parent].start = Some(Box::new(start()));
        }
    }
}
