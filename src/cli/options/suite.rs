//! The flags that play a part of a suite: a shard of it, or what failed last time; and the profile of other flags.

use crate::cli::options::Vars;
use crate::cli::suite::Shard;
use clap::Args;
use std::path::PathBuf;

/// Names a profile, and chooses among the cells that are selected by what is known of the last run.
#[derive(Debug, Clone, Args, Default)]
pub struct SuiteOptions {
    /// Take the flags that this profile of rmqplay.yaml gives, where the command line gives none.
    #[arg(long, value_name = "NAME", env = "RMQPLAY_PROFILE")]
    pub profile: Option<String>,
    /// Play the I-th of N parts of the cells (2/3): each cell is in one of them. They are balanced by the times of the last run
    /// without --shard, where .rmqplay/last-run.json knows them, else by count.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Play only the cells that failed or changed when they played last on these brokers.
    #[arg(long)]
    pub rerun_failed: bool,
    /// Write what the cells came to as OpenMetrics text: published, delivered, settled, dead-lettered by reason and queue, latency.
    #[arg(long, value_name = "FILE", conflicts_with = "explore")]
    pub metrics: Option<PathBuf>,
    /// Write a record of the run, which `rmqplay replay FILE` plays again.
    #[arg(long, value_name = "FILE", conflicts_with = "explore")]
    pub record: Option<PathBuf>,
}

/// Names the record that is played again.
#[derive(Debug, Args)]
pub struct ReplayOptions {
    /// A record that `run --record FILE` wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub vars: Vars,
    /// How many cells play at once (default: as many as there are cores).
    #[arg(short, long, value_name = "N", value_parser = crate::cli::options::at_least_one)]
    pub jobs: Option<usize>,
    /// Write one JSON object per cell and one summary.
    #[arg(long)]
    pub json: bool,
}
