//! Options that a page can set: its language, its style, and its own help.

use payment_tests::browser::{Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::gallery::Gallery;

in_browsers! {
    money_is_formatted_for_each_language_from_whole_fen: chromium firefox webkit;
    help_is_a_link_or_the_pages_slot_when_a_payment_or_the_widget_fails: chromium firefox webkit;
}

async fn money_is_formatted_for_each_language_from_whole_fen(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        gallery.show(browser, "qr-long", "zh-CN", "light").await;
        let amount = "document.querySelector('wechat-pay').shadowRoot.querySelector('[part~=amount]').textContent";
        for (locale, language, expected) in [
            ("zh-CN", Value::Null, "¥999,999,999.99"),
            ("zh-Hant-TW", Value::Null, "CN¥999,999,999.99"),
            ("en", Value::Null, "CN¥999,999,999.99"),
            ("fr", Value::Null, "CN¥999,999,999.99"),
            ("en", json!("de"), "999.999.999,99\u{a0}CN¥"),
            ("en", json!("no language"), "CNY 999999999.99"),
        ] {
            let set_options = "Object.assign(document.querySelector('wechat-pay'), {locale: arguments[0], messages: {language: arguments[1] ?? undefined}})";
            browser
                .look(set_options, vec![json!(locale), language.clone()])
                .await;
            browser.until(&format!("{amount} === {}", json!(expected))).await;
        }
    })
    .await;
}

async fn help_is_a_link_or_the_pages_slot_when_a_payment_or_the_widget_fails(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for name in ["problem-network", "fallback"] {
            gallery.show(browser, name, "zh-CN", "light").await;
            let link = "[...document.querySelector('wechat-pay').shadowRoot.querySelectorAll('a[href$=\"/help\"]')].filter((link) => link.getClientRects().length > 0).length";
            assert_eq!(browser.look(&format!("return {link}"), vec![]).await, json!(1), "{name}");
            let put = "const help = Object.assign(document.createElement('p'), {slot: 'support', textContent: '客服电话 400-000-0000'});
                document.querySelector('wechat-pay').append(help)";
            browser.look(put, vec![]).await;
            assert_eq!(browser.look(&format!("return {link}"), vec![]).await, json!(0), "{name}");
            let seen = "return document.querySelector('[slot=support]').getClientRects().length";
            assert_eq!(browser.look(seen, vec![]).await, json!(1), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_theme_is_the_elements_own_or_the_pages() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        browser.prefer(&[("prefers-color-scheme", "dark")]).await;
        gallery.show(browser, "qr", "zh-CN", "light").await;
        let card = "getComputedStyle(document.querySelector('wechat-pay').shadowRoot.querySelector('[part=base]')).backgroundColor";
        let [light, dark] = ["rgb(255, 255, 255)", "rgb(30, 30, 30)"];
        for (theme, scheme, expected) in [
            (Value::Null, "light", light),
            (Value::Null, "dark", dark),
            (Value::Null, "light dark", dark),
            (json!("auto"), "light", dark),
            (json!("light"), "dark", light),
            (json!("dark"), "light", dark),
        ] {
            let set_options = "document.documentElement.style.colorScheme = arguments[1];
                const pay = document.querySelector('wechat-pay');
                pay.theme = 'light';
                pay.theme = arguments[0]";
            browser.look(set_options, vec![theme, json!(scheme)]).await;
            browser.until(&format!("{card} === '{expected}'")).await;
        }
    })
    .await;
}
