//! A backend of a Rust page's own, in place of the merchant API over HTTP. Pages of JavaScript
//! have the element's `transport` property instead.

use checkout::{Failure, Request};
use merchant_api::CheckoutAnswer;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

/// What came of a request: the contract's answer, or why there is none.
pub type Reply = Result<CheckoutAnswer, Failure>;

/// A reply that is still to come.
pub(crate) type Awaited = Pin<Box<dyn Future<Output = Reply>>>;

/// Answers the widget's requests by a function. The `version` of an answer may be left out.
#[derive(Clone)]
pub struct Transport(Rc<dyn Fn(Request) -> Awaited>);

impl Transport {
    /// A transport that calls a function for each request. Nothing comes of the reply to a
    /// request that the widget has given up meanwhile.
    pub fn new<F>(ask: impl Fn(Request) -> F + 'static) -> Self
    where
        F: Future<Output = Reply> + 'static,
    {
        Self(Rc::new(move |request| Box::pin(ask(request))))
    }

    pub(crate) fn ask(&self, request: &Request) -> Awaited {
        (self.0)(request.clone())
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transport")
    }
}
