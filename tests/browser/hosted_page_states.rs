//! Every state of the merchant server's own pages, with the element and without script, on a phone
//! (dark) and on a desktop (light), in both languages: the texts are in the buyer's language, the word TEST
//! appears once, nothing is too wide, and axe finds no violation. With `SCREENSHOTS=folder`, a
//! picture of each is saved.

use payment_tests::browser::{Browser, Visitor, visit};
use payment_tests::servers::Servers;
use serde_json::{Value, json};

use crate::accessibility::{axe, violations};
use crate::gallery::keep;

const DESK: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36";
const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) NetType/WIFI Language/zh_CN";
const OLD_WECHAT: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) AppleWebKit/536.26 MicroMessenger/4.5";
const MINI_PROGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.61(0x18003d39) NetType/WIFI Language/zh_CN miniProgram/wx0123456789abcdef";

/// The name of who is paid, as a shop could write it.
const PAYEE: &str = "<b>Yunling Tea</b> & Co.";

/// The language header of a browser, and the page's tag for it.
const LANGUAGES: [(&str, &str); 2] = [
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
    ("en-GB,de;q=0.9", "en"),
];
/// The widths of the page, and the colours that the buyer prefers.
const LOOKS: [(u32, &str); 2] = [(360, "dark"), (1280, "light")];

/// A page to check.
struct Sight {
    name: &'static str,
    user_agent: &'static str,
    path: String,
    /// The state that the element reaches; none if the page has no element.
    element: Option<&'static str>,
}

