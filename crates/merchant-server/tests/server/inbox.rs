//! The merchant's backend in the tests: the webhooks that it received, and its answers.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use merchant_server::{Call, TransportError, WechatTransport};
use tokio::sync::Notify;

/// The received webhooks, in order. The answer is 204 by default.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<State>>, Arc<Signals>);

#[derive(Default)]
struct State {
    answers: Option<StatusCode>,
    /// The body of each answer.
    answer_body: &'static str,
    /// The address whose calls get no answer until they are timed out.
    hangs: Option<String>,
    notifications: Vec<Message>,
}

/// The events that tests and calls wait for.
#[derive(Default)]
struct Signals {
    arrived: Notify,
    timed_out: Notify,
}

/// One received message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Inbox {
    /// Sets the answer to all later messages.
    pub(crate) fn answer(&self, status: StatusCode) {
        self.0.lock().unwrap().answers = Some(status);
    }

    /// Sets the body of the answer to all later messages.
    pub(crate) fn answer_body(&self, body: &'static str) {
        self.0.lock().unwrap().answer_body = body;
    }

    /// From this call on, calls to this address wait.
    pub(crate) fn hang(&self, url: &str) {
        self.0.lock().unwrap().hangs = Some(url.to_owned());
    }

    /// Times out the waiting calls. Later calls wait again.
    pub(crate) fn time_out(&self) {
        self.1.timed_out.notify_waiters();
    }

    /// No address hangs any more; times out the waiting calls.
    pub(crate) fn repair(&self) {
        self.0.lock().unwrap().hangs = None;
        self.time_out();
    }

    /// How many messages an address has received.
    pub(crate) fn count(&self, url: &str) -> usize {
        let notifications = self.peek();
        notifications
            .iter()
            .filter(|message| message.url == url)
            .count()
    }

    /// Waits until an address has received so many messages.
    pub(crate) async fn wait_for_count(&self, url: &str, count: usize) {
        loop {
            let next = self.1.arrived.notified();
            if self.count(url) >= count {
                return;
            }
            next.await;
        }
    }

    /// All messages so far, which stay in the inbox.
    pub(crate) fn peek(&self) -> Vec<Message> {
        self.0.lock().unwrap().notifications.clone()
    }

    /// Takes all messages so far out of the inbox.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.0.lock().unwrap().notifications)
    }
}

impl WechatTransport for Inbox {
    fn call(&self, request: Request<Bytes>) -> Call<'_> {
        let (parts, body) = request.into_parts();
        let mut state = self.0.lock().unwrap();
        let url = parts.uri.to_string();
        let hangs = state.hangs.as_ref() == Some(&url);
        state.notifications.push(Message {
            url,
            headers: parts.headers,
            body,
        });
        self.1.arrived.notify_waiters();
        if hangs {
            let timed_out = self.1.timed_out.notified();
            return Box::pin(async move {
                timed_out.await;
                Err(TransportError::NoAnswer("waited too long".to_owned()))
            });
        }
        let status = state.answers.unwrap_or(StatusCode::NO_CONTENT);
        let body = Bytes::from_static(state.answer_body.as_bytes());
        let reply = Response::builder().status(status).body(body);
        Box::pin(async move { reply.map_err(|error| TransportError::NoAnswer(error.to_string())) })
    }
}
