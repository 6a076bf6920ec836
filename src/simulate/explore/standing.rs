//! Runs that stand alike: they go on alike, so that the rest of a second one need not be played. Compared are hashes of 128 bits
//! of all that decides how a run goes on, each time that it is at rest.

use crate::sim::SharedObjects;
use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::explored_run::{ExploredRun, TIE};
use crate::simulate::explore::facts::TakenFacts;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// Of how many states the rest is known.
const KNOWN_MAX: usize = 20_000;

/// So many looks are free; from then on one in so many must find something.
const LOOKS_MIN: u64 = 64;
const LOOKS_OF_ONE_MAX: u64 = 16;

/// A look costs about as much as one in so many of the events before it: not fewer should come behind, where runs stand alike.
const LOOK_OF_EVENTS: u64 = 12;

/// Runs with more events at one moment or more choices are not compared: they may come to a limit.
const EVENTS_MAX: u64 = 100_000;
const CHOICES_MAX: u32 = 10_000;

/// Where a run stands, and how far it was then.
pub(super) struct StateAtRest {
    standing: u128,
    objects: SharedObjects,
    choices: u32,
    length: RunLength,
}

/// What a run came to behind a state.
pub(super) struct Rest {
    /// Where others leave it: how many choices on, and by which alternative.
    pub followers: Vec<Deviation>,
    length: RunLength,
    /// `None`: it was not kept, as more were played than wanted.
    pub facts: Option<Rc<TakenFacts>>,
    _objects: SharedObjects,
}

/// The states that were passed, with what came behind.
#[derive(Default)]
pub(super) struct KnownRests {
    known: BTreeMap<u128, Rest>,
    looks: u64,
    met: u64,
    /// How many events the usual schedule has, once it was played.
    pub usual_events: Option<u64>,
}

impl KnownRests {
    /// Returns whether enough runs stood as others did, so that it is worth looking where one stands after so many events.
    pub fn is_worth_it(&mut self, events: u64) -> bool {
        if self.usual_events.is_some_and(|all| all.saturating_sub(events) * LOOK_OF_EVENTS < events) {
            return false;
        }
        let is_worth_it = self.looks < LOOKS_MIN || self.met * LOOKS_OF_ONE_MAX >= self.looks;
        self.looks += u64::from(is_worth_it);
        is_worth_it
    }

    /// Returns whether another run stood like this, and counts those.
    pub fn has(&mut self, passed: &StateAtRest) -> bool {
        let has = self.known.contains_key(&passed.standing);
        self.met += u64::from(has);
        has
    }

    pub fn get(&self, passed: &StateAtRest) -> Option<&Rest> {
        self.known.get(&passed.standing)
    }

    /// Keeps what a run came to behind the states that it passed.
    pub fn keep(
        &mut self,
        passed: Vec<StateAtRest>,
        followers: &[Deviation],
        length: RunLength,
        facts: Option<Rc<TakenFacts>>,
    ) {
        for one in passed {
            if self.known.len() >= KNOWN_MAX {
                return;
            }
            let behind = followers.iter().filter(|place| place.0 >= one.choices);
            let rest = Rest {
                followers: behind.map(|place| (place.0 - one.choices, place.1)).collect(),
                length: RunLength {
                    events: length.events - one.length.events,
                    entries: length.entries - one.length.entries,
                },
                facts: facts.clone(),
                _objects: one.objects,
            };
            self.known.insert(one.standing, rest);
        }
    }
}

/// How much happened: events and commands, and entries of the timeline.
#[derive(Clone, Copy)]
pub(super) struct RunLength {
    pub events: u64,
    pub entries: u64,
}

impl RunLength {
    /// Adds what comes behind a state.
    pub fn add(&mut self, rest: &Rest) {
        self.events += rest.length.events;
        self.entries += rest.length.entries;
    }
}

impl ExploredRun {
    /// Returns where it stands; `None`: something is under way, or not looked at.
    pub(super) fn standing(&self) -> Option<StateAtRest> {
        let is_under_way = self.late.is_some() || self.late_letters.is_some() || self.lagging.is_some();
        let is_large = self.events > EVENTS_MAX || self.choices > CHOICES_MAX;
        if is_under_way || is_large || self.is_managed || self.explores_closing || !self.races.is_at_rest() {
            return None;
        }
        let mut state = WideHasher::default();
        let tie = self.taken.first().filter(|first| first.0 == TIE);
        (tie, self.now, self.settled, &self.awaiting_quiet, self.moment_asked, self.timers_held).hash(&mut state);
        (self.act_asked, &self.asleep, self.series, self.fate_asked, self.returns_asked).hash(&mut state);
        (self.looks_asked, self.races.letters_mixed).hash(&mut state);
        let objects = self.sim.hash_at_rest(&mut state)?;
        self.player.hash_at_rest(&mut state)?;
        Some(StateAtRest { standing: state.whole(), objects, choices: self.choices, length: self.length() })
    }

    /// Counts what happened so far.
    pub(super) fn length(&self) -> RunLength {
        RunLength { events: self.all_events(), entries: self.player.entries() }
    }

    /// Returns whether the choice at hand has another alternative that is known to lead to a schedule of its own.
    pub(super) fn is_surely_left(&self) -> bool {
        (1..self.alternatives()).any(|alternative| !self.is_delay(alternative))
    }
}

/// Hashes to 128 bits, by two hashes that mix otherwise.
#[derive(Default)]
struct WideHasher {
    one: u64,
    other: u64,
}

impl WideHasher {
    fn whole(&self) -> u128 {
        let mixed = |mut value: u64| {
            value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            value ^ (value >> 31)
        };
        u128::from(mixed(self.one)) << 64 | u128::from(mixed(self.other))
    }
}

impl Hasher for WideHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in chunks.by_ref() {
            self.write_u64(chunk.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let value = rest.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
            self.write_u64(value | (rest.len() as u64) << 56);
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.one = (self.one.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
        let mixed = (self.other ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.other = mixed ^ (mixed >> 32);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.whole() as u64
    }
}
