//! The flags of `serve`, as clap reads them.

use crate::cli::options::Vars;
use crate::clock::ClockMode;
use crate::io::serve::{CertificateLogin, ListenAddress};
use crate::model::Millis;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Topologies and exports that the broker holds from the start (default: what a new broker holds, and guest).
    #[arg(value_name = "TOPOLOGY")]
    pub files: Vec<PathBuf>,
    /// The version whose rules hold: sim, or sim:VERSION (3.10, 3.12, 3.13, 4.0, 4.1, 4.2 or 4.3).
    #[arg(long, value_name = "BROKER", default_value = "sim")]
    pub broker: String,
    /// Let the broker permit a feature that RabbitMQ 4.3 denies unless it is configured to: transient_nonexcl_queues or
    /// global_qos; repeats.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub permit: Vec<String>,
    /// Listen here for AMQP; port 0 takes a free one; repeats (default: 127.0.0.1:5672, with a COMMAND 127.0.0.1:0).
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Vec<ListenAddress>,
    /// Listen here for AMQP by TLS; repeats (default with --tls-cert: 127.0.0.1:5671, with a COMMAND 127.0.0.1:0).
    #[arg(long, value_name = "HOST:PORT", requires = "tls_cert")]
    pub listen_tls: Vec<ListenAddress>,
    /// The certificate that clients are shown, in PEM form, and those that lead to an authority they know.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<String>,
    /// Its private key, in PEM form, without a password.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<String>,
    /// Ask clients for a certificate of this authority, and let it log in its user (EXTERNAL).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_ca: Option<String>,
    /// What names the user in a client's certificate, as RabbitMQ's ssl_cert_login_from: distinguished_name or common_name.
    #[arg(long, value_name = "PART", requires = "tls_ca", default_value_t)]
    pub tls_login_from: CertificateLogin,
    /// Let other machines connect.
    #[arg(long)]
    pub allow_remote: bool,
    /// Write the addresses to this file, as JSON, once clients can connect.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// What moves the clock: real; scaled:N, N times as fast; manual, by `rmqplay clock advance`; auto, which jumps to what
    /// comes next whenever no client has anything to do.
    #[arg(long, value_name = "CLOCK", default_value = "real")]
    pub clock: ClockMode,
    /// Listen here for the control port; port 0 takes a free one; off has none.
    #[arg(long, value_name = "HOST:PORT|off", default_value = "127.0.0.1:0")]
    pub control: String,
    /// How long nothing has to come from a client, in real time, before the clock jumps on.
    #[arg(long, value_name = "DURATION", default_value = "20ms")]
    pub settle: Millis,
    /// How long an advance waits, in real time, for a client that has a delivery in hand.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub owe_limit: Millis,
    #[command(flatten)]
    pub vars: Vars,
    /// Run this beside the broker, with RABBITMQ_URL set, and end with its exit code.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Names a served broker, and what its clock is to do.
#[derive(Debug, Args)]
pub struct ClockOptions {
    /// The control URL that `serve` printed.
    #[arg(long, global = true, value_name = "URL", env = "RMQPLAY_CONTROL_URL", hide_env_values = true)]
    pub control: Option<String>,
    #[command(subcommand)]
    pub action: ClockAction,
}

/// What a clock is to do.
#[derive(Debug, Subcommand)]
pub enum ClockAction {
    /// Print which moment it is.
    Show,
    /// Let time pass: from one thing that happens to the next, each when no client has anything to do.
    Advance {
        /// How far: 7d, 1h 30m, 250ms.
        #[arg(value_name = "DURATION", required_unless_present = "timers", conflicts_with = "timers")]
        by: Option<Millis>,
        /// To the next thing that happens by itself, so many times.
        #[arg(long, value_name = "N")]
        timers: Option<u64>,
    },
}
