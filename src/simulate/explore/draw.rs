//! Drawn schedules: seeded, none twice, each one that chooses otherwise more often than the levels that were played whole.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, Stop};
use crate::simulate::explore::levels::PlayedLevel;
use crate::simulate::explore::search::Search;

/// How many schedules are drawn at a time: those that begin alike share their beginning.
const DRAWN_AT_ONCE: usize = 256;

/// After so many rounds without a new schedule the rest is played systematically.
const VAIN_ROUNDS_MAX: u32 = 3;

/// After its first deviation a drawn schedule has about 1, 2, 4 … more: by so many different numbers.
const FURTHER: u64 = 5;

impl Search {
    /// Draws schedules that choose otherwise more often than the levels that were played whole.
    pub(super) fn draw(&mut self, levels: usize, level: &PlayedLevel) {
        // All leave the plain run, or that of another table of rules, at one of these places first.
        let mut firsts: Vec<Deviation> = level.parents.iter().filter_map(|parent| parent.first_place()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        if firsts.is_empty() {
            return;
        }
        let (mut round, mut vain) = (0, 0);
        while !self.is_enough() && vain < VAIN_ROUNDS_MAX {
            let before = self.drawn.len();
            let mut draws: Vec<(Deviation, Random)> = (0..DRAWN_AT_ONCE as u64)
                .map(|draw| {
                    let number = round * DRAWN_AT_ONCE as u64 + draw + 1;
                    let mut random = Random(self.seed.wrapping_mul(SPREAD) ^ number.wrapping_mul(0x9e37_79b9));
                    (firsts[(random.next() % firsts.len() as u64) as usize], random)
                })
                .collect();
            draws.sort_by_key(|(first, _)| *first);
            self.draw_from(self.roots[0].clone(), draws, levels);
            vain = if self.drawn.len() == before { vain + 1 } else { 0 };
            round += 1;
        }
    }

    /// Goes along the plain run, and lets draws leave it where they choose otherwise first.
    fn draw_from(&mut self, mut trunk: ExploredRun, draws: Vec<(Deviation, Random)>, levels: usize) {
        let mut draws = draws.into_iter().peekable();
        while draws.peek().is_some() && trunk.run() == Stop::Open {
            let at = trunk.choice_number();
            while let Some(((_, alternative), random)) = draws.next_if(|((place, _), _)| *place == at) {
                let mut fork = trunk.clone();
                fork.take(usize::from(alternative));
                self.draw_on(fork, random, levels);
                if self.is_enough() {
                    return;
                }
            }
            trunk.take(0);
        }
    }

    /// Goes on by chance to the end; what was played before does not count.
    fn draw_on(&mut self, mut world: ExploredRun, mut random: Random, levels: usize) {
        let further = 1 << (random.next() % FURTHER);
        let odds = (u64::from(self.choices) / further).max(2);
        // What is to be late is so once something is known to come before it: the run goes back to it then.
        let mut late: Option<(ExploredRun, Deviation)> = None;
        world.races.note_only(None);
        loop {
            let stop = world.run();
            let mut met = std::mem::take(&mut world.races.followers).into_iter();
            if let Some((before, place)) = late.take_if(|(_, place)| met.any(|met| met == *place)) {
                world = before;
                world.races.note_only(None);
                world.take(usize::from(place.1));
                continue;
            }
            match stop {
                Stop::Open => {
                    let n = world.alternatives() as u64;
                    let otherwise = random.next().is_multiple_of(odds);
                    let mut chosen = if otherwise { (random.next() % n) as usize } else { 0 };
                    if world.is_delay(chosen) {
                        let place = (world.choice_number(), chosen as u16);
                        late = Some((world.clone(), place));
                        world.races.note_only(Some(place));
                        chosen = 0;
                    }
                    world.take(chosen);
                }
                Stop::Over if world.taken.len() > levels && self.drawn.insert(world.taken.clone()) => {
                    self.finish(world);
                    return;
                }
                Stop::Over | Stop::Same | Stop::AtRest => return,
            }
        }
    }
}

/// Spreads seeds that lie close together.
const SPREAD: u64 = 0xd6e8_feb8_6659_fd93;

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
