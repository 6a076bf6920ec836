//! Which schedules are played: that of a plain run, then all that choose otherwise once, then twice as long as there are not
//! too many; after that seeded draws. The number of a schedule depends on the seed alone, not on how many are played.

use crate::model::{Act, Cell, Policy, Profile};
use crate::player::{Direction, RunResult};
use crate::rules::{ChangedRule, Differences, Edition, PolicyContest, PolicyFate, differences_of, with_undone};
use crate::simulate::explore::choice::{ChoiceKind, Deviation};
use crate::simulate::explore::explored_run::{ExploredRun, Stop, TIE};
use crate::simulate::explore::facts::{Fact, FactValue, Facts};
use crate::simulate::rehearse::{Prepared, play_noting, prepare, suspects};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A level of schedules with so many deviations is played whole; of a larger one some are drawn.
const LEVEL_MAX: u64 = 2_000;

/// How many schedules are drawn at a time: those that begin alike share their beginning.
const DRAWN_AT_ONCE: usize = 256;

/// After so many rounds without a new schedule there are none.
const VAIN_ROUNDS_MAX: u32 = 3;

/// A drawn schedule chooses otherwise than usual at one of 2, 4, 8 … choices: by so many different odds.
const ODDS: u64 = 6;

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
    /// Plays this schedule once more, with its timeline and the simulator's reasons.
    pub fn replay(&self, cell: &Cell, edition: impl Into<Edition>) -> RunResult {
        let edition = edition.into();
        Search::new(cell, edition, 0, 0).replay(&self.path, cell, edition)
    }
}

