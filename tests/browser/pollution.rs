//! A page whose query parser lets `?__proto__[code_url]=…` through: every object inherits an
//! attacker's values. An inherited value never counts as an answer, an option, a message or a reply
//! of WeChat's.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::scanner::scan;
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::{TestPages, at_rest, bare, press};

in_browsers! {
    the_code_the_amount_and_the_navigation_come_from_the_server: chromium firefox webkit;
    no_field_of_an_answer_is_inherited: chromium firefox webkit;
    an_inherited_bridge_does_not_count_and_an_inherited_reply_says_nothing: chromium firefox webkit;
    a_transport_of_a_class_is_called_and_its_errors_count_by_their_own_fields: chromium firefox webkit;
    only_the_objects_own_messages_count: chromium firefox webkit;
}

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 XWEB/1380215 MMWEBSDK/20250503 MicroMessenger/8.0.61.2880(0x28003D5B) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";

/// The fields of an answer and of an error, with an attacker's values.
fn answer() -> Value {
    json!({
        "code_url": "weixin://wxpay/bizpayurl?pr=FOREIGN",
        "h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=foreign",
        "authorize_url": "https://open.weixin.qq.com/connect/oauth2/authorize?appid=foreign",
        "mini_program_path": "/pages/foreign",
        "success_url": "http://127.0.0.1:9/foreign",
        "description": "foreign", "currency": "USD", "order_no": "foreign", "total_fen": 1,
        "payer_total_fen": 1, "refunded_fen": 1, "remaining_ms": 0, "checked_ms_ago": 0,
        "poll_after_ms": 86_400_000, "attempt_remaining_ms": 0, "out_trade_no": "foreign",
        "state": "paid", "error": {"code": "CHECKOUT_UNKNOWN", "message": "foreign"},
        "code": "CHECKOUT_UNKNOWN", "retryable": false, "retry_after_ms": 86_400_000, "wechat_code": "foreign",
    })
}

/// Options of the element, and names of its messages.
fn options() -> Value {
    json!({
        "token": "foreign-token", "merchantApi": "https://foreign.example/v1", "scene": "h5",
        "successUrl": "http://127.0.0.1:9/foreign", "returnUrl": "http://127.0.0.1:9/foreign",
        "autoStart": true, "locale": "fr", "theme": "dark", "supportUrl": "https://foreign.example/help",
        "checkoutUrl": "https://foreign.example/c", "messages": {"scan": "foreign"}, "scan": "foreign",
        "brand": "foreign", "language": "ar", "tag": "x-foreign", "auto-start": "x", "merchant-api": "x",
        "first": "x",
    })
}

/// Properties that browsers read from the options of a request and of a number format.
fn dictionaries() -> Value {
    json!({
        "method": "POST", "body": "foreign", "headers": {"x-foreign": "1"}, "mode": "no-cors",
        "credentials": "include", "redirect": "error", "referrer": "", "integrity": "sha256-foreign",
        "keepalive": true, "notation": "scientific", "maximumFractionDigits": 0,
        "minimumFractionDigits": 0, "currencyDisplay": "name", "signDisplay": "never",
    })
}

async fn the_code_the_amount_and_the_navigation_come_from_the_server(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser
            .open(&format!("{}/ready/bare", pages.servers.stage))
            .await;
        for names in [answer(), options(), dictionaries()] {
            pollute(browser, &names).await;
        }
        // The page is polluted before the element's first line runs.
        let load = "document.head.append(Object.assign(document.createElement('script'), {type: 'module', src: 'wechat-pay.js'}))";
        browser.look(load, vec![]).await;
        browser.until("!!customElements.get('wechat-pay')").await;
        browser.look("window.problems = []; addEventListener('problem', ({detail}) => problems.push(detail))", vec![]).await;
        let is_at_rest = at_rest(&bare(browser).await);
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let codes = scan(&browser.screenshot().await);
        let checkout = pages.servers.checkout(&token).await;
        assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);
        let read_head = "const part = (name) => pay.shadowRoot.querySelector(`[part~=${name}]`).textContent;
            return [part('amount'), part('description'), part('brand'), pay.shadowRoot.querySelector('[part~=base]').lang, problems]";
        let head = browser.look(read_head, vec![]).await;
        assert_eq!(head, json!(["¥69.10", "云南小粒咖啡", "微信支付", "zh-CN", []]));
        let starts = pages.posts_about(&token);
        assert_eq!(starts, 1);

        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        let text = browser.element_text().await;
        assert!(!text.contains("0.01") && !text.contains("foreign"), "{text}");
        // No navigation is pending: a pending one would happen before this condition is true.
        browser.until(&is_at_rest).await;
        let reported = browser.look("return heard", vec![]).await;
        assert_eq!(reported, json!(["pay paid"]));
    })
    .await;
}

