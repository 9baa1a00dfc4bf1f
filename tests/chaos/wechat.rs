//! WeChat's side of the storm: buyers in the cashier, the faults, and the ledger that is the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::plan::Weather;
use crate::world::{Body, World};

/// What a visit to the cashier came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Paid, under WeChat's number.
    Paid(String),
    /// Not paid: the buyer turned back, or the bank said no.
    NotPaid,
    /// The cashier did not open: the simulator's code for it.
    Refused(String),
}

/// How a cashier is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    CodeUrl(String),
    H5Url(String),
    PrepayId(String),
    /// By number, closed or expired as the order may be: money that lands late.
    Late(String),
}

/// A buyer is in the cashier. `outcome` is success, cancel or fail.
pub(crate) async fn visit_cashier(world: &World, link: &Link, outcome: &str) -> Visit {
    let mut visit = json!({ "outcome": outcome });
    match link {
        Link::CodeUrl(url) => visit["code_url"] = url.as_str().into(),
        Link::H5Url(url) => visit["h5_url"] = url.as_str().into(),
        Link::PrepayId(id) => visit["prepay_id"] = id.as_str().into(),
        Link::Late(out_trade_no) => {
            visit["mchid"] = world.mchid.as_str().into();
            visit["out_trade_no"] = out_trade_no.as_str().into();
            visit["late"] = true.into();
        }
    }
    let (status, answer) = control(world, "POST", "pay", Some(&visit)).await;
    match (status, answer["transaction_id"].as_str()) {
        (200, Some(transaction_id)) => Visit::Paid(transaction_id.to_owned()),
        (200, None) => Visit::NotPaid,
        _ => Visit::Refused(answer["error"]["code"].as_str().unwrap_or("?").to_owned()),
    }
}

/// A refund by hand, in WeChat's portal. Says whether WeChat made it.
pub(crate) async fn refund_in_portal(world: &World, out_trade_no: &str, fen: u64) -> bool {
    let refund = json!({ "mchid": world.mchid, "out_trade_no": out_trade_no, "refund": fen });
    control(world, "POST", "refund", Some(&refund)).await.0 == 200
}

/// Decides what becomes of a refund that is on its way; too late where its result is there.
pub(crate) async fn decide_refund(world: &World, refund_no: &str, outcome: &str) -> bool {
    let decision = json!({ "mchid": world.mchid, "out_refund_no": refund_no, "outcome": outcome });
    control(world, "POST", "refund/outcome", Some(&decision))
        .await
        .0
        == 200
}

/// Has the notifications of the portal's refunds sent to the merchant server.
pub(crate) async fn register_refund_url(world: &World) {
    let url = format!("{}/wechat/notify/refund", world.merchant);
    let (status, answer) = control(
        world,
        "PATCH",
        "settings",
        Some(&json!({ "portal_notify_url": url })),
    )
    .await;
    assert_eq!(status, 200, "{answer}");
}

/// Does everything that is due at WeChat, and returns when it is done.
pub(crate) async fn run_due(world: &World) {
    control(world, "POST", "clock", Some(&json!({ "advance_s": 0 }))).await;
}

/// WeChat's ledger.
pub(crate) async fn ledger(world: &World) -> Value {
    control(world, "GET", "ledger", None).await.1
}

/// Changes the faults with the plan, and counts those that struck.
pub(crate) struct Sky {
    world: Arc<World>,
    struck: AtomicU64,
}

impl Sky {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            struck: AtomicU64::new(0),
        }
    }

    /// Each weather in its turn; ends with the last one's beginning.
    pub(crate) async fn follow(&self, weather: &[Weather]) {
        for Weather { from_order, rules } in weather {
            while self.world.begun() < *from_order {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            self.set(rules).await;
        }
    }

    /// No more faults.
    pub(crate) async fn clear(&self) {
        self.set(&json!([])).await;
    }

    /// How many faults struck. Those between the last look at a set and its end are not counted,
    /// so it is a little less than there were.
    pub(crate) fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }

    async fn set(&self, rules: &Value) {
        let (_, held) = control(&self.world, "GET", "faults", None).await;
        let struck: u64 = held
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["hits"].as_u64().unwrap_or(0))
            .sum();
        self.struck.fetch_add(struck, Ordering::Relaxed);
        let (status, answer) = control(&self.world, "POST", "faults", Some(rules)).await;
        assert_eq!(status, 200, "{answer}");
    }
}

async fn control(world: &World, method: &str, what: &str, body: Option<&Value>) -> (u16, Value) {
    let url = format!("{}/_simulator/{what}", world.wechat);
    let body = body.map_or(Body::None, Body::Json);
    // WeChat stands through the storm: no answer from it is the harness's own failure.
    world.call(method, &url, &[], body).await.unwrap()
}
