//! HTTPS with the simulator's own authority, over real sockets: who needs the merchant's certificate.

use std::path::Path;

use http::StatusCode;
use tempfile::TempDir;
use tokio::net::TcpListener;
use wechat_pay::v2::{self, Answer, AnswerError, Route, SignType};
use wechat_pay::{
    Fen, OutRefundNo, OutTradeNo, ProductFields, Refund, RefundOf, RefundRequest, Stamp,
};
use wechat_pay_simulator::{Keyring, Random, Simulator, SimulatorOptions, Tls, serve_tls};

use super::{V2, code_of};
use crate::harness::{BASE_URL, Harness, start};

/// A simulator with two merchants behind HTTPS, and the files of both.
struct Gateway {
    v2: V2,
    origin: String,
    folder: TempDir,
}

impl Gateway {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Random::system();
        let mut harness = Harness::new();
        let other = Keyring::generate(BASE_URL, start(), &random).unwrap();
        other.write(&folder.path().join("other"), &random).unwrap();
        let options = SimulatorOptions {
            more_merchants: vec![other],
            ..SimulatorOptions::default()
        };
        harness.simulator = Simulator::with_options(harness.parts(), options);
        let own = harness.simulator.keyring().clone();
        own.write(&folder.path().join("own"), &random).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://{}", listener.local_addr().unwrap());
        let tls = Tls::load_or_create(folder.path(), &harness.simulator, &[]).unwrap();
        tokio::spawn(serve_tls(listener, harness.simulator.app(), tls));
        Self {
            v2: V2::of(harness, SignType::Md5),
            origin,
            folder,
        }
    }

    /// A client that trusts the simulator's authority alone, and presents the certificate in a folder.
    fn client(&self, identity: Option<&Path>) -> reqwest::Client {
        let read = |path: &Path| std::fs::read(path).unwrap();
        let authority = read(&self.folder.path().join("tls_ca.pem"));
        let authority = reqwest::Certificate::from_pem(&authority).unwrap();
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([authority]);
        if let Some(folder) = identity {
            let mut pem = read(&folder.join("apiclient_cert.pem"));
            pem.extend(read(&folder.join("apiclient_key.pem")));
            client = client.identity(reqwest::Identity::from_pem(&pem).unwrap());
        }
        client.build().unwrap()
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        request: &v2::Request,
    ) -> Result<Answer, reqwest::Error> {
        let stamp = Stamp::new(start().as_second(), [3; 16]);
        let signed = request.sign(&self.v2.key, self.v2.kind, &stamp);
        let address = format!("{}{}", self.origin, signed.route.path());
        let reply = client.post(address).body(signed.body).send().await?;
        Ok(Answer {
            status: reply.status(),
            body: reply.bytes().await?,
        })
    }

    fn refund(&self, order: &str) -> v2::Request {
        let wanted = RefundRequest::new(
            RefundOf::OutTradeNo(OutTradeNo::parse(order).unwrap()),
            OutRefundNo::parse("R1").unwrap(),
            Fen::new(6).unwrap(),
            Fen::new(1990).unwrap(),
        );
        v2::refund(&self.v2.orderer, &wanted).unwrap()
    }

    fn parse<T: v2::ReadAnswer>(&self, answer: &Answer) -> Result<T, AnswerError> {
        answer.parse(&self.v2.key, self.v2.kind)
    }
}

#[tokio::test]
async fn money_goes_back_only_with_the_merchants_own_certificate() {
    let gateway = Gateway::open().await;
    gateway.v2.paid("T00001").await;
    let refund = gateway.refund("T00001");

    let without = gateway.send(&gateway.client(None), &refund).await.unwrap();
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    let page = String::from_utf8_lossy(&without.body);
    assert!(
        page.contains("No required SSL certificate was sent"),
        "{page}"
    );

    let others = gateway.client(Some(&gateway.folder.path().join("other")));
    let refused = gateway.send(&others, &refund).await.unwrap();
    assert_eq!(code_of(gateway.parse::<Refund>(&refused)), "CERT_ERROR");

    let own = gateway.client(Some(&gateway.folder.path().join("own")));
    let accepted = gateway.send(&own, &refund).await.unwrap();
    let accepted: Refund = gateway.parse(&accepted).unwrap();
    assert_eq!(accepted.amount.refund.get(), 6);
}

#[tokio::test]
async fn orders_need_no_certificate_and_a_strangers_certificate_gets_no_connection() {
    let gateway = Gateway::open().await;
    let order = gateway.v2.order("T00001", ProductFields::Native);
    let answer = gateway.send(&gateway.client(None), &order).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    let ordered: wechat_pay::NativeOrdered = gateway.parse(&answer).unwrap();
    assert!(ordered.code_url.starts_with("weixin://"));

    let stranger = Keyring::generate(BASE_URL, start(), &Random::system()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    stranger.write(folder.path(), &Random::system()).unwrap();
    let client = gateway.client(Some(folder.path()));
    gateway.send(&client, &order).await.unwrap_err();
}

#[tokio::test]
async fn a_reversal_needs_the_certificate_too_and_plain_http_cannot_ask_for_it() {
    let gateway = Gateway::open().await;
    let number = OutTradeNo::parse("T00001").unwrap();
    let reverse = v2::reverse(&gateway.v2.orderer, &number).unwrap();
    assert!(Route::Reverse.needs_certificate());
    let without = gateway.send(&gateway.client(None), &reverse).await.unwrap();
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    assert_eq!(gateway.v2.send(&reverse).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_restart_keeps_the_authority_that_clients_trust() {
    let gateway = Gateway::open().await;
    let path = gateway.folder.path().join("tls_ca.pem");
    let before = std::fs::read(&path).unwrap();
    let client = gateway.client(None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let simulator = &gateway.v2.harness.simulator;
    let tls = Tls::load_or_create(gateway.folder.path(), simulator, &[]).unwrap();
    tokio::spawn(serve_tls(listener, simulator.app(), tls));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    for host in ["localhost", "127.0.0.1"] {
        let page = client.get(format!("https://{host}:{port}/")).send().await;
        assert_eq!(page.unwrap().status(), StatusCode::OK, "{host}");
    }
}
