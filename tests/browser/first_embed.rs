//! An engineer's first try with a wrong setting: the problem that the page receives, and the one
//! line in the console, ready to copy.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::test_pages::TestPages;

in_browsers! {
    a_wrong_address_a_foreign_origin_and_no_connection_are_reported_differently: chromium firefox webkit;
    a_page_of_any_origin_can_load_the_element_from_the_merchant_server: chromium firefox webkit;
    a_problem_of_wechats_cashier_names_no_request: chromium firefox webkit;
}

/// The same page under another host name: another origin, which the merchant server does not allow.
fn unlisted(pages: &TestPages) -> String {
    pages.servers.stage.replace("127.0.0.1", "localhost")
}

async fn a_wrong_address_a_foreign_origin_and_no_connection_are_reported_differently(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    let merchant = &pages.servers.merchant;
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let start = &token[..6];
    let asked = |base: &str, came: &str| format!("(GET {base}/checkouts/{start}… → {came})");
    let not_allowed = format!(
        "the page's origin {} is not in allowed_origins",
        unlisted(&pages)
    );
    let no_route = "no route has this address";
    // merchant-api, the code, its cause, the request
    let wrong_path = merchant.clone();
    let wrong_version = format!("{merchant}/v2");
    let right = pages.merchant_api();
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (origin, api, code, cause, request) in [
            (
                pages.servers.stage.clone(),
                &wrong_path,
                "ROUTE_UNKNOWN",
                no_route,
                asked(&wrong_path, "404"),
            ),
            (
                unlisted(&pages),
                &wrong_path,
                "ROUTE_UNKNOWN",
                no_route,
                asked(&wrong_path, "404"),
            ),
            (
                unlisted(&pages),
                &wrong_version,
                "ROUTE_UNKNOWN",
                no_route,
                asked(&wrong_version, "404"),
            ),
            (
                unlisted(&pages),
                &right,
                "ORIGIN_NOT_ALLOWED",
                &not_allowed,
                asked(&right, "403"),
            ),
            (
                pages.servers.stage.clone(),
                &nobody,
                "UNREACHABLE",
                "网络连接失败，请检查网络后重试",
                asked(&nobody, "no answer"),
            ),
        ] {
            browser.open(&format!("{origin}/ready/page")).await;
            browser.until("!!customElements.get('wechat-pay')").await;
            let problem = problem_of(browser, &token, api, &[]).await;
            assert_eq!(problem["code"], code, "{origin} {api}: {problem}");
            let hint = format!("{origin}/ready/problems.html#{code}");
            assert_eq!(problem["hint"], hint);
            let line = format!("<wechat-pay> {code}: {cause} {request}. {hint}");
            assert_eq!(lines(browser).await, [line], "{origin} {api}");
            let raw = if code == "UNREACHABLE" {
                Value::Null
            } else {
                json!(cause)
            };
            assert_eq!(problem["raw"], raw);
        }
    })
    .await;
}

async fn a_page_of_any_origin_can_load_the_element_from_the_merchant_server(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.open(&format!("{}/ready/bare", unlisted(&pages))).await;
        let load = "document.head.append(Object.assign(document.createElement('script'), {type: 'module', src: arguments[0]}))";
        let script = format!("{}/dist/wechat-pay.js", pages.servers.merchant);
        browser.look(load, vec![json!(script)]).await;
        browser.until("!!customElements.get('wechat-pay')").await;
        let problem = problem_of(browser, &token, &pages.merchant_api(), &[]).await;
        assert_eq!(problem["code"], "ORIGIN_NOT_ALLOWED", "{problem}");
    })
    .await;
}

#[tokio::test]
async fn the_console_has_one_line_for_each_problem_without_the_whole_token() {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    let api = pages.merchant_api();
    let goes_on = "; the payment goes on without it";
    // token, merchant-api, another attribute, the line
    let none = ("lang", "en");
    let cases = [
        (
            &*token,
            &*api,
            ("theme", "drak"),
            format!("THEME_INVALID: the value \"drak\" of theme is refused{goes_on}"),
        ),
        (
            &token,
            &api,
            ("locale", "en_US.UTF-8"),
            format!("LOCALE_INVALID: the value \"en_US.UTF-8\" of locale is refused{goes_on}"),
        ),
        (
            &token,
            &api,
            ("scene", "alipay"),
            format!("SCENE_INVALID: the value \"alipay\" of scene is refused{goes_on}"),
        ),
        (
            &token,
            &api,
            ("return-url", "data:x,\n\"y\""),
            format!(
                "RETURN_URL_INVALID: the value \"data:x,\\n\\\"y\\\"\" of return-url is refused{goes_on}"
            ),
        ),
        (
            &token,
            "shop.example/v1",
            none,
            "MERCHANT_API_INVALID: the value \"shop.example/v1\" of merchant-api is refused"
                .to_owned(),
        ),
        (
            &token,
            "",
            none,
            "MERCHANT_API_INVALID: merchant-api is missing".to_owned(),
        ),
        ("", &api, none, "TOKEN_INVALID: token is missing".to_owned()),
        (
            "an-order-of-nobodys",
            &api,
            none,
            format!(
                "CHECKOUT_UNKNOWN: no checkout has this token (GET {api}/checkouts/an-ord… → 404)"
            ),
        ),
    ];
    visit(Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        for (token, api, attribute, expected) in cases {
            let problem = problem_of(browser, token, api, &[attribute]).await;
            let code = problem["code"].as_str().unwrap_or_default();
            let hint = format!("{}/ready/problems.html#{code}", pages.servers.stage);
            let line = format!("<wechat-pay> {expected}. {hint}");
            assert_eq!(lines(browser).await, [line], "{problem}");
        }
    })
    .await;
}

async fn a_problem_of_wechats_cashier_names_no_request(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    let wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39)";
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open_as(browser, wechat).await;
        let bridge = "window.WeixinJSBridge = {invoke(name, form, reply) { reply({err_msg: 'system:access_denied'}); }}";
        browser.look(bridge, vec![]).await;
        let problem = problem_of(browser, &token, &pages.merchant_api(), &[("auto-start", "")]).await;
        assert_eq!(problem["code"], "LANDING_URL_DENIED", "{problem}");
        let hint = problem["hint"].as_str().unwrap_or_default();
        let line = format!("<wechat-pay> LANDING_URL_DENIED: system:access_denied. {hint}");
        assert_eq!(lines(browser).await, [line]);
    })
    .await;
}

/// Puts an element on the page in place of all others, and waits for its first problem.
async fn problem_of(
    browser: &Browser,
    token: &str,
    merchant_api: &str,
    attributes: &[(&str, &str)],
) -> Value {
    let script = "const [token, api, attributes] = arguments;
        window.problems = [];
        window.warned = [];
        console.warn = (...given) => warned.push(given);
        const element = document.createElement('wechat-pay');
        element.addEventListener('problem', ({detail}) => problems.push(detail));
        for (const [name, value] of [['token', token], ['merchant-api', api], ...attributes]) element.setAttribute(name, value);
        document.getElementById('left-side').replaceChildren(element)";
    let arguments = vec![json!(token), json!(merchant_api), json!(attributes)];
    browser.look(script, arguments).await;
    browser.until("problems[0]").await
}

/// The lines that the element wrote to the console since it was put on the page; each is one
/// string.
async fn lines(browser: &Browser) -> Vec<String> {
    let warned = browser.look("return warned", vec![]).await;
    let lines: Vec<[String; 1]> = serde_json::from_value(warned).expect("one string in each call");
    lines.into_iter().map(|[line]| line).collect()
}
