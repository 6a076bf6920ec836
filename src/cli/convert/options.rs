//! The command line of `import` and `export`, as clap reads it.

use crate::model::Profile;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ImportOptions {
    /// definitions.json, Kubernetes resources, a configuration of rascal, or what `terraform show -json` prints; several
    /// are taken together, `-` reads standard input. Without any, the broker that --broker names.
    #[arg(value_name = "SOURCE", required_unless_present_any = ["broker", "node"], conflicts_with_all = ["broker", "node"])]
    pub sources: Vec<PathBuf>,
    /// The broker that is read: an AMQP URL, a name of rmqplay.yaml, node:NAME, or env (what the environment names).
    #[arg(long, value_name = "BROKER")]
    pub broker: Option<String>,
    /// A node of ~/.rabbitmqadmin.conf: the same as --broker node:NAME.
    #[arg(short = 'N', long, value_name = "NAME", conflicts_with = "broker")]
    pub node: Option<String>,
    /// Management URL, when it is not the AMQP port + 10000.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
    /// Only this vhost, and the users with rights in it.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    /// Write the topology to this file (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write passwords and hashes to this file, as variables of the environment, for its owner alone to read; never
    /// overwritten.
    #[arg(long, value_name = "FILE")]
    pub secrets: Option<PathBuf>,
    /// Overwrite the file of --output.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct ExportOptions {
    /// Topology files, and definitions files. Without any, the broker that --broker names.
    #[arg(value_name = "FILE", required_unless_present_any = ["broker", "node"], conflicts_with_all = ["broker", "node"])]
    pub files: Vec<PathBuf>,
    /// The broker that is read: an AMQP URL, a name of rmqplay.yaml, node:NAME, or env (what the environment names).
    #[arg(long, value_name = "BROKER")]
    pub broker: Option<String>,
    /// A node of ~/.rabbitmqadmin.conf: the same as --broker node:NAME.
    #[arg(short = 'N', long, value_name = "NAME", conflicts_with = "broker")]
    pub node: Option<String>,
    /// Management URL, when it is not the AMQP port + 10000.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
    /// Only this vhost, to be imported into one vhost; also the vhost of objects that name none.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    /// The importing RabbitMQ: 3.10, 3.12, 3.13, 4.0 to 4.3.
    #[arg(long = "for", value_name = "VERSION", default_value_t = Profile::NEWEST)]
    pub target: Profile,
    /// Set a variable of the files; repeats.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Read variables from a YAML map; repeats, later ones win.
    #[arg(long = "vars-file", value_name = "FILE")]
    pub vars_files: Vec<PathBuf>,
    /// Leave out what needs a variable of the environment that is not set: users with their rights, and parameters.
    #[arg(long, conflicts_with_all = ["broker", "node"])]
    pub skip_unset: bool,
    /// Write the definitions to this file, for its owner alone to read (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file of --output.
    #[arg(long)]
    pub force: bool,
}
