//! The desk of the merchant server, used as a person uses it: with the key, without script, on a phone and
//! on a large screen.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::servers::{DESK_KEY, Servers};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::accessibility::{axe, violations};
use crate::gallery::keep;

in_browsers! {
    a_person_signs_in_looks_and_refunds_once: chromium firefox webkit;
}

const ORDER: &str = "DESK-0001";

async fn a_person_signs_in_looks_and_refunds_once(engine: Engine) {
    let servers = furnished().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let order = format!("{}/desk/orders/{ORDER}", servers.merchant);
        browser.open(&order).await;
        browser.until_at("/desk/sign-in").await;
        sign_in(browser, "nobody's key").await;
        browser
            .until("document.querySelector('[role=alert]')")
            .await;
        sign_in(browser, DESK_KEY).await;
        browser.until_at(&format!("/desk/orders/{ORDER}")).await;
        // No script can read the session.
        assert_eq!(browser.look("return document.cookie", vec![]).await, "");
        browser
            .until("document.querySelectorAll('.timeline li').length > 3")
            .await;

        browser.click("a[href$='/refund']").await;
        let clear = "document.querySelector('#amount').value = '6.66'";
        browser.until("document.querySelector('#amount')").await;
        browser.look(clear, vec![]).await;
        browser.type_into("#reason", "cold").await;
        browser.click("main button[type=submit]").await;
        browser.until("document.querySelector('.grave')").await;
        let text = text(browser).await;
        assert!(text.contains("6.66") && text.contains("cold"), "{text}");
        let number = "return document.querySelector('[name=refund_no]').value";
        let refund_no = browser.look(number, vec![]).await;
        browser.click(".grave").await;
        browser.until_at("said=refunded").await;

        // The same form again: its number is that of the refund.
        browser.open(&format!("{order}/refund")).await;
        let again = "document.querySelector('[name=refund_no]').value = arguments[0];
            document.querySelector('#amount').value = '6.66'";
        browser.until("document.querySelector('#amount')").await;
        browser.look(again, vec![refund_no]).await;
        browser.type_into("#reason", "cold").await;
        browser.click("main button[type=submit]").await;
        browser.until("document.querySelector('.grave')").await;
        browser.click(".grave").await;
        browser.until_at("said=repeated").await;
        let ledger = serde_json::to_value(servers.wechat.simulator.ledger_view(None));
        let ledger = ledger.expect("a ledger");
        let refunds = ledger["refunds"].as_array().expect("refunds");
        assert_eq!(refunds.len(), 1, "{ledger}");

        browser
            .click("footer form[action='/desk/sign-out'] button")
            .await;
        browser.until_at("reason=out").await;
        browser.open(&order).await;
        browser.until_at("/desk/sign-in").await;
    })
    .await;
}

#[tokio::test]
async fn every_action_works_without_script() {
    let servers = furnished().await;
    visit(Visitor::Desktop, async |browser| {
        browser.block_script(true).await;
        browser.open(&format!("{}/desk", servers.merchant)).await;
        browser.type_into("#key", DESK_KEY).await;
        browser.click("main button[type=submit]").await;
        browser.click("nav a[href='/desk/orders']").await;
        browser
            .click(&format!("a[href='/desk/orders/{ORDER}']"))
            .await;
        browser.click("a[href$='/refund']").await;
        browser.click("main button[type=submit]").await;
        browser.click(".grave").await;
        browser.until_at("said=refunded").await;
    })
    .await;
}

#[tokio::test]
async fn a_person_chooses_the_language() {
    let servers = furnished().await;
    visit(Visitor::Desktop, async |browser| {
        let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0";
        browser.override_user_agent(agent, "en-GB").await;
        browser
            .open(&format!("{}/desk/orders", servers.merchant))
            .await;
        sign_in(browser, DESK_KEY).await;
        browser.until_at("/desk/orders").await;
        browser.click("button[value='zh-CN']").await;
        browser
            .until("document.documentElement.lang === 'zh-CN'")
            .await;
        browser.until_at("/desk/orders").await;
        browser.click("nav a[href='/desk/keys']").await;
        browser
            .until("document.documentElement.lang === 'zh-CN'")
            .await;
        browser.until_at("/desk/keys").await;
    })
    .await;
}

