//! The flags of `serve`, as clap reads them.

use crate::cli::options::{Snapshots, Vars};
use crate::clock::ClockMode;
use crate::io::serve::{CertificateLogin, ListenAddress};
use crate::model::Millis;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Topologies and exports that the broker holds from the start (default: what a new broker holds, and guest); or one
    /// scenario, whose consumers and steps play beside the clients.
    #[arg(value_name = "TOPOLOGY|SCENARIO")]
    pub files: Vec<PathBuf>,
    /// The version whose rules hold: sim, or sim:VERSION (3.10, 3.12, 3.13, 4.0, 4.1, 4.2 or 4.3).
    #[arg(long, value_name = "BROKER", default_value = "sim")]
    pub broker: String,
    /// Let the broker permit a feature that RabbitMQ 4.3 denies unless it is configured to: transient_nonexcl_queues or
    /// global_qos; repeats.
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    pub permit: Vec<String>,
    /// Enable a plugin of RabbitMQ in the broker, by its name (rabbitmq_consistent_hash_exchange); repeats.
    #[arg(long, value_name = "PLUGIN", value_delimiter = ',')]
    pub plugins: Vec<String>,
    /// Trace this vhost: publish what clients publish and what they are delivered once more, to its exchange
    /// amq.rabbitmq.trace, as `rabbitmqctl trace_on` does; repeats.
    #[arg(long, value_name = "VHOST")]
    pub firehose: Vec<String>,
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
    /// comes next whenever no client has anything to do, once the first was there.
    #[arg(long, value_name = "CLOCK", default_value = "real")]
    pub clock: ClockMode,
    /// Listen here for the control port; port 0 takes a free one; off has none.
    #[arg(long, value_name = "HOST:PORT|off", default_value = "127.0.0.1:0")]
    pub control: String,
    /// Listen here for the management API; port 0 takes a free one; off has none (default: off, with a COMMAND 127.0.0.1:0).
    #[arg(long, value_name = "HOST:PORT|off")]
    pub management: Option<String>,
    /// How long nothing has to come from a client, in real time, before the clock jumps on.
    #[arg(long, value_name = "DURATION", default_value = "20ms")]
    pub settle: Millis,
    /// How long an advance waits, in real time, for a client that has a delivery in hand.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub owe_limit: Millis,
    #[command(flatten)]
    pub vars: Vars,
    /// Serve this cell of the scenario: its name, as `list` shows it, or a choice of axes: AXIS=VALUE.
    #[arg(long = "cell", value_name = "NAME")]
    pub cells: Vec<String>,
    /// What becomes of the scenario's outcome: check, pending or accept, as in `run`.
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub snapshots: Option<Snapshots>,
    /// Write what the clients did to this file, as a scenario that plays the same; an existing file is not replaced.
    #[arg(long, value_name = "FILE")]
    pub write_scenario: Option<PathBuf>,
    /// Tell what happened to the scenario's messages, entry by entry, when it is over.
    #[arg(long)]
    pub trace: bool,
    /// Run this beside the broker, with RABBITMQ_URL set, and end with its exit code.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Names a served broker.
#[derive(Debug, Args)]
pub struct ControlOptions {
    /// The control URL that `serve` printed.
    #[arg(long, global = true, value_name = "URL", env = "RMQPLAY_CONTROL_URL", hide_env_values = true)]
    pub control: Option<String>,
}

/// Names a served broker, and what its clock is to do.
#[derive(Debug, Args)]
pub struct ClockOptions {
    #[command(flatten)]
    pub broker: ControlOptions,
    #[command(subcommand)]
    pub action: ClockAction,
}

/// What a clock is to do.
#[derive(Debug, Subcommand)]
pub enum ClockAction {
    /// Print which moment it is.
    Show,
    /// Let time pass: from one thing that happens to the next, each when no client has anything to do.
    Advance(AdvanceOptions),
}

