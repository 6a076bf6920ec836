//! The command line, as clap reads it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Rehearses RabbitMQ topologies: plays scenarios against a simulated or a live broker.
#[derive(Debug, Parser)]
#[command(
    name = "rmqplay",
    version,
    max_term_width = 110,
    after_help = "\
Examples:
  rmqplay run scenarios/ttl-dlq.yaml                      on the simulated broker, in milliseconds
  rmqplay run --broker amqp://localhost scenarios/        the same files on a live broker
  rmqplay apply topologies/rte-demo.yaml                  declare a topology on a broker
  rmqplay check scenarios/*.yaml topologies/*.yaml        all problems, nothing played

Exit codes: 0 fine, 1 failed or changed, 3 broker or rights, 4 refused as unsafe, 5 nothing to do,
            64 usage, 65 bad file, 70 a bug of rmqplay, 130/143 interrupted."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Say less: only what failed.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: the AMQP library's own log too.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to colour; NO_COLOR is obeyed.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    pub color: String,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play scenarios and compare their outcomes with the snapshots.
    #[command(after_help = "\
Examples:
  rmqplay run                                       everything below scenarios/
  rmqplay run scenarios/ttl-dlq.yaml --trace        one scenario, with all that happened
  rmqplay run --broker sim:3.10 --broker sim:4.3    the rules of two versions
  rmqplay run --broker amqp://guest:guest@localhost:5672 --report junit:report.xml")]
    Run(Run),
    /// Declare a topology on a live broker, then read it back and prove that both are equal.
    #[command(after_help = "\
Examples:
  rmqplay apply topologies/rte-demo.yaml
  rmqplay apply topologies/rte-demo.yaml --broker amqp://admin:secret@broker:5672/orders
  rmqplay apply definitions.json --dry-run          show the changes, write nothing")]
    Apply(Apply),
    /// Report all problems of topologies and scenarios; play nothing.
    #[command(after_help = "\
Examples:
  rmqplay check                                     everything below scenarios/ and topologies/
  rmqplay check scenarios/ttl-dlq.yaml topologies/rte-demo.yaml")]
    Check(Check),
    /// Wait until a broker answers over AMQP and its management API.
    #[command(after_help = "\
Example:
  docker compose up -d && rmqplay wait --broker amqp://localhost:5430 --timeout 60s")]
    Wait(Wait),
    /// Delete throw-away vhosts and users that an ended run left on a broker.
    #[command(after_help = "\
Example:
  rmqplay clean --broker amqp://localhost --older-than 10m")]
    Clean(Clean),
    /// Make pending outcomes the snapshots.
    #[command(after_help = "\
Examples:
  rmqplay accept                                    everything pending below scenarios/
  rmqplay accept scenarios/ttl-dlq.yaml")]
    Accept(Accept),
}

/// Names the broker of a command that works on one.
#[derive(Debug, Args)]
pub struct OneBroker {
    /// AMQP URL, or a name of rmqplay.yaml; else RABBITMQ_URL, else amqp://guest:guest@localhost:5672.
    #[arg(long, value_name = "URL")]
    pub broker: Option<String>,
    /// Management URL, when it is not the AMQP port + 10000.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
}

/// Sets variables of files.
#[derive(Debug, Args)]
pub struct Vars {
    /// Set a variable of the files; repeats. On a matrix axis it picks that cell.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Read variables from a YAML map; repeats, later ones win.
    #[arg(long = "vars-file", value_name = "FILE")]
    pub vars_files: Vec<PathBuf>,
}

/// Says how fast time runs on live brokers.
#[derive(Debug, Args)]
pub struct Pace {
    /// Multiply every duration on a live broker: 0.1 plays ten times as fast; `fit` takes for each cell the largest
    /// scale up to 1 that fits into --max-wait.
    #[arg(long, value_name = "N|fit")]
    pub time_scale: Option<crate::play::TimeScale>,
    /// Skip a cell that would take longer than this on a live broker.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub max_wait: crate::model::Millis,
}

#[derive(Debug, Args)]
pub struct Run {
    /// Scenario files and folders.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// sim, sim:3.10, sim:4.0, sim:4.3, an AMQP URL, env (RABBITMQ_URL), or a name of rmqplay.yaml; repeats.
    #[arg(long, value_name = "BROKER", env = "RMQPLAY_BROKER", value_delimiter = ',', default_value = "sim")]
    pub broker: Vec<String>,
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
    /// Write a report: junit:FILE.
    #[arg(long, value_name = "KIND:FILE")]
    pub report: Option<String>,
    #[command(flatten)]
    pub pace: Pace,
    /// How many cells play at once on a live broker (default: twice the cores, at most 8).
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// Topology file, or a definitions.json exported from a broker.
    #[arg(value_name = "TOPOLOGY")]
    pub file: PathBuf,
    #[command(flatten)]
    pub broker: OneBroker,
    /// Vhost of objects that name none.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    /// Go on although messages or rights can be lost.
    #[arg(long)]
    pub yes: bool,
    /// Show the changes and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Topology and scenario files, and folders of them (default: scenarios and topologies).
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub vars: Vars,
    /// Write the problems as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Wait {
    #[command(flatten)]
    pub broker: OneBroker,
    /// Give up after this long.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub timeout: crate::model::Millis,
}

#[derive(Debug, Args)]
pub struct Clean {
    #[command(flatten)]
    pub broker: OneBroker,
    /// Leave those that are younger alone: their run may be under way.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub older_than: crate::model::Millis,
}

#[derive(Debug, Args)]
pub struct Accept {
    /// Scenario files and folders.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
}
