//! The test server: merchant server, simulator, clock, keys, and the notifications between them, in
//! one process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use merchant_server::{
    Clock, Config, ManualClock, MerchantServer, SeededRandomness, Sleep, Surroundings,
    WechatTransport,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use wechat_pay::{NotificationDraft, PlatformKey, SigningKey, Stamp};
use wechat_pay_simulator::{Keyring, Outgoing, Random, Simulator, SimulatorParts, SubMerchant};

use crate::fault_injector::{Fault, FaultInjector};
use crate::inbox::Inbox;
use crate::{cluster, route_refusals};

pub(crate) const MERCHANT: &str = "http://127.0.0.1:8080";
pub(crate) const WECHAT: &str = "http://127.0.0.1:9410";
pub(crate) const SHOP: &str = "http://127.0.0.1:8000";
pub(crate) const API_KEY: &str = "the shop's key";
/// SHA-256 of [`API_KEY`], made with another program.
const API_KEY_SHA256: &str = "c80d81b34fabf08a6f7109408af749a65d014045243f952276ffecdbd9ad3888";
/// 2026-11-21T09:20:00Z.
pub(crate) const START_MS: i64 = 1_795_252_800_000;
pub(crate) const MINUTE_MS: u64 = 60_000;

/// One merchant's keys for the whole run: making them takes longer than all the tests.
pub(crate) static KEYS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millisecond(START_MS).unwrap();
    Keyring::load_or_create(folder.path(), WECHAT, now, &Random::system()).unwrap();
    folder
});

/// The keys of a second merchant.
pub(crate) static OTHER_KEYS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millisecond(START_MS).unwrap();
    Keyring::load_or_create(folder.path(), WECHAT, now, &Random::system()).unwrap();
    folder
});

/// A clock that also notifies when a task begins to wait for it.
#[derive(Clone)]
pub(crate) struct TestClock {
    time: ManualClock,
    waits: Arc<Notify>,
}

impl TestClock {
    fn at(now_ms: i64) -> Self {
        Self {
            time: ManualClock::new(now_ms),
            waits: Arc::default(),
        }
    }

    pub(crate) fn advance_ms(&self, by_ms: u64) {
        self.time.advance_ms(by_ms);
    }

    /// Sets the clock ahead or back; no time passes.
    pub(crate) fn set_ahead_ms(&self, by_ms: i64) {
        self.time.set_ahead_ms(by_ms);
    }

    /// Returns when a task waits.
    pub(crate) async fn somebody_waits(&self) {
        self.waits.notified().await;
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.time.monotonic_ms()
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        self.waits.notify_one();
        self.time.sleep_until(moment_ms)
    }
}

/// The kind of merchant that the server runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A merchant that sells for itself.
    Merchant,
    /// A service provider (服务商), which sells for a sub-merchant.
    Provider,
}

impl Owner {
    pub(crate) const BOTH: [Self; 2] = [Self::Merchant, Self::Provider];

    /// With more lines at the top, and more of `[merchant]`; other tables may follow.
    pub(crate) fn configuration(self, lines: &str, merchant: &str) -> String {
        let own = configuration(lines) + merchant;
        match self {
            Self::Merchant => own,
            Self::Provider => own + &sub_merchant_table(&sub_merchant(1)),
        }
    }
}

pub(crate) struct TestServer {
    /// The configuration with which the server was opened.
    configuration: String,
    pub(crate) clock: TestClock,
    /// The server itself, without its routes.
    pub(crate) inner: MerchantServer,
    pub(crate) app: Router,
    /// The transport between the server and the simulator.
    pub(crate) wechat: FaultInjector,
    pub(crate) simulator: Simulator,
    /// The webhooks that the merchant's backend received.
    pub(crate) backend: Inbox,
    pub(crate) folder: TempDir,
    /// Notifications that the simulator sent; a test delivers them, or not.
    notifications: Arc<Mutex<Vec<SentNotification>>>,
    /// The merchant whose backend and buyers call.
    pub(crate) mchid: String,
    pub(crate) api_key: &'static str,
}

