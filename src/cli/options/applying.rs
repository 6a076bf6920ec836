//! The flags of `plan`, `apply` and `destroy`, as clap reads them.

use crate::cli::options::variables::Vars;
use crate::cli::options::{Denied, OneBroker, ReachOptions};
use crate::plan::DeletionScope;
use clap::Args;
use std::path::PathBuf;

/// What objects mean that are on the broker and not in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExtrasMode {
    List,
    Fail,
}

#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Topology files, or a definitions.json exported from a broker; several together declare one topology.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub broker: OneBroker,
    /// What stands in the broker's place: a topology, a definitions.json, or another broker by URL or name.
    #[arg(long, value_name = "FILE|URL")]
    pub against: Option<String>,
    /// Vhost of objects that name none.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    #[command(flatten)]
    pub reach: ReachOptions,
    /// Plan as apply --yes would: messages, rights and logins may be lost.
    #[arg(long)]
    pub yes: bool,
    /// Write nothing (4) where what would be written has such a finding: warning, note (warnings as well), or a code; repeats.
    #[arg(long, value_name = "LEVEL|CODE", value_delimiter = ',')]
    pub deny: Vec<Denied>,
    /// What objects mean that the files do not name: list shows them, fail ends with 2 too.
    #[arg(long, value_name = "WHAT", default_value = "list", hide_possible_values = true)]
    pub extras: ExtrasMode,
    /// Keep the plan in a file for a later `apply FILE`, with hashes in the place of passwords.
    #[arg(long, value_name = "FILE")]
    pub save_plan: Option<PathBuf>,
    /// Write the plan as one JSON document.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ApplyOptions {
    /// Topology files, or a definitions.json exported from a broker; several together declare one topology.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub broker: OneBroker,
    /// Vhost of objects that name none.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    #[command(flatten)]
    pub reach: ReachOptions,
    /// Go on although messages, rights or logins can be lost.
    #[arg(long)]
    pub yes: bool,
    /// Do not ask on a terminal; consents to no loss.
    #[arg(long)]
    pub auto_approve: bool,
    /// Write nothing (4) where what would be written has such a finding: warning, note (warnings as well), or a code; repeats.
    #[arg(long, value_name = "LEVEL|CODE", value_delimiter = ',')]
    pub deny: Vec<Denied>,
    /// Keep the plan in a file for a later `apply FILE`, with hashes in the place of passwords, and write nothing else.
    #[arg(long, value_name = "FILE")]
    pub save_plan: Option<PathBuf>,
    /// Write what became of each object: json:FILE.
    #[arg(long, value_name = "KIND:FILE")]
    pub report: Option<String>,
    /// Show the changes and write nothing: the output and the exit codes of plan.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct DestroyOptions {
    /// Topology files, or a definitions.json exported from a broker.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub broker: OneBroker,
    /// Vhost of objects that name none.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub vars: Vars,
    /// Delete users, vhosts or global-parameters that the files name, too; several parted by commas.
    #[arg(long, value_name = "MORE")]
    pub also: Option<DeletionScope>,
    /// Go on although messages, rights or logins are lost, or much is deleted.
    #[arg(long)]
    pub yes: bool,
    /// Do not ask on a terminal; consents to no loss.
    #[arg(long)]
    pub auto_approve: bool,
    /// Delete nothing (4) where what stays would get such a finding by it: warning, note (warnings as well), or a code; repeats.
    #[arg(long, value_name = "LEVEL|CODE", value_delimiter = ',')]
    pub deny: Vec<Denied>,
    /// Show what would be deleted, and delete nothing.
    #[arg(long)]
    pub dry_run: bool,
}
