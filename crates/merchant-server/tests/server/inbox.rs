//! The merchant's backend as the tests see it: what it was sent, and what it answers.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use merchant_server::{Call, TransportError, WechatTransport};

/// What was sent, in order. It answers 204 until told otherwise.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: Option<StatusCode>,
    letters: Vec<Message>,
}

/// One message as it came.
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
    /// From here on it answers like this.
    pub(crate) fn answer(&self, status: StatusCode) {
        self.0.lock().unwrap().answers = Some(status);
    }

    /// Everything so far, left in.
    pub(crate) fn peek(&self) -> Vec<Message> {
        self.0.lock().unwrap().letters.clone()
    }

    /// Everything so far, taken out.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.0.lock().unwrap().letters)
    }
}

impl WechatTransport for Inbox {
    fn call(&self, request: Request<Bytes>) -> Call<'_> {
        let (parts, body) = request.into_parts();
        let mut state = self.0.lock().unwrap();
        state.letters.push(Message {
            url: parts.uri.to_string(),
            headers: parts.headers,
            body,
        });
        let status = state.answers.unwrap_or(StatusCode::NO_CONTENT);
        let reply = Response::builder().status(status).body(Bytes::new());
        Box::pin(async move { reply.map_err(|error| TransportError::NoAnswer(error.to_string())) })
    }
}
