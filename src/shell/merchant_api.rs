//! Requests to the merchant's backend: forms out, one flat object in, read field by field.
//!
//! No cookies, no cache. This module retries nothing and judges nothing. The machine handles
//! timeouts by dropping the [`Abort`].
//!
//! Requests and responses are gloo-net's, but two parts of gloo-net are not used. Its
//! `RequestBuilder` makes an options object that inherits from `Object.prototype`, where another
//! script may have written a `mode` or a `body`; here the options inherit nothing. Its `send`
//! panics if a page has wrapped `fetch` so that it rejects with a value that is no `Error`. The
//! element sends requests by itself, because a page may have its own transport.

use ::merchant_api::{ApiError, CheckoutAnswer, Fields, Malformed, decimal};
use checkout::{Event, Failure, Request, RequestId};
use gloo_net::http;
use js_sys::{Array, Error, Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{
    AbortController, AbortSignal, RequestCache, RequestCredentials, RequestInit, UrlSearchParams,
};

use crate::object::{dictionary, field, inherited};
use crate::options::WidgetOptions;
use crate::transport::{Reply, Transport};

/// The backend of one order.
pub(crate) struct MerchantApi {
    /// `{base}/checkouts/{token}`.
    checkout: String,
    /// A Rust page's own backend.
    transport: Option<Transport>,
    /// Called in place of `fetch`; `None` if a Rust page embeds the widget.
    fetch: Option<Function>,
}

/// A request in flight; dropping it aborts the request, and no result follows.
pub(crate) struct Abort(Option<AbortController>);

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// The result of a request.
pub(crate) enum Outcome {
    Answered(Box<CheckoutAnswer>),
    Failed(Failure),
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        match reply {
            Ok(answer) => Self::Answered(Box::new(answer)),
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl Outcome {
    /// The machine's event for this result.
    pub(crate) fn into_event(self, id: RequestId) -> Event {
        match self {
            Self::Answered(answer) => Event::Answered { id, answer },
            Self::Failed(failure) => Event::Failed { id, failure },
        }
    }
}

impl MerchantApi {
    pub(crate) fn of(options: &WidgetOptions) -> Self {
        let mut checkout = String::from(options.merchant_api());
        checkout.push_str("/checkouts/");
        checkout.push_str(options.token());
        Self {
            checkout,
            transport: options.transport.clone(),
            fetch: options.fetch.clone(),
        }
    }

    /// Sends a request; `done` is called once, unless the request is aborted first.
    pub(crate) fn send(&self, request: &Request, done: impl FnOnce(Outcome) + 'static) -> Abort {
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        let built = self.build(request, signal.as_ref());
        let done = move |outcome| {
            if !signal.as_ref().is_some_and(AbortSignal::aborted) {
                done(outcome);
            }
        };
        match &self.transport {
            Some(own) => own.ask(request, |reply| done(Outcome::from(reply))),
            None => fetch(built, self.fetch.as_ref(), done),
        }
        Abort(controller)
    }

    /// The request to send; `None` if the address is relative and the page has no base for it.
    fn build(&self, request: &Request, signal: Option<&AbortSignal>) -> Option<http::Request> {
        let init: RequestInit = dictionary(&[]).unchecked_into();
        init.set_credentials(RequestCredentials::Omit);
        // A backend may have forgotten to forbid the cache itself.
        init.set_cache(RequestCache::NoStore);
        init.set_signal(signal);
        let address = self.address(request, &init);
        let request = web_sys::Request::new_with_str_and_init(&address, &init).ok()?;
        Some(request.into())
    }

    /// The address of a request. The form is put into `init`.
    fn address(&self, request: &Request, init: &RequestInit) -> String {
        let mut address = self.checkout.clone();
        let fields = match request {
            Request::Read(query) => {
                let query = query.to_query();
                if !query.is_empty() {
                    address.push('?');
                    address.push_str(&query);
                }
                return address;
            }
            Request::Start(form) => {
                address.push_str("/attempts");
                form.fields()
            }
            Request::Cancel(form) => {
                address.push_str("/cancel");
                vec![("after", decimal(form.after))]
            }
        };
        init.set_method("POST");
        if let Ok(form) = UrlSearchParams::new() {
            for (name, text) in fields {
                form.append(name, &text);
            }
            init.set_body(&form);
        }
        address
    }
}

fn fetch(
    request: Option<http::Request>,
    send: Option<&Function>,
    done: impl FnOnce(Outcome) + 'static,
) {
    let promise = request.ok_or(JsValue::UNDEFINED).and_then(|request| {
        let request = web_sys::Request::from(request);
        match (send, web_sys::window()) {
            (Some(fetch), _) => fetch.call1(&JsValue::NULL, &request),
            (None, Some(window)) => Ok(window.fetch_with_request(&request).into()),
            (None, None) => Err(JsValue::UNDEFINED),
        }
    });
    settled(promise, move |response| {
        let Ok(response) = response.dyn_into::<web_sys::Response>() else {
            done(Outcome::Failed(Failure::Unreachable));
            return;
        };
        let response = http::Response::from(response);
        let status = response.status();
        let retry_after_ms = retry_after_ms(response.headers().get("retry-after"));
        let response = web_sys::Response::from(response);
        settled(response.json().map(JsValue::from), move |body| {
            // JSON never parses to an `Error`, so an `Error` is the reason why there is no body.
            // A syntax error is recognised by its name, because WebKit's is a `DOMException`.
            let is_error = body.is_instance_of::<Error>();
            done(if is_error && !is_syntax_error(&body) {
                // The connection broke in the middle of the answer. The request may have had an
                // effect.
                Outcome::Failed(Failure::Unreachable)
            } else {
                read(
                    status,
                    retry_after_ms,
                    (!is_error).then_some(JsObject(body)),
                )
            });
        });
    });
}

/// The answer arrived whole, and is not JSON.
fn is_syntax_error(error: &JsValue) -> bool {
    inherited(error, "name") == "SyntaxError"
}

/// Calls back once with the result of a promise: its value, or the reason why there is none.
fn settled(promise: Result<JsValue, JsValue>, call: impl FnOnce(JsValue) + 'static) {
    let promise = promise.unwrap_or_else(|error| Promise::reject(&error).into());
    let call = Closure::once_into_js(call);
    promise.unchecked_into::<Thenable>().then(&call, &call);
}

#[wasm_bindgen]
extern "C" {
    type Thenable;

    /// `js_sys` requires two closures, and one of them would never be called.
    #[wasm_bindgen(method)]
    fn then(this: &Thenable, kept: &JsValue, broken: &JsValue) -> JsValue;
}

/// `Retry-After` in milliseconds, if it is a number of seconds.
fn retry_after_ms(header: Option<String>) -> Option<u64> {
    let seconds = header?;
    let is_number = (1..=9).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    let number = |sum, digit| sum * 10 + u64::from(digit - b'0');
    is_number.then(|| seconds.bytes().fold(0, number) * 1_000)
}

/// The result for a status and a body. No body: the answer is not JSON.
fn read(status: u16, retry_after_ms: Option<u64>, body: Option<JsObject>) -> Outcome {
    let is_success = (200..300).contains(&status);
    let failure = match body {
        Some(body) if is_success => match CheckoutAnswer::read(&body) {
            Ok(answer) => return Outcome::Answered(Box::new(answer)),
            Err(malformed) => Failure::Malformed(malformed),
        },
        None if is_success => Failure::Malformed(Malformed::not("body", "must be a JSON object")),
        Some(body) => match ApiError::read(&body) {
            Ok(mut error) => {
                error.retry_after_ms = error.retry_after_ms.or(retry_after_ms);
                let answer = CheckoutAnswer::read(&body).ok().map(Box::new);
                Failure::Refused { error, answer }
            }
            Err(_) => Failure::Status {
                status,
                retry_after_ms,
            },
        },
        None => Failure::Status {
            status,
            retry_after_ms,
        },
    };
    Outcome::Failed(failure)
}

/// A JavaScript object as a holder of fields: only its own properties count.
struct JsObject(JsValue);

impl JsObject {
    fn get(&self, name: &'static str) -> Option<JsValue> {
        Some(field(&self.0, name)).filter(|value| !value.is_undefined() && !value.is_null())
    }

    fn read<T>(
        &self,
        name: &'static str,
        rule: &'static str,
        read: impl FnOnce(JsValue) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or(Malformed::not(name, rule)),
        }
    }
}

impl Fields for JsObject {
    fn text(&self, name: &'static str) -> Result<Option<String>, Malformed> {
        self.read(name, "must be a text", |value| value.as_string())
    }

    fn integer(&self, name: &'static str) -> Result<Option<i64>, Malformed> {
        self.read(name, "must be a whole number", |value| {
            value.as_f64().and_then(exact)
        })
    }

    fn flag(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
        self.read(name, "must be true or false", |value| value.as_bool())
    }

    fn object(&self, name: &'static str) -> Result<Option<Self>, Malformed> {
        self.read(name, "must be an object", |value| {
            value.is_object().then_some(Self(value))
        })
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Malformed> {
        self.read(name, "must be a list of texts", |value| {
            let list = value.dyn_into::<Array>().ok()?;
            let mut texts = Vec::new();
            for index in 0..list.length() {
                texts.extend(list.get(index).as_string());
            }
            Some(texts)
        })
    }
}

/// A JavaScript number as a whole number, if JavaScript holds it exactly.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only a whole number below 2^53 is cast"
)]
fn exact(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_exact = number.abs() < EXACT && number % 1.0 == 0.0;
    is_exact.then_some(number as i64)
}