/// One name at a time, so that one name cannot hide the effect of another.
async fn no_field_of_an_answer_is_inherited(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let names = answer();
        let names = names.as_object().expect("an object");
        for (name, value) in names {
            let (clean, dirty) = (
                seen(browser, &json!({})).await,
                seen(browser, &json!({name: value})).await,
            );
            assert_eq!(dirty, clean, "{name}");
        }
    })
    .await;
}

async fn an_inherited_bridge_does_not_count_and_an_inherited_reply_says_nothing(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        pages.open_as(wechat, WECHAT).await;
        let order = "const order = {state: 'open', order_no: 'BRIDGE-1', total_fen: 6910, attempt: 0, products: ['jsapi']};
            const jsapi = {appId: 'wx1', timeStamp: '1', nonceStr: 'n', package: 'prepay_id=wx1', signType: 'RSA', paySign: 'c2ln'};
            window.problems = []; addEventListener('problem', ({detail: {code, raw}}) => problems.push([code, raw]));
            // Not enumerable, because the browser's driver fails otherwise.
            window.lend = (names) => {
                for (const name of Object.keys(names)) {
                    Object.defineProperty(Object.prototype, name, {value: names[name], writable: true, configurable: true});
                }
            };
            window.show = () => {
                problems.length = 0;
                const element = make('pay', 'order-of-a-bridge', undefined);
                element.transport = {status: () => order, start: () => ({...order, attempt: 1, product: 'jsapi', jsapi})};
                document.getElementById('left-side').replaceChildren(element);
            }";
        wechat.look(order, vec![]).await;
        // Objects that are not the page's own, and an element whose id creates a property of the window.
        let absent = "window.called = [];
            const invoke = (name) => called.push(name);
            lend({
                WeixinJSBridge: {invoke}, wx: {chooseWXPay: invoke, miniProgram: {navigateTo: invoke}},
                __wxjs_environment: 'miniprogram',
            });
            document.body.append(Object.assign(document.createElement('form'), {id: 'WeixinJSBridge'}));
            show()";
        wechat.look(absent, vec![]).await;
        press(wechat).await;
        wechat.until("stateOf('pay') === 'cashier'").await;
        assert_eq!(wechat.look("return called", vec![]).await, json!([]));

        // The real bridge is used, and a reply without a message is not an `ok`.
        let present = "for (const name of ['WeixinJSBridge', 'wx', '__wxjs_environment']) delete Object.prototype[name];
            lend({err_msg: 'get_brand_wcpay_request:ok', errMsg: 'chooseWXPay:ok', err_desc: '已支付', err_code: 7});
            class Bridge { invoke(name, parameters, reply) { called.push(name); reply({}); } }
            window.WeixinJSBridge = new Bridge();
            show()";
        wechat.look(present, vec![]).await;
        press(wechat).await;
        wechat.until("stateOf('pay') === 'problem'").await;
        assert_eq!(wechat.look("return called", vec![]).await, json!(["getBrandWCPayRequest"]));
        assert_eq!(wechat.look("return problems", vec![]).await, json!([["CASHIER_FAILED", ""]]));
    })
    .await;
}

