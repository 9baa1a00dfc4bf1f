//! The ends of an order in a browser, as the view shows them: receipt, refund, and the way back.

use checkout::{Connection, OrderView, Screen, SuccessUrl, ViewModel};
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::View;
use super::receipt::time_text;
use crate::counting_page::{container, find};
use crate::locale::Locale;
use crate::options::Appearance;

fn paid(refunded_fen: u64) -> ViewModel {
    ViewModel {
        order: Some(OrderView {
            order_no: "SHOP-0001".to_owned(),
            payee: Some("云岭茶铺".to_owned()),
            description: None,
            total_fen: 6_910,
            currency: "CNY".to_owned(),
            payer_total_fen: Some(5_910),
            refunded_fen,
            success_time: Some("2026-11-26T20:04:05+08:00".to_owned()),
        }),
        is_test: false,
        screen: Screen::Paid {
            is_refunded: refunded_fen == 6_910,
        },
        connection: Connection::Steady,
        back: None,
    }
}

/// The texts of a part in a view of this model.
fn texts(model: &ViewModel, locale: Locale, part: &str) -> Vec<String> {
    let container = container();
    let appearance = Appearance::default().with_locale(locale);
    let _view = View::new(&container, model, (&appearance).into(), |_| {});
    // A list of nodes is a type of web-sys that nothing else needs.
    let query: Function = property(&container, "querySelectorAll").unchecked_into();
    let found = query.call1(&container, &part.into()).unwrap();
    let found = Array::from(&found);
    let texts = found
        .iter()
        .filter_map(|node| property(&node, "textContent").as_string());
    let texts = texts.collect();
    container.remove();
    texts
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap()
}

#[wasm_bindgen_test]
fn a_payment_is_shown_with_number_time_and_what_the_payer_paid() {
    let rows = texts(&paid(0), Locale::ZH_CN, ".label");
    assert_eq!(rows, ["订单号", "支付时间", "实付"]);
    let values = texts(&paid(0), Locale::ZH_CN, ".value");
    assert_eq!([&*values[0], &*values[2]], ["SHOP-0001", "¥59.10"]);
    assert!(values[1].starts_with("2026年11月2"), "{values:?}");
    assert_eq!(texts(&paid(0), Locale::EN, ".title"), ["Payment received"]);
    assert_eq!(texts(&paid(0), Locale::EN, ".payee"), ["云岭茶铺"]);
}

#[wasm_bindgen_test]
fn a_refund_is_shown_with_its_amount() {
    let values = texts(&paid(1_000), Locale::ZH_CN, ".row");
    assert_eq!(values[3], "已退款¥10.00");
    assert_eq!(texts(&paid(1_000), Locale::ZH_CN, ".title"), ["支付成功"]);
    let model = paid(6_910);
    assert_eq!(texts(&model, Locale::ZH_CN, ".title"), ["已全额退款"]);
    assert_eq!(texts(&model, Locale::EN, ".title"), ["Refunded in full"]);
}

#[wasm_bindgen_test]
fn the_way_back_is_a_link_in_the_whole_window() {
    let mut model = paid(0);
    assert_eq!(texts(&model, Locale::EN, "a"), [""; 0]);
    model.back = SuccessUrl::parse("https://shop.example/orders/1");
    assert_eq!(texts(&model, Locale::EN, "a"), ["Back to the shop"]);
    let container = container();
    let look = (&Appearance::default()).into();
    let _view = View::new(&container, &model, look, |_| {});
    let link = find(&container, "a[target=_top]").unwrap();
    let address = link.get_attribute("href");
    assert_eq!(address.as_deref(), Some("https://shop.example/orders/1"));
    container.remove();
}

#[wasm_bindgen_test]
fn what_is_no_time_is_not_shown() {
    for text in ["", "yesterday", "<b>"] {
        assert_eq!(time_text("zh-CN", text), None, "{text}");
    }
    assert_eq!(time_text("no language", "2026-11-26T20:04:05Z"), None);
    let mut model = paid(0);
    if let Some(order) = &mut model.order {
        order.success_time = Some("yesterday".to_owned());
    }
    assert_eq!(texts(&model, Locale::EN, ".label").len(), 2);
}
