//! Answers that a backend must not give, or that an attacker injected: addresses that execute or
//! mislead, excessive durations and texts. A problem names the fault; nothing is executed and
//! nothing is navigated to.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    a_foreign_address_is_reported_and_not_followed: chromium firefox webkit;
    an_answers_values_are_plain_text_and_limited_numbers_or_a_problem: chromium firefox webkit;
    a_success_url_that_executes_is_not_followed_and_the_payment_counts: chromium firefox webkit;
}

const HTML: &str = "<img src=x onerror=boom()><script>boom()</script>";

async fn a_foreign_address_is_reported_and_not_followed(engine: Engine) {
    // The product, the action's field, the address, the problem.
    let cases = [
        ("h5", "h5_url", "javascript:boom()", "H5_URL_REFUSED"),
        (
            "h5",
            "h5_url",
            "data:text/html,<script>boom()</script>",
            "H5_URL_REFUSED",
        ),
        (
            "h5",
            "h5_url",
            "//wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?x",
            "H5_URL_REFUSED",
        ),
        (
            "h5",
            "h5_url",
            "https://wx.tenpay.com@evil.example/cgi-bin/mmpayweb-bin/checkmweb",
            "H5_URL_REFUSED",
        ),
        (
            "h5",
            "h5_url",
            "https://wx.tenpay.com.evil.example/cgi-bin/mmpayweb-bin/checkmweb",
            "H5_URL_REFUSED",
        ),
        (
            "jsapi",
            "authorize_url",
            "javascript:boom()",
            "AUTHORIZE_URL_REFUSED",
        ),
        (
            "jsapi",
            "authorize_url",
            "https://open.weixin.qq.com.evil.example/connect/oauth2/authorize?x",
            "AUTHORIZE_URL_REFUSED",
        ),
        (
            "mini_program",
            "mini_program_path",
            "javascript:boom()",
            "MINI_PROGRAM_PATH_REFUSED",
        ),
        (
            "mini_program",
            "mini_program_path",
            "//evil.example/pages/pay",
            "MINI_PROGRAM_PATH_REFUSED",
        ),
        (
            "native",
            "code_url",
            "https://evil.example/?weixin://",
            "CODE_URL_REFUSED",
        ),
        (
            "native",
            "code_url",
            "javascript:boom()",
            "CODE_URL_REFUSED",
        ),
        (
            "native",
            "h5_url",
            "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?x",
            "ACTION_UNEXPECTED",
        ),
    ];
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        watch(&pages, browser).await;
        for (scene, field, address, code) in cases {
            let started = json!({"attempt": 1, "product": scene, (field): address});
            show(browser, scene, &json!({}), &started).await;
            if scene != "native" {
                browser.until("stateOf('hostile') === 'offer'").await;
                browser.click_in("#hostile", "[data-intent='start']").await;
            }
            let problem = browser.until("problems[0]").await;
            assert_eq!(problem["code"], code, "{field}={address}: {problem}");
            browser.until("stateOf('hostile') === 'problem'").await;
        }
        nothing_happened(browser).await;
    })
    .await;
}

async fn an_answers_values_are_plain_text_and_limited_numbers_or_a_problem(engine: Engine) {
    // The answer's fields, and the field that the problem names (none: the element continues).
    let cases = [
        (json!({"description": HTML}), None),
        (json!({"payee": HTML}), None),
        (json!({"payee": "\u{202e}תה".repeat(40)}), None),
        (json!({"order_no": HTML}), None),
        (json!({"remaining_ms": -5}), Some("remaining_ms")),
        (json!({"remaining_ms": 1e308}), Some("remaining_ms")),
        (json!({"poll_after_ms": -1}), Some("poll_after_ms")),
        (json!({"total_fen": "6910"}), Some("total_fen")),
        (
            json!({"total_fen": 9_007_199_254_740_993_u64}),
            Some("total_fen"),
        ),
        (
            json!({"description": "长".repeat(350_000)}),
            Some("description"),
        ),
        (json!({"payee": "长".repeat(350_000)}), Some("payee")),
        (json!({"products": "native"}), Some("products")),
        (json!({"state": ["paid"]}), Some("state")),
    ];
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        watch(&pages, browser).await;
        for (part, field) in cases {
            show(browser, "native", &part, &json!({})).await;
            let case = part.to_string().chars().take(80).collect::<String>();
            let Some(field) = field else {
                browser.until("stateOf('hostile') === 'qr'").await;
                let text = "document.getElementById('hostile').shadowRoot.querySelectorAll('img, script').length";
                assert_eq!(browser.look(&format!("return {text}"), vec![]).await, json!(0), "{case}");
                continue;
            };
            let problem = browser.until("problems[0]").await;
            assert_eq!((&problem["code"], &problem["field"]), (&json!("ANSWER_MALFORMED"), &json!(field)), "{case}: {problem}");
        }
        nothing_happened(browser).await;
    })
    .await;
}

async fn a_success_url_that_executes_is_not_followed_and_the_payment_counts(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        watch(&pages, browser).await;
        let paid = json!({"state": "paid", "success_url": "javascript:boom()"});
        show(browser, "native", &paid, &json!({})).await;
        let problem = browser.until("problems[0]").await;
        assert_eq!(problem["code"], "SUCCESS_URL_REFUSED", "{problem}");
        browser.until("stateOf('hostile') === 'paid'").await;
        nothing_happened(browser).await;
    })
    .await;
}

/// Opens the page and watches for everything that must not happen.
async fn watch(pages: &TestPages, browser: &Browser) {
    pages.open(browser, "ready").await;
    let eyes = "window.happened = []; window.problems = [];
        window.boom = () => happened.push('executed');
        window.navigation?.addEventListener('navigate', ({destination}) => happened.push(destination.url));
        addEventListener('securitypolicyviolation', () => happened.push('violation'));
        document.addEventListener('problem', ({detail}) => problems.push(detail))";
    browser.look(eyes, vec![]).await;
}

/// Puts an element on the page whose backend answers with these fields, and with more fields for an
/// attempt.
async fn show(browser: &Browser, scene: &str, part: &Value, started: &Value) {
    let script = "const [scene, part, started] = arguments;
        problems.length = 0;
        const order = {state: 'open', order_no: 'HOSTILE-1', total_fen: 6910, attempt: 0, products: [scene], ...part};
        const code = {attempt: 1, product: 'native', code_url: 'weixin://wxpay/bizpayurl?pr=JyC91EIz1'};
        const element = make('hostile', 'hostile-order-1', undefined);
        const wechat = 'Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.47';
        const agents = {jsapi: wechat, mini_program: wechat + ' miniProgram/wx0123456789abcdef'};
        delete navigator.userAgent;
        if (agents[scene]) Object.defineProperty(navigator, 'userAgent', {configurable: true, value: agents[scene]});
        element.scene = scene;
        element.transport = {
            status: () => order,
            start: () => ({...order, ...(Object.keys(started).length ? started : code)}),
        };
        document.getElementById('left-side').replaceChildren(element)";
    let arguments = vec![json!(scene), part.clone(), started.clone()];
    browser.look(script, arguments).await;
}

async fn nothing_happened(browser: &Browser) {
    assert_eq!(browser.look("return happened", vec![]).await, json!([]));
    assert_eq!(browser.complaints().await, [""; 0]);
}
