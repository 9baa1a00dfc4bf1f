//! WeChat's bridge, replaced by a stand-in on the page that answers as real clients did: every
//! shape of a callback's argument, a page that may not pay, and the SDK that some pages load.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::{TestPages, press};

in_browsers! {
    a_page_that_may_not_pay_is_reloaded_once_by_the_buyer: chromium webkit;
    a_buyer_in_wecom_pays_through_the_pages_sdk: chromium firefox webkit;
    a_page_that_starts_by_itself_again_before_its_payment_is_known_charges_once:
        chromium firefox webkit;
    every_argument_of_the_bridges_callback_is_read_and_kept_for_the_merchant: chromium firefox webkit;
    auto_start_opens_the_cashier_and_the_pages_address_survives_the_oauth_redirect: chromium firefox webkit;
}

const WECHAT: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.180 Mobile Safari/537.36 XWEB/1380215 MMWEBSDK/20250503 MMWEBID/4010 MicroMessenger/8.0.61.2880(0x28003D5B) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";
const WECHAT_ON_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN";
const WECOM: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36 wxwork/4.1.39 MicroMessenger/7.0.1 NetType/WIFI Language/zh";

async fn every_argument_of_the_bridges_callback_is_read_and_kept_for_the_merchant(engine: Engine) {
    let pages = TestPages::start().await;
    // The callback's argument; the problem's code (none: the buyer gets the offer again); `raw`.
    let cases = [
        ("", "CASHIER_FAILED", ""),
        ("undefined", "CASHIER_FAILED", ""),
        ("null", "CASHIER_FAILED", ""),
        ("7", "CASHIER_FAILED", ""),
        ("'get_brand_wcpay_request:cancel'", "CASHIER_FAILED", ""),
        ("{err_msg: 7, err_desc: {}}", "CASHIER_FAILED", ""),
        (
            "{err_msg: 'get_brand_wcpay_request:fail', err_code: 2, err_desc: '支付验证签名失败'}",
            "SIGNATURE_REFUSED",
            "get_brand_wcpay_request:fail err_code 2 支付验证签名失败",
        ),
        (
            "{err_msg: 'get_brand_wcpay_request:fail', err_code: '-1'}",
            "CASHIER_FAILED",
            "get_brand_wcpay_request:fail err_code -1",
        ),
        (
            "{errMsg: 'chooseWXPay:permission denied', err_msg: 'other', err_code: -2}",
            "CASHIER_DENIED",
            "chooseWXPay:permission denied err_code -2",
        ),
        ("{err_msg: 'get_brand_wcpay_request:cancel'}", "", ""),
    ];
    visit_in(engine, Visitor::Phone, async |wechat| {
        pages.open_as(wechat, WECHAT).await;
        let listen = "window.problems = []; document.addEventListener('problem', ({detail}) => problems.push(detail))";
        wechat.look(listen, vec![]).await;
        for (reply, code, raw) in cases {
            let put = "problems.length = 0;
                const [token, api, reply] = arguments;
                window.WeixinJSBridge = {invoke: new Function('name', 'values', 'callback', `window.called = values; callback(${reply})`)};
                document.getElementById('left-side').replaceChildren(make('pay', token, api))";
            let token = pages.order_of_buyer().await;
            let arguments = vec![json!(token), json!(pages.merchant_api()), json!(reply)];
            wechat.look(put, arguments).await;
            press(wechat).await;
            if code.is_empty() {
                wechat.until("window.called && stateOf('pay') === 'offer'").await;
                assert_eq!(wechat.look("return problems", vec![]).await, json!([]), "{reply}");
            } else {
                let problem = wechat.until("problems[0]").await;
                assert_eq!((&problem["code"], &problem["raw"]), (&json!(code), &json!(raw)), "{reply}");
                wechat.until("stateOf('pay') === 'problem'").await;
            }
            let called = wechat.look("const {called} = window; delete window.called; return called", vec![]).await;
            assert!(are_six_strings(&called), "{called}");
        }
    })
    .await;
}

async fn a_page_that_may_not_pay_is_reloaded_once_by_the_buyer(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    // On iOS, WeChat checks the address on which the buyer landed; after a reload that is the
    // current one.
    let deny = "sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1;
        window.WeixinJSBridge = {invoke(name, values, callback) {
            callback({err_msg: 'access_control:not_allowed'});
        }}";
    visit_in(engine, Visitor::Phone, async |wechat| {
        let page = pages.page_of(&token, &[("user-agent", WECHAT_ON_IPHONE), ("script", deny)]);
        wechat.open(&page).await;
        press(wechat).await;
        wechat.until("stateOf('pay') === 'problem'").await;
        let text = wechat.element_text().await;
        wechat.click_in("#pay", "[data-intent='start']").await;
        wechat.until("sessionStorage.loads === '2'").await;
        press(wechat).await;
        wechat.until("stateOf('pay') === 'problem'").await;
        // The page does not reload a second time, whether the first reload helped or not.
        let buttons = "return document.getElementById('pay').shadowRoot.querySelectorAll('[data-intent=start]').length";
        assert_eq!(wechat.look(buttons, vec![]).await, json!(0), "{text}");
        assert!(text.contains("请刷新页面"), "{text}");
        let text = wechat.element_text().await;
        assert!(text.contains("请联系商家") && !text.contains("刷新"), "{text}");
        assert_eq!(wechat.look("return heard", vec![]).await, json!(["pay problem"]));
        assert_eq!(wechat.look("return sessionStorage.loads", vec![]).await, json!("2"));
    })
    .await;
}

