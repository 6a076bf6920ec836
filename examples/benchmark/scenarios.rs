//! Plays the scenarios that are shipped, as `rmqplay run scenarios/` does, and times each cell.

use crate::tally::REPEATS;
use rmqplay::io::{Disk, list_yaml};
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::path::Path;
use std::time::{Duration, Instant};

/// Prints the times of each cell: best and median of the runs, in milliseconds, and how many deliveries it made.
pub fn play_all() {
    let began = Instant::now();
    let (all, loading) = (shipped(), began.elapsed());
    let files = list_yaml(Path::new("scenarios")).unwrap_or_default().len();
    println!("  {:<58} {:>10} {:>10} {:>11}", "cell", "best ms", "median ms", "deliveries");
    let mut sum = 0.0;
    for cell in &all {
        let (best, median, deliveries) = time(cell);
        sum += median;
        let name = report::cell_name(&cell.scenario, &cell.axes);
        println!("  {name:<58} {best:>10.3} {median:>10.3} {deliveries:>11}");
    }
    println!("  {} cells: {sum:.1} ms; reading their {} files: {:.1} ms", all.len(), files, ms(loading));
}

/// Loads all cells.
pub fn shipped() -> Vec<Cell> {
    let paths = list_yaml(Path::new("scenarios")).unwrap_or_default();
    paths.iter().flat_map(|path| load(path)).collect()
}

/// Loads the cells of a file; none where it cannot be read.
pub fn load(path: &Path) -> Vec<Cell> {
    let Ok(text) = std::fs::read(path) else { return Vec::new() };
    let settings = Settings::default();
    let world = Disk::at("", Default::default());
    let mut sources = Sources::default();
    let (loaded, _) = load_scenario(&mut sources, &path.to_string_lossy(), &text, &world, &settings);
    loaded.map(|loaded| loaded.cells).unwrap_or_default()
}

fn time(cell: &Cell) -> (f64, f64, u64) {
    let mut deliveries = 0;
    let mut times: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let began = Instant::now();
            deliveries = rehearse(cell, Profile::NEWEST, false).deliveries;
            ms(began.elapsed())
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2], deliveries)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
