//! A simulator in the test's process, with a merchant that signs, verifies and is notified.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;
use wechat_pay::{
    Account, Description, Fen, H5Ordered, H5Type, JsapiOrdered, MerchantKey, NativeOrdered,
    Notification, NotifyUrl, OpenId, Order, Orderer, OutTradeNo, ProductFields, Reply, ReplyError,
    RequestParts, SealedResource, Stamp, TrustedKeys, VerifiedReply, open, open_notification,
};
use wechat_pay_simulator::{
    Clock, Keyring, MerchantFile, Outgoing, OutgoingError, Random, Settings, Simulator,
    SimulatorOptions, SimulatorParts,
};

pub(crate) const BASE_URL: &str = "http://127.0.0.1:9410";
pub(crate) const NOTIFY_URL: &str = "http://127.0.0.1:8080/wechat/notify/payment";

/// A simulator and the merchant beside it.
pub(crate) struct Harness {
    pub(crate) simulator: Simulator,
    pub(crate) inbox: Arc<Mutex<Inbox>>,
    pub(crate) key: MerchantKey,
    pub(crate) keys: TrustedKeys,
}

/// The notifications that the merchant got, and its answer.
pub(crate) struct Inbox {
    pub(crate) received: Vec<(HeaderMap, Bytes)>,
    pub(crate) answer: Result<StatusCode, OutgoingError>,
}

pub(crate) fn start() -> Timestamp {
    "2026-01-01T04:00:00Z".parse().unwrap()
}

impl Harness {
    /// With changed settings, as in `code_pay=false`.
    pub(crate) fn with_settings(lines: &[&str]) -> Self {
        let harness = Self::new();
        let mut settings = Settings::default();
        for line in lines {
            settings = settings.with(line).unwrap();
        }
        harness.simulator.set_settings(settings);
        harness
    }

    /// A signed call with the headers that WeChat requires for all routes but orders: status, code where
    /// there is one, and the answer, which must be signed.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> (u16, String, Value) {
        let request = RequestParts {
            method,
            path_and_query: path.to_owned(),
            body: body.to_owned().into(),
        };
        let (status, body) = match self.send_with_agent(request).await {
            Ok(reply) => (reply.status().as_u16(), reply.body().clone()),
            Err(ReplyError::Wechat(said)) => {
                assert!(said.trusted, "{said:?}");
                let message = json!({ "message": said.message });
                return (said.status, said.code, message);
            }
            Err(error) => panic!("{error}"),
        };
        let json = serde_json::from_slice(&body).unwrap_or_default();
        (status, String::new(), json)
    }

    pub(crate) async fn send_with_agent(
        &self,
        request: RequestParts,
    ) -> Result<VerifiedReply, ReplyError> {
        let mut request = self.signed(request);
        let headers = request.headers_mut();
        headers.insert("user-agent", "tests".parse().unwrap());
        headers.insert("accept", "*/*".parse().unwrap());
        let reply = self.send_raw(request).await;
        reply.verify(&self.keys, start().as_second())
    }

    pub(crate) fn new() -> Self {
        let keyring = keyring();
        let inbox = Arc::new(Mutex::new(Inbox {
            received: Vec::new(),
            answer: Ok(StatusCode::NO_CONTENT),
        }));
        let (key, keys) = (
            keyring.merchant_key().unwrap(),
            keyring.trusted_keys().unwrap(),
        );
        let simulator = Simulator::new(parts(inbox.clone()));
        Self {
            simulator,
            inbox,
            key,
            keys,
        }
    }

    /// The second merchant of the same simulator: it signs with its own key, and is notified in
    /// the same inbox.
    pub(crate) fn with_another_merchant() -> (Self, Self) {
        let first = Self::new();
        let another = Keyring::generate(BASE_URL, start(), &Random::system()).unwrap();
        let (key, keys) = (
            another.merchant_key().unwrap(),
            another.trusted_keys().unwrap(),
        );
        let options = SimulatorOptions {
            settings: Settings::default().with("bills_at_once=true").unwrap(),
            more_merchants: vec![another],
        };
        let simulator = Simulator::with_options(first.parts(), options);
        let second = Self {
            simulator: simulator.clone(),
            inbox: first.inbox.clone(),
            key,
            keys,
        };
        (Self { simulator, ..first }, second)
    }

    /// The parts of another simulator with the same inbox.
    pub(crate) fn parts(&self) -> SimulatorParts {
        parts(self.inbox.clone())
    }

    pub(crate) fn merchant(&self) -> &MerchantFile {
        self.simulator.keyring().merchant()
    }

    /// The merchant's own account.
    pub(crate) fn account(&self) -> Account {
        Account::new(&self.merchant().mchid, None)
    }

    pub(crate) fn advance(&self, seconds: u32) {
        self.simulator.clock().advance(seconds);
    }

    pub(crate) fn order(&self, number: &str, product: ProductFields) -> Order {
        Order::new(
            Orderer::merchant(&self.merchant().appid, &self.merchant().mchid),
            OutTradeNo::parse(number).unwrap(),
            Description::parse("一壶茶").unwrap(),
            Fen::new(1990).unwrap(),
            NotifyUrl::parse(NOTIFY_URL).unwrap(),
            product,
        )
    }

    /// The openid of the simulator's own buyer.
    pub(crate) fn jsapi(&self) -> ProductFields {
        let openid = self.simulator.openid(&self.merchant().appid);
        ProductFields::Jsapi {
            openid: OpenId::parse(openid).unwrap(),
        }
    }

    /// Signs, sends, and verifies the reply.
    pub(crate) async fn send(&self, request: RequestParts) -> Result<VerifiedReply, ReplyError> {
        let response = self.send_raw(self.signed(request)).await;
        response.verify(&self.keys, start().as_second())
    }

    pub(crate) fn signed(&self, request: RequestParts) -> Request<Body> {
        let stamp = Stamp::new(start().as_second(), [7; 16]);
        let signed = request.sign(&self.key, &stamp, None).unwrap();
        signed.into_http("").unwrap().map(Body::from)
    }

    pub(crate) async fn send_raw(&self, request: Request<Body>) -> Reply {
        let (parts, body) = send(self.simulator.app(), request).await.into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn native(&self, number: &str) -> String {
        let order = self.order(number, ProductFields::Native);
        let reply = self.send(order.request().unwrap()).await.unwrap();
        reply.parse::<NativeOrdered>().unwrap().code_url
    }

    pub(crate) async fn h5(&self, number: &str) -> String {
        let order = self.order(number, h5_fields());
        let reply = self.send(order.request().unwrap()).await.unwrap();
        reply.parse::<H5Ordered>().unwrap().h5_url
    }

    pub(crate) async fn prepay_id(&self, number: &str) -> String {
        let order = self.order(number, self.jsapi());
        let reply = self.send(order.request().unwrap()).await.unwrap();
        reply.parse::<JsapiOrdered>().unwrap().prepay_id
    }

    /// The control interface's payment.
    pub(crate) async fn pay(&self, body: Value) -> (StatusCode, Value) {
        self.post_json("/_simulator/pay", &body).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path)
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = send(self.simulator.app(), request).await;
        let json = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status(), json)
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        let request = Request::get(path).body(Body::empty()).unwrap();
        send(self.simulator.app(), request).await
    }

    pub(crate) async fn pay_native(&self, number: &str) -> String {
        let code_url = self.native(number).await;
        let (status, answer) = self
            .pay(json!({ "code_url": code_url, "outcome": "success" }))
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["transaction_id"].as_str().unwrap().to_owned()
    }

    /// The notifications so far, opened as a merchant opens them.
    pub(crate) fn notified(&self) -> Vec<Notification> {
        let inbox = self.inbox.lock().unwrap();
        let key = self.simulator.keyring().api_v3_key();
        inbox
            .received
            .iter()
            .map(|(headers, body)| {
                open_notification(headers, body, &self.keys, key, start().as_second()).unwrap()
            })
            .collect()
    }

    pub(crate) fn answer_notifications(&self, answer: Result<StatusCode, OutgoingError>) {
        self.inbox.lock().unwrap().answer = answer;
    }
}