/// Each page in both languages, light and dark, on a small and a large screen: it fits, and axe finds no
/// violation.
#[tokio::test]
async fn each_page_fits_and_is_accessible() {
    let servers = furnished().await;
    let axe = axe();
    let order = format!("/desk/orders/{ORDER}");
    let refund = format!("{order}/refund");
    visit(Visitor::Desktop, async |browser| {
        let mut faults = Vec::new();
        for (language, scheme, width) in [
            ("zh-CN", "light", 1280),
            ("en-GB", "dark", 320),
            ("zh-CN", "dark", 320),
            ("en-GB", "light", 1280),
        ] {
            let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0";
            browser.override_user_agent(agent, language).await;
            browser.resize(width, 900).await;
            browser.prefer(&[("prefers-color-scheme", scheme)]).await;
            let checked = async |page: &str| {
                let name = format!("desk-{page}-{language}-{scheme}-{width}");
                keep(browser, &name).await;
                let is_too_wide = "return document.documentElement.scrollWidth > innerWidth";
                let is_too_wide = browser.look(is_too_wide, vec![]).await;
                browser.look(&axe, vec![]).await;
                let found = violations(browser, "html").await;
                let found = found.into_iter().map(|fault| format!("{name}: {fault}"));
                let width = (is_too_wide == json!(true)).then(|| format!("{name} is too wide"));
                found.chain(width).collect::<Vec<_>>()
            };
            browser.open(&format!("{}/desk", servers.merchant)).await;
            faults.extend(checked("sign-in").await);
            sign_in(browser, DESK_KEY).await;
            browser.until("document.querySelector('nav')").await;
            for (page, path) in [
                ("overview", "/desk"),
                ("orders", "/desk/orders"),
                ("order", order.as_str()),
                ("refund", refund.as_str()),
                ("tasks", "/desk/tasks"),
                ("webhooks", "/desk/webhooks"),
                ("links", "/desk/links"),
                ("bills", "/desk/bills"),
                ("keys", "/desk/keys"),
                ("checklist", "/desk/checklist"),
                ("journal", "/desk/journal"),
                ("refused", "/desk/orders?state=lost"),
            ] {
                browser.open(&format!("{}{path}", servers.merchant)).await;
                browser.until("document.querySelector('main h1')").await;
                let open =
                    "document.querySelectorAll('details').forEach((it) => { it.open = true })";
                browser.look(open, vec![]).await;
                faults.extend(checked(page).await);
            }
            browser.open(&format!("{}{refund}", servers.merchant)).await;
            browser.click("main button[type=submit]").await;
            browser.until("document.querySelector('.grave')").await;
            faults.extend(checked("confirm").await);
            browser
                .click("footer form[action='/desk/sign-out'] button")
                .await;
            browser.until_at("reason=out").await;
        }
        assert!(faults.is_empty(), "{faults:#?}");
        let mut complaints = browser.complaints().await;
        // The filter that is not valid.
        complaints.retain(|line| !line.contains("400 (Bad Request)"));
        assert_eq!(complaints, [""; 0]);
    })
    .await;
}

/// A paid order, an open one, and one that nobody begins to pay.
async fn furnished() -> Servers {
    let servers = Servers::start_with_desk().await;
    for (order_no, total_fen) in [(ORDER, 123_456), ("DESK-0002", 1990)] {
        let order =
            json!({"order_no": order_no, "total_fen": total_fen, "description": "手冲壶 <b>1</b>"});
        let token = servers.order(order).await;
        let attempt: Value = servers.attempt(&token, "native").await;
        if order_no == ORDER {
            servers.wechat.pay(&attempt["code_url"]).await;
            let is_paid = |checkout: &Value| checkout["state"] == "paid";
            servers
                .until_checkout(&token, "a paid order", is_paid)
                .await;
        }
    }
    let left = json!({"order_no": "DESK-0003", "total_fen": 5, "description": "茶"});
    servers.order(left).await;
    servers
}

async fn sign_in(browser: &Browser, key: &str) {
    browser.until("document.querySelector('#key')").await;
    browser.type_into("#key", key).await;
    browser.click("main button[type=submit]").await;
}

async fn text(browser: &Browser) -> String {
    let look = "return document.querySelector('main').textContent";
    let text = browser.look(look, vec![]).await;
    text.as_str().expect("a text").to_owned()
}
