//! Drawn schedules: seeded, none twice, each one that chooses otherwise more often than the levels that were played whole. A draw
//! leaves a run of the last level, then what came of that, and so on: each run on this way is a schedule of its own, and is
//! forked from the one before.

use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::ExploredRun;
use crate::simulate::explore::levels::PlayedLevel;
use crate::simulate::explore::search::Search;

/// After so many draws without a new schedule the rest is played systematically.
const VAIN_DRAWS_MAX: u32 = 200;

/// One draw in so many spreads its choices over the run. Those of others come soon to its end, where schedules are cheap.
const SPREAD_ONCE_IN: u64 = 4;

/// A draw makes 1, 2, 4 … schedules, each from the one before: by so many different numbers.
const LENGTHS: u64 = 5;

impl Search {
    /// Draws schedules that choose otherwise more often than the levels that were played whole.
    pub(super) fn draw(&mut self, level: &PlayedLevel) {
        // A draw begins with one of these: all places at which the runs of the level are left, the earliest first.
        let parents = level.parents.iter().enumerate();
        let mut places: Vec<(Deviation, usize)> =
            parents.flat_map(|(at, parent)| parent.followers.iter().map(move |place| (*place, at))).collect();
        places.sort_unstable();
        let (mut random, mut vain) = (Random(self.seed.wrapping_mul(SPREAD)), 0);
        while !self.is_enough() && vain < VAIN_DRAWS_MAX {
            let schedules = 1 << (random.next() % LENGTHS);
            let is_spread = random.next().is_multiple_of(SPREAD_ONCE_IN);
            let (place, parent) = places[random.earliest(places.len(), if is_spread { schedules } else { 1 })];
            let before = self.drawn.len();
            if let Some(fork) = self.fork(&level.parents[parent], place) {
                self.draw_on(fork, schedules, is_spread, &mut random);
            }
            vain = if self.drawn.len() == before { vain + 1 } else { 0 };
        }
    }

    /// Plays so many schedules, each of which leaves the one before.
    fn draw_on(&mut self, mut fork: ExploredRun, schedules: u64, is_spread: bool, random: &mut Random) {
        for left in (0..schedules).rev() {
            let Some(parent) = self.play_drawn(fork, left > 0) else { return };
            if left == 0 || self.is_enough() {
                return;
            }
            let place = parent.followers[random.earliest(parent.followers.len(), if is_spread { left } else { 1 })];
            let Some(next) = self.fork_once(parent, place) else { return };
            fork = next;
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

    /// Draws the first of so many places of a row: those of one draw are spread over the row then.
    fn earliest(&mut self, row: usize, places: u64) -> usize {
        (0..places).map(|_| (self.next() % row as u64) as usize).min().unwrap_or(0)
    }
}