/// The event and the decrypted content of the notification with this index.
pub(crate) fn opened_refund(harness: &Harness, place: usize) -> (String, Value) {
    let inbox = harness.inbox.lock().unwrap();
    let envelope: Value = serde_json::from_slice(&inbox.received[place].1).unwrap();
    let sealed: SealedResource = serde_json::from_value(envelope["resource"].clone()).unwrap();
    let opened = open(harness.simulator.keyring().api_v3_key(), &sealed).unwrap();
    (
        envelope["event_type"].as_str().unwrap().to_owned(),
        serde_json::from_slice(&opened).unwrap(),
    )
}

pub(crate) fn h5_fields() -> ProductFields {
    ProductFields::H5 {
        payer_client_ip: "127.0.0.1".parse().unwrap(),
        h5_type: H5Type::Wap,
    }
}

pub(crate) async fn send(app: Router, request: Request<Body>) -> Response<Bytes> {
    let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, body)
}

pub(crate) fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

fn parts(inbox: Arc<Mutex<Inbox>>) -> SimulatorParts {
    SimulatorParts {
        clock: Clock::from_fn(start),
        random: Random::system(),
        keyring: keyring(),
        domains: BTreeSet::from(["shop.example".to_owned()]),
        notifications: receive_into(inbox),
    }
}

/// The file behind the link of a bill: not signed.
pub(crate) async fn file_of(harness: &Harness, bill: &Value) -> Vec<u8> {
    fetched(harness, bill["download_url"].as_str().unwrap()).await
}

/// The answer of a bill's link.
pub(crate) async fn fetched(harness: &Harness, url: &str) -> Vec<u8> {
    let request = RequestParts {
        method: Method::GET,
        path_and_query: url.strip_prefix(BASE_URL).unwrap().to_owned(),
        body: "".into(),
    };
    let mut request = harness.signed(request);
    let headers = request.headers_mut();
    headers.insert("user-agent", "tests".parse().unwrap());
    headers.insert("accept", "*/*".parse().unwrap());
    let reply = harness.send_raw(request).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(!reply.headers.contains_key("wechatpay-signature"));
    reply.body.to_vec()
}

fn receive_into(inbox: Arc<Mutex<Inbox>>) -> Outgoing {
    Outgoing::from_fn(move |request: Request<Bytes>| {
        let mut inbox = inbox.lock().unwrap();
        assert_eq!(request.uri(), NOTIFY_URL);
        inbox
            .received
            .push((request.headers().clone(), request.into_body()));
        let answer = inbox.answer.clone().map(|status| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        });
        async move { answer }
    })
}

/// Made once for all tests, because RSA keys take long.
fn keyring() -> Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING
        .get_or_init(|| Keyring::generate(BASE_URL, start(), &Random::system()).unwrap())
        .clone()
}