/// A notification that the simulator sent.
#[derive(Clone, Debug)]
pub(crate) struct SentNotification {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl SentNotification {
    /// The route of this kind of notification.
    pub(crate) fn path(&self) -> &'static str {
        let text = String::from_utf8_lossy(&self.body);
        if text.contains("<req_info>") || text.contains("REFUND.") {
            "/wechat/notify/refund"
        } else {
            "/wechat/notify/payment"
        }
    }
}

/// An answer, with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn number(&self, field: &str) -> u64 {
        self.json[field]
            .as_u64()
            .unwrap_or_else(|| panic!("{field} in {}", self.json))
    }

    pub(crate) fn string(&self, field: &str) -> &str {
        self.json[field]
            .as_str()
            .unwrap_or_else(|| panic!("{field} in {}", self.json))
    }
}

impl TestServer {
    pub(crate) async fn open() -> Self {
        Self::open_with("").await
    }

    /// With more tables at the end of the configuration.
    pub(crate) async fn open_with_end(tables: &str) -> Self {
        Self::open_configured(&(configuration("") + tables)).await
    }

    /// With more lines at the top of the configuration.
    pub(crate) async fn open_with(lines: &str) -> Self {
        Self::open_configured(&configuration(lines)).await
    }

    /// With other lines in the place of `tries = 1` in the `[gateway]` table.
    pub(crate) async fn open_with_gateway(lines: &str) -> Self {
        Self::open_configured(&configuration("").replace("tries = 1", lines)).await
    }

    /// With more lines at the top of the configuration, and more of `[merchant]` at its end.
    pub(crate) async fn open_with_merchant(lines: &str, merchant: &str) -> Self {
        Self::open_configured(&(configuration(lines) + merchant)).await
    }

    pub(crate) async fn open_configured(configuration: &str) -> Self {
        Self::open_at(START_MS, configuration).await
    }

    /// Opens the server at another time than the default.
    pub(crate) async fn open_at(now_ms: i64, configuration: &str) -> Self {
        let clock = TestClock::at(now_ms);
        let notifications = Arc::<Mutex<Vec<SentNotification>>>::default();
        let simulator = simulator(&clock, &notifications);
        let wechat = FaultInjector::new(simulator.app());
        let folder = tempfile::tempdir().unwrap();
        let backend = Inbox::default();
        let inner = serve(configuration, &folder, &clock, &wechat, &backend).await;
        Self {
            configuration: configuration.to_owned(),
            backend,
            clock,
            app: merchant_server::app(inner.clone()),
            inner,
            wechat,
            simulator,
            folder,
            notifications,
            mchid: text_of(&merchant(), "mchid"),
            api_key: API_KEY,
        }
    }

