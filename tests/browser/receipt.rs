//! The receipt of partner mode (点金计划) in the frame that WeChat shows it in: a page of the
//! simulator's origin replaces WeChat's, and records the receipt's messages.

use std::fmt::Write as _;

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::accessibility::{axe, violations};

in_browsers! {
    for_an_unknown_payment_wechats_own_receipt_is_shown: chromium firefox webkit;
    no_other_page_can_frame_a_receipt_or_a_checkout: chromium;
}

/// The replacement for WeChat's page: a frame with the receipt, and the messages that came from it.
const FRAME: &str = "window.heard = [];
    addEventListener('message', ({origin, data}) => heard.push([origin, JSON.parse(data)]));
    const frame = document.createElement('iframe');
    frame.title = 'receipt';
    frame.width = 360;
    frame.height = 600;
    frame.src = arguments[0];
    document.body.replaceChildren(frame)";

#[tokio::test]
async fn wechats_page_is_told_to_show_the_receipt_of_a_payment_and_its_link() {
    let (servers, sub_mchid) = Servers::start_as_partner().await;
    let thanks = format!("{}/thanks?a=1", servers.shop);
    let order = json!({
        "order_no": "RECEIPT-0001", "total_fen": 123_456, "description": "手冲壶",
        "sub_mchid": sub_mchid, "success_url": thanks,
    });
    let token = servers.order(order).await;
    let attempt = servers.attempt(&token, "native").await;
    servers.wechat.pay(&attempt["code_url"]).await;
    servers
        .until_checkout(&token, "paid", |checkout| checkout["state"] == "paid")
        .await;
    let axe = axe();
    visit(Visitor::Desktop, async |wechat| {
        for (accepted, title) in [("zh-CN", "支付成功"), ("en", "Payment received")] {
            wechat
                .override_user_agent("MicroMessenger/8.0.61", accepted)
                .await;
            show(&servers, wechat, &receipt_of(&servers, &sub_mchid)).await;
            let told = json!([[servers.merchant, {
                "action": "onIframeReady", "displayStyle": "SHOW_CUSTOM_PAGE",
            }]]);
            assert_eq!(wechat.until("heard.length > 0 && heard").await, told);
            wechat.enter_frame("iframe").await;
            let text = wechat.look("return document.body.innerText", vec![]).await;
            let text = text.as_str().unwrap();
            assert!(text.contains(title) && text.contains("¥1,234.56"), "{text}");
            let is_too_wide = "return document.documentElement.scrollWidth > innerWidth";
            assert_eq!(wechat.look(is_too_wide, vec![]).await, json!(false));
            wechat.look(&axe, vec![]).await;
            assert_eq!(violations(wechat, "html").await, [""; 0]);
            wechat.click("#leave").await;
            wechat.leave_frame().await;
            let left = json!({"action": "jumpOut", "jumpOutUrl": thanks});
            assert_eq!(wechat.until("heard[1]?.[1]").await, left);
        }
        let mut complaints = wechat.complaints().await;
        // The replacement page shows no picture.
        complaints.retain(|line| !line.contains("/favicon.ico"));
        assert_eq!(complaints, [""; 0]);
    })
    .await;
}

async fn for_an_unknown_payment_wechats_own_receipt_is_shown(engine: Engine) {
    let (servers, sub_mchid) = Servers::start_as_partner().await;
    let order = json!({
        "order_no": "RECEIPT-0001", "total_fen": 1_990, "description": "手冲壶", "sub_mchid": sub_mchid,
    });
    let token = servers.order(order).await;
    servers.attempt(&token, "native").await;
    visit_in(engine, Visitor::Desktop, async |wechat| {
        for path in [
            receipt_of(&servers, &sub_mchid),
            "/wechat/receipt".to_owned(),
        ] {
            show(&servers, wechat, &path).await;
            let told = wechat.until("heard[0]?.[1].displayStyle").await;
            assert_eq!(told, "SHOW_OFFICIAL_PAGE", "{path}");
            wechat.enter_frame("iframe").await;
            let text = wechat.look("return document.body.innerText", vec![]).await;
            assert!(!text.as_str().expect("a text").contains("19.90"), "{text}");
            wechat.leave_frame().await;
        }
    })
    .await;
}

async fn no_other_page_can_frame_a_receipt_or_a_checkout(engine: Engine) {
    let (servers, sub_mchid) = Servers::start_as_partner().await;
    let order = json!({"total_fen": 1_990, "description": "手冲壶", "sub_mchid": sub_mchid});
    let token = servers.order(order).await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (around, path) in [
            (&servers.shop, "/wechat/receipt".to_owned()),
            (&servers.wechat.address, format!("/c/{token}")),
        ] {
            browser.open(around).await;
            let framed = format!("{}{path}", servers.merchant);
            browser.look(FRAME, vec![framed.into()]).await;
            browser
                .until("document.querySelector('iframe').contentDocument === null")
                .await;
            browser.enter_frame("iframe").await;
            // Chromium's own page for a refused frame.
            browser
                .until("location.href.startsWith('chrome-error:')")
                .await;
            browser.leave_frame().await;
        }
    })
    .await;
}

async fn show(servers: &Servers, wechat: &Browser, path: &str) {
    wechat
        .open(&format!(
            "{}/_simulator/openapi.json",
            servers.wechat.address
        ))
        .await;
    let receipt = format!("{}{path}", servers.merchant);
    wechat.look(FRAME, vec![receipt.into()]).await;
}

/// The receipt page's address as WeChat builds it for the simulator's only order.
fn receipt_of(servers: &Servers, sub_mchid: &str) -> String {
    let ledger = serde_json::to_value(servers.wechat.simulator.ledger_view(None))
        .expect("the ledger as JSON");
    let transaction_id = ledger["orders"][0]["transaction_id"].as_str();
    let query = format!("?sub_mch_id={sub_mchid}&out_trade_no=RECEIPT-0001");
    let hashed = format!(
        "{}/wechat/receipt{query}&transaction_id={}",
        servers.merchant,
        transaction_id.unwrap_or("unpaid")
    );
    let digest = <md5::Md5 as md5::Digest>::digest(hashed.as_bytes());
    let code = digest.iter().fold(String::new(), |mut code, byte| {
        write!(code, "{byte:02x}").expect("writing to a string cannot fail");
        code
    });
    format!("/wechat/receipt{query}&check_code={code}")
}
