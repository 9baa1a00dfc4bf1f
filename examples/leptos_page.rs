//! A page of a leptos shop that takes a payment with `<WechatPay>`. `www/examples/leptos/index.html` is its HTML;
//! `cargo xtask test --only examples` builds both and pays on the page. In a package of your own, Trunk builds it.
//!
//! The token comes from your backend, which got it from `POST /v1/orders`.

use leptos::mount::mount_to_body;
use leptos::prelude::*;
use wechat_pay_widget::{Appearance, PageEvent, PaymentHandle, Theme, WechatPay, WidgetOptions};

fn main() {
    let (token, merchant_api) = (given("data-token"), given("data-merchant-api"));
    mount_to_body(move || view! { <OrderPage token merchant_api /> });
}

/// What the backend wrote into the page's HTML.
fn given(attribute: &str) -> String {
    let body = document().body();
    let value = body.and_then(|body| body.get_attribute(attribute));
    value.unwrap_or_default()
}

#[component]
fn OrderPage(token: String, merchant_api: String) -> impl IntoView {
    let (state, set_state) = signal("loading");
    let (is_paid, set_paid) = signal(false);
    let payment = PaymentHandle::new();
    let on_event = move |event: PageEvent| match event {
        PageEvent::StateChange { state, .. } => set_state.set(state),
        // A reason to ask your backend, and no proof: what is delivered is the backend's decision.
        PageEvent::Paid { .. } => set_paid.set(true),
        PageEvent::Problem { code, message, .. } => leptos::logging::warn!("{code}: {message}"),
        _ => {}
    };
    let darken = move |_| {
        payment.set_appearance(&Appearance::default().with_theme(Theme::Dark));
    };
    view! {
        <h1>"云南小粒咖啡"</h1>
        <p>"支付状态："{state}</p>
        <div id="payment">
            {options(&token, &merchant_api).map(|options| view! {
                <WechatPay options on_event handle=payment>
                    <a slot="support" href="/help">"联系客服"</a>
                </WechatPay>
            })}
        </div>
        <p id="thanks" hidden=move || !is_paid.get()>"已支付，谢谢！"</p>
        <button on:click=move |_| { payment.cancel(); }>"取消"</button>
        <button on:click=darken>"深色"</button>
    }
}

/// None: the token or the address is invalid, which is an error of this page.
fn options(token: &str, merchant_api: &str) -> Option<WidgetOptions> {
    WidgetOptions::new(token, merchant_api)
        .inspect_err(|error| leptos::logging::warn!("{}", error.code()))
        .ok()
}
