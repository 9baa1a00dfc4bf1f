//! The till of the merchant server, used as a cashier uses it: the key is typed once, a scanner types
//! digits and Enter, and the buyer pays with or without the password. The connection breaks, the page is
//! loaded again, and nothing is charged twice.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::servers::{Servers, TILL_KEY};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::accessibility::{axe, violations};
use crate::gallery::keep;

in_browsers! {
    a_scanned_code_is_charged_and_the_receipt_printed: chromium firefox webkit;
    a_buyer_who_needs_the_password_is_awaited: chromium firefox webkit;
    a_refused_code_is_explained_and_another_one_pays: chromium firefox webkit;
    a_sale_in_doubt_is_taken_back: chromium firefox webkit;
    a_reload_in_the_middle_continues_the_same_sale: chromium firefox webkit;
    a_broken_connection_charges_once: chromium firefox webkit;
    a_key_that_may_do_more_is_refused_and_never_stored: chromium firefox webkit;
    a_second_window_follows_the_sale_and_begins_no_other: chromium firefox webkit;
}

const ENTER: char = '\u{E007}';
/// More than WeChat pays without a password.
const WITH_PASSWORD: &str = "1000";

async fn a_scanned_code_is_charged_and_the_receipt_printed(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.open(&format!("{}/till", servers.merchant)).await;
        sign_in(browser, "nobody's key").await;
        until_notice(browser, "UNAUTHORIZED").await;
        sign_in(browser, TILL_KEY).await;
        until_screen(browser, "amount").await;
        for (typed, notice) in [
            ("19,90", "AMOUNT"),
            ("0", "AMOUNT"),
            ("0.001", "AMOUNT"),
            ("134567890123456789", "CODE_AS_AMOUNT"),
        ] {
            fill(browser, "#yuan", typed).await;
            until_notice(browser, notice).await;
        }
        fill(browser, "#yuan", "１２３４。５").await;
        until_screen(browser, "scan").await;
        let due = text_of(browser, "#due").await;
        assert!(due.ends_with("¥1,234.50"), "{due}");
        browser.click("[data-screen=scan] [data-cancel]").await;
        until_screen(browser, "ended").await;
        browser.click("[data-screen=ended] [data-next]").await;

        fill(browser, "#yuan", "19.90").await;
        until_screen(browser, "scan").await;
        // An impatient scanner types without a field that has the focus.
        browser.look("document.activeElement.blur()", vec![]).await;
        scan(browser, &servers).await;
        until_screen(browser, "paid").await;
        let order = only_order(&servers);
        assert_eq!(order["trade_state"], "SUCCESS");
        let print = "window.print = () => { window.isPrinted = true }";
        browser.look(print, vec![]).await;
        browser.click("#print").await;
        browser.until("window.isPrinted").await;
        let receipt = "return document.querySelector('#receipt').textContent";
        let receipt = browser.look(receipt, vec![]).await;
        let receipt = receipt.as_str().expect("a receipt");
        for part in ["transaction_id", "out_trade_no"] {
            let part = order[part].as_str().expect(part);
            assert!(receipt.contains(part), "{part}: {receipt}");
        }
        assert!(receipt.contains("¥19.90"), "{receipt}");
        browser.click("[data-screen=paid] [data-next]").await;
        until_screen(browser, "amount").await;
        assert_eq!(browser.address().await.path(), "/till");
        assert_eq!(browser.address().await.query(), None);
        let seen = servers.requests.seen().join("\n");
        assert!(!seen.contains("key"), "{seen}");
        browser.click("#sign-out").await;
        until_screen(browser, "sign-in").await;
        let stored = "return JSON.stringify([localStorage, sessionStorage])";
        assert_eq!(browser.look(stored, vec![]).await, "[{},{}]");
    })
    .await;
}

