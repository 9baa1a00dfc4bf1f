//! The element's language if no attribute sets it: the page's, otherwise the browser's.

use payment_tests::browser::{Visitor, visit};
use serde_json::json;

use crate::test_pages::TestPages;

#[tokio::test]
async fn the_element_and_its_fallback_use_the_pages_language_or_the_browsers() {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    // The page's language, the browser's, the attribute, the language shown.
    let cases = [
        ("zh-CN", "en-US", "", "zh-CN"),
        ("zh-TW", "en-US", "", "zh-CN"),
        ("en", "zh-CN", "", "en"),
        ("de", "zh-CN", "", "en"),
        ("", "zh-HK", "", "zh-CN"),
        ("", "fr-FR", "", "en"),
        ("en", "en-US", "zh-CN", "zh-CN"),
        ("zh-CN", "zh-CN", "en-GB", "en"),
    ];
    visit(Visitor::Desktop, async |browser| {
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
                    let is_english = title == json!("The payment could not load");
                    assert_eq!(is_english, spoken == "en", "{case}: {title}");
                }
            }
        }
    })
    .await;
}
