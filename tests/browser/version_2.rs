//! A merchant that has only version 2 of WeChat's API: the same element, and nothing new to learn.

use payment_tests::browser::{Visitor, visit_in, visit_together_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;

use crate::{h5, jsapi, native};

in_browsers! {
    the_cashier_takes_parameters_signed_with_md5: chromium firefox webkit;
    the_cashier_takes_parameters_signed_with_hmac_sha256: chromium firefox webkit;
    a_buyer_on_a_phone_pays_in_wechat_and_returns: chromium firefox webkit;
    a_code_on_the_shops_page_is_scanned_and_paid: chromium firefox webkit;
}

async fn the_cashier_takes_parameters_signed_with_md5(engine: Engine) {
    pay_in_the_cashier(engine, "MD5").await;
}

async fn the_cashier_takes_parameters_signed_with_hmac_sha256(engine: Engine) {
    pay_in_the_cashier(engine, "HMAC-SHA256").await;
}

/// Keeps the kind of signature with which the element calls the cashier.
const KEEP_THE_PARAMETERS: &str = "const really = WeixinJSBridge.invoke;
    WeixinJSBridge.invoke = (name, parameters, ...rest) => {
        window.signType = parameters.signType;
        return really(name, parameters, ...rest);
    }";

/// The simulator's cashier opens only if it verifies `paySign` by the kind that `signType` names.
async fn pay_in_the_cashier(engine: Engine, sign_type: &'static str) {
    let servers = Servers::start_with_version_2(sign_type).await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        jsapi::open_the_cashier(&servers, wechat).await;
        // The page was loaded again on the way, so only its second call of the cashier can be watched.
        jsapi::answer(wechat, "cancel").await;
        wechat.until_element_is(&["offer"]).await;
        wechat.look(KEEP_THE_PARAMETERS, vec![]).await;
        wechat.click_intent("start").await;
        wechat
            .until("document.querySelector('#wechat-cashier')")
            .await;
        let kept = wechat.look("return window.signType", vec![]).await;
        assert_eq!(kept, sign_type);
        jsapi::answer(wechat, "success").await;
        wechat.until_element_is(&["paid"]).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(wechat.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_on_a_phone_pays_in_wechat_and_returns(engine: Engine) {
    let servers = Servers::start_with_version_2("MD5").await;
    visit_in(engine, Visitor::Phone, async |phone| {
        h5::buy(&servers, phone).await;
        h5::go_to_wechat_and(phone, "success").await;
        phone.until_element_is(&["paid"]).await;
        let address = phone.address().await;
        assert!(address.as_str().starts_with(&servers.shop), "{address}");
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_code_on_the_shops_page_is_scanned_and_paid(engine: Engine) {
    let servers = Servers::start_with_version_2("HMAC-SHA256").await;
    visit_together_in(
        engine,
        Visitor::Desktop,
        Visitor::Phone,
        async |desk, phone| {
            let code_url = native::buy(&servers, desk).await;
            native::answer_on_the_phone(&servers, phone, &code_url, "success").await;
            desk.until_element_is(&["paid"]).await;
            assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
            assert_eq!(desk.complaints().await, [""; 0]);
        },
    )
    .await;
}