async fn a_buyer_who_needs_the_password_is_awaited(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        open_till(browser, &servers).await;
        fill(browser, "#yuan", WITH_PASSWORD).await;
        until_screen(browser, "scan").await;
        scan(browser, &servers).await;
        until_screen(browser, "password").await;
        pay(&servers, "success").await;
        servers.clock.advance_ms(5_000);
        until_screen(browser, "paid").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn a_refused_code_is_explained_and_another_one_pays(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        open_till(browser, &servers).await;
        fill(browser, "#yuan", "19.90").await;
        until_screen(browser, "scan").await;
        for foreign in ["281234567890123456", "13000000000000000", "6901234567892"] {
            fill(browser, "#code", foreign).await;
            until_notice(browser, "NOT_A_CODE").await;
        }
        assert_eq!(servers.wechat.trade_states(), [""; 0]);
        fill(browser, "#code", "130000000000000000").await;
        until_notice(browser, "AUTH_CODE_INVALID").await;
        until_screen(browser, "scan").await;
        scan(browser, &servers).await;
        until_screen(browser, "paid").await;
        let mut states = servers.wechat.trade_states();
        states.retain(|state| state == "SUCCESS");
        assert_eq!(states.len(), 1);
    })
    .await;
}

/// WeChat takes the payment, and answers neither that nor what it is asked about it.
async fn a_sale_in_doubt_is_taken_back(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        open_till(browser, &servers).await;
        let silent = |route: &str, kind: &str| json!({"route": route, "kind": kind, "rate": 1});
        let faults = [
            silent("order", "error_after"),
            silent("query", "error_before"),
            silent("reverse", "error_before"),
        ];
        servers.wechat.fail(&faults).await;
        fill(browser, "#yuan", WITH_PASSWORD).await;
        until_screen(browser, "scan").await;
        scan(browser, &servers).await;
        until_screen(browser, "paying").await;
        // The page's clock goes on: the server has not resolved it in time.
        let later = "const now = performance.now.bind(performance);
            performance.now = () => now() + 60000";
        browser.look(later, vec![]).await;
        until_screen(browser, "doubt").await;
        browser.click("[data-screen=doubt] [data-cancel]").await;
        until_screen(browser, "reversing").await;
        assert_ne!(servers.wechat.trade_states(), ["REVOKED"]);
        servers.wechat.fail(&[]).await;
        until_screen(browser, "ended").await;
        assert_eq!(servers.wechat.trade_states(), ["REVOKED"]);
    })
    .await;
}

async fn a_reload_in_the_middle_continues_the_same_sale(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let till = open_till(browser, &servers).await;
        fill(browser, "#yuan", WITH_PASSWORD).await;
        until_screen(browser, "scan").await;
        let order_no = text_of(browser, "#order-no").await;
        browser.open(&till).await;
        until_notice(browser, "UNFINISHED").await;
        scan(browser, &servers).await;
        until_screen(browser, "password").await;
        browser.open(&till).await;
        until_screen(browser, "password").await;
        assert_eq!(text_of(browser, "#order-no").await, order_no);
        let stored = "return localStorage.getItem('till.sale')";
        let stored = browser.look(stored, vec![]).await.to_string();
        assert!(stored.contains(&order_no), "{stored}");
        assert!(!stored.contains(TILL_KEY), "{stored}");
        assert!(!stored.contains("auth_code"), "{stored}");
        pay(&servers, "success").await;
        servers.clock.advance_ms(5_000);
        until_screen(browser, "paid").await;
        browser.open(&till).await;
        until_screen(browser, "paid").await;
        assert_eq!(only_order(&servers)["out_trade_no"], json!(order_no));
        browser.click("[data-screen=paid] [data-next]").await;
        browser.open(&till).await;
        until_screen(browser, "amount").await;
    })
    .await;
}

