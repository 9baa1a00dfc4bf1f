//! A page of a leptos shop that takes a payment with `<WechatPay>`. The token comes from the shop's backend, which got it
//! from `POST /v1/orders`; here it is in the page's address. This page never decides that an order is paid.
//!
//! ```console
//! $ cargo build --example leptos_page --target wasm32-unknown-unknown
//! $ wasm-bindgen --target web --out-dir www/examples/rust/page \
//!     target/wasm32-unknown-unknown/debug/examples/leptos_page.wasm
//! $ python3 -m http.server --directory www/examples/rust 8002
//! ```
//!
//! Then open `http://127.0.0.1:8002/?token=…&merchant_api=http://127.0.0.1:8080/v1`.

use leptos::mount::mount_to_body;
use leptos::prelude::*;
use wechat_pay_widget::{Appearance, PageEvent, PaymentHandle, Theme, WechatPay, WidgetOptions};

fn main() {
    let order = Order::of_address();
    mount_to_body(move || view! { <OrderPage order /> });
}

/// The order that the backend created.
struct Order {
    token: String,
    merchant_api: String,
}

impl Order {
    /// A missing parameter is an empty text, which the options refuse.
    fn of_address() -> Self {
        let search = window().location().search().unwrap_or_default();
        let parameters = web_sys::UrlSearchParams::new_with_str(&search).ok();
        let value = |name| parameters.as_ref().and_then(|values| values.get(name));
        Self {
            token: value("token").unwrap_or_default(),
            merchant_api: value("merchant_api").unwrap_or_default(),
        }
    }
}

#[component]
fn OrderPage(order: Order) -> impl IntoView {
    let (notice, set_notice) = signal(String::new());
    let payment = PaymentHandle::new();
    let darken = move |_| {
        payment.set_appearance(&Appearance::default().with_theme(Theme::Dark));
    };
    // ANCHOR: component
    let options = WidgetOptions::new(&order.token, &order.merchant_api)
        .inspect_err(|error| set_notice.set(error.code().to_owned()))
        .ok();
    let on_event = move |event: PageEvent| match event {
        // A shop delivers when its backend knows that the order is paid. This event is no proof.
        PageEvent::Paid { .. } => set_notice.set("已支付，谢谢！".to_owned()),
        PageEvent::Problem { code, message, .. } => leptos::logging::warn!("{code}: {message}"),
        _ => {}
    };
    let pay = options.map(|options| view! { <WechatPay options on_event handle=payment /> });
    // ANCHOR_END: component
    view! {
        <h1>"云南小粒咖啡 ¥69.10"</h1>
        {pay}
        <p role="status">{notice}</p>
        <button on:click=move |_| { payment.cancel(); }>"换一种方式付款"</button>
        <button on:click=darken>"深色"</button>
    }
}
