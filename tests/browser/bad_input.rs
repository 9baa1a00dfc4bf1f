//! What an engineer can configure wrongly, and what a page's own backend can do wrong: a problem
//! names it, the buyer gets a message, and nothing is executed or navigated to.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    a_wrong_attribute_is_named_and_the_payment_continues_if_it_can: chromium firefox webkit;
    a_wrong_style_option_is_reported_once_and_the_payment_keeps_its_style: chromium firefox webkit;
    an_attribute_that_a_template_left_empty_counts_as_absent: chromium firefox webkit;
    the_page_of_problems_explains_a_code_at_the_hints_address: chromium firefox webkit;
    the_pages_own_transport_is_called_with_the_contracts_fields_and_pays: chromium firefox webkit;
    a_transport_that_throws_or_returns_nonsense_is_a_problem_with_its_message: chromium firefox webkit;
}

async fn a_wrong_attribute_is_named_and_the_payment_continues_if_it_can(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    // attribute, value, code, whether the payment continues
    let cases = [
        ("token", "", "TOKEN_INVALID", false),
        ("token", "../../orders/1", "TOKEN_INVALID", false),
        (
            "merchant-api",
            "shop.example/v1",
            "MERCHANT_API_INVALID",
            false,
        ),
        (
            "merchant-api",
            "javascript:alert(1)",
            "MERCHANT_API_INVALID",
            false,
        ),
        ("scene", "alipay", "SCENE_INVALID", true),
        (
            "success-url",
            "javascript:boom()",
            "SUCCESS_URL_INVALID",
            true,
        ),
        (
            "success-url",
            "http://192.168.0.7:8000/thanks",
            "SUCCESS_URL_INVALID",
            true,
        ),
        (
            "return-url",
            "data:text/html,boom",
            "RETURN_URL_INVALID",
            true,
        ),
        (
            "support-url",
            "java\nscript:boom()",
            "SUPPORT_URL_INVALID",
            true,
        ),
        ("locale", "en_US.UTF-8", "LOCALE_INVALID", true),
        ("theme", "drak", "THEME_INVALID", true),
    ];
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        for (number, (attribute, value, code, goes_on)) in cases.into_iter().enumerate() {
            let id = format!("case-{number}");
            let script = "const [id, token, api, attribute, value] = arguments;
                const element = make(id, token, api);
                element.setAttribute(attribute, value);
                problems.length = 0;
                document.getElementById('left-side').replaceChildren(element)";
            let arguments = vec![
                json!(id),
                json!(token),
                json!(pages.merchant_api()),
                json!(attribute),
                json!(value),
            ];
            browser.look(script, arguments).await;
            let problem = browser.until("problems[0]").await;
            let case = format!("{attribute}={value:?}: {problem}");
            assert_eq!(problem["code"], code, "{case}");
            assert_eq!(problem["actor"], "merchant", "{case}");
            assert_eq!(problem["field"], attribute, "{case}");
            assert_eq!(problem["raw"], value, "{case}");
            let message = if goes_on {
                format!("the value {value:?} of {attribute} is refused; the payment goes on without it")
            } else {
                "支付页面加载失败".to_owned()
            };
            assert_eq!(problem["message"], message, "{case}");
            let hint = problem["hint"].as_str().unwrap_or_default();
            assert!(hint.ends_with(&format!("/problems.html#{code}")), "{case}");
            if goes_on {
                browser.until(&format!("stateOf('{id}') === 'qr'")).await;
                // As the page reports it.
                let looks = "const {lang, dataset} = document.getElementById(arguments[0]).shadowRoot.querySelector('[part~=base]');
                    return [lang, dataset.theme, problems.length]";
                let looks = browser.look(looks, vec![json!(id)]).await;
                assert_eq!(looks, json!(["zh-CN", "light", 1]), "{case}");
                let links = format!("return [...document.getElementById('{id}').shadowRoot.querySelectorAll('a')].length");
                assert_eq!(browser.look(&links, vec![]).await, json!(0), "{case}");
            } else {
                let fallback = format!("document.getElementById('{id}').shadowRoot.querySelector('[part=fallback] a').href");
                assert_eq!(browser.until(&fallback).await, json!("https://shop.example/c/1"));
            }
        }
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_wrong_style_option_is_reported_once_and_the_payment_keeps_its_style(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let base = "window.base = pay.shadowRoot.querySelector('[part~=base]')";
        browser.look(base, vec![]).await;
        // Every language tag is valid, because the page may bring the messages; only three themes
        // are.
        let change = "pay.locale = 'pt-BR'; pay.messages = {scan: 'Escaneie'}; pay.theme = 'drak'";
        browser.look(change, vec![]).await;
        browser.until("base.innerText.includes('Escaneie')").await;
        browser.look("pay.locale = 'en'", vec![]).await;
        browser
            .until("base.innerText.includes('WeChat Pay') && base.isConnected")
            .await;
        let problems = "return problems.map(({code, raw}) => [code, raw])";
        assert_eq!(
            browser.look(problems, vec![]).await,
            json!([["THEME_INVALID", "drak"]])
        );
        assert_eq!(pages.posts_about(&token), 1);
    })
    .await;
}

