//! What rustls is told: whom to trust, what to show, which name the broker must have.
//! Reads the certificates' files; never connects.

use crate::io::address::TlsOptions;
use crate::io::tls::fault::TlsFault;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Makes the configuration of a client. With `named`, the certificate must have that name, and not the one that is asked
/// for.
///
/// # Errors
/// A file is not there, not readable, or does not hold what it should.
pub(crate) fn client_config(options: &TlsOptions, named: Option<&str>) -> Result<ClientConfig, TlsFault> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TlsFault::of_setting(error.to_string()))?;
    let mut verifier = verifier(options, &provider)?;
    if let Some(name) = named.and_then(|name| ServerName::try_from(name.to_owned()).ok()) {
        verifier = Arc::new(NamedServer { name, verifier });
    }
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(cert_file) = &options.cert_file else { return Ok(builder.with_no_client_auth()) };
    let key_file = options.key_file.as_ref().unwrap_or(cert_file);
    let (chain, key) = (certificates(cert_file)?, key(key_file)?);
    builder.with_client_auth_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsFault::new(
            format!("the key in {key_file} does not belong to the certificate in {cert_file}"),
            "give the two that were made together: certfile=… and keyfile=…",
        ),
        error => TlsFault::new(
            format!("{cert_file} with the key in {key_file} cannot be used: {error}"),
            "RSA, P-256, P-384 and Ed25519 keys are known",
        ),
    })
}

/// Makes the configuration of a client that speaks no TLS.
///
/// # Errors
/// None of the protocol's versions can be had.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, TlsFault> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TlsFault::of_setting(error.to_string()))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn verifier(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsFault> {
    if options.unchecked {
        return Ok(Arc::new(UncheckedServer(provider.clone())));
    }
    let Some(ca_file) = &options.ca_file else {
        let system = rustls_platform_verifier::Verifier::new(provider.clone());
        return Ok(Arc::new(system.map_err(|error| {
            TlsFault::new(
                format!("the system's certificates cannot be had: {error}"),
                "give the authority's certificate: cacertfile=ca.pem",
            )
        })?));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca_file)? {
        let added = roots.add(certificate);
        added.map_err(|error| TlsFault::of_file(ca_file, &format!("holds a certificate that is none: {error}")))?;
    }
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    Ok(built.map_err(|error| TlsFault::of_file(ca_file, &format!("cannot be used: {error}")))?)
}

/// Reads the certificates of a file in PEM form.
pub(crate) fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let read = read.map_err(|error| TlsFault::of_file(path, &format!("is not PEM: {error}")))?;
    if read.is_empty() {
        return Err(TlsFault::of_file(path, "holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)"));
    }
    Ok(read)
}

/// Reads the private key of a file in PEM form.
pub(crate) fn key(path: &str) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let pem = read(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let is_encrypted = pem.windows(9).any(|word| word == b"ENCRYPTED");
        match is_encrypted {
            true => TlsFault::new(
                format!("the key in {path} is encrypted"),
                format!("give a key without a password: `openssl pkey -in {path} -out plain.key`"),
            ),
            false => TlsFault::of_file(path, "holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)"),
        }
    })
}

fn read(path: &str) -> Result<Vec<u8>, TlsFault> {
    std::fs::read(path).map_err(|error| {
        TlsFault::new(format!("cannot read {path}: {error}"), "give the path of a PEM file, from the working directory")
    })
}

/// A check of a certificate against another name than the one that was asked for.
#[derive(Debug)]
struct NamedServer {
    name: ServerName<'static>,
    verifier: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for NamedServer {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier.verify_server_cert(certificate, others, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// No check at all: `verify=verify_none`, of which each command warns.
#[derive(Debug)]
struct UncheckedServer(Arc<CryptoProvider>);

impl ServerCertVerifier for UncheckedServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
