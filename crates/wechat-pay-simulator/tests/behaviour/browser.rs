//! WeChat's browser: what its proxy changes, and what it does not change.

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use wechat_pay::{JsapiPayment, Stamp};
use wechat_pay_simulator::wechat_browser::{self, USER_AGENT};
use wechat_pay_simulator::{Outgoing, OutgoingError};

use crate::harness::{Harness, send, start, text};

const OWN: &str = "http://127.0.0.1:9411";
const SHOP: &str = "http://127.0.0.1:8000";
const TAG: &str = "<script src=\"/_wechat/bridge.js\"></script>";

fn browser(harness: &Harness, outgoing: Outgoing) -> Router {
    wechat_browser::app(
        &harness.simulator,
        OWN.parse().unwrap(),
        SHOP.parse().unwrap(),
        outgoing,
    )
}

/// A shop with the same answer to every request.
fn shop(answer: impl Fn() -> axum::response::Response + Clone + Send + Sync + 'static) -> Outgoing {
    Outgoing::from_service(Router::new().fallback(any(async move || answer())))
}

async fn visit(outgoing: Outgoing, request: Request<Body>) -> Response<Bytes> {
    send(browser(&Harness::new(), outgoing), request).await
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_shop_gets_wechats_user_agent_and_its_own_public_address() {
    let echo = Outgoing::from_fn(|request: Request<Bytes>| async move {
        let seen = format!(
            "{} {}\n{:?}",
            request.method(),
            request.uri(),
            request.headers()
        );
        Ok([seen.as_bytes(), b"\n", request.body()]
            .concat()
            .into_response())
    });
    let request = Request::post("/buy?a=%7C")
        .header(header::USER_AGENT, "Desktop")
        .header(header::HOST, "127.0.0.1:9411")
        .header(header::ACCEPT_ENCODING, "br")
        .header(header::COOKIE, "basket=1")
        .header("sec-ch-ua-platform", "Windows")
        .header("x-forwarded-for", "203.0.113.9")
        .header(header::CONNECTION, "x-own, close")
        .header("x-own", "1")
        .body(Body::from("thing=tea"))
        .unwrap();
    let response = visit(echo, request).await;
    let seen = text(&response);
    assert!(
        seen.starts_with("POST http://127.0.0.1:8000/buy?a=%7C\n"),
        "{seen}"
    );
    assert!(seen.ends_with("thing=tea"), "{seen}");
    for (name, value) in [
        ("user-agent", USER_AGENT),
        ("host", "127.0.0.1:8000"),
        ("x-forwarded-host", "127.0.0.1:9411"),
        ("x-forwarded-proto", "http"),
        ("cookie", "basket=1"),
    ] {
        assert!(
            seen.contains(&format!("\"{name}\": \"{value}\"")),
            "{name}: {seen}"
        );
    }
    for gone in [
        "Desktop",
        "accept-encoding",
        "sec-ch-ua",
        "203.0.113.9",
        "x-own",
    ] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
}

#[tokio::test]
async fn a_page_gets_one_script_and_everything_else_passes_untouched() {
    let html = "<!doctype html><html><head><title>茶</title></head><body></body></html>";
    for (kind, encoding, body, injected) in [
        ("text/html; charset=utf-8", None, html, true),
        ("TEXT/HTML", None, html, true),
        ("application/json", None, "{\"a\":1}", false),
        ("text/javascript", None, "<head>", false),
        // A compressed page gets no script; it is shown unchanged.
        ("text/html", Some("gzip"), html, false),
    ] {
        let answer = move || {
            let mut response = body.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            headers.insert(header::ETAG, "\"1\"".parse().unwrap());
            headers.append(header::SET_COOKIE, "a=1".parse().unwrap());
            headers.append(header::SET_COOKIE, "b=2".parse().unwrap());
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
            }
            response
        };
        let response = visit(shop(answer), get("/")).await;
        let expected = if injected {
            body.replacen("<head>", &format!("<head>{TAG}"), 1)
        } else {
            body.to_owned()
        };
        assert_eq!(text(&response), expected, "{kind}");
        assert_eq!(response.headers().contains_key(header::ETAG), !injected);
        assert_eq!(
            response
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .count(),
            2
        );
    }
}