/// A search under way.
struct Search {
    /// One for each table of rules that policies of equal priority leave open.
    roots: Vec<ExploredRun>,
    ties: Vec<&'static Differences>,
    looks: Arc<[Vec<Direction>]>,
    /// Parts of the topology are refused: there is one schedule.
    refused: Option<RunResult>,
    wanted: u64,
    seed: u64,
    played: u64,
    failed: u64,
    facts: Facts,
    kinds: BTreeMap<ChoiceKind, u64>,
    /// How many schedules would choose otherwise once more than those of the level at hand.
    beyond: u64,
    is_whole: bool,
    /// By the digest of all facts, the schedule of the shortest timeline.
    shortest: BTreeMap<u64, Schedule>,
    shortest_failed: Option<Schedule>,
    shortest_passed: Option<Schedule>,
    first_failed: Option<Schedule>,
    last: Option<Schedule>,
    drawn: BTreeSet<Vec<Deviation>>,
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
            beyond: 0,
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
        let player = if tells { player } else { player.without_timeline() };
        Ok(ExploredRun::new(sim, player, moment, limits, Arc::clone(&self.looks)))
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
        let (mut number, mut left) = (0, path);
        while let Stop::Open(_) = world.run() {
            let alternative = match left {
                [(at, alternative), rest @ ..] if *at == number => {
                    left = rest;
                    *alternative
                }
                _ => 0,
            };
            world.take(usize::from(alternative));
            number += 1;
        }
        world.finish().0
    }

    fn is_enough(&self) -> bool {
        self.played >= self.wanted
    }

    fn run(&mut self) {
        if let Some(refused) = self.refused.take() {
            self.keep(Vec::new(), Vec::new(), &refused);
            self.is_whole = true;
            return;
        }
        let mut level = 0;
        loop {
            self.beyond = 0;
            for (tie, world) in self.roots.clone().into_iter().enumerate() {
                let spent = u32::from(tie > 0);
                if level < spent {
                    self.beyond += 1;
                } else if !self.is_enough() {
                    self.descend(world.of_tie(tie as u16), level - spent);
                }
            }
            if self.is_enough() {
                return;
            }
            if self.beyond == 0 {
                self.is_whole = true;
                return;
            }
            level += 1;
            if level > 1 && self.beyond > LEVEL_MAX {
                return self.draw(level - 1);
            }
        }
    }

    /// Plays all schedules that go on from here and choose otherwise just so many times.
    fn descend(&mut self, mut world: ExploredRun, left: u32) {
        loop {
            match world.run() {
                Stop::Open(choice) => {
                    let others = choice.actions.len() - 1;
                    if left == 0 {
                        self.beyond += others as u64;
                    } else {
                        for alternative in 1..=others {
                            let mut fork = world.clone();
                            fork.take(alternative);
                            self.descend(fork, left - 1);
                            if self.is_enough() {
                                return;
                            }
                        }
                    }
                    world.take(0);
                }
                Stop::Over if left == 0 => return self.finish(world),
                Stop::Over | Stop::Same => return,
            }
        }
    }

    /// Draws schedules that choose otherwise more often than the levels that were played whole.
    fn draw(&mut self, levels: u32) {
        let firsts = self.count_firsts();
        let (mut round, mut vain) = (0, 0);
        while !self.is_enough() && vain < VAIN_ROUNDS_MAX {
            let before = self.played;
            let mut draws: Vec<(u64, Random)> = (0..DRAWN_AT_ONCE as u64)
                .map(|draw| {
                    let mut random =
                        Random(self.seed ^ (round * DRAWN_AT_ONCE as u64 + draw + 1).wrapping_mul(0x9e37_79b9));
                    (random.next() % firsts.max(1), random)
                })
                .collect();
            draws.sort_by_key(|(first, _)| *first);
            self.draw_from(self.roots[0].clone(), draws, levels);
            vain = if self.played == before { vain + 1 } else { 0 };
            round += 1;
        }
    }

    /// Counts the places at which a schedule can choose otherwise first.
    fn count_firsts(&self) -> u64 {
        let (mut world, mut firsts) = (self.roots[0].clone(), 0);
        while let Stop::Open(choice) = world.run() {
            firsts += choice.actions.len() as u64 - 1;
            world.take(0);
        }
        firsts
    }

    /// Goes along the plain run, and lets draws leave it where they choose otherwise first.
    fn draw_from(&mut self, mut world: ExploredRun, draws: Vec<(u64, Random)>, levels: u32) {
        let (mut first, mut draws) = (0, draws.into_iter().peekable());
        while let Stop::Open(choice) = world.run() {
            for alternative in 1..choice.actions.len() {
                while let Some((_, random)) = draws.next_if(|(place, _)| *place == first) {
                    let mut fork = world.clone();
                    fork.take(alternative);
                    self.draw_on(fork, random, levels);
                    if self.is_enough() {
                        return;
                    }
                }
                first += 1;
            }
            if draws.peek().is_none() {
                return;
            }
            world.take(0);
        }
    }

    /// Goes on by chance to the end; what was played before does not count.
    fn draw_on(&mut self, mut world: ExploredRun, mut random: Random, levels: u32) {
        world.goes_on = true;
        let odds = 2 << (random.next() % ODDS);
        loop {
            match world.run() {
                Stop::Open(choice) => {
                    let n = choice.actions.len() as u64;
                    let otherwise = random.next().is_multiple_of(odds);
                    world.take(if otherwise { (random.next() % n) as usize } else { 0 });
                }
                Stop::Over => {
                    if world.taken.len() > levels as usize && self.drawn.insert(world.taken.clone()) {
                        self.finish(world);
                    }
                    return;
                }
                Stop::Same => return,
            }
        }
    }

    fn finish(&mut self, mut world: ExploredRun) {
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

/// Lists the tables by which policies of equal priority hold: the usual one, and the other way where that is chance.
fn tied_rules(cell: &Cell, edition: Edition) -> Vec<&'static Differences> {
    let usual = differences_of(edition);
    let rule = ChangedRule::find("PO-1").filter(|_| !usual.tie_takes_first && has_tie(cell, usual));
    let other = rule.map(|rule| with_undone(edition, Profile::V4_3.into(), &[rule]));
    std::iter::once(usual).chain(other).collect()
}

/// Returns whether a policy of a queue competes with another one of its priority.
fn has_tie(cell: &Cell, rules: &Differences) -> bool {
    let scenario = &cell.scenario;
    let all = |of_operator: bool, declared: &'_ [Policy]| -> Vec<Policy> {
        let set = scenario.all_steps().filter_map(|step| match &step.act {
            Act::SetPolicy { policy, operator } if *operator == of_operator => Some(Policy::clone(policy)),
            _ => None,
        });
        declared.iter().cloned().chain(set).collect()
    };
    let user = all(false, &scenario.topology.policies);
    let operator = all(true, &scenario.topology.operator_policies);
    if user.len() < 2 && operator.len() < 2 {
        return false;
    }
    let is_tied =
        |contest: PolicyContest| contest.policies.iter().any(|one| matches!(one.fate, PolicyFate::Tied { .. }));
    let queues = scenario.declared_queues();
    queues.into_iter().any(|queue| is_tied(PolicyContest::on_queue(queue, &user, &operator, rules)))
}

/// Draws numbers: the same from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
