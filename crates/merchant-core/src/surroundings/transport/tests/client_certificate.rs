//! A gateway that asks for a client certificate, as WeChat's does for refunds of version 2, over real
//! TLS.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

/// An authority that both sides trust, and the address of a gateway behind it.
struct Gateway {
    authority: CertifiedIssuer<'static, KeyPair>,
    address: std::net::SocketAddr,
}

impl Gateway {
    async fn open() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (certificate, key) = issue(&authority, "localhost");
        let mut roots = RootCertStore::empty();
        roots.add(authority.as_ref().der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(roots.into()).build().unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)
            .unwrap();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        Self { authority, address }
    }

    fn transport(&self) -> HttpTransport {
        let root = reqwest::Certificate::from_der(self.authority.as_ref().der()).unwrap();
        HttpTransport::trusting(true, vec![root]).unwrap()
    }

    /// A certificate of the merchant, with its key, as files.
    fn identity(&self) -> ClientIdentity {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let params = CertificateParams::new(vec!["merchant".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        ClientIdentity::read(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    fn request(&self, identity: Option<ClientIdentity>) -> http::Request<Bytes> {
        let url = format!(
            "https://localhost:{}/secapi/pay/refund",
            self.address.port()
        );
        let mut request = http::Request::post(url).body(Bytes::new()).unwrap();
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity);
        }
        request
    }
}

fn issue(
    authority: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    (certificate.der().clone(), key.into())
}

/// Answers each connection with the certificate that it presented.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            continue;
        };
        let presented = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let mut head = vec![0; 4096];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            presented.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.write_all(&presented).await.unwrap();
        stream.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_request_presents_the_certificate_that_it_carries() {
    let gateway = Gateway::open().await;
    let transport = gateway.transport();
    // A reload of the configuration may bring another certificate.
    for _ in 0..2 {
        let identity = gateway.identity();
        for _ in 0..2 {
            let request = gateway.request(Some(identity.clone()));
            let answer = transport.call(request).await.unwrap();
            let expected = wechat_pay::certificate_serial(identity.pem().as_bytes()).unwrap();
            let pem = pem_of(answer.body());
            let found = wechat_pay::certificate_serial(pem.as_bytes()).unwrap();
            assert_eq!(found, expected);
        }
    }
}

#[tokio::test]
async fn a_request_without_a_certificate_gets_no_answer() {
    let gateway = Gateway::open().await;
    let transport = gateway.transport();
    transport
        .call(gateway.request(Some(gateway.identity())))
        .await
        .unwrap();
    transport.call(gateway.request(None)).await.unwrap_err();
}

#[tokio::test]
async fn a_certificate_of_another_authority_gets_no_answer() {
    let gateway = Gateway::open().await;
    let strangers = Gateway::open().await.identity();
    let request = gateway.request(Some(strangers));
    gateway.transport().call(request).await.unwrap_err();
}

/// A certificate's bytes as PEM.
fn pem_of(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