async fn an_attribute_that_a_template_left_empty_counts_as_absent(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        let script = "const element = make('pay', ...arguments);
            for (const name of ['scene', 'success-url', 'return-url', 'locale', 'theme', 'support-url']) {
                element.setAttribute(name, '');
            }
            document.getElementById('left-side').append(element)";
        let arguments = vec![json!(token), json!(pages.merchant_api())];
        browser.look(script, arguments).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let seen = "const {lang, dataset} = pay.shadowRoot.querySelector('[part~=base]');
            return [lang, dataset.theme, pay.shadowRoot.querySelectorAll('a').length, problems]";
        let seen = browser.look(seen, vec![]).await;
        assert_eq!(seen, json!(["zh-CN", "light", 0, []]));
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        // The page does not navigate, and does not even reload.
        let links = "return heard.concat(pay.shadowRoot.querySelectorAll('a').length)";
        assert_eq!(browser.look(links, vec![]).await, json!(["pay paid", 0]));
    })
    .await;
}

async fn the_page_of_problems_explains_a_code_at_the_hints_address(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = format!("{}/dist/problems.html#H5_URL_REFUSED", pages.servers.stage);
        browser.open(&page).await;
        let row = browser
            .until("document.getElementById('H5_URL_REFUSED')?.innerText")
            .await;
        let row = row.as_str().unwrap_or_default();
        assert!(
            row.contains("wx.tenpay.com") && row.contains("原样返回"),
            "{row}"
        );
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn the_pages_own_transport_is_called_with_the_contracts_fields_and_pays(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let script = "window.asked = [];
            const order = {state: 'open', order_no: 'OWN-0001', total_fen: 6910, attempt: 0, products: ['native'], live: true};
            const code = {...order, attempt: 1, product: 'native', code_url: 'weixin://wxpay/bizpayurl?pr=JyC91EIz1'};
            let answer = order;
            window.pay = () => { answer = {...code, state: 'paid'}; };
            const element = make('own', 'order-of-our-own', undefined);
            element.transport = {
                start(form, {signal}) { asked.push(['start', form, signal.aborted]); return (answer = code); },
                async status(query) { asked.push(['status', query]); return answer; },
            };
            document.getElementById('left-side').append(element)";
        browser.look(script, vec![]).await;
        browser.until("stateOf('own') === 'qr'").await;
        let asked = browser.look("return asked", vec![]).await;
        assert_eq!(asked[0], json!(["status", {"token": "order-of-our-own"}]));
        let start = json!(["start", {"token": "order-of-our-own", "product": "native", "after": 0}, false]);
        assert_eq!(asked[1], start);
        browser.look("pay()", vec![]).await;
        browser.until("stateOf('own') === 'paid'").await;
        assert_eq!(browser.look("return heard", vec![]).await, json!(["own paid"]));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_transport_that_throws_or_returns_nonsense_is_a_problem_with_its_message(engine: Engine) {
    let pages = TestPages::start().await;
    // what `status` does, the code, who has to act, the text in `raw` or `field`
    // Each browser has a sentence of its own for it.
    let cyclic = match engine {
        Engine::Chromium => "circular",
        Engine::Firefox => "cyclic object",
        Engine::WebKit => "cyclic structures",
    };
    let cases = [
        (
            "throw new Error('no database')",
            "REFUSED",
            "merchant",
            "transport.status: no database",
        ),
        ("return undefined", "ANSWER_MALFORMED", "merchant", "body"),
        ("return 'paid'", "ANSWER_MALFORMED", "merchant", "state"),
        (
            "return {state: 'open', order_no: 'x', total_fen: 69.1, attempt: 0}",
            "ANSWER_MALFORMED",
            "merchant",
            "total_fen",
        ),
        (
            "throw {code: 'CHECKOUT_UNKNOWN', message: 'no such order'}",
            "CHECKOUT_UNKNOWN",
            "merchant",
            "transport.status: no such order",
        ),
        (
            "throw {code: 'INTERNAL', message: 'boom', retryable: false}",
            "INTERNAL",
            "internal",
            "transport.status: boom",
        ),
        (
            "const loop = {}; loop.loop = loop; return loop",
            "REFUSED",
            "merchant",
            cyclic,
        ),
    ];
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        for (does, code, actor, named) in cases {
            let script = format!(
                "problems.length = 0;
                element = make('own', 'order-of-our-own', undefined);
                element.transport = {{start() {{}}, status() {{ {does} }}}};
                document.getElementById('left-side').replaceChildren(element)"
            );
            browser.run_in_page(&script).await;
            let problem = browser.until("problems[0]").await;
            let case = format!("{does}: {problem}");
            assert_eq!(
                (&problem["code"], &problem["actor"]),
                (&json!(code), &json!(actor)),
                "{case}"
            );
            let said = [&problem["raw"], &problem["field"]];
            assert!(
                said.iter()
                    .any(|said| said.as_str().is_some_and(|said| said.contains(named))),
                "{case}"
            );
            browser.until("stateOf('own') === 'problem'").await;
        }
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn listen(browser: &Browser) -> Value {
    let script = "window.problems = []; window.boom = () => problems.push('executed');
        document.addEventListener('problem', ({detail}) => problems.push(detail))";
    browser.look(script, vec![]).await
}
