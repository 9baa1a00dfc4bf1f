//! Attributes in every form in which HTML, frameworks and templates write them: a flag that is
//! false, and a name of several words that is set before the class is defined.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::embedding::{in_framework, load};
use crate::test_pages::TestPages;

in_browsers! {
    what_vue_sets_before_the_script_has_loaded_is_understood: chromium firefox webkit;
    a_flag_is_false_if_the_page_says_so_and_an_invalid_value_is_a_problem: chromium firefox webkit;
    each_attribute_of_several_words_is_understood_in_htmls_lower_case: chromium firefox webkit;
}

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 XWEB/1380215 MMWEBSDK/20250503 MicroMessenger/8.0.61.2880(0x28003D5B) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";

/// An element of a buyer inside WeChat whose backend counts the attempts; `say` sets the flag.
const MAKE: &str = "window.problems = [];
    document.addEventListener('problem', ({detail}) => problems.push(detail));
    window.flagged = (say) => {
        problems.length = 0;
        window.starts = 0;
        const order = {state: 'open', order_no: 'FLAG-1', total_fen: 6910, attempt: 0, products: ['jsapi']};
        const element = make('pay', 'order-of-a-flag', undefined);
        element.transport = {status: () => order, start: () => { window.starts += 1; return new Promise(() => {}); }};
        say(element);
        document.getElementById('left-side').replaceChildren(element);
    };";