/// The order's answer is lost, the payment does not arrive twice, and then its answer is lost.
async fn a_broken_connection_charges_once(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        open_till(browser, &servers).await;
        let breaking = "const send = window.fetch;
            const plan = {'/v1/orders': ['after'], '/attempts': ['before', 'before', 'after']};
            window.fetch = (address, options) => {
                const part = Object.keys(plan).find((end) => address.endsWith(end));
                const fault = part && plan[part].shift();
                const fail = () => Promise.reject(new TypeError('the network'));
                if (fault === 'before') return fail();
                return fault ? send(address, options).then(fail) : send(address, options);
            }";
        browser.look(breaking, vec![]).await;
        fill(browser, "#yuan", "19.90").await;
        until_screen(browser, "scan").await;
        scan(browser, &servers).await;
        browser
            .until("!document.querySelector('#offline').hidden")
            .await;
        until_screen(browser, "paid").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        let seen = servers.requests.seen();
        let sent = |end: &str| seen.iter().filter(|line| line.ends_with(end)).count();
        assert_eq!(sent("POST /v1/orders"), 2, "{seen:?}");
        assert_eq!(sent("/attempts"), 1, "{seen:?}");
    })
    .await;
}

async fn a_key_that_may_do_more_is_refused_and_never_stored(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.open(&format!("{}/till", servers.merchant)).await;
        sign_in(browser, "tests-key").await;
        until_notice(browser, "KEY_TOO_STRONG").await;
        let stored = "return JSON.stringify([localStorage, sessionStorage])";
        assert_eq!(browser.look(stored, vec![]).await, "[{},{}]");
    })
    .await;
}

