//! The element's language if no attribute sets it: the page's, otherwise the browser's.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    each_buyer_downloads_the_sentences_of_one_language: chromium firefox webkit;
    a_language_that_does_not_arrive_is_replaced_by_chinese: chromium firefox webkit;
    another_language_is_shown_during_a_payment: chromium firefox webkit;
    the_element_and_its_fallback_use_the_pages_language_or_the_browsers: chromium firefox webkit;
}

/// The element's language, and the first sentence beside its code.
async fn spoken(browser: &Browser) -> Value {
    let spoken = "const root = document.getElementById('pay').shadowRoot;
        return [root.querySelector('[part~=base]').lang, root.querySelector('.lead').textContent]";
    browser.look(spoken, vec![]).await
}

/// The files of sentences that the page loaded, without their digests.
async fn loaded_words(browser: &Browser) -> Value {
    let loaded = "return performance.getEntriesByType('resource').map(({name}) => name)
        .filter((name) => name.endsWith('.json')).map((name) => name.split('.').slice(-2)[0])";
    browser.look(loaded, vec![]).await
}

async fn each_buyer_downloads_the_sentences_of_one_language(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (locale, lang, sentence, files) in [
            ("zh-CN", "zh-CN", buyer_words::SCAN.zh_cn, json!([])),
            (
                "zh-HK",
                "zh-Hant",
                buyer_words::SCAN.zh_hant,
                json!(["zh-Hant"]),
            ),
            ("fr", "en", buyer_words::SCAN.en, json!(["en"])),
        ] {
            browser
                .open(&pages.page_of(&token, &[("locale", locale)]))
                .await;
            browser.until("stateOf('pay') === 'qr'").await;
            assert_eq!(spoken(browser).await, json!([lang, sentence]));
            assert_eq!(loaded_words(browser).await, files, "{locale}");
        }
    })
    .await;
}

async fn a_language_that_does_not_arrive_is_replaced_by_chinese(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for locale in ["en", "zh-TW"] {
            let address = pages.page_of(&token, &[("locale", locale)]);
            browser
                .open(&address.replace("/ready/", "/wordless/"))
                .await;
            browser.until("stateOf('pay') === 'qr'").await;
            assert_eq!(
                spoken(browser).await,
                json!(["zh-CN", buyer_words::SCAN.zh_cn])
            );
            let codes = browser.look("return codes", vec![]).await;
            assert_eq!(codes, json!([]), "{locale}: the payment has no problem");
        }
    })
    .await;
}

async fn another_language_is_shown_during_a_payment(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.open(&pages.page_of(&token, &[])).await;
        browser.until("stateOf('pay') === 'qr'").await;
        for (locale, lang, name) in [
            ("zh-TW", "zh-Hant", buyer_words::BRAND.zh_hant),
            ("en", "en", buyer_words::BRAND.en),
            ("zh", "zh-CN", buyer_words::BRAND.zh_cn),
        ] {
            let change = "document.getElementById('pay').setAttribute('locale', arguments[0])";
            browser.look(change, vec![json!(locale)]).await;
            let shown =
                "document.getElementById('pay').shadowRoot.querySelector('[part~=base]').lang";
            browser.until(&format!("{shown} === '{lang}'")).await;
            let named = "return document.getElementById('pay').shadowRoot.querySelector('[role=group]').getAttribute('aria-label')";
            assert_eq!(browser.look(named, vec![]).await, name);
        }
        assert_eq!(pages.posts_about(&token), 1, "the same payment");
    })
    .await;
}

async fn the_element_and_its_fallback_use_the_pages_language_or_the_browsers(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    // The page's language, the browser's, the attribute, the language shown.
    let cases = [
        ("zh-CN", "en-US", "", "zh-CN"),
        ("zh-TW", "en-US", "", "zh-Hant"),
        ("en", "zh-CN", "", "en"),
        ("de", "zh-CN", "", "en"),
        ("", "zh-HK", "", "zh-Hant"),
        ("", "zh-Hans-HK", "", "zh-CN"),
        ("en", "en-US", "zh_TW", "zh-Hant"),
        ("", "fr-FR", "", "en"),
        ("en", "en-US", "zh-CN", "zh-CN"),
        ("zh-CN", "zh-CN", "en-GB", "en"),
    ];
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (page, own, attribute, spoken) in cases {
            let case = format!("page {page:?}, browser {own:?}, attribute {attribute:?}");
            for way in ["ready", "broken"] {
                let speak = format!("document.documentElement.lang = {}; Object.defineProperty(navigator, 'language', {{get: () => {}}})", json!(page), json!(own));
                let mut attributes = vec![("script", speak.as_str())];
                if !attribute.is_empty() {
                    attributes.push(("locale", attribute));
                }
                let address = pages.page_of(&token, &attributes);
                browser.open(&address.replace("/ready/", &format!("/{way}/"))).await;
                if way == "ready" {
                    browser.until("stateOf('pay') === 'qr'").await;
                    let lang = "document.getElementById('pay').shadowRoot.querySelector('[part~=base]').lang";
                    assert_eq!(browser.look(&format!("return {lang}"), vec![]).await, json!(spoken), "{case}");
                } else {
                    let title = browser.until("document.getElementById('pay').shadowRoot?.querySelector('[part=fallback] b')?.textContent").await;
                    // The file of the language arrives here, unlike the widget.
                    let expected = match spoken {
                        "zh-CN" => "支付页面加载失败",
                        "zh-Hant" => "付款頁面載入失敗",
                        _ => "The payment page could not load",
                    };
                    assert_eq!(title, json!(expected), "{case}");
                }
            }
        }
    })
    .await;
}