async fn a_flag_is_false_if_the_page_says_so_and_an_invalid_value_is_a_problem(engine: Engine) {
    // What the page does with the element; whether the cashier opens by itself; the invalid value.
    let cases = [
        ("", false, None),
        ("element.setAttribute('auto-start', '')", true, None),
        ("element.setAttribute('auto-start', 'true')", true, None),
        ("element.setAttribute('auto-start', 'True')", true, None),
        (
            "element.setAttribute('auto-start', 'auto-start')",
            true,
            None,
        ),
        // React 18 and Vue 3 write the string.
        ("element.setAttribute('auto-start', false)", false, None),
        ("element.setAttribute('auto-start', 'FALSE')", false, None),
        ("element.setAttribute('autoStart', false)", false, None),
        ("element.setAttribute('autoStart', '')", true, None),
        ("element.setAttribute('autoStart', 'autoStart')", true, None),
        ("element.toggleAttribute('auto-start')", true, None),
        ("element.autoStart = true", true, None),
        ("element.autoStart = 'true'", true, None),
        ("element.autoStart = false", false, None),
        ("element.autoStart = 'false'", false, None),
        ("element.autoStart = null", false, None),
        (
            "element.setAttribute('autostart', ''); element.autoStart = false",
            false,
            None,
        ),
        (
            "element.setAttribute('autostart', ''); element.autoStart = undefined",
            false,
            None,
        ),
        (
            "element.setAttribute('auto-start', 'no')",
            false,
            Some("no"),
        ),
        ("element.setAttribute('auto-start', '0')", false, Some("0")),
        ("element.setAttribute('auto-start', '1')", false, Some("1")),
        (
            "element.setAttribute('autoStart', 'null')",
            false,
            Some("null"),
        ),
        ("element.autoStart = 'falsch'", false, Some("falsch")),
    ];
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        pages.open_as(wechat, WECHAT).await;
        wechat.look(MAKE, vec![]).await;
        for (say, is_on, wrong) in cases {
            let script = format!("flagged((element) => {{ {say} }}); return pay.autoStart");
            let property = wechat.look(&script, vec![]).await;
            assert_eq!(property, json!(is_on), "{say}");
            let shown = if is_on { "starting" } else { "offer" };
            wechat.until(&format!("stateOf('pay') === '{shown}'")).await;
            let starts = wechat.look("return window.starts", vec![]).await;
            assert_eq!(starts, json!(u8::from(is_on)), "{say}");
            let told = wechat
                .look(
                    "return problems.map(({code, field, raw}) => [code, field, raw])",
                    vec![],
                )
                .await;
            let expected = wrong.map_or(json!([]), |raw| {
                json!([["AUTO_START_INVALID", "auto-start", raw]])
            });
            assert_eq!(told, expected, "{say}");
        }
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

async fn each_attribute_of_several_words_is_understood_in_htmls_lower_case(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let attributes = json!({
            "token": token,
            "merchantApi": pages.merchant_api(),
            "successUrl": "/thanks",
            "returnUrl": "/back",
            "autoStart": "false",
            "supportUrl": "/help",
            "checkoutUrl": "/hosted",
        });
        // As Vue and React set it while the element has no class yet.
        let put = "const element = Object.assign(document.createElement('wechat-pay'), {id: 'pay'});
            for (const [name, value] of Object.entries(arguments[0])) element.setAttribute(name, value);
            window.problems = [];
            element.addEventListener('problem', ({detail}) => problems.push(detail));
            document.getElementById('left-side').append(element);
            const {token, merchantApi, successUrl, returnUrl, autoStart, supportUrl, checkoutUrl} = element;
            return {token, merchantApi, successUrl, returnUrl, autoStart: String(autoStart), supportUrl, checkoutUrl}";
        let read = browser.look(put, vec![attributes.clone()]).await;
        assert_eq!(read, attributes);
        browser.until("stateOf('pay') === 'qr'").await;
        assert_eq!(browser.look("return problems", vec![]).await, json!([]));

        // A wrong value is reported under the attribute's proper name.
        for (name, field, code) in [
            ("successurl", "success-url", "SUCCESS_URL_INVALID"),
            ("returnurl", "return-url", "RETURN_URL_INVALID"),
            ("supporturl", "support-url", "SUPPORT_URL_INVALID"),
            ("merchantapi", "merchant-api", "MERCHANT_API_INVALID"),
        ] {
            let set = "problems.length = 0; pay.setAttribute(arguments[0], 'javascript:boom()')";
            browser.look(set, vec![json!(name)]).await;
            let of_field = format!("problems.find(({{field}}) => field === '{field}')");
            let problem = browser.until(&of_field).await;
            let told = [&problem["code"], &problem["field"], &problem["raw"]];
            assert_eq!(told, [code, field, "javascript:boom()"], "{name}");
        }
        let way_out = "return pay.shadowRoot.querySelector('[part=fallback] a').href";
        let way_out = browser.look(way_out, vec![]).await;
        assert_eq!(way_out, json!(format!("{}/hosted", pages.servers.stage)));

        // The property wins, and removes the other spelling.
        let set = "pay.merchantApi = arguments[0]; return pay.getAttributeNames().filter((name) => name.includes('api'))";
        let names = browser.look(set, vec![json!(pages.merchant_api())]).await;
        assert_eq!(names, json!(["merchant-api"]));
        browser.until("stateOf('pay') === 'qr'").await;
        let both = "pay.setAttribute('successurl', '/other'); pay.setAttribute('success-url', '/thanks'); return pay.successUrl";
        assert_eq!(browser.look(both, vec![]).await, json!("/thanks"));
        let none = "pay.successUrl = null; return [pay.successUrl, pay.hasAttribute('successurl')]";
        assert_eq!(browser.look(none, vec![]).await, json!([null, false]));
    })
    .await;
}

async fn what_vue_sets_before_the_script_has_loaded_is_understood(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser
            .open(&format!("{}/ready/bare", pages.servers.stage))
            .await;
        in_framework(&pages, browser, "vueCamelCase", &token).await;
        let written = attributes(browser).await;
        assert_eq!(written["merchantapi"], json!(pages.merchant_api()));
        assert_eq!(written["auto-start"], json!("false"), "{written}");
        load(browser, "wechat-pay.js").await;
        browser.until("stateOf('pay') === 'qr'").await;
        let flag = browser.look("return pay.autoStart", vec![]).await;
        assert_eq!(flag, json!(false));

        // From now on Vue sets properties.
        let other = pages.order().await;
        browser
            .look("framework.show(arguments[0])", vec![json!(other)])
            .await;
        pages
            .servers
            .until_checkout(&other, "an attempt", |it| it["attempt"] == 1)
            .await;
        browser.until("stateOf('pay') === 'qr'").await;
        pages.pay(&other).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn attributes(browser: &Browser) -> Value {
    let script = "return Object.fromEntries([...document.getElementById('pay').attributes].map(({name, value}) => [name, value]))";
    browser.look(script, vec![]).await
}
