//! The arguments of `compare`.

use crate::cli::options::{PaceOptions, Selection, Vars, report_file};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CompareOptions {
    /// Scenario files and folders; a topology or an exported definitions.json is compared by scenarios made of it.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Two brokers or more, each compared with the one before it: sim:VERSION, sim, an AMQP URL, a name of
    /// rmqplay.yaml, node:NAME, or env; repeats.
    #[arg(long, value_name = "BROKER", value_delimiter = ',')]
    pub broker: Vec<String>,
    /// Let the simulated brokers permit a feature that RabbitMQ 4.3 denies unless it is configured to; repeats.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub permit: Vec<String>,
    /// Enable a plugin of RabbitMQ in the simulated brokers, by its name (rabbitmq_consistent_hash_exchange); repeats.
    #[arg(long, value_name = "PLUGIN", value_delimiter = ',')]
    pub plugins: Vec<String>,
    /// Management URL of the live broker, when it is not the AMQP port + 10000; for one live broker.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    /// Write one JSON object per cause, finding and step.
    #[arg(long)]
    pub json: bool,
    /// Write a report: junit:FILE, or markdown:FILE for a comment on a pull request; repeats.
    #[arg(long, value_name = "KIND:FILE")]
    pub report: Vec<String>,
    #[command(flatten)]
    pub pace: PaceOptions,
    /// How many cells play at once on a live broker (default: twice the cores, at most 8).
    #[arg(short, long, value_name = "N", value_parser = crate::cli::options::at_least_one)]
    pub jobs: Option<usize>,
    #[command(flatten)]
    pub selection: Selection,
}

/// A report to write.
pub(crate) enum ComparisonReport {
    Junit(PathBuf),
    Markdown(PathBuf),
}

impl CompareOptions {
    /// Reads what --report asks for.
    pub(crate) fn reports(&self) -> Result<Vec<ComparisonReport>, String> {
        let read = |text: &String| {
            let (kind, file) = report_file("--report", text, &["junit", "markdown"], &self.paths)?;
            Ok(if kind == "junit" { ComparisonReport::Junit(file) } else { ComparisonReport::Markdown(file) })
        };
        self.report.iter().map(read).collect()
    }
}