#[tokio::test]
async fn the_script_carries_the_nonce_of_the_pages_policy() {
    let answer = || {
        let policy = [(header::CONTENT_SECURITY_POLICY, "script-src 'nonce-abc'")];
        (policy, axum::response::Html("<head></head>")).into_response()
    };
    let response = visit(shop(answer), get("/")).await;
    assert!(text(&response).contains("<script src=\"/_wechat/bridge.js\" nonce=\"abc\"></script>"));
}

#[tokio::test]
async fn redirects_to_the_shop_stay_in_the_browser_and_others_are_unchanged() {
    for (location, expected) in [
        ("http://127.0.0.1:8000", "http://127.0.0.1:9411"),
        ("http://127.0.0.1:8000/a?b#c", "http://127.0.0.1:9411/a?b#c"),
        ("/a", "/a"),
        ("http://127.0.0.1:80000/a", "http://127.0.0.1:80000/a"),
        (
            "http://127.0.0.1:8000.evil.example/",
            "http://127.0.0.1:8000.evil.example/",
        ),
        (
            "http://127.0.0.1:9410/connect/oauth2/authorize",
            "http://127.0.0.1:9410/connect/oauth2/authorize",
        ),
    ] {
        let answer = move || (StatusCode::FOUND, [(header::LOCATION, location)]).into_response();
        let response = visit(shop(answer), get("/")).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], expected);
    }
}

#[tokio::test]
async fn an_unreachable_shop_is_reported_on_a_page() {
    let gone = Outgoing::from_fn(async |_| Err(OutgoingError::TimedOut));
    let response = visit(gone, get("/")).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(text(&response).contains(SHOP));
}

#[tokio::test]
async fn the_script_is_served_with_wechats_user_agent_in_it() {
    let response = visit(shop(|| "".into_response()), get("/_wechat/bridge.js")).await;
    let script = text(&response);
    assert!(script.contains(USER_AGENT) && !script.contains("\"USER_AGENT\""));
    for word in [
        "WeixinJSBridgeReady",
        "getBrandWCPayRequest",
        "/_wechat/cashier",
    ] {
        assert!(script.contains(word), "{word}");
    }
}

pub(crate) async fn ask(harness: &Harness, path: &str, body: &Value) -> Value {
    let request = Request::post(path)
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = send(browser(harness, shop(|| "".into_response())), request).await;
    serde_json::from_slice(response.body()).unwrap()
}

async fn params(harness: &Harness, number: &str) -> Value {
    params_of(harness, &harness.prepay_id(number).await)
}

/// The six strings that pay this order, signed by the merchant.
pub(crate) fn params_of(harness: &Harness, prepay_id: &str) -> Value {
    let stamp = Stamp::new(start().as_second(), [9; 16]);
    let appid = &harness.merchant().appid;
    serde_json::to_value(JsapiPayment::sign(&harness.key, appid, prepay_id, &stamp).unwrap())
        .unwrap()
}

#[tokio::test]
async fn the_cashier_shows_the_order_and_each_answer_has_its_result() {
    for (outcome, message, state) in [
        ("success", "get_brand_wcpay_request:ok", "SUCCESS"),
        ("cancel", "get_brand_wcpay_request:cancel", "NOTPAY"),
        ("fail", "get_brand_wcpay_request:fail", "NOTPAY"),
    ] {
        let harness = Harness::new();
        let params = params(&harness, "T00001").await;
        let opened = ask(&harness, "/_wechat/cashier", &params).await;
        assert_eq!(
            opened["sheet"],
            json!({ "merchant": harness.merchant().mchid, "description": "一壶茶", "amount": "19.90" })
        );
        let answer = json!({ "params": params, "outcome": outcome });
        let answered = ask(&harness, "/_wechat/outcome", &answer).await;
        assert_eq!(answered["result"]["err_msg"], message);
        let view = harness.simulator.ledger_view(None);
        assert_eq!(view.orders[0].trade_state.as_str(), state);
    }
}

