//! A transport that remembers the last answer of WeChat Pay's gateway: the key that signed it, and
//! its time. It does not change a call.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderName, header};
use serde::Deserialize;

use crate::surroundings::{Call, Clock, Download, Surroundings, WechatTransport};

/// The recorded calls: those about orders. Calls that a client makes by itself, such as certificate
/// downloads, are not recorded.
const RECORDED: &str = "/v3/pay/";
const TIMESTAMP: HeaderName = HeaderName::from_static("wechatpay-timestamp");

/// The headers of one answer. None of it is verified here. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// `Wechatpay-Serial`.
    pub(super) serial: Option<String>,
    /// `Wechatpay-Timestamp`, which WeChat signs.
    pub(super) signed_s: Option<i64>,
    /// `Date`.
    pub(super) date_s: Option<i64>,
    /// This machine's clock when the answer had come.
    pub(super) received_s: i64,
    /// The `message` of a refusal. It proves as little as an unsigned refusal does.
    pub(super) message: Option<String>,
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

pub(super) struct Recorder {
    inner: Arc<dyn WechatTransport>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Seen>>,
}

impl Recorder {
    pub(super) fn new(surroundings: &Surroundings) -> Self {
        Self {
            inner: surroundings.wechat.clone(),
            clock: surroundings.clock.clone(),
            last: Mutex::default(),
        }
    }

    /// Takes the last recorded answer.
    pub(super) fn take(&self) -> Option<Seen> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.take()
    }

    fn record(&self, answer: &http::Response<Bytes>) {
        let headers = answer.headers();
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let date = |text| jiff::fmt::rfc2822::parse(text).ok();
        let seen = Seen {
            serial: text(&wechat_pay::SERIAL_HEADER).map(str::to_owned),
            signed_s: text(&TIMESTAMP).and_then(|text| text.parse().ok()),
            date_s: text(&header::DATE)
                .and_then(date)
                .map(|date| date.timestamp().as_second()),
            received_s: self.clock.now_ms().div_euclid(1000),
            message: serde_json::from_slice(answer.body())
                .ok()
                .filter(|_| !answer.status().is_success())
                .map(|refusal: Refusal| refusal.message),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

impl WechatTransport for Recorder {
    fn call(&self, request: http::Request<Bytes>) -> Call<'_> {
        let is_recorded = request.uri().path().starts_with(RECORDED);
        Box::pin(async move {
            let answer = self.inner.call(request).await?;
            if is_recorded {
                self.record(&answer);
            }
            Ok(answer)
        })
    }

    fn download(&self, request: http::Request<Bytes>) -> Download<'_> {
        self.inner.download(request)
    }
}
