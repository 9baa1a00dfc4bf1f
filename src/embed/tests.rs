//! Teardown, in a browser: after `unmount` no timer, listener, request or signal access is left.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::mount;
use crate::counting_page::{CountingPage, container, shows_code};

wasm_bindgen_test_configure!(run_in_browser);

fn options() -> JsValue {
    js_sys::eval(r#"({ token: "0123456789abcdef", merchantApi: "/v1", locale: "zh-CN" })"#).unwrap()
}

#[wasm_bindgen_test]
async fn after_unmount_nothing_is_left_and_nothing_happens() {
    let page = CountingPage::new();
    let container = container();
    let emit = Function::new_no_args("");
    let before = (page.read("timers"), page.read("listeners"));

    let embedded = mount(&container, &options(), emit).unwrap();
    page.until("the QR code", || shows_code(&container)).await;
    page.until("the held poll", || page.read("open") > 0.0)
        .await;
    assert!(
        page.read("timers") > before.0,
        "the countdown has its timer"
    );
    assert!(page.read("listeners") > before.1, "the page is listened to");

    embedded.unmount();
    page.turn().await;
    assert_eq!(page.read("timers"), before.0, "timers");
    assert_eq!(page.read("listeners"), before.1, "listeners");
    assert_eq!(page.read("open"), 0.0, "open requests");
    assert_eq!(container.child_element_count(), 0, "nodes");

    let requests = page.read("requests");
    let window = web_sys::window().unwrap();
    for name in ["online", "focus", "pageshow"] {
        let event = web_sys::Event::new(name).unwrap();
        window.dispatch_event(&event).unwrap();
    }
    page.turn().await;
    assert_eq!(page.read("requests"), requests, "requests after the end");
    container.remove();
}

#[wasm_bindgen_test]
async fn two_elements_on_a_page_do_not_interfere() {
    let page = CountingPage::new();
    let (first, second) = (container(), container());
    let emit = || Function::new_no_args("");
    let one = mount(&first, &options(), emit()).unwrap();
    let two = mount(&second, &options(), emit()).unwrap();
    page.until("both codes", || shows_code(&first) && shows_code(&second))
        .await;

    one.unmount();
    page.turn().await;
    assert!(!shows_code(&first) && shows_code(&second));
    // Both show one order, so one polls for both. The other takes over within a second.
    page.until("the other's held poll", || page.read("open") >= 1.0)
        .await;
    assert_eq!(page.read("open"), 1.0, "one poll and no more");
    two.unmount();
    page.turn().await;
    first.remove();
    second.remove();
}

#[wasm_bindgen_test]
fn a_wrong_option_is_refused_by_its_code() {
    let emit = Function::new_no_args("");
    let refused = mount(&container(), &JsValue::from(js_sys::Object::new()), emit);
    let code = refused.err().and_then(|code| code.as_string());
    assert_eq!(code.as_deref(), Some("MERCHANT_API_INVALID"));
}

#[wasm_bindgen_test]
async fn a_flag_is_true_or_false_and_anything_else_is_reported() {
    let page = CountingPage::new();
    for (flag, expected) in [
        ("undefined", ""),
        ("null", ""),
        ("true", ""),
        ("false", ""),
        ("'false'", "AUTO_START_INVALID"),
        ("'no'", "AUTO_START_INVALID"),
        ("0", "AUTO_START_INVALID"),
        ("{}", "AUTO_START_INVALID"),
    ] {
        let options = options();
        js_sys::Reflect::set(
            &options,
            &"autoStart".into(),
            &js_sys::eval(&format!("({flag})")).unwrap(),
        )
        .unwrap();
        let told = js_sys::eval("globalThis.flagsTold = []").unwrap();
        let emit = Function::new_with_args(
            "name, detail",
            "if (name === 'problem') flagsTold.push(detail)",
        );
        let container = container();
        let embedded = mount(&container, &options, emit).unwrap();
        let told = js_sys::Array::from(&told).join(" ");
        assert_eq!(told, expected, "{flag}");
        embedded.unmount();
        page.turn().await;
        container.remove();
    }
}
