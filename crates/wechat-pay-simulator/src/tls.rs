//! HTTPS with the simulator's own authority, and the certificate of the client. WeChat asks for a
//! merchant's API certificate where money goes back in version 2 (`/secapi/…`), so this asks each
//! client for one and does without it elsewhere.
//!
//! The authority is made on the first start. A client that trusts its certificate (`tls_ca.pem`)
//! needs no other change than the address. Which request needs a certificate is decided by the
//! gateway, not here.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use http::Request;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tower::ServiceExt as _;

use crate::keyring::{self, KeyringError, Privacy};
use crate::server;
use crate::simulator::Simulator;

/// The authority's certificate, for clients.
const AUTHORITY: &str = "tls_ca.pem";
/// Its private key, which no client has.
const AUTHORITY_KEY: &str = "wechat_private/tls_ca_key.pem";

/// Why the simulator has no HTTPS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] KeyringError),
    /// A certificate cannot be made.
    #[error("making certificates: {0}")]
    Making(#[from] rcgen::Error),
    /// The merchants' certificates cannot be used.
    #[error("the merchants' certificates: {0}")]
    Merchants(#[from] VerifierBuilderError),
    /// The simulator's certificate cannot be used.
    #[error("the simulator's certificate: {0}")]
    Certificate(#[from] rustls::Error),
}

/// What the client of a TLS connection presented. A request over plain HTTP has no such extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientCertificate(Option<Bytes>);

impl ClientCertificate {
    /// The certificate as DER; `None` if the client presented none.
    pub(crate) fn der(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }
}

/// How HTTPS connections are accepted: as this host, with these merchants' certificates.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the folder's authority, or makes one and writes it, and issues a certificate for these
    /// host names and addresses, besides those of this machine. Only certificates of the simulator's
    /// merchants are accepted from clients.
    pub fn load_or_create(
        folder: &Path,
        simulator: &Simulator,
        hosts: &[String],
    ) -> Result<Self, TlsError> {
        let (certificate, key) = issue(&authority(folder)?, hosts)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut merchants = RootCertStore::empty();
        for certificate in simulator.keyrings().iter().map(|it| it.certificate_der()) {
            // Merchants' certificates are self-signed: each is its own authority.
            merchants.add(CertificateDer::from(certificate?))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(merchants.into(), provider.clone())
                .allow_unauthenticated()
                .build()?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Serves over TLS, like [`crate::serve`].
pub async fn serve_tls(listener: TcpListener, app: Router, tls: Tls) -> std::io::Result<()> {
    server::accept(listener, move |stream, spelling| {
        let (app, tls) = (app.clone(), tls.clone());
        async move {
            match tls.acceptor.accept(stream).await {
                Ok(stream) => {
                    let presented = stream.get_ref().1.peer_certificates();
                    let first = presented.and_then(|chain| chain.first());
                    let certificate =
                        ClientCertificate(first.map(|der| Bytes::copy_from_slice(der)));
                    let app = app.map_request(move |mut request: Request<_>| {
                        request.extensions_mut().insert(certificate.clone());
                        request
                    });
                    server::answer(stream, app, spelling).await;
                }
                Err(error) => tracing::info!(%error, "a TLS connection was refused"),
            }
        }
    })
    .await
}

fn authority(folder: &Path) -> Result<Issuer<'static, KeyPair>, TlsError> {
    let key_path = folder.join(AUTHORITY_KEY);
    if key_path.exists() {
        let key = KeyPair::from_pem(&keyring::read(&key_path)?)?;
        return Ok(Issuer::new(authority_params()?, key));
    }
    let key = KeyPair::generate()?;
    let params = authority_params()?;
    let certificate = params.self_signed(&key)?.pem();
    // The key is written last: if it exists, the certificate does.
    keyring::write(&folder.join(AUTHORITY), certificate, Privacy::Anyone)?;
    keyring::write(&key_path, key.serialize_pem(), Privacy::Owner)?;
    Ok(Issuer::new(params, key))
}

fn authority_params() -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named("WeChat Pay Simulator Authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A certificate for this machine's names and the given ones, with its key.
fn issue(
    authority: &Issuer<'static, KeyPair>,
    hosts: &[String],
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), TlsError> {
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    names.extend(hosts.iter().cloned());
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = named("WeChat Pay Simulator");
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((certificate.der().clone(), key.into()))
}

fn named(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}
