//! Schedules per second of an explored cell, beside plain plays of the same cell, in turn and by processor time.

use crate::scenarios::load;
use crate::tally::{REPEATS, thread_time};
use rmqplay::model::{Cell, Profile};
use rmqplay::simulate::{explore, rehearse_once};
use std::path::Path;
use std::time::{Duration, Instant};

/// The cells: what the library has with the most choices, a crowd of workers, and one of few schedules, whose time is that of
/// the first runs.
const FILES: [&str; 7] = [
    "scenarios/hello-world/pubsub.yaml",
    "scenarios/rte/redrive.yaml",
    "scenarios/quest/waves.yaml",
    "scenarios/game-queue/dlq-policy.yaml",
    "scenarios/game-queue/broadcast.yaml",
    "tests/commands/explore/crowd.yaml",
    "tests/commands/explore/turn.yaml",
];

/// How many schedules of a cell are played at most.
const SCHEDULES: u64 = 2_000;

/// How long a cell is explored for one measurement: the clock of a thread may tick in hundredths of a second.
const AIM: Duration = Duration::from_millis(300);

/// Prints schedules and plain plays per second of each cell, and their ratio.
pub fn measure_all() {
    println!("  {:<34} {:>10} {:>14} {:>14} {:>7}", "cell", "schedules", "schedules/s", "plays/s", "ratio");
    for file in FILES {
        if let Some(cell) = load(Path::new(file)).into_iter().next() {
            measure(file, &cell);
        }
    }
}

fn measure(file: &str, cell: &Cell) {
    let began = Instant::now();
    let schedules = explore(cell, Profile::NEWEST, SCHEDULES, 0).schedules;
    let times = (AIM.as_secs_f64() / began.elapsed().as_secs_f64()).ceil().clamp(1.0, 1_000.0) as u64;
    let played = schedules * times;
    let mut ratios = Vec::new();
    let (mut explored, mut plain) = (0.0_f64, 0.0_f64);
    for _ in 0..REPEATS {
        let before = thread_time();
        for _ in 0..times {
            explore(cell, Profile::NEWEST, SCHEDULES, 0);
        }
        let middle = thread_time();
        for _ in 0..played {
            rehearse_once(cell, Profile::NEWEST, &mut Default::default());
        }
        let after = thread_time();
        let (of_explore, of_plain) = ((middle - before).as_secs_f64(), (after - middle).as_secs_f64());
        ratios.push(of_plain / of_explore);
        explored = explored.max(played as f64 / of_explore);
        plain = plain.max(played as f64 / of_plain);
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ratios.len() / 2];
    println!("  {file:<34} {schedules:>10} {explored:>14.0} {plain:>14.0} {ratio:>7.2}");
}
