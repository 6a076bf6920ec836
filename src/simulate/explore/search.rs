//! A search for schedules: what it starts from, what it keeps of those that were played, and one of them played once more.
//! Which are played is in `levels` and `draw`. The number of a schedule depends on the seed alone, not on how many are played.

use crate::model::Cell;
use crate::player::{Direction, RunResult};
use crate::rules::{Differences, Edition};
use crate::simulate::explore::choice::{ChoiceKind, Deviation};
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::facts::{Fact, FactValue, Facts, TakenFacts, digest_of_facts};
use crate::simulate::explore::held::HeldStates;
use crate::simulate::explore::standing::KnownRests;
use crate::simulate::explore::ties::tied_rules;
use crate::simulate::rehearse::{Prepared, prepare, suspects};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Of how many more schedules than are wanted it is found out whether these are all.
const COUNTED_MAX: u64 = 100;

/// How many events these may have together.
const COUNTED_EVENTS_MAX: u64 = 100_000;

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
    /// How many there are.
    pub total: Total,
    /// How many failed.
    pub failed: u64,
    /// What varied.
    pub varied: Vec<(Fact, Vec<FactValue>)>,
    /// How many schedules chose otherwise, by kind.
    pub kinds: BTreeMap<ChoiceKind, u64>,
    /// Two that end otherwise, of the fewest choices and then of the shortest timelines; where some failed, one that failed
    /// and one that did not.
    pub pair: Option<(Schedule, Schedule)>,
    /// The first that failed.
    pub first_failed: Option<Schedule>,
}

/// How many schedules a cell has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// All were played, or at least counted.
    Exactly(u64),
    /// So many were met, and the rest is not counted.
    AtLeast(u64, Uncounted),
}

/// Why schedules are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncounted {
    /// More than so many were left.
    Left(u64),
    /// A level of more than so many is drawn from.
    Drawn(usize),
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
    search.counts = true;
    search.run();
    search.end()
}

/// What comes of a cell when the orders count, too, in which a run closes up.
#[derive(Debug)]
pub struct ClosingExploration {
    /// What came of all schedules.
    pub exploration: Exploration,
    /// How many could choose while they closed up.
    pub chose: u64,
    /// Those whose facts changed meanwhile.
    pub changed: Vec<Schedule>,
}