#[tokio::test]
async fn the_six_strings_are_checked_as_wechat_checks_them() {
    let harness = Harness::new();
    let good = params(&harness, "T00001").await;
    let missing = |name: &str| format!("调用支付JSAPI缺少参数:{name}");
    let mut table: Vec<(Value, Option<String>)> = vec![
        (json!({}), Some(missing("appId"))),
        (json!([]), Some(missing("appId"))),
        (json!(null), Some(missing("appId"))),
    ];
    let mut changed = |name: &str, value: Value, description: Option<String>| {
        let mut params = good.clone();
        params[name] = value;
        table.push((params, description));
    };
    // A number works on Android and fails on iOS.
    changed(
        "timeStamp",
        json!(1_767_240_000),
        Some(missing("timeStamp")),
    );
    changed("nonceStr", json!(""), Some(missing("nonceStr")));
    changed("paySign", Value::Null, Some(missing("paySign")));
    changed("appId", json!("wx0"), None);
    changed(
        "package",
        good["package"].as_str().unwrap()[10..].into(),
        Some(missing("total_fee")),
    );
    changed(
        "package",
        json!("prepay_id=wx0"),
        Some("支付验证签名失败".into()),
    );
    changed("signType", json!("MD5"), Some("支付验证签名失败".into()));
    changed(
        "timeStamp",
        json!("1767240001"),
        Some("支付验证签名失败".into()),
    );
    for (params, description) in table {
        for (path, body) in [
            ("/_wechat/cashier", params.clone()),
            (
                "/_wechat/outcome",
                json!({ "params": params, "outcome": "success" }),
            ),
        ] {
            let result = ask(&harness, path, &body).await["result"].clone();
            let message = result["err_msg"].as_str().unwrap();
            match &description {
                Some(description) => {
                    assert_eq!(message, "get_brand_wcpay_request:fail", "{body}");
                    assert_eq!(result["err_desc"], description.as_str(), "{body}");
                }
                None => assert_eq!(message, "get_brand_wcpay_request:fail_invalid appid"),
            }
        }
    }
    let view = harness.simulator.ledger_view(None);
    assert_eq!(view.orders[0].trade_state.as_str(), "NOTPAY");
}

#[tokio::test]
async fn an_order_that_cannot_be_paid_opens_no_cashier() {
    let harness = Harness::new();
    let opened = async |params: &Value| {
        ask(&harness, "/_wechat/cashier", params).await["result"]["err_desc"].clone()
    };
    let paid = params(&harness, "T00001").await;
    ask(
        &harness,
        "/_wechat/outcome",
        &json!({ "params": paid, "outcome": "success" }),
    )
    .await;
    assert_eq!(opened(&paid).await, "该订单已支付");

    let mut order = harness.order("T00002", harness.jsapi());
    order.product = wechat_pay::ProductFields::Jsapi {
        openid: wechat_pay::OpenId::parse("oSomebodyElse").unwrap(),
    };
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    let prepay_id = reply.parse::<wechat_pay::JsapiOrdered>().unwrap().prepay_id;
    let stamp = Stamp::new(start().as_second(), [9; 16]);
    let appid = &harness.merchant().appid;
    let foreign = JsapiPayment::sign(&harness.key, appid, &prepay_id, &stamp).unwrap();
    assert_eq!(
        opened(&serde_json::to_value(foreign).unwrap()).await,
        "下单账号与支付账号不一致"
    );

    let late = params(&harness, "T00003").await;
    harness.advance(2 * 60 * 60);
    assert_eq!(opened(&late).await, "调用支付JSAPI缺少参数:total_fee");
}

#[tokio::test]
async fn hostile_answers_are_refused() {
    let harness = Harness::new();
    for path in ["/_wechat/cashier", "/_wechat/outcome"] {
        for body in ["", "{", "\u{0}"] {
            let request = Request::post(path).body(Body::from(body)).unwrap();
            let app = browser(&harness, shop(|| "".into_response()));
            let status = send(app, request).await.status();
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body:?}");
        }
    }
}

#[tokio::test]
async fn the_browsers_own_paths_never_reach_the_shop() {
    let reached = |headers: HeaderMap| headers.contains_key("x-shop");
    let answer = || ([("x-shop", "1")], "").into_response();
    for path in ["/_wechat/bridge.js", "/_wechat/cashier", "/_wechat/outcome"] {
        let response = visit(shop(answer), get(path)).await;
        assert!(!reached(response.headers().clone()), "{path}");
    }
}
