//! Every state of every scene, from the gallery's fixtures: it is reached, it fits, and axe finds
//! no violation of WCAG 2.2 AA. With `SCREENSHOTS=folder`, a picture of each state is saved.

use std::path::{Path, PathBuf};

use axum::Router;
use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;
use tower_http::services::ServeDir;

use crate::accessibility::{axe, violations};
use crate::appearance::{misfits, misfits_when_zoomed, misfits_with_spacing, motions_when_reduced};

in_browsers! {
    the_checker_sees_into_the_element_and_finds_violations: chromium firefox webkit;
    each_state_is_reached_fits_and_is_accessible: firefox webkit;
    the_countdown_is_announced_at_a_slow_pace_by_the_only_live_region: chromium firefox webkit;
    the_bar_beside_the_countdown_shrinks_with_the_time: chromium firefox webkit;
}

#[tokio::test]
async fn each_state_in_chinese_is_reached_fits_a_small_screen_and_is_accessible() {
    look_at_all(
        Engine::Chromium,
        Visitor::SmallDesktop,
        "zh-CN",
        "light",
        async |_| vec![],
    )
    .await;
}

#[tokio::test]
async fn each_state_in_english_and_dark_is_accessible_fits_when_zoomed_and_can_rest() {
    look_at_all(
        Engine::Chromium,
        Visitor::Desktop,
        "en",
        "dark",
        async |browser| {
            let mut faults = misfits_when_zoomed(browser).await;
            faults.extend(motions_when_reduced(browser).await);
            faults
        },
    )
    .await;
}

#[tokio::test]
async fn each_state_from_right_to_left_fits_and_is_accessible() {
    look_at_all(
        Engine::Chromium,
        Visitor::SmallDesktop,
        "ar",
        "light",
        async |_| vec![],
    )
    .await;
}

async fn each_state_is_reached_fits_and_is_accessible(engine: Engine) {
    look_at_all(engine, Visitor::Desktop, "zh-CN", "light", async |_| vec![]).await;
}

