//! The transport that the chaos run gives to a page: it sends the page's requests to the merchant
//! server, and checks every answer.

use std::sync::Arc;

use http::{Request, Response};
use payment_tests::native_page::{Backend, Later};
use serde_json::Value;

use super::seen::{Floor, Seen};
use crate::chaos_run::ChaosRun;
use crate::plan::OrderPlan;

/// The transport between one device and its merchant server.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) chaos: Arc<ChaosRun>,
    pub(super) plan: OrderPlan,
    pub(super) device: &'static str,
    pub(super) seen: Arc<Seen>,
}

impl Backend for Transport {
    fn send(&self, request: Request<String>) -> Later<Option<Response<Vec<u8>>>> {
        let transport = self.clone();
        Box::pin(async move {
            let _cancelling = (request.uri().path().ends_with("/cancel"))
                .then(|| Cancelling::begin(&transport.seen));
            let floor = transport.seen.floor();
            let what = format!("{} {}", request.method(), request.uri().path());
            let response = transport.chaos.send(request).await?;
            transport.inspect(&what, &response, floor);
            Some(response)
        })
    }
}

impl Transport {
    fn inspect(&self, what: &str, response: &Response<Vec<u8>>, floor: Floor) {
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        if !matches!(status, 200 | 409 | 410 | 422 | 429 | 502 | 503) {
            self.report_wrong(&format!("{what} was answered {status} {answer}"));
        }
        if status != 200 {
            let code = &answer["error"]["code"];
            self.chaos.note(
                &self.plan.order_no,
                format!("{}: {what}: {status} {code}", self.device),
            );
        }
        if answer["state"].is_string()
            && let Some(wrong) = self.seen.learn(&answer, floor, self.plan.total_fen)
        {
            self.report_wrong(&wrong);
        }
    }

    fn report_wrong(&self, what: &str) {
        self.chaos
            .report_wrong(&self.plan.order_no, format!("{}: {what}", self.device));
    }
}

/// Counts a cancel request as open until it has ended in any way.
struct Cancelling(Arc<Seen>);

impl Cancelling {
    fn begin(seen: &Arc<Seen>) -> Self {
        seen.begins_to_cancel();
        Self(seen.clone())
    }
}

impl Drop for Cancelling {
    fn drop(&mut self) {
        self.0.ends_to_cancel();
    }
}
