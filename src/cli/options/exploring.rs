//! Which schedules of a cell are played.

use clap::Args;

/// Plays cells under the orders that RabbitMQ leaves open.
#[derive(Debug, Clone, Args, Default)]
pub struct ExploreOptions {
    /// Play each cell on the simulated broker under up to N orders that RabbitMQ leaves open, and tell what varies; exit 1
    /// when an expectation fails under one. Snapshots are neither read nor written.
    #[arg(long, value_name = "N", value_parser = schedules, conflicts_with_all = ["snapshots", "trace", "coverage", "coverage_min"])]
    pub explore: Option<u64>,
    /// Draw by this number what is not played systematically (default: 0).
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Play just this one of the schedules that --explore tells, and tell its timeline.
    #[arg(long, value_name = "K", value_parser = schedule, conflicts_with_all = ["explore", "snapshots", "coverage", "coverage_min"])]
    pub schedule: Option<u64>,
}

impl ExploreOptions {
    /// Returns which option asks for schedules, if one does.
    pub(crate) fn asked(&self) -> Option<&'static str> {
        let asked = [("--explore", self.explore), ("--schedule", self.schedule)];
        asked.into_iter().find_map(|(option, given)| given.map(|_| option))
    }
}

fn schedules(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("no schedule would be played, so nothing would be told: give 1 or more, such as 1000".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("give a whole number, 1 or more: how many schedules are played at most".to_owned()),
    }
}

fn schedule(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("schedules count from 1, which is that of a plain run".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("give the number of a schedule as --explore tells it".to_owned()),
    }
}
