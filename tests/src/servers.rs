//! Simulator, merchant server, shop and WeChat browser in this process, on free loopback ports and
//! with the machine's own clock: for browsers. Nothing remains after the test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use demo_shop::ShopConfig;
use merchant_server::{Clock, MerchantServer, Sleep, SystemClock};
use serde_json::Value;
use tempfile::TempDir;
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;

use crate::merchant_config::{API_KEY, MerchantConfig};
use crate::port::Port;
use crate::simulator::LiveSimulator;
use crate::wait::until;

/// The API key of a till, where there is one.
pub const TILL_KEY: &str = "tills-key";
/// The API key of the desk, where there is one.
pub const DESK_KEY: &str = "desks-key";
/// The key of an older shop that calls the server as a payment service, where there is one.
pub const PAYMENT_SERVICE_KEY: &str = "older-shops-key";
/// The secret of the webhooks to a shop that is a program of its own.
pub const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// The User-Agent of the tests themselves: their requests are not in the log.
const USER_AGENT: &str = "payment-tests";
/// How long due work waits at most before it is run.
const DUE_WORK_EVERY: Duration = Duration::from_millis(50);

/// Simulator, merchant server, shop, WeChat browser, and a stage for pages of the tests' own.
pub struct Servers {
    /// The simulator of WeChat Pay.
    pub wechat: LiveSimulator,
    /// The merchant server's public address.
    pub merchant: String,
    /// The shop's address.
    pub shop: String,
    /// The shop inside WeChat's browser.
    pub wechat_browser: String,
    /// The address that serves `/dist/` to any origin, and a test's own pages.
    pub stage: String,
    /// The stage inside WeChat's browser.
    pub stage_in_wechat: String,
    /// The requests that the merchant server received.
    pub requests: RequestLog,
    /// The merchant server's time.
    pub clock: AheadClock,
    _folder: TempDir,
}

/// The requests that the merchant server saw, as `GET /v1/checkouts/…`, without the tests' own.
#[derive(Clone, Default)]
pub struct RequestLog(Arc<Mutex<Vec<String>>>);

impl RequestLog {
    /// All requests so far.
    pub fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The machine's clock, or one that is ahead of it.
#[derive(Clone, Debug, Default)]
pub struct AheadClock(Arc<AtomicI64>);

impl AheadClock {
    /// Moves the time forward in one jump.
    pub fn advance_ms(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::Relaxed);
    }

    fn ahead_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clock for AheadClock {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + self.ahead_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        SystemClock.monotonic_ms() + self.ahead_ms()
    }

    fn sleep_until(&self, moment_ms: i64) -> Sleep {
        SystemClock.sleep_until(moment_ms - self.ahead_ms())
    }
}

/// How the servers are set up.
#[derive(Default)]
struct Setup {
    /// Pages of the test's own on the stage.
    pages: Router,
    /// The element's bundle; none if it is not available.
    bundle: Option<PathBuf>,
    /// Whether buyers see the merchant server inside WeChat's browser.
    is_inside_wechat: bool,
    /// Whether the merchant is a service provider (服务商) with one sub-merchant.
    is_partner: bool,
    /// How the merchant signs, if it has only version 2 of WeChat's API.
    v2_sign_type: Option<&'static str>,
    /// The page of the merchant server for the shop's people.
    staff_page: Option<StaffPage>,
    /// A shop that is a program of its own.
    shop_program: Option<ShopProgram>,
    /// The address of an older shop that calls the server as a payment service.
    notify_url: Option<String>,
}

/// A shop that is a program of its own, and not the demo's.
#[derive(Clone, Debug)]
pub struct ShopProgram {
    /// The address that gets webhooks, signed with [`WEBHOOK_SECRET`].
    pub webhooks: String,
    /// The origin of its pages.
    pub origin: String,
}

/// A page of the merchant server for the shop's people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StaffPage {
    /// It pays by the buyer's code.
    Till,
    /// The merchant's desk.
    Desk,
}

impl Servers {
    /// Starts all servers.
    pub async fn start() -> Self {
        Self::start_with_stage(Router::new()).await
    }

    /// The same, with pages of the test's own on the stage.
    pub async fn start_with_stage(pages: Router) -> Self {
        Self::start_with(Setup {
            pages,
            bundle: Some(bundle_dir()),
            ..Setup::default()
        })
        .await
    }

    /// The same with the hosted page inside WeChat's browser: the merchant server's public address
    /// is there. `bundle` is the folder with the element, if it is available.
    pub async fn start_inside_wechat(bundle: Option<PathBuf>) -> Self {
        Self::start_with(Setup {
            bundle,
            is_inside_wechat: true,
            ..Setup::default()
        })
        .await
    }

