//! The component in a browser: it is shown, controlled, restyled and removed without a trace, and
//! it pays against a backend of Rust functions.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::mount::UnmountHandle;
use send_wrapper::SendWrapper;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlElement;

use super::*;
use crate::counting_page::{CountingPage, container, find, shows_code};
use crate::locale::Locale;
use crate::transport::Transport;
use crate::{
    Action, ApiError, CheckoutAnswer, CurrentAttempt, ErrorCode, Failure, OrderState, Product,
    Request, Theme,
};

/// A page with one component, which the page can remove.
struct RustPage {
    container: HtmlElement,
    told: Rc<RefCell<Vec<PageEvent>>>,
    handle: PaymentHandle,
    set_there: WriteSignal<bool>,
    mounted: UnmountHandle<leptos::tachys::view::any_view::AnyViewState>,
}

impl RustPage {
    fn showing(options: WidgetOptions) -> Self {
        let container = container();
        let told = Rc::new(RefCell::new(Vec::new()));
        let shared = SendWrapper::new((Rc::clone(&told), options));
        let made = Rc::new(RefCell::new(None));
        let make = Rc::clone(&made);
        let mounted = mount_to(container.clone(), move || {
            let (is_there, set_there) = signal(true);
            let handle = PaymentHandle::new();
            *make.borrow_mut() = Some((handle, set_there));
            let component = move || {
                let (told, options) = (Rc::clone(&shared.0), shared.1.clone());
                let on_event = move |event: PageEvent| told.borrow_mut().push(event);
                is_there.get().then(|| {
                    view! {
                        <WechatPay options on_event handle>
                            <a slot="support" href="/help">"Help"</a>
                        </WechatPay>
                    }
                })
            };
            view! { {component} }.into_any()
        });
        let (handle, set_there) = made.borrow_mut().take().unwrap();
        Self {
            container,
            told,
            handle,
            set_there,
            mounted,
        }
    }

    fn was_emitted(&self, name: &str) -> bool {
        self.told.borrow().iter().any(|event| event.name() == name)
    }

    fn state(&self) -> String {
        find(&self.container, "[part=base]")
            .and_then(|base| base.get_attribute("data-state"))
            .unwrap_or_default()
    }

    fn close(self) {
        drop(self.mounted);
        self.container.remove();
    }
}

fn options() -> WidgetOptions {
    WidgetOptions::new("0123456789abcdef", "/v1").unwrap()
}

#[wasm_bindgen_test]
async fn a_leptos_page_mounts_the_component_gets_its_events_and_removes_it_completely() {
    let counting = CountingPage::new();
    let before = (counting.read("timers"), counting.read("listeners"));
    let page = RustPage::showing(options());
    counting
        .until("the QR code", || shows_code(&page.container))
        .await;
    assert!(page.was_emitted("qr-shown"));
    let timed: Vec<_> = page.told.borrow().iter().map(PageEvent::name).collect();
    let pairs = timed.chunks(2).all(|pair| pair[1] == "telemetry");
    assert!(pairs, "each event has its time: {timed:?}");
    let slotted = page.container.query_selector("[slot=support]").unwrap();
    assert!(slotted.is_some(), "the page's own help");

    page.set_there.set(false);
    counting
        .until("an empty page", || !shows_code(&page.container))
        .await;
    counting.turn().await;
    assert_eq!(counting.read("timers"), before.0, "timers");
    assert_eq!(counting.read("listeners"), before.1, "listeners");
    assert_eq!(counting.read("open"), 0.0, "open requests");
    assert!(!page.handle.start(), "nothing is there to start");
    page.close();
}

#[wasm_bindgen_test]
async fn the_page_cancels_starts_restyles_and_ends_it_by_the_handle() {
    let counting = CountingPage::new();
    let page = RustPage::showing(options());
    counting
        .until("the QR code", || shows_code(&page.container))
        .await;

    let appearance = Appearance {
        locale: Some(Locale::EN),
        theme: Theme::Dark,
        ..Appearance::default()
    };
    assert!(page.handle.set_appearance(&appearance));
    let base = find(&page.container, "[part=base]").unwrap();
    assert_eq!(base.get_attribute("lang").as_deref(), Some("en"));
    assert_eq!(base.get_attribute("data-theme").as_deref(), Some("dark"));
    assert!(shows_code(&page.container), "the payment continues");

    assert!(page.handle.cancel());
    counting
        .until("another state", || page.state() == "offer")
        .await;
    assert!(page.handle.start());
    counting
        .until("the code again", || shows_code(&page.container))
        .await;
    assert!(page.handle.resume() && page.handle.refresh());

    page.handle.destroy();
    counting.turn().await;
    assert!(
        find(&page.container, "[part=base]").is_none(),
        "it is empty"
    );
    assert_eq!(counting.read("open"), 0.0, "open requests");
    assert!(!page.handle.cancel());
    page.close();
}

