//! A page of a leptos shop that takes a payment with `<WechatPay>`. It is compiled with the checks;
//! to look at it in a browser, give it to Trunk in a package of your own.
//!
//! The token comes from your backend, which got it from `POST /v1/orders`.

use leptos::mount::mount_to_body;
use leptos::prelude::*;
use wechat_pay_widget::{Appearance, PageEvent, PaymentHandle, Theme, WechatPay, WidgetOptions};

fn main() {
    mount_to_body(|| view! { <OrderPage token="0123456789abcdef" /> });
}

#[component]
fn OrderPage(token: &'static str) -> impl IntoView {
    let (state, set_state) = signal("loading");
    let payment = PaymentHandle::new();
    let on_event = move |event: PageEvent| match event {
        PageEvent::StateChange { state, .. } => set_state.set(state),
        // What the page shows is the backend's word: `paid` is a reason to ask it, and no proof.
        PageEvent::Paid { order_no, .. } => leptos::logging::log!("order {order_no} is paid"),
        PageEvent::Problem { code, message, .. } => leptos::logging::warn!("{code}: {message}"),
        _ => {}
    };
    let darken = move |_| {
        payment.set_appearance(&Appearance::default().with_theme(Theme::Dark));
    };
    view! {
        <h1>"Your order"</h1>
        <p>"The payment is at: " {state}</p>
        {options(token).map(|options| view! {
            <WechatPay options on_event handle=payment>
                <a slot="support" href="/help">"Ask us"</a>
            </WechatPay>
        })}
        <button on:click=move |_| { payment.cancel(); }>"Cancel"</button>
        <button on:click=darken>"Dark"</button>
    }
}

/// None: the token is invalid, which is an error of this page.
fn options(token: &str) -> Option<WidgetOptions> {
    WidgetOptions::new(token, "https://pay.shop.example/v1")
        .and_then(|options| options.with_success_url("https://shop.example/thanks"))
        .inspect_err(|error| leptos::logging::warn!("{}", error.code()))
        .ok()
}