    /// One process with two merchants, as each of them sees it: it has its own WeChat and its own key.
    pub(crate) async fn open_pair(configuration: &str, keys: [&'static str; 2]) -> [Self; 2] {
        let clock = TestClock::at(START_MS);
        let wechats = [&KEYS, &OTHER_KEYS].map(|folder| {
            let notifications = Arc::<Mutex<Vec<SentNotification>>>::default();
            let simulator = simulator_of(folder.path(), &clock, &notifications);
            (
                FaultInjector::new(simulator.app()),
                simulator,
                notifications,
            )
        });
        let merchants = [&KEYS, &OTHER_KEYS].map(|folder| merchant_in(folder.path()));
        let transport = ByMerchant(
            merchants
                .iter()
                .zip(&wechats)
                .map(|(merchant, wechat)| (merchant.clone(), wechat.0.clone()))
                .collect(),
        );
        let (folder, backend) = (tempfile::tempdir().unwrap(), Inbox::default());
        let inner = serve_by(
            configuration,
            &folder,
            &clock,
            Arc::new(transport),
            &backend,
        )
        .await;
        let mut folders = vec![tempfile::tempdir().unwrap(), folder];
        let mut views = merchants.iter().zip(wechats).zip(keys);
        std::array::from_fn(|_| {
            let ((merchant, (wechat, simulator, notifications)), api_key) = views.next().unwrap();
            Self {
                configuration: configuration.to_owned(),
                backend: backend.clone(),
                clock: clock.clone(),
                app: merchant_server::app(inner.clone()),
                inner: inner.clone(),
                wechat,
                simulator,
                folder: folders.pop().unwrap(),
                notifications,
                mchid: text_of(merchant, "mchid"),
                api_key,
            }
        })
    }

    /// Starts another process on the same files, at the same time.
    pub(crate) async fn beside(&self) -> Self {
        let address = cluster::address(self.folder.path()).await;
        let database = address.strip_prefix("sqlite://").unwrap_or(&address);
        self.on_database(database).await
    }

    /// Starts another process of the same merchant on another database.
    pub(crate) async fn on_database(&self, database: &str) -> Self {
        let configuration = configuration(&format!("database = \"{database}\""));
        let folder = tempfile::tempdir().unwrap();
        let inner = serve(
            &configuration,
            &folder,
            &self.clock,
            &self.wechat,
            &self.backend,
        )
        .await;
        Self {
            configuration,
            clock: self.clock.clone(),
            app: merchant_server::app(inner.clone()),
            inner,
            wechat: self.wechat.clone(),
            simulator: self.simulator.clone(),
            backend: self.backend.clone(),
            folder,
            notifications: self.notifications.clone(),
            mchid: self.mchid.clone(),
            api_key: self.api_key,
        }
    }

    /// The process ends, and another one starts on the same files. WeChat keeps its state.
    pub(crate) async fn restart(self) -> Self {
        let configuration = self.configuration.clone();
        self.restart_with(&configuration).await
    }

    /// The same with another configuration.
    pub(crate) async fn restart_with(self, configuration: &str) -> Self {
        let inner = serve(
            configuration,
            &self.folder,
            &self.clock,
            &self.wechat,
            &self.backend,
        )
        .await;
        Self {
            configuration: configuration.to_owned(),
            app: merchant_server::app(inner.clone()),
            inner,
            ..self
        }
    }

    /// The server reads another configuration while it runs.
    pub(crate) async fn reloaded_as(self, configuration: &str) -> Self {
        let configuration = cluster::configured(configuration, self.folder.path()).await;
        let config = Config::parse(&configuration, self.folder.path()).unwrap();
        let inner = self.inner.reconfigured(config);
        Self {
            app: merchant_server::app(inner.clone()),
            inner,
            ..self
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let answer = read(self.app.clone().oneshot(request).await.unwrap()).await;
        route_refusals::check(method.as_str(), &path, &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields)).await
    }

    /// The same from an address that the listener would see.
    pub(crate) async fn form_from(
        &self,
        peer: &str,
        forwarded_for: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut request = form(path, fields);
        let peer: SocketAddr = format!("{peer}:5000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request
            .headers_mut()
            .insert("x-forwarded-for", forwarded_for.parse().unwrap());
        self.send(request).await
    }

    pub(crate) async fn post_order(&self, order: &Value) -> Answer {
        self.send(backend("/v1/orders", self.api_key, order.to_string()))
            .await
    }

    /// Creates an order; returns its token. A provider's order is for its first sub-merchant if it
    /// does not name one.
    pub(crate) async fn order(&self, mut order: Value) -> String {
        let is_providers = self.configuration.contains("[[merchant.sub_merchants]]");
        let is_combined = !order["sub_orders"].is_null();
        if is_providers && !is_combined && order["sub_mchid"].is_null() {
            let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
            order["sub_mchid"] = self.simulator.sub_merchant(&mchid).sub_mchid.into();
        }
        let answer = self.post_order(&order).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        answer.string("token").to_owned()
    }

    /// The order that most tests begin with: `tea-0001` for 19.90 yuan.
    pub(crate) async fn default_order(&self) -> String {
        self.order(json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
        }))
        .await
    }

    pub(crate) async fn attempt(&self, token: &str, fields: &[(&str, &str)]) -> Answer {
        self.form(&format!("/v1/checkouts/{token}/attempts"), fields)
            .await
    }

    pub(crate) async fn checkout(&self, token: &str) -> Answer {
        self.get(&format!("/v1/checkouts/{token}")).await
    }

