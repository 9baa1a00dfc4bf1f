//! The page's own address, in a browser: it stays byte for byte, except for our parameters.

use js_sys::{Function, eval};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{own_address, parameter, strip};

/// The text after the page's path, and the text that remains of it.
const ENDS: [(&str, &str); 14] = [
    ("", ""),
    ("?", "?"),
    ("#", "#"),
    ("?#/pay/2", "?#/pay/2"),
    (
        "?x=%2Fb%20c+d&flag&sig=a%2Bb/c==",
        "?x=%2Fb%20c+d&flag&sig=a%2Bb/c==",
    ),
    (
        "?x=%2Fb%20c+d&flag&sig=a%2Bb/c==&wechat_pay_return=H#/pay?y=%20+",
        "?x=%2Fb%20c+d&flag&sig=a%2Bb/c==#/pay?y=%20+",
    ),
    ("?wechat_pay_payer=H#/pay/2", "#/pay/2"),
    ("?&wechat_pay_payer=H#/pay/2", "?#/pay/2"),
    ("?wechat_pay_payer=H&wechat_pay_return", ""),
    (
        "?a=1&&b&wechat_pay_return=H&=&c=%e5%8d%97",
        "?a=1&&b&=&c=%e5%8d%97",
    ),
    // Names that only resemble ours, and our names in the page's own fragment.
    (
        "?wechat_pay_payers=1&x=wechat_pay_payer",
        "?wechat_pay_payers=1&x=wechat_pay_payer",
    ),
    ("#/pay?wechat_pay_return=H", "#/pay?wechat_pay_return=H"),
    // The fragment that WeChat's own redirect leaves.
    ("?a=+&wechat_pay_payer=H#wechat_redirect", "?a=+"),
    ("?a=+#/pay/wechat_redirect", "?a=+#/pay/wechat_redirect"),
];

#[wasm_bindgen_test]
fn everything_except_the_appended_parameters_stays_unchanged() {
    let before = href();
    let path = before.split(['?', '#']).next().unwrap_or_default();
    for (end, left) in ENDS {
        let [given, expected] = [end, left].map(|end| [path, end].concat());
        show(&given);
        assert_eq!(href(), given, "the browser shows it as it is");
        let address = own_address().unwrap();
        assert_eq!(address.as_str(), expected, "{end}");
        assert_eq!(href(), given, "nothing is shown yet");
        strip();
        assert_eq!(href(), expected, "{end}");
        assert_eq!(parameter("wechat_pay_payer"), None, "{end}");
        assert_eq!(parameter("wechat_pay_return"), None, "{end}");
    }
    show(&before);
}

#[wasm_bindgen_test]
fn the_pages_history_state_stays() {
    let before = href();
    eval("history.replaceState('of the router', '', '?wechat_pay_return=H&a')").unwrap();
    strip();
    assert!(href().ends_with("?a"), "{}", href());
    assert_eq!(eval("history.state").unwrap(), "of the router");
    show(&before);
}

fn href() -> String {
    web_sys::window().unwrap().location().href().unwrap()
}

fn show(address: &str) {
    let show = Function::new_with_args("address", "history.replaceState(null, '', address)");
    show.call1(&JsValue::NULL, &address.into()).unwrap();
}
