//! A mini-program's web-view: the element opens the mini-program's own page, with the SDK if the
//! page loaded it, otherwise with the bridge, and loads nothing from WeChat for it.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::{TestPages, press};

in_browsers! {
    the_mini_programs_page_opens_over_the_bridge_and_the_web_view_shows_the_payment:
        chromium firefox webkit;
    a_page_with_the_sdk_uses_the_sdk: chromium firefox webkit;
    a_page_that_cannot_be_opened_is_a_problem_with_wechats_message_beside_the_code: chromium firefox webkit;
}

const WEB_VIEW: &str = "Mozilla/5.0 (Linux; Android 12; RMX3562 Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36 XWEB/1260053 MMWEBSDK/20240501 MMWEBID/2307 MicroMessenger/8.0.50.2701 (0x2800323C) WeChat/arm64 Weixin NetType/4G Language/zh_CN ABI/arm64 miniProgram/wx476ba9475c801433";

async fn the_mini_programs_page_opens_over_the_bridge_and_the_web_view_shows_the_payment(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |web_view| {
        pages.open_as(web_view, WEB_VIEW).await;
        pages.put(web_view, "pay", &token).await;
        press(web_view).await;
        // The bridge appears late, as it does in WeChat.
        let bridge = "window.called = [];
            window.WeixinJSBridge = {invoke(name, values, callback) {
                called.push([name, values.name, values.arg.url]);
                callback({err_msg: `${name}:ok`});
            }};
            document.dispatchEvent(new Event('WeixinJSBridgeReady'))";
        web_view.look(bridge, vec![]).await;
        web_view.until("called.length > 0").await;
        let path = format!("/pages/wechat-pay/wechat-pay?token={token}");
        let called = json!([["invokeMiniProgramAPI", "navigateTo", path]]);
        assert_eq!(web_view.look("return called", vec![]).await, called);
        let fetched = "return performance.getEntriesByType('resource').map(({name}) => name).filter((name) => !name.includes('127.0.0.1'))";
        assert_eq!(web_view.look(fetched, vec![]).await, json!([]));

        // The mini-program's page would pay; the test pays instead, and the buyer returns.
        let code = pages.servers.attempt(&token, "native").await;
        pages.servers.wechat.pay(&code["code_url"]).await;
        web_view.look("pay.resume()", vec![]).await;
        web_view.until("stateOf('pay') === 'paid'").await;
        assert_eq!(web_view.look("return called", vec![]).await, called);
    })
    .await;
}

async fn a_page_with_the_sdk_uses_the_sdk(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |web_view| {
        pages.open_as(web_view, WEB_VIEW).await;
        let sdk = "window.called = [];
            window.WeixinJSBridge = {invoke: (name) => called.push(name)};
            window.wx = {miniProgram: {navigateTo({url, complete}) {
                called.push(url);
                complete({errMsg: 'navigateTo:ok'});
            }}}";
        web_view.look(sdk, vec![]).await;
        pages.put(web_view, "pay", &token).await;
        press(web_view).await;
        web_view.until("called.length > 0").await;
        let path = format!("/pages/wechat-pay/wechat-pay?token={token}");
        assert_eq!(web_view.look("return called", vec![]).await, json!([path]));
        assert_eq!(web_view.look("return heard", vec![]).await, json!([]));
    })
    .await;
}

async fn a_page_that_cannot_be_opened_is_a_problem_with_wechats_message_beside_the_code(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    // What the bridge does with the call, and the text that the merchant reads in `raw`.
    let cases = [
        (
            "callback({err_msg: 'invokeMiniProgramAPI:fail page is not found'})",
            "invokeMiniProgramAPI:fail page is not found",
        ),
        ("throw new Error('no')", "system:function_not_exist"),
    ];
    visit_in(engine, Visitor::Phone, async |web_view| {
        for (does, raw) in cases {
            pages.open_as(web_view, WEB_VIEW).await;
            let bridge = "window.WeixinJSBridge = {invoke: new Function('name', 'values', 'callback', arguments[0])};
                window.problems = [];
                document.addEventListener('problem', ({detail}) => problems.push(detail))";
            web_view.look(bridge, vec![json!(does)]).await;
            pages.put(web_view, "pay", &pages.order().await).await;
            press(web_view).await;
            let problem = web_view.until("problems[0]").await;
            assert_eq!(problem["code"], "MINI_PROGRAM_UNREACHABLE", "{does}: {problem}");
            assert_eq!(problem["raw"], raw, "{does}: {problem}");
            web_view.click_in("#pay", "[data-intent='start']").await;
            web_view.until("stateOf('pay') === 'problem'").await;
        }
    })
    .await;
}
