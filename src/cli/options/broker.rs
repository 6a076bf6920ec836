//! The flags that name the broker of a command that works on one, as clap reads them.

use clap::Args;

/// Names the broker of a command that works on one.
#[derive(Debug, Clone, Args)]
pub struct OneBroker {
    /// AMQP URL, a name of rmqplay.yaml, node:NAME, or env (default: what the environment names, by RABBITMQ_URL or
    /// RABBITMQ_HOST, _PORT, _USER, _PASSWORD, _VHOST or RABBITMQADMIN_…; else amqp://guest:guest@localhost:5672).
    #[arg(long, value_name = "BROKER")]
    pub broker: Option<String>,
    /// A node of ~/.rabbitmqadmin.conf: the same as --broker node:NAME.
    #[arg(short = 'N', long, value_name = "NAME", conflicts_with = "broker")]
    pub node: Option<String>,
    /// Management URL, when it is not the AMQP port + 10000.
    #[arg(long, value_name = "URL")]
    pub management: Option<String>,
}

#[derive(Debug, Args)]
pub struct WaitOptions {
    #[command(flatten)]
    pub broker: OneBroker,
    /// Give up after this long.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub timeout: crate::model::Millis,
}

#[derive(Debug, Args)]
pub struct CleanOptions {
    #[command(flatten)]
    pub broker: OneBroker,
    /// Leave those that are younger alone: their run may be under way.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub older_than: crate::model::Millis,
    /// Delete vhosts with open connections too.
    #[arg(long)]
    pub force: bool,
}
