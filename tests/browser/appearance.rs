//! The element's appearance under difficult conditions: on the smallest and the largest screen,
//! zoomed, with a reader's own spacing, in forced colours, without motion, and by keyboard.

use std::collections::BTreeSet;

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::gallery::Gallery;

in_browsers! {
    the_keyboards_focus_is_visible_on_everything_that_it_reaches: chromium firefox webkit;
    the_focus_stays_in_the_element_when_its_button_disappears: chromium firefox webkit;
}

/// The text in the fixture's code.
const CODE_URL: &str = "weixin://wxpay/bizpayurl?pr=JyC91EIz1";

#[tokio::test]
async fn on_the_smallest_screen_nothing_is_cut_off_and_the_code_keeps_its_size() {
    let servers = Servers::start().await;
    visit(Visitor::SmallDesktop, async |browser| {
        browser.open(&servers.shop).await;
        let fits = "return document.documentElement.scrollWidth <= 320 && innerWidth === 320";
        assert_eq!(browser.look(fits, vec![]).await, json!(true));
        browser.click("button[value='coffee']").await;
        browser.until_element_is(&["qr"]).await;
        assert_eq!(browser.look(fits, vec![]).await, json!(true));
        let side = "return document.querySelector('wechat-pay').shadowRoot.querySelector('[part~=qr]').getBoundingClientRect().width";
        let side = browser.look(side, vec![]).await.as_f64().expect("a width");
        assert!(side >= 240.0, "{side} px");
        browser
            .look("document.querySelector('wechat-pay').scrollIntoView()", vec![])
            .await;
        assert_eq!(scan(&browser.screenshot().await).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn each_module_of_the_code_has_whole_pixels_on_every_screen_and_the_code_is_readable() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        gallery.show(browser, "qr", "zh-CN", "dark").await;
        let screens = [
            (320, 900, 1.0),
            (390, 900, 3.0),
            (1280, 900, 1.0),
            (1280, 900, 1.5),
            (1280, 900, 2.0),
            (3840, 2160, 1.0),
        ];
        for (width, height, pixel_ratio) in screens {
            browser.look_through(width, height, pixel_ratio).await;
            let measure = "const root = document.querySelector('wechat-pay').shadowRoot;
                const code = root.querySelector('[part~=qr]');
                const {width, height} = code.getBoundingClientRect();
                const card = root.querySelector('[part=base]').getBoundingClientRect();
                const ofModule = width / code.viewBox.baseVal.width * devicePixelRatio;
                return {ratio: devicePixelRatio, isLarge: width >= 240, isSquare: width === height,
                    isOfWholePixels: Number.isInteger(ofModule), isInTheMiddle: card.left === innerWidth - card.right}";
            let found = browser.look(measure, vec![]).await;
            assert_eq!(found["ratio"].as_f64(), Some(pixel_ratio));
            for fact in ["isLarge", "isSquare", "isOfWholePixels", "isInTheMiddle"] {
                assert_eq!(found[fact], true, "{fact} at {width} px, {pixel_ratio}");
            }
            assert_eq!(scan(&browser.screenshot().await), [CODE_URL], "{width} {pixel_ratio}");
        }
    })
    .await;
}

#[tokio::test]
async fn in_forced_colours_the_code_stays_dark_on_white_and_the_rest_has_the_buyers_colours() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        let forced = [("forced-colors", "active"), ("prefers-color-scheme", "dark")];
        browser.prefer(&forced).await;
        gallery.show(browser, "qr", "zh-CN", "light").await;
        let colours = "const root = document.querySelector('wechat-pay').shadowRoot;
            const of = (selector, name) => [...root.querySelectorAll(selector)].map((part) => getComputedStyle(part)[name]).join(' ');
            return {card: of('[part=base]', 'backgroundColor'), text: of('[part~=amount]', 'color'),
                code: of('[part~=qr] path', 'fill'), under: of('.qr', 'backgroundColor'), refresh: of('.qr button', 'backgroundColor')}";
        let [black, white] = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"];
        let found = browser.look(colours, vec![]).await;
        assert_eq!([&found["card"], &found["text"]], [black, white]);
        assert_eq!(found["code"], format!("{white} {black}"));
        assert_eq!(found["under"], white);
        assert_eq!(scan(&browser.screenshot().await), [CODE_URL]);

        gallery.show(browser, "qr-expired", "zh-CN", "light").await;
        let found = browser.look(colours, vec![]).await;
        assert_eq!(found["refresh"], black, "the button has the buyer's colours");
    })
    .await;
}

#[tokio::test]
async fn with_more_contrast_there_is_no_faint_text() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        browser.prefer(&[("prefers-contrast", "more")]).await;
        gallery.show(browser, "qr-offline", "zh-CN", "light").await;
        let colours = "const root = document.querySelector('wechat-pay').shadowRoot;
            return [...new Set([...root.querySelectorAll('p')].map((text) => getComputedStyle(text).color))]";
        let found = browser.look(colours, vec![]).await;
        assert_eq!(found, json!(["rgb(25, 25, 25)"]));
    })
    .await;
}

#[tokio::test]
async fn the_spinner_turns_unless_motion_is_reduced() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        browser
            .prefer(&[("prefers-reduced-motion", "no-preference")])
            .await;
        gallery.show(browser, "loading", "zh-CN", "light").await;
        assert_ne!(browser.look(MOVING, vec![]).await, json!(0));
        assert_eq!(motions_when_reduced(browser).await, [""; 0]);
    })
    .await;
}

/// What moves although the buyer wants no motion. Then motion is allowed again.
pub(crate) async fn motions_when_reduced(browser: &Browser) -> Vec<String> {
    let motion = "prefers-reduced-motion";
    browser.prefer(&[(motion, "reduce")]).await;
    let moving = browser.look(MOVING, vec![]).await;
    browser.prefer(&[(motion, "no-preference")]).await;
    let faults = (moving != json!(0)).then(|| format!("{moving} parts move"));
    faults.into_iter().collect()
}

