//! A Rust page's own backend, in place of the merchant API over HTTP. JavaScript pages use the
//! element's `transport` property instead.

use std::fmt;
use std::rc::Rc;

use checkout::{Failure, Request};
use merchant_api::CheckoutAnswer;
use wasm_bindgen_futures::spawn_local;

/// The result of a request: the contract's answer, or the reason why there is none.
pub type Reply = Result<CheckoutAnswer, Failure>;

/// Called once with a reply.
type Done = Box<dyn FnOnce(Reply)>;

/// Answers the widget's requests by a function. The `version` of an answer may be left out.
#[derive(Clone)]
pub struct Transport(Rc<dyn Fn(Request, Done)>);

impl Transport {
    /// A transport that calls a function for each request. A reply to a request that the widget has
    /// given up has no effect.
    pub fn new<F>(ask: impl Fn(Request) -> F + 'static) -> Self
    where
        F: Future<Output = Reply> + 'static,
    {
        // Futures are spawned only here: the bundle has no Rust page, and so it contains no
        // futures.
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
