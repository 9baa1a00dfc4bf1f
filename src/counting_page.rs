//! A page for tests whose timers, listeners and requests can be counted, with a backend that
//! answers an order, a code, and then holds its polls. Compiled for the browser tests alone.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Counts live timers, intervals and listeners, and the requests that were made and that are open.
/// The first request is answered with an order, the attempt with a code; a poll is held.
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

pub(crate) struct CountingPage(JsValue);

impl CountingPage {
    pub(crate) fn new() -> Self {
        Self(js_sys::eval(COUNTING_PAGE).unwrap())
    }

    fn call(&self, name: &str, argument: &str) -> JsValue {
        let function: Function = Reflect::get(&self.0, &name.into()).unwrap().into();
        function.call1(&self.0, &argument.into()).unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> f64 {
        self.call("read", name).as_f64().unwrap()
    }

    /// Runs everything that is ready, once.
    pub(crate) async fn turn(&self) {
        let promise: Promise = self.call("turn", "").into();
        JsFuture::from(promise).await.unwrap();
    }

    /// Lets turns of the event loop pass until something appears, but not forever.
    pub(crate) async fn until(&self, what: &str, is_there: impl Fn() -> bool) {
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

/// A container in the page.
pub(crate) fn container() -> web_sys::HtmlElement {
    let document = web_sys::window().unwrap().document().unwrap();
    let container = document.create_element("div").unwrap();
    document
        .document_element()
        .unwrap()
        .append_child(&container)
        .unwrap();
    container.unchecked_into()
}

/// Whether a container, or the shadow root of its component, shows a QR code.
pub(crate) fn shows_code(container: &web_sys::HtmlElement) -> bool {
    find(container, "[part~=qr]").is_some()
}

/// The element that a selector finds in a container, or in the shadow root of its component.
pub(crate) fn find(container: &web_sys::HtmlElement, selector: &str) -> Option<web_sys::Element> {
    let component = container.query_selector("div").unwrap();
    match component.and_then(|component| component.shadow_root()) {
        Some(root) => root.query_selector(selector).unwrap(),
        None => container.query_selector(selector).unwrap(),
    }
}