async fn a_buyer_in_wecom_pays_through_the_pages_sdk(engine: Engine) {
    let pages = TestPages::start().await;
    let simulator = &pages.servers.wechat.simulator;
    let appid = simulator.keyring().merchant().appid.clone();
    visit_in(engine, Visitor::Phone, async |wecom| {
        let page = pages.servers.inside_wechat(&pages.page_as(WECOM));
        wecom.open(&page).await;
        let sdk = "const script = document.createElement('script');
            script.src = '/_wechat/jweixin.js';
            script.onload = () => {
                const {chooseWXPay} = wx;
                wx.chooseWXPay = (options) => { window.chosen = options; chooseWXPay(options); };
                window.isLoaded = true;
            };
            document.head.append(script)";
        wecom.look(sdk, vec![]).await;
        wecom.until("window.isLoaded").await;

        // A page without wx.config gives WeChat no appId.
        pages.put(wecom, "pay", &pages.order_of_buyer().await).await;
        press(wecom).await;
        wecom.until("heard.includes('pay problem')").await;
        wecom.look("pay.remove()", vec![]).await;
        wecom.until("document.querySelector('#wechat-cashier')").await;
        wecom.click_in("#wechat-cashier", "[data-outcome='dismiss']").await;

        let configure = "wx.config({appId: arguments[0], timestamp: 1, nonceStr: 'n', signature: 's', jsApiList: ['chooseWXPay']}); delete window.chosen; heard.length = 0";
        wecom.look(configure, vec![json!(appid)]).await;
        pages.put(wecom, "pay", &pages.order_of_buyer().await).await;
        press(wecom).await;
        wecom.click_in("#wechat-cashier", "[data-outcome='success']").await;
        wecom.until("stateOf('pay') === 'paid'").await;
        let chosen = wecom.look("return chosen", vec![]).await;
        assert_eq!(chosen["signType"], "RSA", "{chosen}");
        assert!(chosen["timestamp"].is_string(), "{chosen}");
        assert!(chosen.get("timeStamp").is_none(), "{chosen}");
        assert_eq!(wecom.look("return heard", vec![]).await, json!(["pay paid"]));
    })
    .await;
}

async fn auto_start_opens_the_cashier_and_the_pages_address_survives_the_oauth_redirect(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        // The buyer is known: there is no redirect, and `auto-start` needs no click.
        let known = pages.page_of(&pages.order_of_buyer().await, &[("auto-start", "")]);
        wechat.open(&pages.servers.inside_wechat(&known)).await;
        wechat
            .click_in("#wechat-cashier", "[data-outcome='cancel']")
            .await;
        wechat.until("stateOf('pay') === 'offer'").await;
        // Another buyer is not known: a redirect for the openid and back, with the parameters of
        // the page's address.
        let page = pages.page_of(
            &pages.order().await,
            &[("showwxpaytitle", "1"), ("auto-start", "")],
        );
        let page = pages.servers.inside_wechat(&format!("{page}#/pay/7"));
        wechat.open(&page).await;
        wechat
            .click_in("#wechat-cashier", "[data-outcome='success']")
            .await;
        wechat.until("stateOf('pay') === 'paid'").await;
        assert_eq!(wechat.address().await.as_str(), page);
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

/// WeChat's notification is lost and its query fails, so the payment is not known when the page is
/// reloaded.
async fn a_page_that_starts_by_itself_again_before_its_payment_is_known_charges_once(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    let wechat_pay = &pages.servers.wechat;
    let token = pages.order_of_buyer().await;
    let page = pages.page_of(&token, &[("auto-start", "")]);
    let page = pages.servers.inside_wechat(&page);
    visit_in(engine, Visitor::Phone, async |wechat| {
        wechat_pay
            .fail(&[
                json!({"route": "notification", "kind": "dropped", "rate": 1}),
                json!({"route": "query", "kind": "error_before", "rate": 1}),
            ])
            .await;
        wechat.open(&page).await;
        wechat
            .click_in("#wechat-cashier", "[data-outcome='success']")
            .await;
        wechat.until("stateOf('pay') === 'confirming'").await;
        assert_eq!(wechat_pay.trade_states(), ["SUCCESS"]);

        wechat.open(&page).await;
        wechat.until("stateOf('pay') === 'confirming'").await;
        // The screen shows a refusal, without a button that pays.
        wechat
            .click_in("#wechat-cashier", "[data-outcome='dismiss']")
            .await;
        wechat_pay.fail(&[]).await;
        wechat.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            wechat.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
        // One order at WeChat, paid once: no second number, and nothing to refund.
        assert_eq!(wechat_pay.trade_states(), ["SUCCESS"]);
        assert_eq!(wechat_pay.visits_of_the_cashier(), ["PAID"]);
    })
    .await;
}

fn are_six_strings(values: &Value) -> bool {
    let names = [
        "appId",
        "timeStamp",
        "nonceStr",
        "package",
        "signType",
        "paySign",
    ];
    values
        .as_object()
        .is_some_and(|values| values.len() == names.len())
        && names.iter().all(|name| values[*name].is_string())
}
