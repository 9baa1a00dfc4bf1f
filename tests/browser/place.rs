//! The element's place is held from the start: nothing on the page moves when the code comes, or when it
//! is paid.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    the_place_is_as_high_while_the_widget_loads_as_with_the_code_and_the_receipt:
        chromium firefox webkit;
}

/// As the documentation recommends, with a text of the page's below the element.
const PAGE: &str = "document.head.insertAdjacentHTML('beforeend', '<style>wechat-pay:not(:defined){display:block;min-height:560px}</style>');
    window.shifts = [];
    if (PerformanceObserver.supportedEntryTypes.includes('layout-shift')) {
        new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({value, sources}) => [value, sources.map(({node, previousRect, currentRect}) => [String(node?.className ?? node?.data), previousRect.y, currentRect.y])]))).observe({type: 'layout-shift', buffered: true});
    }
    document.addEventListener('DOMContentLoaded', () => { document.getElementById('right-side').textContent = 'below' });";

async fn the_place_is_as_high_while_the_widget_loads_as_with_the_code_and_the_receipt(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    for language in ["zh-CN", "en"] {
        visit_in(engine, Visitor::Desktop, async |browser| {
            let heights = heights(&pages, browser, language).await;
            assert_eq!(heights, [560; 4], "{language}");
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_shifts_from_the_first_frame_to_the_receipt() {
    let pages = TestPages::start().await;
    for visitor in [Visitor::Desktop, Visitor::SmallDesktop] {
        for language in ["zh-CN", "en"] {
            visit(visitor, async |browser| {
                let heights = heights(&pages, browser, language).await;
                assert_eq!(heights, [560; 4], "{visitor:?} {language}");
                // Two frames, so that a shift is measured.
                let frames = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))";
                browser.look_and_wait(frames, vec![]).await;
                let shifts = browser.look("return shifts", vec![]).await;
                assert_eq!(shifts, json!([]), "{visitor:?} {language}");
            })
            .await;
        }
    }
}

#[tokio::test]
async fn the_place_has_the_elements_theme_and_on_a_phone_the_height_of_a_receipt() {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit(Visitor::Phone, async |phone| {
        let theme = ("theme", "dark");
        let page = pages.page_of(&token, &[theme]).replace("/ready/", "/held/");
        phone.open(&page).await;
        let place = "pay.shadowRoot?.querySelector('.place')";
        phone.until(&format!("!!{place}")).await;
        let read = format!(
            "const place = {place}; return [pay.offsetHeight, getComputedStyle(place).colorScheme]"
        );
        assert_eq!(phone.look(&read, vec![]).await, json!([432, "dark"]));
        pages.release();
        phone.until("stateOf('pay') === 'offer'").await;
        assert_eq!(height(phone).await, 432);
    })
    .await;
}

/// The element's height: the held place, the widget that waits for an answer, the code, and the receipt.
async fn heights(pages: &TestPages, browser: &Browser, language: &str) -> [u64; 4] {
    let token = pages.order().await;
    let slow = "const send = window.fetch;
        window.fetch = async (...given) => {
            const answer = await send(...given);
            if (String(given[0].url ?? given[0]).includes('/checkouts/')) await new Promise((answered) => { window.answer = answered; });
            return answer;
        };";
    let script = format!("{PAGE}{slow}");
    let attributes = [("script", script.as_str()), ("locale", language)];
    let page = pages.page_of(&token, &attributes);
    pages.hold_again();
    browser.open(&page.replace("/ready/", "/held/")).await;
    browser
        .until("!!pay.shadowRoot?.querySelector('.place')")
        .await;
    let held = height(browser).await;
    pages.release();
    browser
        .until("stateOf('pay') === 'loading' && !!window.answer")
        .await;
    let loading = height(browser).await;
    browser.look("answer()", vec![]).await;
    browser.until("stateOf('pay') === 'qr'").await;
    let code = height(browser).await;
    pages.pay(&token).await;
    // The answers to later polls are held, too.
    browser.until("(answer(), stateOf('pay') === 'paid')").await;
    [held, loading, code, height(browser).await]
}

async fn height(browser: &Browser) -> u64 {
    let height: Value = browser
        .look(
            "return Math.round(pay.getBoundingClientRect().height)",
            vec![],
        )
        .await;
    height.as_u64().expect("a height")
}
