//! A search for schedules: what it starts from, what it keeps of those that were played, and one of them played once more.
//! Which are played is in `levels` and `draw`. The number of a schedule depends on the seed alone, not on how many are played.

use crate::model::Cell;
use crate::player::{Direction, RunResult};
use crate::rules::{Differences, Edition};
use crate::simulate::explore::choice::{ChoiceKind, Deviation};
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::facts::{Fact, FactValue, Facts};
use crate::simulate::explore::ties::tied_rules;
use crate::simulate::rehearse::{Prepared, play_noting, prepare, suspects};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A level of schedules with so many deviations is played whole; of a larger one some are drawn first.
const LEVEL_MAX: usize = 2_000;

/// One schedule of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Counts from 1, which is that of a plain run.
    pub number: u64,
    /// What was chosen otherwise, in order.
    pub kinds: Vec<ChoiceKind>,
    path: Vec<Deviation>,
    /// How many entries its timeline has.
    entries: u64,
    /// Whether an expectation or a step failed.
    pub failed: bool,
}

/// What exploring a cell came to.
#[derive(Debug)]
pub struct Exploration {
    /// How many schedules were played.
    pub schedules: u64,
    /// Whether these are all that there are.
    pub is_whole: bool,
    /// How many failed.
    pub failed: u64,
    /// What varied.
    pub varied: Vec<(Fact, Vec<FactValue>)>,
    /// How many schedules chose otherwise, by kind.
    pub kinds: BTreeMap<ChoiceKind, u64>,
    /// The two of the shortest timelines that end otherwise; where some failed, one that failed and one that did not.
    pub pair: Option<(Schedule, Schedule)>,
    /// The first that failed.
    pub first_failed: Option<Schedule>,
}

/// One schedule, played with its timeline.
#[derive(Debug)]
pub struct Explored {
    /// Which one.
    pub schedule: Schedule,
    /// What came of it.
    pub played: RunResult,
}

/// Plays up to so many schedules of a cell.
pub fn explore(cell: &Cell, edition: impl Into<Edition>, schedules: u64, seed: u64) -> Exploration {
    let edition = edition.into();
    let mut search = Search::new(cell, edition, schedules, seed);
    search.run();
    search.end()
}

/// Lists up to so many schedules of a cell in the order in which they are played, and whether there are no others; a level
/// of more than so many is drawn from first.
pub fn list_schedules(
    cell: &Cell,
    edition: impl Into<Edition>,
    schedules: u64,
    seed: u64,
    drawn_from: usize,
) -> (Vec<Schedule>, bool) {
    let mut search = Search::new(cell, edition.into(), schedules, seed);
    search.level_max = drawn_from;
    search.listed = Some(Vec::new());
    search.run();
    (search.listed.unwrap_or_default(), search.is_whole)
}

/// Plays the schedule of a number once more, with its timeline and the simulator's reasons; `None`: there are not so many.
pub fn play_schedule(cell: &Cell, edition: impl Into<Edition>, seed: u64, number: u64) -> Option<Explored> {
    let edition = edition.into();
    let mut search = Search::new(cell, edition, number, seed);
    search.run();
    let schedule = search.last.take().filter(|last| last.number == number)?;
    let played = search.replay(&schedule.path, cell, edition);
    Some(Explored { schedule, played })
}

impl Schedule {
    /// Returns at which choices it chose otherwise, and which alternative; no other schedule of its cell has the same.
    pub fn path(&self) -> &[(u32, u16)] {
        &self.path
    }

    /// Plays this schedule once more, with its timeline and the simulator's reasons.
    pub fn replay(&self, cell: &Cell, edition: impl Into<Edition>) -> RunResult {
        let edition = edition.into();
        Search::new(cell, edition, 0, 0).replay(&self.path, cell, edition)
    }
}

/// A search under way.
pub(super) struct Search {
    /// One for each table of rules that policies of equal priority leave open.
    pub(super) roots: Vec<ExploredRun>,
    ties: Vec<&'static Differences>,
    looks: Arc<[Vec<Direction>]>,
    /// Parts of the topology are refused: there is one schedule.
    refused: Option<RunResult>,
    wanted: u64,
    pub(super) seed: u64,
    pub(super) played: u64,
    failed: u64,
    facts: Facts,
    kinds: BTreeMap<ChoiceKind, u64>,
    /// How many choices a plain run makes.
    pub(super) choices: u32,
    /// A level of more schedules is drawn from first.
    pub(super) level_max: usize,
    /// All that were played, where they are asked for.
    listed: Option<Vec<Schedule>>,
    /// All that are wanted were played, and there are more.
    has_more: bool,
    pub(super) is_whole: bool,
    /// By the digest of all facts, the schedule of the shortest timeline.
    shortest: BTreeMap<u64, Schedule>,
    shortest_failed: Option<Schedule>,
    shortest_passed: Option<Schedule>,
    first_failed: Option<Schedule>,
    last: Option<Schedule>,
    /// Those that were drawn: the systematic part passes them over.
    pub(super) drawn: BTreeSet<Vec<Deviation>>,
}

