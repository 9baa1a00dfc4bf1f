//! The element's place is held from the start: nothing on the page moves when the code comes, or when it
//! is paid.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    the_place_is_as_high_while_the_widget_loads_as_with_the_code_and_the_receipt:
        chromium firefox webkit;
    the_place_has_the_elements_theme_and_on_a_phone_the_height_of_a_receipt: chromium firefox webkit;
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

async fn the_place_has_the_elements_theme_and_on_a_phone_the_height_of_a_receipt(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Phone, async |phone| {
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

/// A page that links the file of layouts, and what it puts into the widget's slots.
const WITH_LAYOUTS: &str = "document.head.insertAdjacentHTML('beforeend', '<link rel=stylesheet href=/ready/layouts.css>');
    document.addEventListener('DOMContentLoaded', () => pay.insertAdjacentHTML('beforeend',
        '<img slot=logo width=80 height=40 alt=\"\" src=\"data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22/>\"><a slot=return href=/>back</a>'));";

#[tokio::test]
async fn each_layout_holds_its_place_and_what_has_a_slot_of_the_widget_changes_nothing() {
    let pages = TestPages::start().await;
    // The widths of a desk and of the smallest screen, and the height at each.
    let cases = [
        ("compact", [480, 480]),
        ("code", [432, 432]),
        ("row", [464, 560]),
        ("card", [560, 560]),
    ];
    for (layout, expected) in cases {
        for (width, height) in [1280, 320].into_iter().zip(expected) {
            visit(Visitor::Desktop, async |browser| {
                browser.resize(width, 800).await;
                let page = format!("{PAGE}{WITH_LAYOUTS}");
                let attributes = [("layout", layout), ("locale", "en")];
                let heights = heights_with(&pages, browser, &page, &attributes).await;
                assert_eq!(heights, [height; 4], "{layout} {width}");
                let shown = browser.look(IN_VIEW, vec![]).await;
                assert_eq!(shown, json!([]), "{layout} {width}");
            })
            .await;
        }
    }
}

/// The parts of the card that are wider than the card.
const IN_VIEW: &str = "const base = pay.shadowRoot.querySelector('[part=base]');
    const {left, right} = base.getBoundingClientRect();
    return [...base.querySelectorAll('*')].filter((part) => {
        const box = part.getBoundingClientRect();
        return box.width > 1 && (box.left < left - 1 || box.right > right + 1);
    }).map((part) => part.className)";

/// The element's height: the held place, the widget that waits for an answer, the code, and the receipt.
async fn heights(pages: &TestPages, browser: &Browser, language: &str) -> [u64; 4] {
    heights_with(pages, browser, PAGE, &[("locale", language)]).await
}

/// The same with a script and attributes.
async fn heights_with(
    pages: &TestPages,
    browser: &Browser,
    page: &str,
    more: &[(&str, &str)],
) -> [u64; 4] {
    let token = pages.order().await;
    let slow = "const send = window.fetch;
        window.fetch = async (...given) => {
            const answer = await send(...given);
            if (String(given[0].url ?? given[0]).includes('/checkouts/')) await new Promise((answered) => { window.answer = answered; });
            return answer;
        };";
    let script = format!("{page}{slow}");
    let attributes = [&[("script", script.as_str())], more].concat();
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