async fn the_checker_sees_into_the_element_and_finds_violations(engine: Engine) {
    let gallery = Gallery::open().await;
    let axe = axe();
    visit_in(engine, Visitor::Desktop, async |browser| {
        gallery.show(browser, "offer-h5", "zh-CN", "light").await;
        let spoil = "const pay = document.querySelector('wechat-pay');
            pay.style.setProperty('--wechat-pay-ink', '#ddd');
            pay.shadowRoot.querySelector('button').textContent = ''";
        browser.look(spoil, vec![]).await;
        browser.look(&axe, vec![]).await;
        let found = violations(browser, "wechat-pay").await;
        for fault in ["color-contrast", "button-name"] {
            let is_found = found.iter().any(|violation| violation.starts_with(fault));
            assert!(is_found, "{fault}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_button_is_readable_while_hovered_and_pressed() {
    let gallery = Gallery::open().await;
    let axe = axe();
    visit(Visitor::Desktop, async |browser| {
        for theme in ["light", "dark"] {
            for name in ["returned", "qr-expired"] {
                gallery.show(browser, name, "zh-CN", theme).await;
                force(browser, &["hover", "active", "focus", "focus-visible"]).await;
                let is_so = "return [...document.querySelector('wechat-pay').shadowRoot.querySelectorAll('button')].every((button) => button.matches(':hover:active:focus-visible'))";
                assert_eq!(browser.look(is_so, vec![]).await, json!(true));
                browser.look(&axe, vec![]).await;
                assert_eq!(violations(browser, "wechat-pay").await, [""; 0], "{name} {theme}");
                // axe does not check a filter, which darkens text and background alike.
                let contrast = browser.look(CONTRAST_UNDER_FILTER, vec![]).await;
                let contrast = contrast.as_f64().expect("a number");
                assert!(contrast >= 4.5, "{name} {theme}: {contrast}");
            }
        }
    })
    .await;
}

/// Puts every button into states that otherwise need a pointer.
async fn force(browser: &Browser, states: &[&str]) {
    for name in ["DOM.enable", "CSS.enable"] {
        browser.command(name, json!({})).await;
    }
    let document = browser
        .command("DOM.getDocument", json!({"depth": -1, "pierce": true}))
        .await;
    let mut waiting = vec![&document["root"]];
    while let Some(node) = waiting.pop() {
        if node["nodeName"] == "BUTTON" {
            let pseudo_states = json!({"nodeId": node["nodeId"], "forcedPseudoClasses": states});
            browser.command("CSS.forcePseudoState", pseudo_states).await;
        }
        for below in ["children", "shadowRoots"] {
            waiting.extend(node[below].as_array().into_iter().flatten());
        }
    }
}

/// The contrast of the primary button with its filter applied (WCAG 2.2, relative luminance).
const CONTRAST_UNDER_FILTER: &str = "
    const button = document.querySelector('wechat-pay').shadowRoot.querySelector('[part=primary]');
    const style = getComputedStyle(button);
    const dimmed = parseFloat(/brightness\\(([\\d.]+)\\)/.exec(style.filter)[1]);
    const luminance = (colour) => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).map((part) => {
            const share = part / 255 * dimmed;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [dark, bright] = [luminance(style.backgroundColor), luminance(style.color)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05)";

async fn the_countdown_is_announced_at_a_slow_pace_by_the_only_live_region(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        gallery.show(browser, "qr-ending", "zh-CN", "light").await;
        let regions = "return [...document.querySelector('wechat-pay').shadowRoot.querySelectorAll('[role=status],[role=alert],[aria-live]')].map((region) => region.textContent)";
        let said = browser.look(regions, vec![]).await;
        let expected = "打开微信“扫一扫”，扫码完成支付 二维码将在 3 分钟内失效";
        assert_eq!(said, json!([expected]));
    })
    .await;
}

#[tokio::test]
async fn the_element_is_a_named_group_with_one_heading() {
    let gallery = Gallery::open().await;
    visit(Visitor::Desktop, async |browser| {
        for (name, locale, word) in [
            ("qr", "zh-CN", "微信支付"),
            ("paid", "zh-CN", "微信支付"),
            ("offer-h5", "en", "WeChat Pay"),
        ] {
            gallery.show(browser, name, locale, "light").await;
            browser.command("Accessibility.enable", json!({})).await;
            let tree = browser
                .command("Accessibility.getFullAXTree", json!({}))
                .await;
            let nodes = tree["nodes"].as_array().expect("a list of nodes");
            let named = |role: &str| {
                let of_role = nodes.iter().filter(|node| node["role"]["value"] == role);
                of_role
                    .map(|node| &node["name"]["value"])
                    .collect::<Vec<_>>()
            };
            assert_eq!(named("heading"), [word], "{name}");
            assert_eq!(named("group"), [word], "{name}");
        }
    })
    .await;
}

async fn the_bar_beside_the_countdown_shrinks_with_the_time(engine: Engine) {
    let gallery = Gallery::open().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        gallery.show(browser, "qr", "zh-CN", "light").await;
        let (left, least) = shares(browser).await;
        assert!((least..=1000).contains(&left), "{least} to 1000: {left}");
        // Ten seconds of thirty minutes are skipped.
        gallery
            .show(browser, "qr-reconnecting", "zh-CN", "light")
            .await;
        let (left, least) = shares(browser).await;
        assert!((least..=995).contains(&left), "{least} to 995: {left}");
    })
    .await;
}

/// The share of the thirty minutes that the bar shows, in thousandths, and the least that it may show: the time since the
/// page began, which depends on the machine, and the part of a second that the countdown has not reached.
async fn shares(browser: &Browser) -> (u64, u64) {
    let bar = "
        const {value, max} = document.querySelector('wechat-pay').shadowRoot.querySelector('progress');
        return [value, max, Math.ceil(performance.now())]";
    let bar = browser.look(bar, vec![]).await;
    let number = |place: usize| bar[place].as_u64().expect("a number");
    let (left, max, passed_ms) = (number(0), number(1), number(2));
    assert_eq!(max, 1000);
    (left, 1000 - (passed_ms + 1000).div_ceil(1800))
}

/// The gallery on the test's own servers.
pub(crate) struct Gallery(Servers);

impl Gallery {
    pub(crate) async fn open() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/gallery");
        let pages = Router::new().nest_service("/gallery", ServeDir::new(folder));
        Self(Servers::start_with_stage(pages).await)
    }

    /// The names of the fixtures, and the state that each reaches.
    pub(crate) async fn states(&self, browser: &Browser) -> Vec<(String, String)> {
        browser
            .open(&format!("{}/gallery/state.html", self.0.stage))
            .await;
        let import = "import('./states.js').then(({STATES}) => { window.names = STATES.map(({name, shows}) => [name, shows ?? name]) })";
        browser.look(import, vec![]).await;
        let names = browser.until("window.names").await;
        let names: Vec<(String, String)> = serde_json::from_value(names).expect("pairs of names");
        assert!(names.len() > 35, "{names:?}");
        names
    }

    /// Shows one state, and waits until it is reached.
    pub(crate) async fn show(&self, browser: &Browser, name: &str, locale: &str, theme: &str) {
        let query = format!("state={name}&locale={locale}&theme={theme}");
        browser
            .open(&format!("{}/gallery/state.html?{query}", self.0.stage))
            .await;
        // The page before this one has settled too, and a driver may still answer from it.
        let is_settled = format!("document.documentElement.dataset.settled === '{query}'");
        browser.until(&is_settled).await;
    }
}

/// Everything is looked at in one walk, because a page's load costs more than the looks at it.
async fn look_at_all(
    engine: Engine,
    visitor: Visitor,
    locale: &str,
    theme: &str,
    more: impl AsyncFn(&Browser) -> Vec<String>,
) {
    let gallery = Gallery::open().await;
    let axe = axe();
    visit_in(engine, visitor, async |browser| {
        let mut faults = Vec::new();
        // The fixtures stop a page that navigates to WeChat, where the browser has the Navigation API.
        let stays = browser.look("return 'navigation' in window", vec![]).await == json!(true);
        for (name, shows) in gallery.states(browser).await {
            if name.starts_with("leaving") && !stays {
                continue;
            }
            gallery.show(browser, &name, locale, theme).await;
            let state = browser.element_state().await;
            let state = state.as_deref().unwrap_or("fallback");
            let mut found = Vec::new();
            if shows != state {
                found.push(format!("the state is {state} and not {shows}"));
            }
            keep(browser, &format!("{name}-{locale}-{theme}")).await;
            browser.look(&axe, vec![]).await;
            found.extend(violations(browser, "wechat-pay").await);
            found.extend(misfits(browser).await);
            found.extend(misfits_with_spacing(browser).await);
            found.extend(more(browser).await);
            faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
        }
        assert!(faults.is_empty(), "{faults:#?}");
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

pub(crate) async fn keep(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) else {
        return;
    };
    let picture = browser.screenshot().await;
    std::fs::write(folder.join(format!("{name}.png")), picture).expect("the picture is kept");
}
