//! A transport to the simulator that records calls and injects faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use bytes::Bytes;
use merchant_server::{Call, Clock as _, ServiceTransport, TransportError, WechatTransport};
use tokio::sync::Notify;
use tokio::task::yield_now;
use wechat_pay::{ClientIdentity, v2};

use crate::test_server::TestClock;

/// A fault of the next call of a kind.
pub(crate) enum Fault {
    /// The call arrives, and the answer is lost.
    AnswerLost,
    /// The call never arrives.
    NotSent,
    /// The call never arrives, and this unsigned answer comes.
    Answered(u16, &'static str),
    /// The call arrives, and the answer is changed.
    Changed(Change),
    /// The buyer pays just before the call arrives.
    PaidJustBefore(Box<dyn Fn() + Send>),
}

/// A change of an answer.
type Change = Box<dyn Fn(&mut http::Response<Bytes>) + Send>;

/// A call as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// `order`, `query`, `close`, `reverse`, `refund`, `refund_query`, `abnormal_refund`, `receiver`,
    /// `share`, `share_return`, `share_query`, `certificates` or `openid`.
    pub(crate) kind: &'static str,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The certificate that the connection presents, with its key.
    pub(crate) identity: Option<ClientIdentity>,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
pub(crate) struct FaultInjector(Arc<Inner>);

struct Inner {
    simulator: ServiceTransport<Router>,
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    sent: Mutex<Vec<Sent>>,
    cut: Mutex<Option<Cut>>,
    slowness: Mutex<Option<(TestClock, u64)>>,
    /// How many slowed calls have not arrived yet, and how many have arrived.
    slowed: Mutex<(usize, usize)>,
}

/// A call at which the process ends.
struct Cut {
    /// Counting from 1.
    call: usize,
    /// Whether the call reaches WeChat.
    arrives: bool,
    reached: Arc<Notify>,
}

impl FaultInjector {
    pub(crate) fn new(simulator: Router) -> Self {
        Self(Arc::new(Inner {
            simulator: ServiceTransport::new(simulator),
            faults: Mutex::default(),
            sent: Mutex::default(),
            cut: Mutex::default(),
            slowness: Mutex::default(),
            slowed: Mutex::default(),
        }))
    }

    /// Injects a fault into the next call of this kind.
    pub(crate) fn inject(&self, kind: &'static str, fault: Fault) {
        self.0.faults.lock().unwrap().push_back((kind, fault));
    }

    /// Removes all injected faults.
    pub(crate) fn clear_faults(&self) {
        self.0.faults.lock().unwrap().clear();
    }

    /// Takes all calls since the last look.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.sent.lock().unwrap())
    }

    /// Takes the kinds of all calls since the last look.
    pub(crate) fn take_kinds(&self) -> Vec<&'static str> {
        self.take_sent().iter().map(|sent| sent.kind).collect()
    }

    /// Delays each later call by a time of a clock.
    pub(crate) fn slow_down(&self, clock: &TestClock, by_ms: u64) {
        *self.0.slowness.lock().unwrap() = Some((clock.clone(), by_ms));
    }

    /// How many slowed calls have arrived.
    pub(crate) fn answered(&self) -> usize {
        self.0.slowed.lock().unwrap().1
    }

    /// Waits until so many calls are delayed at the same time, then lets the delay pass; returns
    /// when these calls have arrived.
    pub(crate) async fn let_pass(&self, count: usize, clock: &TestClock, by_ms: u64) {
        while self.0.slowed.lock().unwrap().0 < count {
            yield_now().await;
        }
        clock.advance_ms(by_ms);
        let (under_way, arrived) = *self.0.slowed.lock().unwrap();
        while self.answered() < arrived + under_way.min(count) {
            yield_now().await;
        }
    }

    /// Whether a number was queried since the last look.
    pub(crate) fn asks(&self, out_trade_no: &str) -> bool {
        let sent = self.0.sent.lock().unwrap();
        let mut questions = sent.iter().filter(|sent| sent.kind == "query");
        questions.any(|sent| {
            let is_named = String::from_utf8_lossy(&sent.body).contains(out_trade_no);
            sent.path.ends_with(out_trade_no) || is_named
        })
    }

    /// The process ends at a call, counted from 1: notifies when the call comes, and never answers
    /// it.
    pub(crate) fn cut(&self, call: usize, arrives: bool, reached: Arc<Notify>) {
        *self.0.cut.lock().unwrap() = Some(Cut {
            call,
            arrives,
            reached,
        });
    }

    /// Answers all calls again.
    pub(crate) fn repair(&self) {
        *self.0.cut.lock().unwrap() = None;
    }

    /// If the process ends at this call: whether the call reaches WeChat, and the signal that the
    /// call was reached.
    fn next_cut(&self) -> Option<(bool, Arc<Notify>)> {
        let mut cut = self.0.cut.lock().unwrap();
        let cut = cut.as_mut()?;
        cut.call = cut.call.checked_sub(1)?;
        (cut.call == 0).then(|| (cut.arrives, cut.reached.clone()))
    }

    fn fault(&self, kind: &str) -> Option<Fault> {
        let mut faults = self.0.faults.lock().unwrap();
        let place = faults.iter().position(|(of, _)| *of == kind)?;
        faults.remove(place).map(|(_, fault)| fault)
    }
}