/// A transport may be an instance of a class. Of what it throws, and of the page's messages, only
/// own properties count.
async fn a_transport_of_a_class_is_called_and_its_errors_count_by_their_own_fields(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let script = "window.problems = [];
            document.addEventListener('problem', ({detail: {code, raw}}) => problems.push([code, raw]));
            Object.assign(Object.prototype, {code: 'CHECKOUT_EXPIRED', message: 'foreign', retryable: true, cancel: 'foreign', name: 'AbortError'});
            class Backend {
                constructor(thrown) { this._thrown = thrown; }
                status() { throw this._thrown; }
                start() {}
            }
            window.show = (thrown) => {
                problems.length = 0;
                const element = make('own', 'order-of-our-own', undefined);
                element.transport = new Backend(thrown);
                document.getElementById('left-side').replaceChildren(element);
            }";
        browser.run_in_page(script).await;
        for (thrown, code, raw) in [
            ("new Error('no database')", "REFUSED", "transport.status: no database"),
            ("{}", "REFUSED", "transport.status: [object Object]"),
            ("Object.assign(new Error('gone'), {code: 'CHECKOUT_UNKNOWN', retryable: false})", "CHECKOUT_UNKNOWN", "transport.status: gone"),
            ("{code: 'INTERNAL', message: 'boom', retryable: false}", "INTERNAL", "transport.status: boom"),
            // The class has a number of that name, with another meaning.
            ("new DOMException('no clone', 'DataCloneError')", "REFUSED", "transport.status: no clone"),
        ] {
            browser.run_in_page(&format!("show({thrown})")).await;
            let problem = browser.until("problems[0]").await;
            assert_eq!(problem, json!([code, raw]), "{thrown}");
        }
    })
    .await;
}

/// A getter of the object is an own property; one of its class is inherited.
async fn only_the_objects_own_messages_count(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let words = "class Words { get brand() { return 'of the class'; } }
            const words = {get scan() { return 'Scan me'; }};
            pay.messages = Object.setPrototypeOf(words, new Words())";
        browser.look(words, vec![]).await;
        browser
            .until("pay.shadowRoot.querySelector('[part~=base]').innerText.includes('Scan me')")
            .await;
        let text = browser.element_text().await;
        assert!(
            text.contains("微信支付") && !text.contains("of the class"),
            "{text}"
        );
    })
    .await;
}

/// Adds names to what every object inherits. They are not enumerable, because the browser's driver
/// could not return results otherwise.
async fn pollute(browser: &Browser, names: &Value) {
    let script = "for (const [name, value] of Object.entries(arguments[0])) {
            Object.defineProperty(Object.prototype, name, {value, writable: true, configurable: true});
        }";
    browser.look(script, vec![names.clone()]).await;
}

/// The buyer's view of an open order with an attempt that starts, and the page's events, while
/// every object inherits these names.
async fn seen(browser: &Browser, names: &Value) -> Value {
    let script = "const [names, done] = arguments;
        const order = {state: 'open', order_no: 'OWN-1', total_fen: 6910, attempt: 0, products: ['native']};
        const code = {...order, attempt: 1, product: 'native', code_url: 'weixin://wxpay/bizpayurl?pr=JyC91EIz1'};
        const element = make('pay', 'order-of-our-own', undefined);
        const problems = [];
        let starts = 0;
        element.addEventListener('problem', ({detail}) => problems.push(detail.code));
        element.transport = {status: () => (starts ? code : order), start: () => { starts += 1; return code; }};
        for (const name of Object.keys(names)) Object.prototype[name] = names[name];
        document.getElementById('left-side').replaceChildren(element);
        const look = () => {
            const base = element.shadowRoot && element.shadowRoot.querySelector('[part~=base]');
            const state = base ? base.dataset.state : 'none';
            if (['none', 'loading', 'starting'].includes(state)) return setTimeout(look, 20);
            for (const name of Object.keys(names)) delete Object.prototype[name];
            const text = (part) => (base.querySelector(`[part~=${part}]`) || {}).textContent;
            const drawn = (base.querySelector('[part~=qr] path + path') || {getAttribute() {}}).getAttribute('d');
            done({state, problems, starts, amount: text('amount'), description: text('description'), drawn});
        };
        look()";
    browser.look_and_wait(script, vec![names.clone()]).await
}
