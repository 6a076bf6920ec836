//! Why TLS did not come about: rustls's errors, understood here and nowhere else.
//! Takes an error and what was asked for; gives a reason and what to try.

use crate::io::address::TlsOptions;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::tls::certificate::day_of;
use rustls::{AlertDescription, CertificateError, Error};
use std::fmt::Display;

/// The reason, and what to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFault {
    /// The reason.
    pub why: String,
    /// What to try.
    pub hint: String,
}

impl TlsFault {
    pub(crate) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }

    /// Makes a fault of a file that does not hold what it should.
    pub(crate) fn of_file(path: &str, why: &str) -> Self {
        Self::new(format!("{path} {why}"), "give another file: cacertfile=, certfile=, keyfile= of the URL name them")
    }

    pub(crate) fn of_setting(why: String) -> Self {
        Self::new(why, "check the certificates that the URL names")
    }

    /// Makes a failure of it.
    pub(crate) fn at(self, address: impl Display) -> BrokerFailure {
        BrokerFailure::new(BrokerFailureKind::NoTls { why: self.why }, address).hint(self.hint)
    }
}

/// Finds rustls's error inside of another one.
pub(crate) fn tls_error_in<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Error> {
    let mut next = Some(error);
    // A chain has few links; a bound all the same.
    for _ in 0..16 {
        let error = next?;
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // An error of io shows the source of what it holds, and not what it holds.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = held.and_then(|held| held.downcast_ref::<Error>()) {
            return Some(found);
        }
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// Explains an error of a connection to `host`.
pub(crate) fn explain(error: &Error, host: &str, options: &TlsOptions) -> TlsFault {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error, host, options),
        Error::AlertReceived(alert) => of_alert(*alert, options),
        Error::InvalidMessage(_) => TlsFault::new(
            "what answers there does not speak TLS",
            "give the port for TLS (5671 for amqps://, 15671 for https://, unless configured otherwise), or a URL without TLS",
        ),
        Error::PeerIncompatible(_) => TlsFault::new(
            format!("the broker and rmqplay have no kind of TLS in common: {error}"),
            "rmqplay speaks TLS 1.2 and 1.3; the broker's are set by `ssl_options.versions` and `ssl_options.ciphers`",
        ),
        error => TlsFault::new(error.to_string(), "the broker's log says why"),
    }
}

fn of_certificate(error: &CertificateError, host: &str, options: &TlsOptions) -> TlsFault {
    let named = options.server_name.as_deref().unwrap_or(host);
    match error {
        CertificateError::UnknownIssuer => match &options.ca_file {
            Some(file) => TlsFault::new(
                format!("none of the authorities in {file} signed the broker's certificate"),
                "cacertfile= takes the certificate of the authority that signed it (with those between, if there are any)",
            ),
            None => TlsFault::new(
                "no authority that this system trusts signed the broker's certificate",
                "give the certificate of its authority: cacertfile=ca.pem",
            ),
        },
        CertificateError::ExpiredContext { not_after, .. } => TlsFault::new(
            format!("the broker's certificate expired on {}", day_of(seconds(not_after.as_secs()))),
            "the broker needs a new one: replace the file of `ssl_options.certfile` there",
        ),
        CertificateError::NotValidYetContext { not_before, .. } => TlsFault::new(
            format!("the broker's certificate holds from {} on only", day_of(seconds(not_before.as_secs()))),
            "is the clock of this machine right?",
        ),
        CertificateError::NotValidForNameContext { presented, .. } => TlsFault::new(
            format!("the broker's certificate is not for {named}: it names {}", names_of(presented)),
            "use one of these names in the URL, or add server_name_indication=NAME with one of them",
        ),
        CertificateError::NotValidForName => TlsFault::new(
            format!("the broker's certificate is not for {named}"),
            "use the name that it has in the URL, or add server_name_indication=NAME",
        ),
        CertificateError::Other(_) if format!("{error:?}").contains("CaUsedAsEndEntity") => TlsFault::new(
            "the broker shows the certificate of an authority as its own (it says CA:TRUE)",
            "make one for the broker, signed by that authority; cacertfile= takes the authority's",
        ),
        error => TlsFault::new(
            format!("the broker's certificate is not good: {error}"),
            "the broker needs another one: replace the file of `ssl_options.certfile` there",
        ),
    }
}

fn of_alert(alert: AlertDescription, options: &TlsOptions) -> TlsFault {
    let demanded = |why: &str| {
        TlsFault::new(why, "give the client's certificate and its key: certfile=client.pem&keyfile=client.key")
    };
    match (alert, &options.cert_file) {
        (AlertDescription::CertificateRequired, _) => demanded("the broker demands a certificate of the client"),
        (AlertDescription::HandshakeFailure, None) => {
            demanded("the broker breaks the handshake off; it may demand a certificate of the client")
        }
        (
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate,
            Some(file),
        ) => TlsFault::new(
            format!("the broker does not take the client's certificate in {file} ({alert:?})"),
            "it must be signed by an authority in the broker's `ssl_options.cacertfile`, and not be expired",
        ),
        (AlertDescription::ProtocolVersion, _) => TlsFault::new(
            "the broker speaks no version of TLS that rmqplay does",
            "rmqplay speaks TLS 1.2 and 1.3: `ssl_options.versions` of the broker sets its own",
        ),
        (alert, _) => TlsFault::new(format!("the broker breaks off with {alert:?}"), "the broker's log says why"),
    }
}

fn seconds(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX / 2)
}

/// Lists the names of a certificate: rustls writes `DnsName("h")`.
fn names_of(presented: &[String]) -> String {
    let bare = |name: &String| match name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")) {
        Some(name) => name.to_owned(),
        None => match name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) {
            Some(name) => name.to_owned(),
            None => name.clone(),
        },
    };
    match presented {
        [] => "none".to_owned(),
        names => names.iter().take(8).map(bare).collect::<Vec<_>>().join(", "),
    }
}
