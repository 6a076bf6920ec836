//! The flags of `play`, as clap reads them.

use crate::cli::options::Vars;
use crate::io::serve::ListenAddress;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub struct PlayOptions {
    /// The scenario that is played.
    #[arg(value_name = "SCENARIO", required_unless_present = "attach")]
    pub file: Option<PathBuf>,
    /// Show a served broker instead: the control URL that `serve` printed.
    #[arg(long, value_name = "CONTROL_URL", conflicts_with_all = ["file", "cells", "with", "broker", "management", "listen"])]
    pub attach: Option<String>,
    /// The cell that is played: its name, as `list` shows it, or a choice of axes: AXIS=VALUE.
    #[arg(long = "cell", value_name = "NAME")]
    pub cells: Vec<String>,
    /// A scenario that can join the run, as often as somebody likes: its variables are the fields of a form; repeats.
    #[arg(long, value_name = "SCENARIO")]
    pub with: Vec<PathBuf>,
    /// sim, or sim:VERSION (3.10, 3.12, 3.13, 4.0, 4.1, 4.2 or 4.3); or a live broker, which goes at its own pace: an AMQP
    /// URL, env, node:NAME, or a name of rmqplay.yaml.
    #[arg(long, value_name = "BROKER", default_value = "sim")]
    pub broker: String,
    /// The management API of a live broker, if it is not at the usual place.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
    /// Let the broker permit a feature that RabbitMQ 4.3 denies unless it is configured to: transient_nonexcl_queues or
    /// global_qos; repeats.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub permit: Vec<String>,
    /// Enable a plugin of RabbitMQ in the broker, by its name (rabbitmq_consistent_hash_exchange); repeats.
    #[arg(long, value_name = "PLUGIN", value_delimiter = ',')]
    pub plugins: Vec<String>,
    /// Serve the page here, for this machine alone; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: ListenAddress,
    /// Print the address, and open no browser.
    #[arg(long)]
    pub no_open: bool,
    #[command(flatten)]
    pub vars: Vars,
}