    /// The same for a service provider (服务商) with one sub-merchant. Returns the sub-merchant's
    /// number.
    pub async fn start_as_partner() -> (Self, String) {
        let servers = Self::start_with(Setup {
            bundle: Some(bundle_dir()),
            is_partner: true,
            ..Setup::default()
        })
        .await;
        let sub_mchid = servers.wechat.sub_merchant().sub_mchid;
        (servers, sub_mchid)
    }

    /// The same for a merchant that has only version 2 of WeChat's API, and signs with `sign_type`.
    pub async fn start_with_version_2(sign_type: &'static str) -> Self {
        Self::start_with(Setup {
            bundle: Some(bundle_dir()),
            v2_sign_type: Some(sign_type),
            ..Setup::default()
        })
        .await
    }

    /// The same for a merchant with a till, whose key is [`TILL_KEY`]; without the element's bundle.
    pub async fn start_with_till() -> Self {
        Self::start_with(Setup {
            staff_page: Some(StaffPage::Till),
            ..Setup::default()
        })
        .await
    }

    /// The same for a merchant with a desk, whose key is [`DESK_KEY`]; without the element's bundle.
    pub async fn start_with_desk() -> Self {
        Self::start_with(Setup {
            staff_page: Some(StaffPage::Desk),
            ..Setup::default()
        })
        .await
    }

    /// The same for a shop that is a program of its own.
    pub async fn start_for_shop(shop: ShopProgram) -> Self {
        Self::start_with(Setup {
            bundle: Some(bundle_dir()),
            shop_program: Some(shop),
            ..Setup::default()
        })
        .await
    }

    /// The same for an older shop that calls the server as a payment service, by [`PAYMENT_SERVICE_KEY`].
    pub async fn start_as_payment_service(notify_url: &str) -> Self {
        Self::start_with(Setup {
            bundle: Some(bundle_dir()),
            notify_url: Some(notify_url.to_owned()),
            ..Setup::default()
        })
        .await
    }

    /// The same for a test that has no web page: without the element's bundle.
    pub async fn start_without_bundle() -> Self {
        Self::start_with_bundle(None).await
    }

    /// The same with the element's bundle from another folder, or without it.
    pub async fn start_with_bundle(bundle: Option<PathBuf>) -> Self {
        Self::start_with(Setup {
            bundle,
            ..Setup::default()
        })
        .await
    }

    async fn start_with(setup: Setup) -> Self {
        let Setup {
            pages,
            bundle,
            is_inside_wechat,
            is_partner,
            v2_sign_type,
            staff_page,
            shop_program,
            notify_url,
        } = setup;
        let folder = tempfile::tempdir().unwrap();
        let wechat = LiveSimulator::start().await;
        let [
            merchant,
            shop,
            wechat_browser,
            stage,
            stage_in_wechat,
            in_wechat,
        ] = [
            Port::take().await,
            Port::take().await,
            Port::take().await,
            Port::take().await,
            Port::take().await,
            Port::take().await,
        ];
        let public = if is_inside_wechat {
            &in_wechat.origin
        } else {
            &merchant.origin
        };
        let (address, keys) = (&merchant.origin, wechat.merchant_json());
        let mut config = match v2_sign_type {
            Some(sign_type) => MerchantConfig::of_version_2(address, &keys, sign_type),
            None => MerchantConfig::new(address, &keys),
        };
        config.public_base_url.clone_from(public);
        let mut origins = vec![
            shop.origin.as_str(),
            &wechat_browser.origin,
            &stage.origin,
            &stage_in_wechat.origin,
        ];
        if let Some(program) = &shop_program {
            origins.push(&program.origin);
            config.send_webhooks(&program.webhooks, WEBHOOK_SECRET);
        }
        config.allow_origins(&origins);
        sell(&mut config, staff_page);
        if let Some(notify_url) = &notify_url {
            config.allow_payment_service(notify_url, PAYMENT_SERVICE_KEY);
        }
        if let Some(bundle) = &bundle {
            config.serve_bundle(bundle);
        }
        if is_partner {
            let sub = wechat.sub_merchant();
            config.sell_for(&sub.sub_mchid, &sub.sub_appid);
        }
        let clock = AheadClock::default();
        let server = config.open(folder.path(), Arc::new(clock.clone())).await;
        tokio::spawn(run_due(server.clone()));
        let requests = RequestLog::default();
        let app = merchant_server::app(server);
        merchant.serve(app.layer(from_fn_with_state(requests.clone(), log)));

        shop.serve(shop_app(
            public,
            API_KEY,
            &shop.origin,
            &wechat_browser.origin,
        ));
        wechat.show_in_wechat(&wechat_browser, &shop.origin);
        wechat.show_in_wechat(&stage_in_wechat, &stage.origin);
        wechat.show_in_wechat(&in_wechat, &merchant.origin);
        let files = bundle.map_or_else(Router::new, |bundle| {
            Router::new()
                .nest_service("/dist", ServeDir::new(bundle))
                .layer(CorsLayer::permissive())
        });
        stage.serve(pages.merge(files));
        Self {
            wechat,
            merchant: public.clone(),
            shop: shop.origin,
            wechat_browser: wechat_browser.origin,
            stage: stage.origin,
            stage_in_wechat: stage_in_wechat.origin,
            requests,
            clock,
            _folder: folder,
        }
    }