    /// A call that only the simulator's owner may make.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/_simulator/{path}"))
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = self.simulator.app().oneshot(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// The database, opened as another program would open it.
    pub(crate) async fn database(&self) -> sqlx::AnyPool {
        cluster::opened(&cluster::address(self.folder.path()).await).await
    }

    /// The backend starts an attempt.
    pub(crate) async fn backend_attempt(&self, order_no: &str, wanted: &Value) -> Answer {
        let path = format!("/v1/orders/{order_no}/attempts");
        self.send(backend(&path, self.api_key, wanted.to_string()))
            .await
    }

    /// The backend reads an order.
    pub(crate) async fn shown(&self, path: &str) -> Answer {
        self.read_private(&format!("/v1/orders{path}")).await
    }

    /// The backend reads something.
    pub(crate) async fn read_private(&self, path: &str) -> Answer {
        self.call("GET", path).await
    }

    /// The backend calls with its key and without a body.
    pub(crate) async fn call(&self, method: &str, path: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.api_key));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Makes the simulator do what a buyer or a phone does.
    pub(crate) async fn simulate(&self, path: &str, what: &Value) -> Value {
        let request = Request::post(format!("/_simulator/{path}"))
            .body(Body::from(what.to_string()))
            .unwrap();
        let answer = self.simulator.app().oneshot(request).await.unwrap();
        read(answer).await.json
    }

    /// A code on the buyer's phone.
    pub(crate) async fn shown_code(&self) -> String {
        let shown = self.simulate("auth_code", &json!({})).await;
        shown["auth_code"].as_str().unwrap().to_owned()
    }

    /// The body of the order that was sent last.
    pub(crate) fn last_order(&self) -> Value {
        let sent = self.wechat.take_sent();
        let order = sent.iter().rfind(|sent| sent.kind == "order").unwrap();
        serde_json::from_slice(&order.body).unwrap()
    }

    /// The buyer pays an attempt at WeChat. A test delivers the notification, or not.
    pub(crate) async fn pay(&self, out_trade_no: &str) {
        pay(self.simulator.app(), &self.visit(out_trade_no, "success")).await;
        self.simulator.run_due().await;
    }

    /// The same for an attempt that WeChat has closed: the money was on its way.
    pub(crate) async fn pay_late(&self, out_trade_no: &str) {
        let mut visit = self.visit(out_trade_no, "success");
        visit["late"] = true.into();
        pay(self.simulator.app(), &visit).await;
        self.simulator.run_due().await;
    }

    /// What a buyer, or the bank, does in the cashier of an attempt, as a body for
    /// [`Self::simulate`].
    pub(crate) fn visit(&self, out_trade_no: &str, outcome: &str) -> Value {
        if !self.combined_at_wechat(out_trade_no).is_null() {
            return json!({
                "mchid": self.mchid, "combine_out_trade_no": out_trade_no, "outcome": outcome,
            });
        }
        let sub_mchid = self.order_at_wechat(out_trade_no)["sub_mchid"].clone();
        json!({
            "mchid": self.mchid, "sub_mchid": sub_mchid, "out_trade_no": out_trade_no,
            "outcome": outcome,
        })
    }

    /// The buyer pays just before the next call of a kind arrives.
    pub(crate) fn pay_just_before(&self, kind: &'static str, out_trade_no: &str) {
        let (simulator, payment) = (self.simulator.clone(), self.visit(out_trade_no, "success"));
        let pay_now = move || {
            let (app, payment) = (simulator.app(), payment.clone());
            let paying = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap()
                    .block_on(pay(app, &payment));
            });
            paying.join().unwrap();
        };
        self.wechat
            .inject(kind, Fault::PaidJustBefore(Box::new(pay_now)));
    }

    /// Takes all notifications so far.
    pub(crate) fn take_notifications(&self) -> Vec<SentNotification> {
        std::mem::take(&mut self.notifications.lock().unwrap())
    }

    pub(crate) async fn deliver(&self, notification: &SentNotification) -> Answer {
        self.deliver_to("/wechat/notify/payment", notification)
            .await
    }

    /// The same at the route of a kind of notification.
    pub(crate) async fn deliver_to(&self, path: &str, notification: &SentNotification) -> Answer {
        let mut request = Request::post(path)
            .body(Body::from(notification.body.clone()))
            .unwrap();
        *request.headers_mut() = notification.headers.clone();
        self.send(request).await
    }

    /// Advances the clock and runs due work.
    pub(crate) async fn later(&self, by_ms: u64) {
        self.clock.advance_ms(by_ms);
        for payments in self.inner.merchants().each() {
            payments.run_due().await.unwrap();
        }
    }

    /// WeChat's trade state of a number.
    pub(crate) fn trade_state(&self, out_trade_no: &str) -> Option<String> {
        let state = &self.order_at_wechat(out_trade_no)["trade_state"];
        state.as_str().map(str::to_owned)
    }

    /// The order of a number in WeChat's own ledger; null if it has none.
    pub(crate) fn order_at_wechat(&self, out_trade_no: &str) -> Value {
        self.at_wechat_with("orders", "out_trade_no", out_trade_no)
    }

    /// The same of a combined order.
    pub(crate) fn combined_at_wechat(&self, combine_out_trade_no: &str) -> Value {
        self.at_wechat_with("combined", "combine_out_trade_no", combine_out_trade_no)
    }

    fn at_wechat_with(&self, list: &str, field: &str, number: &str) -> Value {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let mut listed = ledger[list].as_array().unwrap().iter();
        let found = listed.find(|order| order[field] == number);
        found.cloned().unwrap_or_default()
    }

    /// The ledger's unmatched payments: number and reason.
    pub(crate) async fn mismatches(&self) -> Vec<(String, String)> {
        let pool = self.database().await;
        sqlx::query_as("SELECT out_trade_no, reason FROM mismatches ORDER BY rowid")
            .fetch_all(&pool)
            .await
            .unwrap()
    }
}