/// Plays up to so many schedules of a cell, also by what is open once all is judged and only connections are closed.
pub fn explore_closing(cell: &Cell, edition: impl Into<Edition>, schedules: u64, seed: u64) -> ClosingExploration {
    let mut search = Search::new(cell, edition.into(), schedules, seed);
    search.usual = None;
    search.roots = search.roots.into_iter().map(ExploredRun::exploring_closing).collect();
    search.run();
    let (chose, changed) = (search.chose_closing, std::mem::take(&mut search.changed_closing));
    ClosingExploration { exploration: search.end(), chose, changed }
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

impl Exploration {
    /// Returns whether all that there are were played.
    pub fn is_whole(&self) -> bool {
        self.total == Total::Exactly(self.schedules)
    }
}

impl Schedule {
    /// Returns by what one is simpler to read than another: what it chose otherwise, then how much happens.
    fn size(&self) -> (usize, u64) {
        (self.path.len(), self.entries)
    }

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
    /// The usual schedule, played to its end, with states of it.
    pub(super) usual: Option<(Box<ExploredRun>, HeldStates)>,
    /// Parts of the topology are refused: there is one schedule.
    refused: Option<RunResult>,
    wanted: u64,
    pub(super) seed: u64,
    pub(super) played: u64,
    failed: u64,
    facts: Facts,
    kinds: BTreeMap<ChoiceKind, u64>,
    /// A level of more schedules is drawn from first.
    pub(super) level_max: usize,
    /// All that were played, where they are asked for.
    listed: Option<Vec<Schedule>>,
    /// Whether those that are more than wanted are counted.
    counts: bool,
    /// How many more there are than wanted, as far as they were met.
    more: u64,
    /// How many events those had.
    counted_events: u64,
    /// How many could choose while they closed up, and those whose facts changed meanwhile.
    chose_closing: u64,
    changed_closing: Vec<Schedule>,
    /// Schedules are being drawn.
    pub(super) draws: bool,
    pub(super) is_whole: bool,
    /// By the digest of all facts, the simplest schedule.
    simplest: BTreeMap<u64, Schedule>,
    simplest_failed: Option<Schedule>,
    simplest_passed: Option<Schedule>,
    first_failed: Option<Schedule>,
    last: Option<Schedule>,
    /// Those that the systematic part has come to.
    pub(super) settled: BTreeSet<Vec<Deviation>>,
    /// Those that were drawn: the systematic part passes them over.
    pub(super) drawn: BTreeSet<Vec<Deviation>>,
    /// What came behind states that runs were in.
    pub(super) rests: KnownRests,
}

impl Search {
    fn new(cell: &Cell, edition: Edition, wanted: u64, seed: u64) -> Self {
        let mut search = Self {
            roots: Vec::new(),
            ties: tied_rules(cell, edition),
            looks: Arc::default(),
            usual: None,
            refused: None,
            wanted,
            seed,
            played: 0,
            failed: 0,
            facts: Facts::default(),
            kinds: BTreeMap::new(),
            level_max: LEVEL_MAX,
            listed: None,
            counts: false,
            more: 0,
            counted_events: 0,
            chose_closing: 0,
            changed_closing: Vec::new(),
            draws: false,
            is_whole: false,
            simplest: BTreeMap::new(),
            simplest_failed: None,
            simplest_passed: None,
            first_failed: None,
            last: None,
            settled: BTreeSet::new(),
            drawn: BTreeSet::new(),
            rests: KnownRests::default(),
        };
        for rules in search.ties.clone() {
            match search.root(rules, cell, edition, false) {
                Ok(world) => search.roots.push(world),
                Err(refused) => search.refused = Some(*refused),
            }
        }
        search.find_looks();
        search
    }

    /// Plays the usual schedule and sees which of its looks are close to a timer: these may come earlier or later. What
    /// the run leaves open besides is the same without them, so that it is kept where there are none.
    fn find_looks(&mut self) {
        let Some(root) = self.roots.first() else { return };
        let mut usual = root.clone().noting_timers();
        let mut held = HeldStates::default();
        held.follow(&mut usual, &mut self.rests, true);
        let timers = usual.take_timers();
        let points = usual.player.points();
        let mut looks: Vec<Vec<Direction>> = vec![Vec::new(); points.len()];
        suspects(points, &timers).for_each(|(shift, _)| looks[shift.point].push(shift.way));
        if looks.iter().all(Vec::is_empty) {
            self.usual = Some((Box::new(usual), held));
            return;
        }
        self.looks = looks.into();
        self.roots.iter_mut().for_each(|root| root.set_looks(&self.looks));
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
        if tells {
            let mut run = ExploredRun::new(sim, player, moment, limits).closing_up();
            run.set_looks(&self.looks);
            return Ok(run);
        }
        Ok(ExploredRun::new(sim, player.without_timeline(), moment, limits))
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

    /// Returns whether as many were played as were wanted, and how many more there are is known as far as it will be.
    pub(super) fn is_enough(&self) -> bool {
        let counts = self.counts && !self.draws && self.more < COUNTED_MAX && self.counted_events < COUNTED_EVENTS_MAX;
        self.more > 0 && !counts
    }

    /// Returns whether there are more than were wanted.
    pub(super) fn has_more(&self) -> bool {
        self.more > 0
    }

    /// Adds up what it costs to count those that are more than wanted.
    pub(super) fn note_events(&mut self, events: u64) {
        if self.has_more() {
            self.counted_events += events;
        }
    }

    fn run(&mut self) {
        match self.refused.take() {
            Some(refused) => {
                let _ = self.keep(Vec::new(), Vec::new(), &refused);
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
    pub(super) fn finish(&mut self, mut world: ExploredRun) -> Option<TakenFacts> {
        if self.played >= self.wanted {
            self.more += 1;
            return None;
        }
        let (path, kinds) = (std::mem::take(&mut world.taken), std::mem::take(&mut world.kinds));
        let (closing, choices) = (world.closing_from, world.choice_number());
        let (played, _) = world.finish();
        if let Some((first, before)) = closing {
            self.chose_closing += u64::from(choices > first);
            let is_changed = before != digest_of_facts(&played);
            self.keep(path, kinds, &played);
            self.changed_closing.extend(self.last.clone().filter(|_| is_changed));
            return None;
        }
        Some(self.keep(path, kinds, &played))
    }

    /// Takes a run that stands as another one did, whose facts it has; `None`: that one was more than wanted, and so is this.
    pub(super) fn finish_alike(
        &mut self,
        path: Vec<Deviation>,
        kinds: Vec<ChoiceKind>,
        entries: u64,
        facts: Option<&TakenFacts>,
    ) {
        match facts.filter(|_| self.played < self.wanted) {
            Some(facts) => {
                self.facts.take_again(facts);
                self.count(path, kinds, facts, entries);
            }
            None => self.more += 1,
        }
    }

    /// Takes what came of a schedule.
    fn keep(&mut self, path: Vec<Deviation>, kinds: Vec<ChoiceKind>, played: &RunResult) -> TakenFacts {
        let facts = self.facts.take(self.played + 1, played);
        self.count(path, kinds, &facts, played.timeline.count());
        facts
    }

    fn count(&mut self, path: Vec<Deviation>, kinds: Vec<ChoiceKind>, facts: &TakenFacts, entries: u64) {
        self.played += 1;
        let (number, failed) = (self.played, facts.failed);
        self.failed += u64::from(failed);
        let mut counted = kinds.clone();
        counted.sort_unstable();
        counted.dedup();
        counted.into_iter().for_each(|kind| *self.kinds.entry(kind).or_default() += 1);
        let schedule = Schedule { number, kinds, path, entries, failed };
        let is_simpler = |known: Option<&Schedule>| known.is_none_or(|known| schedule.size() < known.size());
        let of_its_end = if failed { &mut self.simplest_failed } else { &mut self.simplest_passed };
        if is_simpler(of_its_end.as_ref()) {
            *of_its_end = Some(schedule.clone());
        }
        if failed && self.first_failed.is_none() {
            self.first_failed = Some(schedule.clone());
        }
        if is_simpler(self.simplest.get(&facts.digest)) {
            self.simplest.insert(facts.digest, schedule.clone());
        }
        if let Some(listed) = &mut self.listed {
            listed.push(schedule.clone());
        }
        self.last = Some(schedule);
    }

    fn end(self) -> Exploration {
        let total = self.total();
        let mut different: Vec<Schedule> = self.simplest.into_values().collect();
        different.sort_by_key(|schedule| (schedule.size(), schedule.number));
        let mut different = different.into_iter();
        let pair = match (self.simplest_passed, self.simplest_failed) {
            (Some(passed), Some(failed)) => Some((passed, failed)),
            _ => different.next().zip(different.next()),
        };
        Exploration {
            schedules: self.played,
            total,
            failed: self.failed,
            varied: self.facts.varied(),
            kinds: self.kinds,
            pair,
            first_failed: self.first_failed,
        }
    }

    fn total(&self) -> Total {
        let met = self.played + self.more;
        if !self.is_enough() {
            return Total::Exactly(met);
        }
        let why = if self.draws { Uncounted::Drawn(self.level_max) } else { Uncounted::Left(self.more) };
        Total::AtLeast(met, why)
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
