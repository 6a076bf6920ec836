//! The flags that play a part of a suite: a shard of it, or what failed last time; and the profile of other flags.

use crate::cli::suite::Shard;
use clap::Args;

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
}