impl Search {
    fn new(cell: &Cell, edition: Edition, wanted: u64, seed: u64) -> Self {
        let mut timers = Vec::new();
        let plain = play_noting(cell, edition, &mut timers);
        let mut looks: Vec<Vec<Direction>> = vec![Vec::new(); plain.points.len()];
        suspects(&plain, &timers).for_each(|(shift, _)| looks[shift.point].push(shift.way));
        let looks: Arc<[Vec<Direction>]> = looks.into();
        let ties = tied_rules(cell, edition);
        let mut search = Self {
            roots: Vec::new(),
            ties,
            looks,
            refused: None,
            wanted,
            seed,
            played: 0,
            failed: 0,
            facts: Facts::default(),
            kinds: BTreeMap::new(),
            choices: 0,
            level_max: LEVEL_MAX,
            listed: None,
            has_more: false,
            is_whole: false,
            shortest: BTreeMap::new(),
            shortest_failed: None,
            shortest_passed: None,
            first_failed: None,
            last: None,
            drawn: BTreeSet::new(),
        };
        for rules in search.ties.clone() {
            match search.root(rules, cell, edition, false) {
                Ok(world) => search.roots.push(world),
                Err(refused) => search.refused = Some(*refused),
            }
        }
        search
    }

    fn root(
        &self,
        rules: &'static Differences,
        cell: &Cell,
        edition: Edition,
        tells: bool,
    ) -> Result<ExploredRun, Box<RunResult>> {
        let Prepared { sim, player, moment, limits, refused } = prepare(rules, cell, edition, tells);
        if refused {
            return Err(Box::new(player.finish()));
        }
        let looks = Arc::clone(&self.looks);
        if tells {
            return Ok(ExploredRun::new(sim, player, moment, limits, looks).closing_up());
        }
        Ok(ExploredRun::new(sim, player.without_timeline(), moment, limits, looks))
    }

    /// Plays a path once more, with its timeline.
    fn replay(&self, path: &[Deviation], cell: &Cell, edition: Edition) -> RunResult {
        let (tie, path) = match path {
            [(TIE, tie), rest @ ..] => (usize::from(*tie), rest),
            path => (0, path),
        };
        let mut world = match self.root(self.ties[tie.min(self.ties.len() - 1)], cell, edition, true) {
            Ok(world) => world,
            Err(refused) => return *refused,
        };
        go_along(&mut world, path);
        while world.run() == Stop::Open {
            world.take(0);
        }
        world.finish().0
    }

    /// Leads a fresh run along a path, up to the last choice of it.
    pub(super) fn along(&self, path: &[Deviation]) -> ExploredRun {
        let (tie, path) = match path {
            [(TIE, tie), rest @ ..] => (*tie, rest),
            path => (0, path),
        };
        let mut world = self.roots[usize::from(tie)].clone().of_tie(tie);
        go_along(&mut world, path);
        world
    }

    /// Returns whether as many were played as were wanted, and whether there are more is known.
    pub(super) fn is_enough(&self) -> bool {
        self.has_more
    }

    fn run(&mut self) {
        match self.refused.take() {
            Some(refused) => {
                self.keep(Vec::new(), Vec::new(), &refused);
                self.is_whole = true;
            }
            None => self.play_levels(),
        }
    }

    /// Returns whether so many schedules that wait to be played are more than enough.
    pub(super) fn suffice(&self, waiting: usize) -> bool {
        self.played + waiting as u64 > self.wanted.saturating_mul(2)
    }

    /// Takes a run that is over. One more than wanted is not kept: it tells that there are more.
    pub(super) fn finish(&mut self, mut world: ExploredRun) {
        if self.played >= self.wanted {
            self.has_more = true;
            return;
        }
        let (path, kinds) = (std::mem::take(&mut world.taken), std::mem::take(&mut world.kinds));
        let (played, _) = world.finish();
        self.keep(path, kinds, &played);
    }

    /// Takes what came of a schedule.
    fn keep(&mut self, path: Vec<Deviation>, kinds: Vec<ChoiceKind>, played: &RunResult) {
        self.played += 1;
        let number = self.played;
        let failed = !played.failures.is_empty();
        self.failed += u64::from(failed);
        let digest = self.facts.take(number, played);
        let mut counted = kinds.clone();
        counted.sort_unstable();
        counted.dedup();
        counted.into_iter().for_each(|kind| *self.kinds.entry(kind).or_default() += 1);
        let schedule = Schedule { number, kinds, path, entries: played.timeline.count(), failed };
        let shorter = |known: &Option<Schedule>| known.as_ref().is_none_or(|known| schedule.entries < known.entries);
        if failed && shorter(&self.shortest_failed) {
            self.shortest_failed = Some(schedule.clone());
        } else if !failed && shorter(&self.shortest_passed) {
            self.shortest_passed = Some(schedule.clone());
        }
        if failed && self.first_failed.is_none() {
            self.first_failed = Some(schedule.clone());
        }
        if shorter(&self.shortest.get(&digest).cloned()) {
            self.shortest.insert(digest, schedule.clone());
        }
        if let Some(listed) = &mut self.listed {
            listed.push(schedule.clone());
        }
        self.last = Some(schedule);
    }

    fn end(self) -> Exploration {
        let mut different: Vec<Schedule> = self.shortest.into_values().collect();
        different.sort_by_key(|schedule| (schedule.entries, schedule.number));
        let mut different = different.into_iter();
        let pair = match (self.shortest_passed, self.shortest_failed) {
            (Some(passed), Some(failed)) => Some((passed, failed)),
            _ => different.next().zip(different.next()),
        };
        Exploration {
            schedules: self.played,
            is_whole: self.is_whole,
            failed: self.failed,
            varied: self.facts.varied(),
            kinds: self.kinds,
            pair,
            first_failed: self.first_failed,
        }
    }
}

/// Leads a run along a path, up to the last choice of it.
fn go_along(world: &mut ExploredRun, path: &[Deviation]) {
    for (at, alternative) in path {
        while world.run() == Stop::Open && world.choice_number() < *at {
            world.take(0);
        }
        world.take(usize::from(*alternative));
    }
}
