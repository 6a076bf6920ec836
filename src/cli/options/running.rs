//! The flags of `run`, as clap reads them.

use crate::cli::options::{CoverageOptions, ExploreOptions, PaceOptions, Selection, SuiteOptions, Vars};
use clap::Args;
use std::path::PathBuf;

/// What becomes of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Snapshots {
    // Meanings stand in the help of the option: here they would draw all help apart.
    Check,
    Pending,
    Accept,
}

#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Scenario files and folders, and cells as they are printed: 'ttl-dlq [queue_type=quorum]'.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// sim, sim:VERSION (3.10, 3.12, 3.13, 4.0, 4.1, 4.2 or 4.3), an AMQP URL, a name of rmqplay.yaml, node:NAME (of
    /// ~/.rabbitmqadmin.conf), or env (RABBITMQ_URL, or RABBITMQ_HOST and so on); repeats.
    #[arg(long, value_name = "BROKER", env = "RMQPLAY_BROKER", value_delimiter = ',', default_value = "sim")]
    pub broker: Vec<String>,
    /// Let the simulated broker permit a feature that RabbitMQ 4.3 denies unless it is configured to:
    /// transient_nonexcl_queues or global_qos; repeats.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub permit: Vec<String>,
    /// Enable a plugin of RabbitMQ in the simulated broker, by its name (rabbitmq_consistent_hash_exchange); repeats.
    #[arg(long, value_name = "PLUGIN", value_delimiter = ',')]
    pub plugins: Vec<String>,
    /// Management URL of a live broker, when it is not the AMQP port + 10000.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    /// Tell what happened in each run, entry by entry.
    #[arg(long)]
    pub trace: bool,
    /// Write one JSON object per cell and one summary.
    #[arg(long)]
    pub json: bool,
    /// Write a report: html:FILE (a page that shows the run), junit:FILE, json:FILE, tap:FILE, markdown:FILE, or github
    /// (annotations, and the summary of the job); repeats.
    #[arg(long, value_name = "KIND:FILE")]
    pub report: Vec<String>,
    #[command(flatten)]
    pub coverage: CoverageOptions,
    #[command(flatten)]
    pub pace: PaceOptions,
    /// How many cells play at once on each broker (default: on a live one twice the cores, at most 8; simulated ones share the
    /// cores).
    #[arg(short, long, value_name = "N", value_parser = crate::cli::options::at_least_one)]
    pub jobs: Option<usize>,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub suite: SuiteOptions,
    /// What becomes of new and changed outcomes: check writes nothing and a missing one fails, pending waits for a
    /// review, accept makes snapshots of them (default: pending; with CI set: check).
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub snapshots: Option<Snapshots>,
    #[command(flatten)]
    pub exploring: ExploreOptions,
    /// Play no further cell once one has failed or changed.
    #[arg(long)]
    pub fail_fast: bool,
    /// Play a cell again on a live broker, up to N times, when it failed; the simulated one does the same each time.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,
    /// Leave the throw-away vhosts on a live broker for a look: always, or on-failure.
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "always",
          hide_possible_values = true, conflicts_with = "in_vhost")]
    pub keep_vhost: Option<KeepVhost>,
    /// Play in this vhost of a live broker, which must be empty, one cell after another: for users who may not create
    /// vhosts.
    #[arg(long, value_name = "VHOST")]
    pub in_vhost: Option<String>,
}

/// Which vhosts of cells stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum KeepVhost {
    Always,
    OnFailure,
}
