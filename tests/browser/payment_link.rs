//! A payment link in a browser: the buyer opens it, enters an amount and a note, and pays on the order's
//! hosted page, at a desk, in a phone's browser, and inside WeChat. The link's page itself needs no script.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::{Servers, bundle_dir};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::accessibility::{axe, violations};
use crate::gallery::keep;

in_browsers! {
    a_buyer_without_script_is_led_back_to_the_form_and_then_to_the_order: chromium firefox;
    a_buyer_at_a_desk_chooses_an_amount_and_scans_the_code: chromium firefox webkit;
    a_buyer_in_a_phones_browser_chooses_an_amount_and_pays_in_wechat: chromium firefox webkit;
    a_buyer_inside_wechat_chooses_an_amount_and_pays_in_the_cashier: chromium firefox webkit;
}

async fn a_buyer_at_a_desk_chooses_an_amount_and_scans_the_code(engine: Engine) {
    let servers = Servers::start().await;
    let id = open_link(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        let token = order(&servers, desk, &id).await;
        desk.until_element_is(&["qr"]).await;
        let checkout = servers.checkout(&token).await;
        assert_eq!(checkout["total_fen"], 1_250);
        let codes = scan(&desk.screenshot().await);
        assert_eq!(codes, [checkout["code_url"].as_str().expect("a code")]);
        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_in_a_phones_browser_chooses_an_amount_and_pays_in_wechat(engine: Engine) {
    let servers = Servers::start().await;
    let id = open_link(&servers).await;
    visit_in(engine, Visitor::Phone, async |phone| {
        order(&servers, phone, &id).await;
        phone.pay_through_h5("/c/").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(phone.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_inside_wechat_chooses_an_amount_and_pays_in_the_cashier(engine: Engine) {
    let servers = Servers::start_inside_wechat(Some(bundle_dir())).await;
    let id = open_link(&servers).await;
    visit_in(engine, Visitor::Phone, async |wechat| {
        order(&servers, wechat, &id).await;
        wechat.pay_in_the_cashier().await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn a_buyer_without_script_is_led_back_to_the_form_and_then_to_the_order(engine: Engine) {
    let servers = Servers::start().await;
    let id = open_link(&servers).await;
    visit_in(engine, Visitor::DesktopWithoutScript, async |desk| {
        desk.open(&format!("{}/p/{id}", servers.merchant)).await;
        fill(desk, "900", "窗边").await;
        desk.click(BUTTON).await;
        desk.until("document.querySelector('[role=alert]')").await;
        let typed = "return [document.querySelector('#amount').value, document.querySelector('#note').value]";
        assert_eq!(desk.look(typed, vec![]).await, json!(["900", "窗边"]));
        desk.look("document.querySelector('#amount').value = '12.5'", vec![])
            .await;
        desk.click(BUTTON).await;
        desk.until_at("/c/").await;
        desk.until("document.querySelector('.code svg')").await;
        // The browser kept the order for the link's page.
        desk.open(&format!("{}/p/{id}", servers.merchant)).await;
        desk.click("a[href^='/c/']").await;
        desk.until("document.querySelector('.code svg')").await;
        assert_eq!(servers.wechat.trade_states(), ["NOTPAY"], "one order");
    })
    .await;
}

#[tokio::test]
async fn each_page_of_a_link_is_accessible_and_fits_on_a_small_screen() {
    let servers = Servers::start().await;
    let open = open_link(&servers).await;
    let once = json!({"total_fen": 1_990, "description": "手冲壶", "uses_max": 1});
    let fixed = link(&servers, &once).await;
    let disabled = link(&servers, &once).await;
    let path = format!("/v1/links/{disabled}/disable");
    servers.backend(&path, &Value::Null).await;
    let pages = [
        ("link-open", open.as_str()),
        ("link-fixed", &fixed),
        ("link-disabled", &disabled),
        ("link-unknown", "nobodys"),
    ];
    for visitor in [Visitor::SmallDesktop, Visitor::Phone] {
        visit(visitor, async |browser| {
            for (name, id) in pages {
                browser.open(&format!("{}/p/{id}", servers.merchant)).await;
                browser
                    .until("document.documentElement.scrollWidth <= innerWidth")
                    .await;
                keep(browser, &format!("{name}-{visitor:?}")).await;
                browser.look(&axe(), vec![]).await;
                let found = violations(browser, "html").await;
                assert_eq!(found, [""; 0], "{name}, {visitor:?}");
            }
        })
        .await;
    }
}

const BUTTON: &str = "form button";

async fn link(servers: &Servers, link: &Value) -> String {
    let created = servers.backend("/v1/links", link).await;
    let id = created["id"].as_str();
    id.unwrap_or_else(|| panic!("{created}")).to_owned()
}

/// A link for an amount that the buyer chooses.
async fn open_link(servers: &Servers) -> String {
    let open = json!({
        "description": "手冲壶", "min_fen": 100, "max_fen": 50_000, "note_max_chars": 20,
    });
    link(servers, &open).await
}

async fn fill(browser: &Browser, amount: &str, note: &str) {
    browser.type_into("#amount", amount).await;
    browser.type_into("#note", note).await;
}

/// Opens the link, fills in its form and sends it; returns the token of the order.
async fn order(servers: &Servers, browser: &Browser, id: &str) -> String {
    browser.open(&format!("{}/p/{id}", servers.merchant)).await;
    fill(browser, "12.5", "7 号桌").await;
    browser.click(BUTTON).await;
    browser.until_at("/c/").await;
    let address = browser.address().await;
    let token = address.path().strip_prefix("/c/");
    token.unwrap_or_else(|| panic!("{address}")).to_owned()
}