/// Two windows of one browser are one till: the second follows the sale of the first.
async fn a_second_window_follows_the_sale_and_begins_no_other(engine: Engine) {
    let servers = Servers::start_with_till().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let till = open_till(browser, &servers).await;
        let first = browser.window().await;
        let second = browser.open_window().await;
        browser.open(&till).await;
        sign_in(browser, TILL_KEY).await;
        until_screen(browser, "amount").await;
        browser.switch_to(&first).await;
        fill(browser, "#yuan", "19.90").await;
        until_screen(browser, "scan").await;
        let order_no = text_of(browser, "#order-no").await;
        browser.switch_to(&second).await;
        until_screen(browser, "scan").await;
        assert_eq!(text_of(browser, "#order-no").await, order_no);
        scan(browser, &servers).await;
        until_screen(browser, "paid").await;
        browser.switch_to(&first).await;
        until_screen(browser, "paid").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

/// Each screen in both languages, light and dark, on a small and a large screen: it fits, and axe finds
/// no violation.
#[tokio::test]
async fn each_screen_fits_and_is_accessible() {
    let servers = Servers::start_with_till().await;
    let axe = axe();
    visit(Visitor::Desktop, async |browser| {
        let mut faults = Vec::new();
        for (language, scheme, width, yuan) in [
            ("zh-CN", "light", 1024, "1234.50"),
            // The largest amount.
            ("en-GB", "dark", 320, "10000000"),
            ("zh-CN", "dark", 320, "1000.00"),
            ("en-GB", "light", 320, "10000"),
        ] {
            let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0";
            browser.override_user_agent(agent, language).await;
            browser.resize(width, 760).await;
            browser.open(&format!("{}/till", servers.merchant)).await;
            browser.prefer(&[("prefers-color-scheme", scheme)]).await;
            let checked = async |screen: &str| {
                until_screen(browser, screen).await;
                let name = format!("till-{screen}-{language}-{scheme}-{width}");
                keep(browser, &name).await;
                let is_too_wide = "const due = document.getElementById('due');
                    return document.documentElement.scrollWidth > innerWidth
                        || due.scrollWidth > due.clientWidth";
                let is_too_wide = browser.look(is_too_wide, vec![]).await;
                browser.look(&axe, vec![]).await;
                let found = violations(browser, "html").await;
                let found = found.into_iter().map(|fault| format!("{name}: {fault}"));
                let width = (is_too_wide == json!(true)).then(|| format!("{name} is too wide"));
                found.chain(width).collect::<Vec<_>>()
            };
            faults.extend(checked("sign-in").await);
            sign_in(browser, TILL_KEY).await;
            faults.extend(checked("amount").await);
            fill(browser, "#yuan", yuan).await;
            until_screen(browser, "scan").await;
            fill(browser, "#code", "130000000000000000").await;
            until_notice(browser, "AUTH_CODE_INVALID").await;
            faults.extend(checked("scan").await);
            scan(browser, &servers).await;
            faults.extend(checked("password").await);
            let later = "const now = performance.now.bind(performance);
                performance.now = () => now() + 60000";
            browser.look(later, vec![]).await;
            faults.extend(checked("doubt").await);
            pay(&servers, "success").await;
            servers.clock.advance_ms(5_000);
            faults.extend(checked("paid").await);
            browser.click("[data-screen=paid] [data-next]").await;
            browser.click("#sign-out").await;
        }
        assert!(faults.is_empty(), "{faults:#?}");
        let mut complaints = browser.complaints().await;
        // An order that is not known yet, and a code that WeChat refuses.
        complaints.retain(|line| !line.contains("502 (Bad Gateway)"));
        assert_eq!(complaints, [""; 0]);
    })
    .await;
}

/// Opens a till as a cashier who knows the key. Returns its address.
async fn open_till(browser: &Browser, servers: &Servers) -> String {
    let till = format!("{}/till", servers.merchant);
    browser.open(&till).await;
    sign_in(browser, TILL_KEY).await;
    until_screen(browser, "amount").await;
    till
}

async fn sign_in(browser: &Browser, key: &str) {
    until_screen(browser, "sign-in").await;
    let clear = "for (const field of ['key', 'store']) document.getElementById(field).value = ''";
    browser.look(clear, vec![]).await;
    browser.type_into("#key", key).await;
    browser.type_into("#store", &format!("0001{ENTER}")).await;
}

/// Types into a field and presses Enter, as a scanner does.
async fn fill(browser: &Browser, field: &str, text: &str) {
    let clear = "document.querySelector(arguments[0]).value = ''";
    browser.look(clear, vec![field.into()]).await;
    browser.type_into(field, &format!("{text}{ENTER}")).await;
}

/// Scans the code that the buyer's phone shows now.
async fn scan(browser: &Browser, servers: &Servers) {
    let shown = servers.wechat.tell("auth_code", &json!({})).await;
    let code = shown["auth_code"].as_str().expect("a code");
    fill(browser, "#code", code).await;
}

/// What the buyer or the bank does about the sale that waits.
async fn pay(servers: &Servers, outcome: &str) {
    let ledger = ledger(servers);
    let orders = ledger["orders"].as_array().expect("orders");
    let waiting = orders
        .iter()
        .find(|order| order["trade_state"] == "USERPAYING");
    let waiting = waiting.unwrap_or_else(|| panic!("no order waits: {ledger}"));
    let visit = json!({
        "mchid": waiting["mchid"], "out_trade_no": waiting["out_trade_no"], "outcome": outcome,
    });
    servers.wechat.tell("pay", &visit).await;
}

fn ledger(servers: &Servers) -> Value {
    serde_json::to_value(servers.wechat.simulator.ledger_view(None)).expect("a ledger")
}

fn only_order(servers: &Servers) -> Value {
    let ledger = ledger(servers);
    let orders = ledger["orders"].as_array().expect("orders");
    assert_eq!(orders.len(), 1, "{ledger}");
    orders[0].clone()
}

async fn text_of(browser: &Browser, selector: &str) -> String {
    let look = "return document.querySelector(arguments[0]).textContent";
    let text = browser.look(look, vec![selector.into()]).await;
    text.as_str().expect("a text").to_owned()
}

async fn until_screen(browser: &Browser, screen: &str) {
    let is_shown = format!("document.querySelector('[data-screen={screen}]')?.hidden === false");
    browser.until(&is_shown).await;
}

/// Waits until the notice of this name is shown, in the page's language.
async fn until_notice(browser: &Browser, name: &str) {
    let is_shown = format!(
        "(() => {{
            const place = document.getElementById('notice');
            const terms = [...document.querySelectorAll('#notices dt')];
            const term = terms.find((term) => term.textContent === '{name}');
            return !place.hidden && place.textContent.startsWith(term.nextElementSibling.textContent);
        }})()"
    );
    browser.until(&is_shown).await;
}
