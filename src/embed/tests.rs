//! Teardown, in a browser: after `unmount` no timer, listener, request or signal access is left.
//!
//! The page's own functions are wrapped, so that what is still alive can be counted.

use super::mount;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Counts timers, intervals and listeners that are alive, and requests that were made and are
/// open. The first question is answered with an order; the attempt with a code; a poll is held.
const COUNTING_PAGE: &str = r#"
(() => {
  const alive = { timers: new Set(), listeners: 0, requests: 0, open: 0 };
  const original = { setTimeout, clearTimeout, setInterval, clearInterval, fetch,
    add: EventTarget.prototype.addEventListener, remove: EventTarget.prototype.removeEventListener };
  window.setTimeout = (call, ms, ...more) => {
    const id = original.setTimeout.call(window, () => { alive.timers.delete(id); call(...more); }, ms);
    alive.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => { alive.timers.delete(id); original.clearTimeout.call(window, id); };
  window.setInterval = (call, ms) => {
    const id = original.setInterval.call(window, call, ms);
    alive.timers.add(id);
    return id;
  };
  window.clearInterval = (id) => { alive.timers.delete(id); original.clearInterval.call(window, id); };
  const ofPage = (target) => target === window || target === document;
  EventTarget.prototype.addEventListener = function (...all) {
    if (ofPage(this)) alive.listeners += 1;
    return original.add.apply(this, all);
  };
  EventTarget.prototype.removeEventListener = function (...all) {
    if (ofPage(this)) alive.listeners -= 1;
    return original.remove.apply(this, all);
  };
  const order = { state: "open", version: 1, order_no: "SHOP-0001", total_fen: 6910,
    remaining_ms: 600000, products: ["native"], attempt: 0, live: false };
  const code = { ...order, version: 2, attempt: 1, product: "native", attempt_remaining_ms: 600000,
    code_url: "weixin://wxpay/bizpayurl?pr=JyC91EIz1" };
  window.fetch = (input, init) => {
    const request = new Request(input, init);
    alive.requests += 1;
    const answer = (body) => Promise.resolve(new Response(JSON.stringify(body)));
    if (request.method === "POST") return answer(code);
    if (!request.url.includes("wait=")) return answer(order);
    alive.open += 1;
    return new Promise((_, reject) => original.add.call(request.signal, "abort", () => {
      alive.open -= 1;
      reject(request.signal.reason);
    }));
  };
  return {
    read: (name) => name === "timers" ? alive.timers.size : alive[name],
    turn: () => new Promise((resolve) => original.setTimeout.call(window, resolve, 5)),
    restore: () => {
      Object.assign(window, { setTimeout: original.setTimeout, clearTimeout: original.clearTimeout,
        setInterval: original.setInterval, clearInterval: original.clearInterval, fetch: original.fetch });
      EventTarget.prototype.addEventListener = original.add;
      EventTarget.prototype.removeEventListener = original.remove;
    },
  };
})()
"#;

struct CountingPage(JsValue);

impl CountingPage {
    fn new() -> Self {
        Self(js_sys::eval(COUNTING_PAGE).unwrap())
    }

    fn call(&self, name: &str, argument: &str) -> JsValue {
        let function: Function = Reflect::get(&self.0, &name.into()).unwrap().into();
        function.call1(&self.0, &argument.into()).unwrap()
    }

    fn read(&self, name: &str) -> f64 {
        self.call("read", name).as_f64().unwrap()
    }

    /// Lets everything that is ready run, once.
    async fn turn(&self) {
        let promise: Promise = self.call("turn", "").into();
        JsFuture::from(promise).await.unwrap();
    }

    /// Lets turns pass until something is there; not for ever.
    async fn until(&self, what: &str, is_there: impl Fn() -> bool) {
        for _ in 0..400 {
            if is_there() {
                return;
            }
            self.turn().await;
        }
        panic!("{what} did not come");
    }
}

impl Drop for CountingPage {
    fn drop(&mut self) {
        self.call("restore", "");
    }
}

fn container() -> web_sys::HtmlElement {
    let document = web_sys::window().unwrap().document().unwrap();
    let container = document.create_element("div").unwrap();
    document
        .document_element()
        .unwrap()
        .append_child(&container)
        .unwrap();
    container.unchecked_into()
}

fn options() -> JsValue {
    js_sys::eval(r#"({ token: "0123456789abcdef", merchantApi: "/v1", locale: "zh-CN" })"#).unwrap()
}

#[wasm_bindgen_test]
async fn after_unmount_nothing_is_alive_and_nothing_happens_any_more() {
    let page = CountingPage::new();
    let container = container();
    let emit = Function::new_no_args("");
    let before = (page.read("timers"), page.read("listeners"));

    let embedded = mount(container.clone(), &options(), emit).unwrap();
    let is_shown = || container.query_selector("[part=qr]").unwrap().is_some();
    page.until("the QR code", is_shown).await;
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
async fn two_elements_on_a_page_do_not_meet() {
    let page = CountingPage::new();
    let (first, second) = (container(), container());
    let emit = || Function::new_no_args("");
    let one = mount(first.clone(), &options(), emit()).unwrap();
    let two = mount(second.clone(), &options(), emit()).unwrap();
    let shown =
        |container: &web_sys::HtmlElement| container.query_selector("[part=qr]").unwrap().is_some();
    page.until("both codes", || shown(&first) && shown(&second))
        .await;

    one.unmount();
    page.turn().await;
    assert!(!shown(&first) && shown(&second));
    assert_eq!(page.read("open"), 1.0, "the other poll is held on");
    two.unmount();
    page.turn().await;
    first.remove();
    second.remove();
}

#[wasm_bindgen_test]
fn a_wrong_option_is_refused_by_its_code() {
    let emit = Function::new_no_args("");
    let refused = mount(container(), &JsValue::from(js_sys::Object::new()), emit);
    let code = refused.err().and_then(|code| code.as_string());
    assert_eq!(code.as_deref(), Some("MERCHANT_API_INVALID"));
}
