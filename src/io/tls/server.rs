//! What rustls is told of a server: which certificate it shows, and whose clients' certificates it trusts.
//! Reads the certificates' files; never listens.

use crate::io::tls::certificate::{common_names_of, distinguished_name_of, facts_of};
use crate::io::tls::config::{certificates, key};
use crate::io::tls::fault::TlsFault;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The files of a server's certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTlsFiles {
    /// Its certificate, with those that lead to an authority that clients know.
    pub cert: String,
    /// Its private key.
    pub key: String,
    /// The authority of clients' certificates, where these are asked for.
    pub ca: Option<String>,
    /// What names the user in a client's certificate.
    pub login_from: CertificateLogin,
}

/// What names the user in a client's certificate: RabbitMQ's `ssl_cert_login_from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateLogin {
    /// All of its subject, as `CN=orders,O=shop`.
    #[default]
    DistinguishedName,
    /// The common name alone.
    CommonName,
}

impl FromStr for CertificateLogin {
    type Err = String;

    /// Reads RabbitMQ's words.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "distinguished_name" => Ok(CertificateLogin::DistinguishedName),
            "common_name" => Ok(CertificateLogin::CommonName),
            _ => Err(format!("`{text}` names no user: give distinguished_name or common_name")),
        }
    }
}

impl fmt::Display for CertificateLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CertificateLogin::DistinguishedName => "distinguished_name",
            CertificateLogin::CommonName => "common_name",
        })
    }
}

/// What a server needs to speak TLS.
#[derive(Debug, Clone)]
pub struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    /// Clients' certificates are asked for, and name users.
    pub(crate) knows_clients: bool,
    login_from: CertificateLogin,
    /// What clients will not like of the certificate.
    pub warning: Option<String>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file is not there, not readable, does not hold what it should, or its key belongs to another certificate.
    pub fn read(files: &ServerTlsFiles) -> Result<Self, TlsFault> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| TlsFault::of_setting(error.to_string()))?;
        let builder = match &files.ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(ca).map_err(of_flags)? {
                    roots.add(certificate).map_err(|error| unusable(ca, &error))?;
                }
                // As RabbitMQ with verify_peer and without fail_if_no_peer_cert: who shows none logs in by password.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = verifier.allow_unauthenticated().build();
                builder.with_client_cert_verifier(verifier.map_err(|error| unusable(ca, &error))?)
            }
        };
        let chain = certificates(&files.cert).map_err(of_flags)?;
        let warning = chain.first().and_then(|first| expired(&files.cert, first));
        let key = key(&files.key).map_err(of_flags)?;
        let config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsFault::new(
                format!("the key in {} does not belong to the certificate in {}", files.key, files.cert),
                "give the two that were made together: --tls-cert FILE --tls-key FILE",
            ),
            error => unusable(&files.cert, &error),
        })?;
        let knows_clients = files.ca.is_some();
        Ok(Self { config: Arc::new(config), knows_clients, login_from: files.login_from, warning })
    }

    /// Returns the user that a client's certificate names; `None` where it names nobody.
    pub(crate) fn user_of(&self, certificate: &[u8]) -> Option<String> {
        match self.login_from {
            CertificateLogin::DistinguishedName => distinguished_name_of(certificate),
            CertificateLogin::CommonName => common_names_of(certificate),
        }
    }
}

/// Names the flags where the fault's own help names parameters of a URL.
fn of_flags(fault: TlsFault) -> TlsFault {
    match fault.hint.contains("of the URL") {
        true => TlsFault::new(fault.why, "--tls-cert, --tls-key and --tls-ca take files in PEM form"),
        false => fault,
    }
}

fn unusable(file: &str, error: &dyn fmt::Display) -> TlsFault {
    TlsFault::new(format!("{file} cannot be used: {error}"), "RSA, P-256, P-384 and Ed25519 keys are known")
}

/// Says that a certificate is over: RabbitMQ serves it all the same.
fn expired(file: &str, certificate: &[u8]) -> Option<String> {
    let facts = facts_of(certificate)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    (facts.not_after < now).then(|| {
        format!("the certificate in {file} expired on {}: clients that check it will not connect", facts.last_day)
    })
}