/// How far a clock goes.
#[derive(Debug, Args)]
pub struct AdvanceOptions {
    /// How far: 7d, 1h 30m, 250ms.
    #[arg(value_name = "DURATION", required_unless_present_any = ["timers", "until"], conflicts_with_all = ["timers", "until"])]
    pub by: Option<Millis>,
    /// To the next thing that happens by itself, so many times.
    #[arg(long, value_name = "N", conflicts_with = "until")]
    pub timers: Option<u64>,
    /// Until this queue holds messages, delivered ones that are not settled included.
    #[arg(long, value_name = "QUEUE")]
    pub until: Option<String>,
    /// The vhost of the queue.
    #[arg(long, value_name = "VHOST", requires = "until", default_value = "/")]
    pub vhost: String,
    /// How many messages.
    #[arg(long, value_name = "N", requires = "until", default_value_t = 1)]
    pub messages: u64,
    /// Only the message with this id.
    #[arg(long, value_name = "ID", requires = "until", conflicts_with = "properties")]
    pub message: Option<String>,
    /// Only messages with this property, as correlation_id=7; repeats.
    #[arg(long = "where", value_name = "NAME=VALUE", requires = "until")]
    pub properties: Vec<String>,
}

/// Names a message of a served broker.
#[derive(Debug, Args)]
pub struct StoryOptions {
    /// Its message id; one without has the name that `rmqplay timeline` shows, m1, m2 and so on.
    #[arg(value_name = "ID")]
    pub message: String,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub broker: ControlOptions,
}

/// Names a served broker whose queues are listed.
#[derive(Debug, Args)]
pub struct QueuesOptions {
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub broker: ControlOptions,
}

/// Names a served broker whose timeline is read.
#[derive(Debug, Args)]
pub struct TimelineOptions {
    /// Begin after the entry of this number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub since: u64,
    /// Print what there is, and end.
    #[arg(long)]
    pub no_follow: bool,
    #[command(flatten)]
    pub broker: ControlOptions,
}

/// Names a served broker, and what goes wrong there.
#[derive(Debug, Args)]
pub struct FaultOptions {
    #[command(flatten)]
    pub broker: ControlOptions,
    #[command(subcommand)]
    pub action: FaultAction,
}

/// What goes wrong.
#[derive(Debug, Subcommand)]
pub enum FaultAction {
    /// List the faults that wait to happen.
    Show,
    /// Take them back.
    Clear,
    /// Close connections, as the management API does (320).
    Close {
        /// Whose: an address, a connection's name, a user, or all.
        connection: String,
    },
    /// Cut connections without a word.
    Drop {
        /// Whose: an address, a connection's name, a user, or all.
        connection: String,
    },
    /// Raise an alarm: who publishes is blocked.
    Alarm {
        /// What is low.
        #[arg(value_parser = ["memory", "disk"], default_value = "memory")]
        of: String,
        /// Clear it.
        #[arg(long)]
        off: bool,
    },
    /// Nack the next publishes of channels in confirm mode; none of them reaches a queue.
    Nack {
        /// How many.
        #[arg(value_name = "N")]
        publishes: u64,
    },
    /// Refuse a method.
    Refuse {
        /// As queue.declare, basic.publish, connection.open.
        method: String,
        /// The code: 403, 404, 405 and 406 close the channel, others the connection.
        #[arg(long, value_name = "CODE", default_value_t = 403)]
        code: u16,
        /// The text behind the code's name.
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// How often.
        #[arg(long, value_name = "N", default_value_t = 1)]
        times: u64,
    },
    /// Let deliveries come late, of the broker's time.
    Delay {
        /// How late: 5s.
        by: Millis,
        /// Of this queue only.
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// How many (default: all from now on).
        #[arg(long, value_name = "N")]
        deliveries: Option<u64>,
    },
    /// Stop the broker and start it again.
    Restart {
        /// It comes back with what it was started with, and no message.
        #[arg(long)]
        without_disk: bool,
        /// For how long it is down, of the broker's time.
        #[arg(long, value_name = "DURATION", default_value = "0s")]
        down_for: Millis,
    },
}
