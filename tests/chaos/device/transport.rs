//! What the storm hands to a page: the way to the merchant server, on which every answer is looked
//! at, and a clock.
//!
//! *The page's time.* Timers of the servers are the machine's under libfaketime, and only the date runs
//! faster. A page's timers are the machine's too: its requests last as long as they last, and it gives them
//! up when a real page would. A device that was put away has missed what passed on the storm's clock, as
//! one that slept. What the server says about time left is the storm's time, and the page takes it anew from
//! each answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use payment_tests::native_page::{Backend, Later, PageClock};
use serde_json::Value;
use tokio::sync::watch;

use super::seen::{Floor, Seen};
use crate::plan::OrderPlan;
use crate::world::World;

/// The way of one device to its merchant server.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) world: Arc<World>,
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
            let response = transport.world.send(request).await?;
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
            self.accuse(&format!("{what} was answered {status} {answer}"));
        }
        if status != 200 {
            let code = &answer["error"]["code"];
            self.world.note(
                &self.plan.order_no,
                format!("{}: {what}: {status} {code}", self.device),
            );
        }
        if answer["state"].is_string()
            && let Some(wrong) = self.seen.learn(&answer, floor, self.plan.total_fen)
        {
            self.accuse(&wrong);
        }
    }

    fn accuse(&self, what: &str) {
        self.world
            .accuse(&self.plan.order_no, format!("{}: {what}", self.device));
    }
}

/// Counts a cancel until it has ended in whatever way.
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

/// The machine's monotonic time, and what the device has slept through.
pub(super) struct PageTime {
    began: Instant,
    slept_ms: watch::Sender<u64>,
}

impl Default for PageTime {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            slept_ms: watch::Sender::new(0),
        }
    }
}

impl PageTime {
    /// The device has slept for so long.
    pub(super) fn skip_ms(&self, slept_ms: u64) {
        self.slept_ms.send_modify(|sum_ms| *sum_ms += slept_ms);
    }
}

impl PageClock for PageTime {
    fn now_ms(&self) -> u64 {
        let awake_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        awake_ms + *self.slept_ms.borrow()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<()> {
        let (began, mut slept_ms) = (self.began, self.slept_ms.subscribe());
        Box::pin(async move {
            loop {
                let awake_ms = at_ms.saturating_sub(*slept_ms.borrow_and_update());
                let wakes_at = began + Duration::from_millis(awake_ms);
                tokio::select! {
                    () = tokio::time::sleep_until(wakes_at.into()) => return,
                    // The sender is gone with the page.
                    skipped = slept_ms.changed() => if skipped.is_err() { return },
                }
            }
        })
    }
}
