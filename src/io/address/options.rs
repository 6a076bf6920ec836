//! How a broker is reached and logged in to, beside its place. Plain data.

/// How the runner logs in over AMQP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginMechanism {
    /// User and password.
    Plain,
    /// The certificate that the client showed.
    External,
}

impl LoginMechanism {
    /// Returns the name by which brokers know it.
    pub fn name(self) -> &'static str {
        match self {
            LoginMechanism::Plain => "PLAIN",
            LoginMechanism::External => "EXTERNAL",
        }
    }
}

/// What TLS trusts and shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// The certificates (PEM) that may have signed the broker's; `None`: those of the system.
    pub ca_file: Option<String>,
    /// The client's certificate (PEM), with those that lead to its authority.
    pub cert_file: Option<String>,
    /// The certificate's key (PEM); `None`: it is in the same file.
    pub key_file: Option<String>,
    /// Whoever answers is taken for the broker.
    pub unchecked: bool,
    /// The name that the broker's certificate must have, when it is not the host's.
    pub server_name: Option<String>,
}

impl TlsOptions {
    /// Returns whether anything is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
