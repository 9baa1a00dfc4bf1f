//! A backend of a Rust page's own, in place of the merchant API over HTTP. Pages of JavaScript
//! have the element's `transport` property instead.

use std::fmt;
use std::rc::Rc;

use checkout::{Failure, Request};
use merchant_api::CheckoutAnswer;
use wasm_bindgen_futures::spawn_local;

/// What came of a request: the contract's answer, or why there is none.
pub type Reply = Result<CheckoutAnswer, Failure>;

/// Called once with a reply.
type Done = Box<dyn FnOnce(Reply)>;

/// Answers the widget's requests by a function. The `version` of an answer may be left out.
#[derive(Clone)]
pub struct Transport(Rc<dyn Fn(Request, Done)>);

impl Transport {
    /// A transport that calls a function for each request. Nothing comes of the reply to a
    /// request that the widget has given up meanwhile.
    pub fn new<F>(ask: impl Fn(Request) -> F + 'static) -> Self
    where
        F: Future<Output = Reply> + 'static,
    {
        // Spawned here and nowhere else: the bundle has no Rust page, and so no futures either.
        Self(Rc::new(move |request, done| {
            let reply = ask(request);
            spawn_local(async move { done(reply.await) });
        }))
    }

    pub(crate) fn ask(&self, request: &Request, done: impl FnOnce(Reply) + 'static) {
        (self.0)(request.clone(), Box::new(done));
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transport")
    }
}