#[tokio::test]
async fn each_page_without_script_is_complete_accessible_and_in_one_language() {
    let servers = Servers::start().await;
    let sights = sights(&servers).await;
    visit(Visitor::Desktop, async |browser| {
        look_at_all(browser, &sights, "plain", async |browser, sight| {
            browser.block_script(true).await;
            browser
                .open(&format!("{}{}", servers.merchant, sight.path))
                .await;
            vec![]
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn each_page_that_the_element_takes_over_has_one_language_and_no_layout_shift() {
    let servers = Servers::start().await;
    let sights = sights(&servers).await;
    visit(Visitor::Desktop, async |browser| {
        look_at_all(browser, &sights, "element", async |browser, sight| {
            browser
                .open(&format!("{}{}", servers.merchant, sight.path))
                .await;
            if let Some(state) = sight.element {
                browser.until_element_is(&[state]).await;
            }
            // Messages after a form belong to the page without script.
            let moved = browser.look_and_wait(MOVED, vec![]).await;
            if moved == json!([]) || sight.path.contains("=1") {
                vec![]
            } else {
                vec![format!("{} moved: {moved}", sight.name)]
            }
        })
        .await;
        let mut complaints = browser.complaints().await;
        // The page of an unknown token is such a page too. And at a desk, the first request asks for a
        // code, also for an order whose time is over.
        complaints.retain(|line| !line.contains("404 (Not Found)") && !line.contains("410 (Gone)"));
        assert_eq!(complaints, [""; 0]);
    })
    .await;
}

/// Where each step on the page ends, by WeChat's answer to it.
#[tokio::test]
async fn each_page_after_a_step_without_the_element_is_complete_and_leads_on() {
    let servers = Servers::start_with_bundle(None).await;
    let of_order = |kind: &str| json!({"route": "order", "kind": kind, "rate": 1});
    let mut no_auth = of_order("refused");
    no_auth["code"] = "NO_AUTH".into();
    let steps = [
        ("wechat-cashier", WECHAT, None),
        ("wechat-silent", PHONE, Some(of_order("error_before"))),
        ("wechat-refuses", PHONE, Some(no_auth)),
    ];
    for (name, user_agent, fault) in steps {
        servers.wechat.fail(fault.as_slice()).await;
        let order = json!({"order_no": name, "total_fen": 123_456, "description": "手冲壶", "payee": PAYEE});
        let token = servers.order_of_buyer(order).await;
        let sight = Sight {
            name,
            user_agent,
            path: format!("/c/{token}"),
            element: None,
        };
        let sights = [sight];
        visit(Visitor::Desktop, async |browser| {
            for (way, is_plain) in [("plain", true), ("script", false)] {
                look_at_all(browser, &sights, way, async |browser, sight| {
                    browser.block_script(is_plain).await;
                    browser
                        .open(&format!("{}{}", servers.merchant, sight.path))
                        .await;
                    browser.click("form[action$='/start'] button").await;
                    browser.until_at("/start").await;
                    vec![]
                })
                .await;
            }
        })
        .await;
    }
}

/// What moved among the parts that stay when the element takes over, as browsers measure it (Layout
/// Instability).
const MOVED: &str = "const done = arguments[0];
    const moved = [];
    const staying = (node) => node?.parentElement?.closest('main') && !node.closest('wechat-pay');
    const add = (shift) => moved.push(...shift.sources.filter(({node}) => staying(node)).map(
        ({node, previousRect, currentRect}) => `${node.className} from ${previousRect.top} to ${currentRect.top}`));
    new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({type: 'layout-shift', buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(moved))))";

/// The content of a page without script stays visible while it is checked.
const SHOW_NOSCRIPT: &str = "if (arguments[0] !== 'plain') return;
    for (const place of document.querySelectorAll('noscript')) place.style.display = 'block'";

async fn look_at_all(
    browser: &Browser,
    sights: &[Sight],
    way: &str,
    open: impl AsyncFn(&Browser, &Sight) -> Vec<String>,
) {
    let axe = axe();
    let mut faults = Vec::new();
    for sight in sights {
        for (accepted, language) in LANGUAGES {
            browser
                .override_user_agent(sight.user_agent, accepted)
                .await;
            for (width, scheme) in LOOKS {
                browser.resize(width, 800).await;
                browser.prefer(&[("prefers-color-scheme", scheme)]).await;
                faults.extend(open(browser, sight).await);
                let name = format!("{}-{way}-{language}-{width}", sight.name);
                faults.extend(wrong_with(browser, &name, language).await);
                keep(browser, &name).await;
                // The page is kept as it was loaded; the checker needs timers.
                browser.block_script(false).await;
                browser.look(SHOW_NOSCRIPT, vec![way.into()]).await;
                browser.look(&axe, vec![]).await;
                for violation in violations(browser, "html").await {
                    faults.push(format!("{name}: {violation}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Checks the language, the width, and how often the page says TEST.
async fn wrong_with(browser: &Browser, name: &str, language: &str) -> Vec<String> {
    let look = "const element = document.querySelector('wechat-pay');
        const texts = [...document.querySelectorAll('body'), ...(element?.shadowRoot?.children ?? [])].map((node) => node.innerText);
        const seen = (node) => node.getClientRects().length > 0;
        const ribbons = [...document.querySelectorAll('.ribbon'), ...(element?.shadowRoot?.querySelectorAll('.ribbon') ?? [])].filter(seen);
        return {
            lang: document.documentElement.lang,
            text: texts.join(' '),
            ribbons: ribbons.length,
            isAboutOrder: !!document.querySelector('.beneath'),
            isTooWide: document.documentElement.scrollWidth > innerWidth,
        }";
    let page = browser.look(look, vec![]).await;
    let mut faults = Vec::new();
    if page["lang"] != language {
        faults.push(format!("{name} is in {}", page["lang"]));
    }
    let text = page["text"].as_str().unwrap_or_default();
    // The description is the shop's own text, in any language.
    let text = text.replace("手冲壶", "");
    let is_chinese = text
        .chars()
        .any(|letter| letter > '\u{4e00}' && letter < '\u{a000}');
    if is_chinese != (language == "zh-CN") {
        faults.push(format!("{name} says {text}"));
    }
    let expected = i32::from(page["isAboutOrder"] == json!(true));
    if page["ribbons"] != json!(expected) {
        faults.push(format!("{name} has {} ribbons", page["ribbons"]));
    }
    if page["isTooWide"] == json!(true) {
        faults.push(format!("{name} is too wide"));
    }
    faults
}

/// The tokens of orders, each in the state that is checked.
struct Orders {
    fresh: String,
    for_code: String,
    coded: String,
    left: String,
    native_alone: String,
    closed: String,
    expired: String,
    paid: String,
    refunded_in_part: String,
    refunded_in_whole: String,
}

impl Orders {
    async fn place(servers: &Servers) -> Self {
        let order = async |no: &str, more: Value| {
            let mut order = json!({"order_no": no, "total_fen": 123_456, "description": "手冲壶", "payee": PAYEE});
            for (name, value) in more.as_object().into_iter().flatten() {
                order[name] = value.clone();
            }
            servers.order(order).await
        };
        let thanks = format!("{}/thanks", servers.shop);
        let orders = Self {
            fresh: order("STATE-FRESH", json!({})).await,
            for_code: order("STATE-FOR-CODE", json!({})).await,
            coded: order("STATE-CODED", json!({})).await,
            left: order("STATE-LEFT", json!({"return_url": thanks})).await,
            native_alone: order("STATE-NATIVE-ALONE", json!({"products": ["native"]})).await,
            closed: order("STATE-CLOSED", json!({})).await,
            expired: order("STATE-EXPIRED", json!({"expires_in_ms": 60_000})).await,
            paid: order("STATE-PAID", json!({"success_url": thanks})).await,
            refunded_in_part: order("STATE-PART", json!({})).await,
            refunded_in_whole: order("STATE-WHOLE", json!({})).await,
        };
        orders.move_on(servers).await;
        orders
    }

    async fn move_on(&self, servers: &Servers) {
        servers.attempt(&self.coded, "native").await;
        servers.attempt(&self.left, "h5").await;
        servers
            .backend("/v1/orders/STATE-CLOSED/close", &json!({}))
            .await;
        servers.attempt(&self.expired, "native").await;
        for token in [&self.paid, &self.refunded_in_part, &self.refunded_in_whole] {
            let answer = servers.attempt(token, "native").await;
            servers.wechat.pay(&answer["code_url"]).await;
            servers
                .until_checkout(token, "paid", |checkout| checkout["state"] == "paid")
                .await;
        }
        for (order_no, token, amount_fen) in [
            ("STATE-PART", &self.refunded_in_part, 23_456),
            ("STATE-WHOLE", &self.refunded_in_whole, 123_456),
        ] {
            let refund = json!({"refund_no": format!("{order_no}-1"), "amount_fen": amount_fen});
            servers
                .backend(&format!("/v1/orders/{order_no}/refunds"), &refund)
                .await;
            servers
                .until_checkout(token, "a refund", |checkout| {
                    checkout["refunded_fen"].is_u64()
                })
                .await;
        }
        // The order's time is over, and WeChat has not closed it yet.
        let close = json!({"route": "close", "kind": "error_before", "rate": 1});
        servers.wechat.fail(&[close]).await;
        servers.clock.advance_ms(61_000);
    }
}

/// The pages to check, in this order: with script, a desktop starts to pay.
async fn sights(servers: &Servers) -> Vec<Sight> {
    let orders = Orders::place(servers).await;
    let sight = |name, user_agent, token: &str, query, element| Sight {
        name,
        user_agent,
        path: format!("/c/{token}{query}"),
        element,
    };
    let Orders {
        fresh, coded, left, ..
    } = &orders;
    let back = "?wechat_pay_return=x";
    vec![
        sight("phone-start", PHONE, fresh, "", Some("offer")),
        sight("wechat-start", WECHAT, fresh, "", Some("offer")),
        sight("old-wechat", OLD_WECHAT, fresh, "", Some("unavailable")),
        sight("mini-program", MINI_PROGRAM, fresh, "", Some("offer")),
        sight(
            "nothing-fits",
            WECHAT,
            &orders.native_alone,
            "",
            Some("unavailable"),
        ),
        sight("desk-start", DESK, &orders.for_code, "", Some("qr")),
        sight("desk-code", DESK, coded, "", Some("qr")),
        sight("desk-superseded", DESK, coded, "?superseded=1", Some("qr")),
        sight("phone-moved-to", PHONE, coded, "", Some("offer")),
        sight("phone-code", PHONE, coded, "?code=1", Some("offer")),
        sight("phone-returned", PHONE, left, back, Some("returned")),
        sight(
            "phone-not-paid",
            PHONE,
            left,
            "?wechat_pay_return=x&checked=1",
            Some("returned"),
        ),
        sight("paid", PHONE, &orders.paid, "", Some("paid")),
        sight(
            "refunded-in-part",
            DESK,
            &orders.refunded_in_part,
            "",
            Some("paid"),
        ),
        sight(
            "refunded-in-whole",
            PHONE,
            &orders.refunded_in_whole,
            "",
            Some("paid"),
        ),
        sight("closed", PHONE, &orders.closed, "", Some("closed")),
        sight("expired", DESK, &orders.expired, "", Some("expired")),
        sight("unknown", PHONE, "AAAAAAAAAAAAAAAAAAAAAA", "", None),
    ]
}