/// The answer of a backend with the bare minimum: no version, no durations.
fn answer(attempt: Option<u64>) -> CheckoutAnswer {
    CheckoutAnswer {
        order_no: "SHOP-0001".to_owned(),
        total_fen: 6_910,
        live: true,
        attempt: attempt.map(|number| CurrentAttempt {
            number,
            product: Some(Product::Native),
            out_trade_no: None,
            remaining_ms: None,
        }),
        action: attempt
            .map(|number| Action::CodeUrl(format!("weixin://wxpay/bizpayurl?pr=JyC91EIz{number}"))),
        ..CheckoutAnswer::default()
    }
}

#[wasm_bindgen_test]
async fn a_backend_of_rust_functions_starts_polls_cancels_and_reports_paid() {
    let counting = CountingPage::new();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&asked);
    let backend = Transport::new(move |request| {
        let has_cancelled = heard.borrow().contains(&"cancel");
        let (word, reply) = match request {
            Request::Start(form) => {
                assert_eq!(form.product, Product::Native);
                ("start", answer(Some(if has_cancelled { 2 } else { 1 })))
            }
            Request::Cancel(form) => {
                assert_eq!(form.after, 1);
                ("cancel", answer(None))
            }
            Request::Read(_) if has_cancelled && heard.borrow().ends_with(&["start"]) => {
                let paid = CheckoutAnswer {
                    state: OrderState::Paid,
                    ..answer(Some(2))
                };
                ("status", paid)
            }
            Request::Read(_) => ("status", answer(None)),
        };
        heard.borrow_mut().push(word);
        async move { Ok(reply) }
    });
    let mut options = options();
    options.transport = Some(backend);
    let page = RustPage::showing(options);
    counting
        .until("the QR code", || shows_code(&page.container))
        .await;
    assert_eq!(asked.borrow()[..2], ["status", "start"]);

    page.handle.cancel();
    counting
        .until("the offer", || page.state() == "offer")
        .await;
    assert!(asked.borrow().contains(&"cancel"), "{asked:?}");

    page.handle.start();
    counting.until("paid", || page.was_emitted("paid")).await;
    let told = page.told.borrow();
    let codes = told.iter().filter(|event| **event == PageEvent::QrShown {});
    assert_eq!(codes.count(), 2, "one before the cancel, one after it");
    drop(told);
    assert_eq!(counting.read("requests"), 0.0, "nothing went over HTTP");
    page.close();
}

#[wasm_bindgen_test]
async fn a_backend_of_rust_functions_refuses_with_the_contracts_codes() {
    let counting = CountingPage::new();
    let backend = Transport::new(|request| async move {
        match request {
            Request::Start(_) => Err(Failure::Refused {
                error: ApiError {
                    code: Some(ErrorCode::WechatUnavailable),
                    message: "the fixture says so".to_owned(),
                    retryable: false,
                    retry_after_ms: None,
                    field: None,
                    wechat_code: None,
                },
                answer: None,
            }),
            _ => Ok(answer(None)),
        }
    });
    let mut options = options();
    options.transport = Some(backend);
    options.appearance.locale = Some(Locale::EN);
    let page = RustPage::showing(options);
    counting
        .until("the problem", || page.state() == "problem")
        .await;
    let told = page.told.borrow();
    let problem = told.iter().find_map(|event| match event {
        PageEvent::Problem { code, message, .. } => Some((*code, message)),
        _ => None,
    });
    let (code, message) = problem.expect("the page gets an event");
    assert_eq!(code, "WECHAT_UNAVAILABLE");
    assert!(message.contains("WeChat Pay"), "{message}");
    let timed = told.iter().any(|event| {
        matches!(event, PageEvent::Telemetry { mark: "problem", about, .. } if *about == code)
    });
    assert!(timed, "{told:?}");
    drop(told);
    page.close();
}

#[wasm_bindgen_test]
async fn paid_is_emitted_once_for_an_order_and_a_later_component_emits_only_the_state() {
    let counting = CountingPage::new();
    for is_first in [true, false] {
        let backend = Transport::new(|_| async {
            Ok(CheckoutAnswer {
                state: OrderState::Paid,
                ..answer(Some(1))
            })
        });
        let mut options = WidgetOptions::new("order-of-two-components", "/v1").unwrap();
        options.transport = Some(backend);
        let page = RustPage::showing(options);
        counting.until("paid", || page.state() == "paid").await;
        assert_eq!(page.was_emitted("paid"), is_first);
        let change = PageEvent::StateChange {
            state: "paid",
            first: Some(is_first),
        };
        assert!(page.told.borrow().contains(&change), "{:?}", page.told);
        page.close();
    }
}
