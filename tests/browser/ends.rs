//! The ends of an order, as a buyer reads them in the element: a receipt, what was refunded, and where the
//! shop continues.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

in_browsers! {
    each_end_says_what_happened_and_only_a_payment_leads_on: chromium firefox webkit;
}

const PRICE_FEN: u64 = 123_456;
/// The page's own link, in the slot for it.
const OWN_WAY_BACK: &str = "document.querySelector('wechat-pay').insertAdjacentHTML('beforeend', '<a slot=\"return\" href=\"/cart\">cart</a>')";

async fn each_end_says_what_happened_and_only_a_payment_leads_on(engine: Engine) {
    let servers = Servers::start().await;
    let thanks = json!(format!("{}/thanks", servers.shop));
    let kept = paid(&servers, "END-PAID", &Value::Null).await;
    let part = paid_and_refunded(&servers, "END-PART", 23_456).await;
    let whole = paid_and_refunded(&servers, "END-WHOLE", PRICE_FEN).await;
    let left = paid(&servers, "END-LEFT", &thanks).await;
    let closed = order(&servers, "END-CLOSED", &thanks).await;
    servers
        .backend("/v1/orders/END-CLOSED/close", &json!({}))
        .await;
    let expired = order(&servers, "END-EXPIRED", &thanks).await;
    // Its time is over, and WeChat has not closed the attempt yet.
    servers.attempt(&expired, "native").await;
    let close = json!({"route": "close", "kind": "error_before", "rate": 1});
    servers.wechat.fail(&[close]).await;
    servers.clock.advance_ms(1_801_000);

    visit_in(engine, Visitor::Desktop, async |browser| {
        let look = async |token: &str, state: &str| {
            browser
                .open(&format!("{}/c/{token}", servers.merchant))
                .await;
            browser.until_element_is(&[state]).await;
            rows(browser).await
        };
        let has_time = |rows: &Value| {
            let row = rows[2].as_str().unwrap_or_default();
            row.starts_with("Paid on ") && row.contains(", 20")
        };
        let receipt = look(&kept, "paid").await;
        assert_eq!(receipt[0], "Payment received");
        assert_eq!(receipt[1], "Order END-PAID");
        assert!(has_time(&receipt), "{receipt}");
        assert_eq!(receipt[3], Value::Null);
        let receipt = look(&part, "paid").await;
        assert_eq!(receipt[0], "Payment received");
        assert_eq!(receipt[3], "Refunded CN¥234.56");
        let receipt = look(&whole, "paid").await;
        assert_eq!(receipt[0], "Refunded in full");
        assert_eq!(receipt[3], "Refunded CN¥1,234.56");
        for (token, state, title) in [
            (&closed, "closed", "This order is closed"),
            (&expired, "expired", "Payment time has run out"),
        ] {
            assert_eq!(look(token, state).await, json!([title]));
            let links = "return document.querySelector('wechat-pay').shadowRoot.querySelectorAll('a').length";
            assert_eq!(browser.look(links, vec![]).await, 0, "{state}");
            browser.look(OWN_WAY_BACK, vec![]).await;
            browser.click("wechat-pay > a").await;
            browser.until_at("/cart").await;
        }
        browser
            .open(&format!("{}/c/{left}", servers.merchant))
            .await;
        // The page continues there by itself, too.
        browser.until_at("/thanks").await;
    })
    .await;
}

/// The title, and the rows of the receipt.
async fn rows(browser: &Browser) -> Value {
    let look = "const root = document.querySelector('wechat-pay').shadowRoot;
        const rows = [...root.querySelectorAll('[part=row]')].map(({children}) => [...children].map((child) => child.textContent).join(' '));
        return [root.querySelector('[part=title]').textContent, ...rows]";
    browser.look(look, vec![]).await
}

async fn order(servers: &Servers, order_no: &str, success_url: &Value) -> String {
    let mut order = json!({"order_no": order_no, "total_fen": PRICE_FEN, "description": "手冲壶", "payee": "云岭茶铺"});
    if !success_url.is_null() {
        order["success_url"] = success_url.clone();
    }
    servers.order(order).await
}

async fn paid(servers: &Servers, order_no: &str, success_url: &Value) -> String {
    let token = order(servers, order_no, success_url).await;
    let attempt = servers.attempt(&token, "native").await;
    servers.wechat.pay(&attempt["code_url"]).await;
    servers
        .until_checkout(&token, "paid", |checkout| checkout["state"] == "paid")
        .await;
    token
}

async fn paid_and_refunded(servers: &Servers, order_no: &str, amount_fen: u64) -> String {
    let token = paid(servers, order_no, &Value::Null).await;
    let refund = json!({"refund_no": format!("{order_no}-1"), "amount_fen": amount_fen});
    servers
        .backend(&format!("/v1/orders/{order_no}/refunds"), &refund)
        .await;
    servers
        .until_checkout(&token, "a refund", |checkout| {
            checkout["refunded_fen"].is_u64()
        })
        .await;
    token
}
