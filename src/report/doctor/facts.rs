//! What was found out about a broker: answers, refusals, and what was not asked.
//! Plain data; `io` fills it, `findings` judges it.

use crate::model::Version;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Asked<T> {
    /// The answer.
    Told(T),
    /// Why not, and what to try.
    Not(Unanswered),
    /// What it needs was not there.
    #[default]
    NotAsked,
}

impl<T> Asked<T> {
    /// Returns the answer if there is one.
    pub fn told(&self) -> Option<&T> {
        match self {
            Asked::Told(answer) => Some(answer),
            _ => None,
        }
    }
}

/// A question that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// What went wrong.
    pub why: String,
    /// What to try.
    pub help: String,
}

/// All that was asked of one broker.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// Without the password.
    pub address: String,
    /// The URL of the management API.
    pub management: String,
    /// The user of the URL.
    pub user: String,
    /// The URL's vhost, else `/`.
    pub vhost: String,
    /// Whether the login is by certificate.
    pub by_certificate: bool,
    /// The common name of the client's certificate.
    pub client_name: Option<String>,
    /// `verify=verify_none`.
    pub unchecked: bool,
    /// Seconds since 1970.
    pub now: i64,
    /// `None`: the URL asks for no TLS.
    pub tls: Option<Asked<TlsSession>>,
    /// Whether AMQP lets the user in.
    pub login: Asked<()>,
    /// Which version answers.
    pub broker: Asked<BrokerIdentity>,
    /// The user's tags.
    pub tags: Asked<Vec<String>>,
    /// `None` inside: the user has none in the vhost. Patterns of configure, write, read.
    pub permission: Asked<Option<[String; 3]>>,
    /// The nodes of the cluster.
    pub nodes: Asked<Vec<NodeHealth>>,
    /// Deprecated features that are in use.
    pub deprecated: Asked<Vec<String>>,
    /// Stable feature flags that are not enabled.
    pub flags_disabled: Asked<Vec<String>>,
}

/// What TLS agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// `TLS 1.3`.
    pub protocol: String,
    /// The suite, by its name.
    pub cipher: String,
    /// The broker's.
    pub certificate: Option<CertificateFacts>,
}

/// The facts of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateFacts {
    /// `CN=rabbit.example`.
    pub subject: String,
    /// The names and addresses that it is good for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// Seconds since 1970.
    pub not_after: i64,
    /// The same as `2026-11-29`.
    pub last_day: String,
}

/// What a broker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerIdentity {
    /// `4.3.6`.
    pub full_version: String,
    /// Its release line.
    pub version: Version,
}

/// One node's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeHealth {
    /// Its name, `rabbit@host`.
    pub name: String,
    /// Whether it is up.
    pub running: bool,
    /// Too much memory is used.
    pub memory_alarm: bool,
    /// Too little disk is free.
    pub disk_alarm: bool,
    /// It sees a network partition.
    pub partitioned: bool,
    /// Those that are enabled.
    pub plugins: Vec<String>,
}
