//! Repeats a measurement, bounded in time; keeps rates per second.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How often each case is measured.
pub const REPEATS: usize = 9;

/// How often at least, where all cases together take long.
const REPEATS_MIN: usize = 3;

/// From when on cases that are measured together are not measured again: a live broker needs seconds to make and delete what
/// a measurement of half a second plays on.
const ENOUGH: Duration = Duration::from_secs(20);

/// How long one measurement shall take.
const AIM: Duration = Duration::from_millis(400);

/// How many messages a first run plays, to learn how many fit.
const PROBE: u64 = 2_000;

/// Holds the rates of one case, lowest first.
pub struct Tally(Vec<f64>);

/// Takes how many messages to play, and gives how long they took.
pub type Play<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// Measures cases round by round, so that what slows the machine for a while falls on all of them.
pub fn in_rounds(plays: &mut [Play]) -> Vec<Tally> {
    if let Some(count) = counted() {
        return plays.iter_mut().map(|play| Tally(vec![count as f64 / play(count).as_secs_f64()])).collect();
    }
    let counts: Vec<u64> = plays.iter_mut().map(fitting).collect();
    let mut tallies: Vec<Tally> = counts.iter().map(|_| Tally(Vec::new())).collect();
    let began = Instant::now();
    for round in 0..REPEATS {
        if round >= REPEATS_MIN && began.elapsed() > ENOUGH {
            break;
        }
        for ((play, &count), tally) in plays.iter_mut().zip(&counts).zip(&mut tallies) {
            tally.0.push(count as f64 / play(count).as_secs_f64());
        }
    }
    tallies.iter_mut().for_each(|tally| tally.0.sort_by(f64::total_cmp));
    tallies
}

/// Returns how many messages each case plays, once, where that is said: for a profiler that counts instructions.
fn counted() -> Option<u64> {
    std::env::var("RMQPLAY_BENCHMARK_COUNT").ok()?.parse().ok()
}

/// Finds how many messages fit into the time of one measurement.
fn fitting(play: &mut Play) -> u64 {
    let mut count = PROBE;
    // Twice: the first run is a cold one.
    for _ in 0..2 {
        let rate = count as f64 / play(count).as_secs_f64();
        count = ((rate * AIM.as_secs_f64()) as u64).clamp(PROBE, 4_000_000);
    }
    count
}

impl Tally {
    pub fn best(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    pub fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    pub fn shown(&self) -> String {
        format!("{:>12} {:>12}", grouped(self.best()), grouped(self.median()))
    }
}

/// Writes a number with commas.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the time that passed since this was first asked.
pub fn wall_time() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// Returns the time that this thread was on a processor, where the system tells it: what else runs does not count.
pub fn thread_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(wall_time, Duration::from_nanos)
}
