//! The PHP example against the simulator, over HTTP: a backend of one file keeps the contract as
//! our own reader reads it, signs as WeChat requires, and accepts only WeChat's messages. Skipped
//! without PHP, unless `REQUIRE_PHP=1`.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is test code: a panic is the report"
)]

use merchant_api::{Action, ApiError, CheckoutAnswer, ErrorCode, OrderState, Product};
use payment_tests::php::PhpExample;
use payment_tests::simulator::LiveSimulator;
use payment_tests::wait::until;
use serde_json::{Value, json};

const SCRIPT: &str = "http://127.0.0.1:9/dist/wechat-pay.js";

#[tokio::test]
async fn an_order_is_placed_shown_and_paid_by_the_contract() {
    let Some((wechat, shop)) = open_shop().await else {
        return;
    };
    let fresh = shop.answer(&shop.token, None).await;
    assert_eq!(fresh.state, OrderState::Open);
    assert_eq!(fresh.total_fen, 6_910);
    assert_eq!(fresh.products, Some(vec![Product::Native]));
    assert!(fresh.attempt.is_none() && fresh.action.is_none() && !fresh.live);

    let started = shop
        .answer(&shop.token, Some("product=native&after=0"))
        .await;
    let attempt = started.attempt.unwrap();
    assert_eq!(
        (attempt.number, attempt.product),
        (1, Some(Product::Native))
    );
    let Some(Action::CodeUrl(code_url)) = started.action else {
        panic!("{:?}", started.action)
    };
    let again = shop
        .answer(&shop.token, Some("product=native&after=0"))
        .await;
    assert_eq!(again.action, Some(Action::CodeUrl(code_url.clone())));
    assert_eq!(
        wechat.trade_states(),
        ["NOTPAY"],
        "one order, however often it is started"
    );

    wechat.pay(&json!(code_url)).await;
    let paid = until("the shop to know of the payment", async || {
        let answer = shop.answer(&shop.token, None).await;
        match answer.state {
            OrderState::Paid => Ok(answer),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(paid.action.is_none(), "nothing more to scan");
}

#[tokio::test]
async fn a_signed_notification_is_accepted_and_acknowledged() {
    let Some((wechat, shop)) = open_shop().await else {
        return;
    };
    let started = shop.answer(&shop.token, Some("product=native")).await;
    let Some(Action::CodeUrl(code_url)) = started.action else {
        panic!("{:?}", started.action)
    };
    wechat.pay(&json!(code_url)).await;
    until("the notification to be acknowledged", async || {
        let ledger = serde_json::to_value(wechat.simulator.ledger_view(None)).unwrap();
        let notification = &ledger["orders"][0]["notifications"][0];
        if notification["acked"] == true {
            Ok(())
        } else {
            Err(notification.to_string())
        }
    })
    .await;
    let answer = shop.answer(&shop.token, None).await;
    assert_eq!(answer.state, OrderState::Paid);
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_contracts_error_codes() {
    let Some((wechat, shop)) = open_shop().await else {
        return;
    };
    let start = |token: &str| format!("/v1/checkouts/{token}/attempts");
    let nobody = "0".repeat(32);
    let cases = [
        (
            start(&nobody),
            Some("product=native"),
            404,
            ErrorCode::CheckoutUnknown,
        ),
        (
            format!("/v1/checkouts/{nobody}"),
            None,
            404,
            ErrorCode::CheckoutUnknown,
        ),
        (
            "/v1/checkouts/".to_owned(),
            None,
            404,
            ErrorCode::RouteUnknown,
        ),
        (
            format!("/checkouts/{}", shop.token),
            None,
            404,
            ErrorCode::RouteUnknown,
        ),
        (
            start(&shop.token),
            Some("product=h5"),
            409,
            ErrorCode::ProductUnavailable,
        ),
        (
            start(&shop.token),
            Some("product[]=native"),
            409,
            ErrorCode::ProductUnavailable,
        ),
        (
            start(&shop.token),
            Some(""),
            409,
            ErrorCode::ProductUnavailable,
        ),
    ];
    for (path, form, status, code) in cases {
        let (got, body) = shop.call(&path, form).await;
        let error = ApiError::read(&body).unwrap();
        assert_eq!((got, error.code), (status, Some(code)), "{path} {form:?}");
    }
    assert!(wechat.trade_states().is_empty());
}

#[tokio::test]
async fn a_notification_without_wechats_signature_is_refused_and_changes_nothing() {
    let Some((_wechat, shop)) = open_shop().await else {
        return;
    };
    let body = json!({"resource": {"ciphertext": "AAAA", "nonce": "x"}}).to_string();
    let (status, _) = shop.call("/wechat/notify", Some(&body)).await;
    assert_eq!(status, 401);
    let answer = shop.answer(&shop.token, None).await;
    assert_eq!(answer.state, OrderState::Open);
}

#[tokio::test]
async fn a_wechat_that_does_not_answer_is_a_retryable_error_and_the_next_try_works() {
    if !PhpExample::is_possible() {
        return;
    }
    let wechat = LiveSimulator::start().await;
    let file = wechat.merchant_json();
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        settings.replace(&wechat.address, "http://127.0.0.1:9"),
    )
    .unwrap();
    let shop = PhpBackend::open(&wechat).await;
    let start = format!("/v1/checkouts/{}/attempts", shop.token);
    let (status, body) = shop.call(&start, Some("product=native")).await;
    let error = ApiError::read(&body).unwrap();
    assert_eq!(
        (status, error.code),
        (503, Some(ErrorCode::WechatUnavailable))
    );
    assert!(error.retryable);
    std::fs::write(&file, settings).unwrap();
    let started = shop.answer(&shop.token, Some("product=native")).await;
    assert!(matches!(started.action, Some(Action::CodeUrl(_))));
}

/// The simulator and the shop, or nothing if PHP is not installed.
async fn open_shop() -> Option<(LiveSimulator, PhpBackend)> {
    if !PhpExample::is_possible() {
        return None;
    }
    let wechat = LiveSimulator::start().await;
    let shop = PhpBackend::open(&wechat).await;
    Some((wechat, shop))
}

/// The running example with one order, and a client for it.
struct PhpBackend {
    php: PhpExample,
    token: String,
    visitor: reqwest::Client,
}

impl PhpBackend {
    async fn open(wechat: &LiveSimulator) -> Self {
        let php = PhpExample::start(&wechat.merchant_json(), SCRIPT).await;
        let visitor = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = visitor.get(php.address()).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(SCRIPT), "{page}");
        let token = page
            .split_once("token=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(token, _)| token.to_owned());
        Self {
            php,
            token: token.expect("a token on the page"),
            visitor,
        }
    }

    /// An answer of the contract, to a form or to a poll.
    async fn answer(&self, token: &str, form: Option<&str>) -> CheckoutAnswer {
        let route = if form.is_some() { "/attempts" } else { "" };
        let (status, body) = self
            .call(&format!("/v1/checkouts/{token}{route}"), form)
            .await;
        assert_eq!(status, 200, "{body}");
        CheckoutAnswer::read(&body).unwrap()
    }

    async fn call(&self, path: &str, form: Option<&str>) -> (u16, Value) {
        let address = format!("{}{path}", self.php.address());
        let request = match form {
            Some(form) => self
                .visitor
                .post(address)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
            None => self.visitor.get(address),
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status().as_u16();
        let readers = response.headers().get("access-control-allow-origin");
        let readers = readers.map(|origin| origin.to_str().unwrap().to_owned());
        let body = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        // Any page may read that an address is wrong; no page may read anything about an order
        // here.
        let is_wrong_address = body["error"]["code"] == "ROUTE_UNKNOWN";
        assert_eq!(
            readers.as_deref(),
            is_wrong_address.then_some("*"),
            "{path}"
        );
        (status, body)
    }
}