async fn serve(
    configuration: &str,
    folder: &TempDir,
    clock: &TestClock,
    wechat: &FaultInjector,
    backend: &Inbox,
) -> MerchantServer {
    let wechat = Arc::new(wechat.clone());
    serve_by(configuration, folder, clock, wechat, backend).await
}

async fn serve_by(
    configuration: &str,
    folder: &TempDir,
    clock: &TestClock,
    wechat: Arc<dyn WechatTransport>,
    backend: &Inbox,
) -> MerchantServer {
    let configuration = cluster::configured(configuration, folder.path()).await;
    let config = Config::parse(&configuration, folder.path()).unwrap();
    let surroundings = Surroundings {
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SeededRandomness::new(1)),
        wechat,
        webhooks: Arc::new(backend.clone()),
    };
    MerchantServer::open(config, surroundings).await.unwrap()
}

/// A call of the merchant's backend.
pub(crate) fn backend(path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

pub(crate) async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        body,
    }
}

async fn pay(simulator: Router, payment: &Value) {
    let request = Request::post("/_simulator/pay")
        .body(Body::from(payment.to_string()))
        .unwrap();
    let answer = read(simulator.oneshot(request).await.unwrap()).await;
    assert_eq!(answer.json["trade_state"], "SUCCESS", "{}", answer.json);
}

/// The simulator's `merchant.json`.
pub(crate) fn merchant() -> Value {
    merchant_in(KEYS.path())
}