impl WechatTransport for FaultInjector {
    fn call(&self, request: http::Request<Bytes>) -> Call<'_> {
        let path = request.uri().path().to_owned();
        let kind = kind_of(request.method(), &path);
        self.0.sent.lock().unwrap().push(Sent {
            kind,
            host: request.uri().host().unwrap_or_default().to_owned(),
            path,
            authorization: request
                .headers()
                .get("authorization")
                .map(|text| text.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            identity: request.extensions().get::<ClientIdentity>().cloned(),
            body: request.body().clone(),
        });
        if !has_its_certificate(&request) {
            // WeChat's proxy answers such a request with a page.
            let page = Bytes::from_static(b"<html>400 No required SSL certificate was sent</html>");
            let mut answer = http::Response::new(page);
            *answer.status_mut() = http::StatusCode::BAD_REQUEST;
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let fault = self.fault(kind);
        let cut = self.next_cut();
        let slowness = self.0.slowness.lock().unwrap().clone();
        Box::pin(async move {
            if let Some((clock, by_ms)) = slowness {
                self.0.slowed.lock().unwrap().0 += 1;
                clock.sleep_ms(i64::try_from(by_ms).unwrap()).await;
                let mut slowed = self.0.slowed.lock().unwrap();
                *slowed = (slowed.0 - 1, slowed.1 + 1);
            }
            if let Some((arrives, reached)) = cut {
                if arrives {
                    self.0.simulator.call(request).await?;
                }
                reached.notify_one();
                return std::future::pending().await;
            }
            match fault {
                None => self.0.simulator.call(request).await,
                Some(Fault::PaidJustBefore(pay)) => {
                    pay();
                    self.0.simulator.call(request).await
                }
                Some(Fault::Changed(change)) => {
                    let mut answer = self.0.simulator.call(request).await?;
                    change(&mut answer);
                    Ok(answer)
                }
                Some(Fault::AnswerLost) => {
                    self.0.simulator.call(request).await?;
                    Err(TransportError::NoAnswer("timed out".into()))
                }
                Some(Fault::NotSent) => Err(TransportError::NotSent("refused".into())),
                Some(Fault::Answered(status, body)) => Ok(http::Response::builder()
                    .status(status)
                    .body(Bytes::from_static(body.as_bytes()))
                    .unwrap()),
            }
        })
    }
}

/// Whether the connection presents a certificate, where version 2 requires one. The simulator has no
/// TLS and does not check it.
fn has_its_certificate(request: &http::Request<Bytes>) -> bool {
    let route = v2::Route::of(request.uri().path());
    let is_required = route.is_some_and(v2::Route::needs_certificate);
    !is_required || request.extensions().get::<ClientIdentity>().is_some()
}

fn kind_of(method: &http::Method, path: &str) -> &'static str {
    if let Some(route) = v2::Route::of(path) {
        match route {
            v2::Route::UnifiedOrder | v2::Route::MicroPay => "order",
            v2::Route::CloseOrder => "close",
            v2::Route::Reverse => "reverse",
            v2::Route::Refund => "refund",
            v2::Route::RefundQuery => "refund_query",
            v2::Route::DownloadBill => "bill",
            v2::Route::OrderQuery | v2::Route::ShortUrl | v2::Route::AuthCodeToOpenId => "query",
        }
    } else if path.starts_with("/sns/") {
        "openid"
    } else if path == "/cgi-bin/stable_token" {
        "token"
    } else if path.starts_with("/wxa/sec/order/") {
        "shipping"
    } else if path.starts_with("/v3/profitsharing/receivers/") {
        "receiver"
    } else if path.starts_with("/v3/profitsharing/") && method == http::Method::GET {
        "share_query"
    } else if path == "/v3/profitsharing/return-orders" {
        "share_return"
    } else if path.starts_with("/v3/profitsharing/") {
        "share"
    } else if path == "/v3/certificates" {
        "certificates"
    } else if path.starts_with("/v3/billdownload/") {
        "bill_file"
    } else if path.starts_with("/v3/bill/") {
        "bill"
    } else if path.ends_with("/close") {
        "close"
    } else if path.ends_with("/reverse") {
        "reverse"
    } else if path.ends_with("/apply-abnormal-refund") {
        "abnormal_refund"
    } else if path.starts_with("/v3/refund/") && method == http::Method::POST {
        "refund"
    } else if path.starts_with("/v3/refund/") {
        "refund_query"
    } else if method == http::Method::POST {
        "order"
    } else {
        "query"
    }
}