const MOVING: &str =
    "return document.querySelector('wechat-pay').shadowRoot.getAnimations().length";

/// The misfits at the size of a 1280 px window at 200 %, and at 400 % (WCAG 1.4.10).
pub(crate) async fn misfits_when_zoomed(browser: &Browser) -> Vec<String> {
    let mut faults = Vec::new();
    for (width, pixel_ratio) in [(640, 2.0), (320, 4.0)] {
        browser.look_through(width, 1000, pixel_ratio).await;
        let found = misfits(browser).await;
        faults.extend(
            found
                .iter()
                .map(|fault| format!("zoomed to {width} px: {fault}")),
        );
    }
    browser.look_through(1280, 1000, 1.0).await;
    faults
}

/// The misfits with a reader's own spacing (WCAG 1.4.12), which is taken off again.
pub(crate) async fn misfits_with_spacing(browser: &Browser) -> Vec<String> {
    let spacing = "* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important} p {margin-bottom: 2em !important}";
    let put_on = "const root = document.querySelector('wechat-pay').shadowRoot;
        window.plain = root.adoptedStyleSheets;
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(arguments[0]);
        root.adoptedStyleSheets = [...plain, sheet]";
    browser.look(put_on, vec![json!(spacing)]).await;
    let faults = misfits(browser).await;
    let take_off = "document.querySelector('wechat-pay').shadowRoot.adoptedStyleSheets = plain";
    browser.look(take_off, vec![]).await;
    let spaced = |fault| format!("with a reader's spacing: {fault}");
    faults.into_iter().map(spaced).collect()
}

/// Elements that are too wide, cut off, wrapped where they must not be, or too small to tap.
pub(crate) async fn misfits(browser: &Browser) -> Vec<String> {
    let found = browser.look(MISFITS, vec![]).await;
    serde_json::from_value(found).expect("a list of strings")
}

const MISFITS: &str = "
    const root = document.querySelector('wechat-pay').shadowRoot;
    const card = (root.querySelector('[part=base]') ?? root.querySelector('[part=fallback]')).getBoundingClientRect();
    const faults = [];
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) faults.push(`the page is ${scrollWidth} px wide`);
    for (const part of root.querySelectorAll('[part] *:not(path):not(.spoken), [part=base]')) {
        const { left, right, width, height } = part.getBoundingClientRect();
        if (width === 0) continue;
        const name = `${part.localName}.${part.getAttribute('class')}`;
        if (left < card.left - 0.5 || right > card.right + 0.5) faults.push(`${name} leaves the card`);
        const isOverfull = part.childElementCount === 0 && part.clientWidth > 0 && part.scrollWidth > part.clientWidth + 1;
        if (isOverfull) faults.push(`${name} is too narrow for its text`);
        const isCut = getComputedStyle(part).overflowY !== 'visible' && part.scrollHeight > part.clientHeight + 1;
        if (isCut) faults.push(`${name} is cut off`);
        if (/^(a|button)$/.test(part.localName) && Math.min(width, height) < 24) faults.push(`${name} is hard to hit`);
        const lines = height / parseFloat(getComputedStyle(part).lineHeight);
        if (part.getAttribute('part') === 'amount' && lines > 1.5) faults.push('the amount is broken');
    }
    return faults";

async fn the_keyboards_focus_is_visible_on_everything_that_it_reaches(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for theme in ["light", "dark"] {
            for name in ["returned", "offer-tablet", "qr-expired", "problem-network", "fallback"] {
                gallery.show(browser, name, "zh-CN", theme).await;
                let all = "return document.querySelector('wechat-pay').shadowRoot.querySelectorAll('a, button').length";
                let all = browser.look(all, vec![]).await.as_u64().expect("a number");
                let mut reached = BTreeSet::new();
                for _ in 0..all {
                    let outline = focus_next(browser).await.expect("the focus");
                    reached.insert(outline["text"].to_string());
                    assert_ne!(outline["style"], "none", "{name}: {outline}");
                    let width = outline["width"].as_f64().expect("a width");
                    assert!(width >= 1.0, "{name}: {outline}");
                }
                assert_eq!(reached.len() as u64, all, "{name}: {reached:?}");
            }
        }
    })
    .await;
}

/// Presses Tab and returns the outline of the element's focused part, if any.
async fn focus_next(browser: &Browser) -> Option<Value> {
    browser.press_tab().await;
    let outline = "const focused = document.querySelector('wechat-pay').shadowRoot.activeElement;
        if (!focused) return null;
        const style = getComputedStyle(focused);
        return {text: focused.textContent, style: style.outlineStyle, width: parseFloat(style.outlineWidth)}";
    let found = browser.look(outline, vec![]).await;
    (!found.is_null()).then_some(found)
}

async fn the_focus_stays_in_the_element_when_its_button_disappears(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let presses = [
            ("qr-expired", "refresh"),
            ("offer-h5", "start"),
            ("offer-jsapi", "start"),
            ("returned", "check-payment"),
            ("elsewhere", "take-over"),
            ("problem-wechat", "start"),
        ];
        for (name, intent) in presses {
            gallery.show(browser, name, "zh-CN", "light").await;
            let press = "const root = document.querySelector('wechat-pay').shadowRoot;
                const button = root.querySelector(`[data-intent=${arguments[0]}]`);
                button.focus();
                button.click();
                return [button.isConnected, root.activeElement?.className]";
            let found = browser.look(press, vec![json!(intent)]).await;
            assert_eq!(found, json!([false, "wechat-pay"]), "{name}");
        }
    })
    .await;
}