/// The same of another simulator's folder.
pub(crate) fn merchant_in(folder: &Path) -> Value {
    let text = std::fs::read(folder.join("merchant.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn text_of(merchant: &Value, field: &str) -> String {
    merchant[field].as_str().unwrap().to_owned()
}

/// Brings each call to the WeChat of its merchant, which is named in it.
struct ByMerchant(Vec<(Value, FaultInjector)>);

impl WechatTransport for ByMerchant {
    fn call(&self, request: Request<Bytes>) -> merchant_server::Call<'_> {
        let authorization = request.headers().get("authorization").cloned();
        let text = format!(
            "{authorization:?} {} {}",
            request.uri(),
            String::from_utf8_lossy(request.body())
        );
        let is_named = |merchant: &Value| {
            let names = ["mchid", "appid", "mini_program_appid"];
            names
                .iter()
                .any(|name| text.contains(&text_of(merchant, name)))
        };
        let (_, wechat) = self
            .0
            .iter()
            .find(|(merchant, _)| is_named(merchant))
            .unwrap();
        wechat.call(request)
    }
}

/// A sub-merchant of the merchant as a service provider, counted from 1.
pub(crate) fn sub_merchant(place: u8) -> SubMerchant {
    let mchid = merchant()["mchid"].as_str().unwrap().to_owned();
    simulator(&TestClock::at(START_MS), &Arc::default()).sub_merchant_of(place, &mchid)
}

/// The configuration's table of a sub-merchant. More lines for the table may follow.
pub(crate) fn sub_merchant_table(sub: &SubMerchant) -> String {
    format!(
        "[[merchant.sub_merchants]]\nsub_mchid = \"{}\"\nsub_appid = \"{}\"\n",
        sub.sub_mchid, sub.sub_appid
    )
}

/// A notification that WeChat might send; `transaction` is its encrypted content.
pub(crate) fn payment_notification(id: &str, transaction: &Value, at_ms: i64) -> SentNotification {
    let merchant = merchant();
    let api_v3_key = merchant["api_v3_key"].as_str().unwrap();
    let draft = NotificationDraft {
        id: id.to_owned(),
        create_time: Timestamp::from_millisecond(at_ms).unwrap(),
        event_type: wechat_pay::TRANSACTION_SUCCESS.to_owned(),
        summary: "支付成功".to_owned(),
        original_type: "transaction".to_owned(),
        plaintext: serde_json::to_vec(transaction).unwrap(),
    };
    let key = wechat_pay::ApiV3Key::new(api_v3_key.as_bytes()).unwrap();
    let body = draft.seal(&key, "123456789012").unwrap();
    sign(body, at_ms)
}

/// Signs a body as WeChat does.
pub(crate) fn sign(body: impl Into<Bytes>, at_ms: i64) -> SentNotification {
    let body = body.into();
    let pem = std::fs::read(KEYS.path().join("wechat_private/pub_key_private.pem")).unwrap();
    let merchant = merchant();
    let id = merchant["public_key_id"].as_str().unwrap();
    let key = PlatformKey::new(id, SigningKey::from_pem(&pem).unwrap()).unwrap();
    let stamp = Stamp::new(at_ms / 1000, [7; 16]);
    SentNotification {
        headers: key.sign_headers(&stamp, &body).unwrap(),
        body,
    }
}

/// A payment in the form of WeChat's notification.
pub(crate) fn transaction(out_trade_no: &str, total_fen: u64) -> Value {
    let merchant = merchant();
    json!({
        "appid": merchant["appid"], "mchid": merchant["mchid"], "out_trade_no": out_trade_no,
        "transaction_id": "4200000000202611210000000001", "trade_type": "NATIVE",
        "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS",
        "attach": "", "success_time": "2026-11-21T17:20:10+08:00",
        "payer": { "openid": "oSecretOpenId" },
        "amount": {
            "total": total_fen, "payer_total": total_fen, "currency": "CNY",
            "payer_currency": "CNY",
        },
    })
}

fn simulator(clock: &TestClock, sent: &Arc<Mutex<Vec<SentNotification>>>) -> Simulator {
    simulator_of(KEYS.path(), clock, sent)
}

fn simulator_of(
    keys: &Path,
    clock: &TestClock,
    sent: &Arc<Mutex<Vec<SentNotification>>>,
) -> Simulator {
    let wall = clock.clone();
    let now = move || Timestamp::from_millisecond(wall.now_ms()).unwrap();
    let sent = sent.clone();
    let notifications = Outgoing::from_fn(move |request: Request<Bytes>| {
        let (parts, body) = request.into_parts();
        sent.lock().unwrap().push(SentNotification {
            headers: parts.headers,
            body,
        });
        async { Ok(Response::builder().status(204).body(Body::empty()).unwrap()) }
    });
    Simulator::new(SimulatorParts {
        keyring: Keyring::load_or_create(keys, WECHAT, now(), &Random::system()).unwrap(),
        clock: wechat_pay_simulator::Clock::from_fn(now),
        random: Random::system(),
        domains: BTreeSet::new(),
        notifications,
    })
}

pub(crate) fn configuration(lines: &str) -> String {
    format!(
        r#"
        {lines}
        public_base_url = "{MERCHANT}"
        allowed_origins = ["{SHOP}"]
        return_origins = ["{SHOP}"]
        trusted_proxies = ["127.0.0.1/32"]
        [[api_keys]]
        name = "shop"
        sha256 = "{API_KEY_SHA256}"
        [gateway]
        environment = "simulator"
        # What is lost is lost: what follows then is what the tests look at.
        tries = 1
        [merchant]
        from_file = "{}"
        "#,
        merchant_json(KEYS.path())
    )
}

fn merchant_json(folder: &Path) -> String {
    folder.join("merchant.json").display().to_string()
}