    /// The address of a page of the stage inside WeChat's browser.
    pub fn inside_wechat(&self, page: &str) -> String {
        let path = page.strip_prefix(&self.stage).expect("a page of the stage");
        format!("{}{path}", self.stage_in_wechat)
    }

    /// The backend creates an order. Returns the page's token.
    pub async fn order(&self, order: Value) -> String {
        let created = self.backend("/v1/orders", &order).await;
        created["token"].as_str().expect("a token").to_owned()
    }

    /// An order that only this buyer of the simulator's can pay, so that no redirect for the openid
    /// is needed.
    pub async fn order_of_buyer(&self, mut order: Value) -> String {
        let simulator = &self.wechat.simulator;
        let openid = simulator.openid(&simulator.keyring().merchant().appid);
        order["payer"] = serde_json::json!({ "openid": openid });
        self.order(order).await
    }

    /// A call of the merchant's backend.
    pub async fn backend(&self, path: &str, body: &Value) -> Value {
        let request = visitor()
            .post(format!("{}{path}", self.merchant))
            .header("authorization", format!("Bearer {API_KEY}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        json_of(request).await
    }

    /// Waits until the checkout at the merchant server satisfies the condition.
    pub async fn until_checkout(&self, token: &str, what: &str, is_so: impl Fn(&Value) -> bool) {
        until(what, async || {
            let checkout = self.checkout(token).await;
            if is_so(&checkout) {
                Ok(())
            } else {
                Err(checkout.to_string())
            }
        })
        .await;
    }

    /// An element starts an attempt.
    pub async fn attempt(&self, token: &str, product: &str) -> Value {
        let address = format!("{}/v1/checkouts/{token}/attempts", self.merchant);
        json_of(visitor().post(address).form(&[("product", product)])).await
    }

    /// The merchant server's answer about a checkout.
    pub async fn checkout(&self, token: &str) -> Value {
        json_of(visitor().get(format!("{}/v1/checkouts/{token}", self.merchant))).await
    }
}

/// What the merchant sells, and the key of its page for the shop's people.
fn sell(config: &mut MerchantConfig, staff_page: Option<StaffPage>) {
    if staff_page == Some(StaffPage::Till) {
        config.sell(&["native", "code_pay"]);
        config.allow_till(TILL_KEY);
    } else {
        config.sell(&["native", "h5", "jsapi", "mini_program"]);
    }
    if staff_page == Some(StaffPage::Desk) {
        config.allow_desk(DESK_KEY);
    }
}

/// The shop's routes. Buyers reach it at `shop`, and inside WeChat's browser at `in_wechat`.
pub fn shop_app(merchant: &str, api_key: &str, shop: &str, in_wechat: &str) -> Router {
    demo_shop::app(ShopConfig {
        merchant_server: merchant.parse().unwrap(),
        api_key: demo_shop::ApiKey::new(api_key),
        public_origin: shop.parse().unwrap(),
        wechat_origin: Some(in_wechat.parse().unwrap()),
    })
    .unwrap()
}

fn visitor() -> reqwest::Client {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .no_proxy()
        .build()
        .unwrap()
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    let body = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&body).expect(&body)
}

/// The folder with `wechat-pay.js` and its other files.
pub fn bundle_dir() -> PathBuf {
    let folder = std::env::var_os("WECHAT_PAY_DIST").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/dist"),
        PathBuf::from,
    );
    assert!(
        folder.join("wechat-pay.js").is_file(),
        "no wechat-pay.js in {}: run `cargo xtask dist`, or set WECHAT_PAY_DIST",
        folder.display()
    );
    folder
}

async fn log(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let user_agent = request.headers().get("user-agent");
    if user_agent.is_none_or(|user_agent| user_agent != USER_AGENT) {
        let line = format!("{} {}", request.method(), request.uri());
        log.0.lock().unwrap().push(line);
    }
    next.run(request).await
}

async fn run_due(server: MerchantServer) {
    loop {
        server.run_due().await.unwrap();
        tokio::time::sleep(DUE_WORK_EVERY).await;
    }
}
