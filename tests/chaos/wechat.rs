//! WeChat's side of the chaos run: buyers in the cashier, the faults, and WeChat's ledger, which is the
//! truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::chaos_run::{Body, ChaosRun};
use crate::merchant::Merchant;
use crate::plan::{FaultSet, Mode, OrderPlan};

/// How long WeChat may be down, in tries of a tenth of a second.
const TRIES: u32 = 600;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The result of a visit to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Paid, under WeChat's number.
    Paid(String),
    /// Not paid: the buyer turned back, or the bank declined.
    NotPaid,
    /// The cashier did not open: the simulator's code for the reason.
    Refused(String),
}

/// The ways to a cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    CodeUrl(String),
    H5Url(String),
    PrepayId(String),
    /// By number: the phone asks for the password, because the till has scanned its code.
    Password(String),
    /// By number, although the order may be closed or expired: money that arrives late.
    Late(String),
}

/// A buyer is in the cashier. `outcome` is success, cancel or fail.
pub(crate) async fn visit(chaos: &ChaosRun, plan: &OrderPlan, link: &Link, outcome: &str) -> Visit {
    let visit = visit_cashier(chaos, plan, link, outcome).await;
    chaos.note(
        &plan.order_no,
        format!("cashier: {outcome} by {link:?}: {visit:?}"),
    );
    visit
}

async fn visit_cashier(chaos: &ChaosRun, plan: &OrderPlan, link: &Link, outcome: &str) -> Visit {
    let mut visit = json!({ "outcome": outcome });
    match link {
        Link::CodeUrl(url) => visit["code_url"] = url.as_str().into(),
        Link::H5Url(url) => visit["h5_url"] = url.as_str().into(),
        Link::PrepayId(id) => visit["prepay_id"] = id.as_str().into(),
        Link::Password(out_trade_no) | Link::Late(out_trade_no) => {
            visit = chaos.merchant(plan.mode).names(visit);
            visit["out_trade_no"] = out_trade_no.as_str().into();
            visit["late"] = matches!(link, Link::Late(_)).into();
        }
    }
    let (status, answer) = control(chaos, "POST", "pay", Some(&visit)).await;
    match (status, answer["transaction_id"].as_str()) {
        (200, Some(transaction_id)) => {
            let mut paid = chaos.paid.lock().unwrap();
            paid.insert(transaction_id.to_owned(), plan.order_no.clone());
            Visit::Paid(transaction_id.to_owned())
        }
        (200, None) => Visit::NotPaid,
        _ => Visit::Refused(answer["error"]["code"].as_str().unwrap_or("?").to_owned()),
    }
}

/// A refund by hand, in WeChat's portal. Returns whether WeChat made it.
pub(crate) async fn refund_in_portal(
    chaos: &ChaosRun,
    merchant: &Merchant,
    out_trade_no: &str,
    fen: u64,
) -> bool {
    let refund = merchant.names(json!({ "out_trade_no": out_trade_no, "refund": fen }));
    control(chaos, "POST", "refund", Some(&refund)).await.0 == 200
}

/// Decides the result of a refund that is under way; it is too late once the result exists.
pub(crate) async fn decide_refund(
    chaos: &ChaosRun,
    merchant: &Merchant,
    refund_no: &str,
    outcome: &str,
) -> bool {
    let decision = merchant.names(json!({ "out_refund_no": refund_no, "outcome": outcome }));
    control(chaos, "POST", "refund/outcome", Some(&decision))
        .await
        .0
        == 200
}

/// A code on the buyer's phone, for the till to scan.
pub(crate) async fn show_code(chaos: &ChaosRun, payer: u8) -> String {
    let shown = control(chaos, "POST", "auth_code", Some(&json!({ "payer": payer }))).await;
    shown.1["auth_code"].as_str().unwrap().to_owned()
}

/// What `wx.login` returns to the mini-program on the buyer's phone.
pub(crate) async fn log_in(chaos: &ChaosRun, merchant: &Merchant, payer: u8) -> String {
    let login = json!({ "appid": merchant.mini_program_appid, "payer": payer });
    let (_, given) = control(chaos, "POST", "login", Some(&login)).await;
    given["code"].as_str().unwrap().to_owned()
}

/// WeChat issues a new platform certificate: it is listed at once, and signs after twelve hours.
pub(crate) async fn rotate_certificate(chaos: &ChaosRun) {
    let whose = json!({ "mchid": chaos.merchant(Mode::Direct).mchid });
    let rotated = control(chaos, "POST", "certificates/rotate", Some(&whose)).await;
    assert_eq!(rotated.0, 200, "{}", rotated.1);
}

/// Issues a new certificate after each of these numbers of begun orders.
pub(crate) async fn rotate_certificates(chaos: &ChaosRun, rotations: &[usize]) {
    for from_order in rotations {
        while chaos.begun() < *from_order {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        rotate_certificate(chaos).await;
    }
}

/// Now and then during `run`, no receiver gets its part and no return its money, by the pauses and lengths
/// of the plan. Afterwards each gets it.
pub(crate) async fn fail_shares_during<T>(
    chaos: &ChaosRun,
    failures: &[(u32, u32)],
    run: impl Future<Output = T>,
) {
    let fail = async {
        for (pause_s, length_s) in failures.iter().cycle() {
            for (wait_s, outcome) in [(pause_s, "closed"), (length_s, "success")] {
                let wait = Duration::from_secs(u64::from(*wait_s));
                chaos.clock.sleep(wait).await;
                decide_shares(chaos, outcome).await;
            }
        }
    };
    tokio::select! {
        _ = run => {}
        () = fail => {}
    }
    decide_shares(chaos, "success").await;
}

/// Decides the result of the shares and returns that end from now on. A new process forgets it.
async fn decide_shares(chaos: &ChaosRun, outcome: &str) {
    let settings = json!({ "share_outcome": outcome });
    let set = control(chaos, "PATCH", "settings", Some(&settings)).await;
    assert_eq!(set.0, 200, "{}", set.1);
}

/// Does everything that is due at WeChat, and returns when it is done.
pub(crate) async fn run_due(chaos: &ChaosRun) {
    control(chaos, "POST", "clock", Some(&json!({ "advance_s": 0 }))).await;
}

/// WeChat's ledger.
pub(crate) async fn ledger(chaos: &ChaosRun) -> Value {
    control(chaos, "GET", "ledger", None).await.1
}

/// Sets the simulator's faults by the plan, and counts the injected faults.
pub(crate) struct FaultInjector {
    chaos: Arc<ChaosRun>,
    struck: AtomicU64,
    /// The current rules. The lock is held while they change.
    rules: Mutex<Value>,
}

impl FaultInjector {
    pub(crate) fn new(chaos: Arc<ChaosRun>) -> Self {
        Self {
            chaos,
            struck: AtomicU64::new(0),
            rules: Mutex::new(json!([])),
        }
    }

    /// Applies each fault set in its turn; returns when the last one begins to apply.
    pub(crate) async fn follow(&self, fault_sets: &[FaultSet]) {
        for FaultSet { from_order, rules } in fault_sets {
            while self.chaos.begun() < *from_order {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.set(rules).await;
        }
    }

    /// Removes all faults.
    pub(crate) async fn clear(&self) {
        self.set(&json!([])).await;
    }

    /// How many faults struck. Faults between the last look at a set and the set's end are not
    /// counted, so the count is a little too low.
    pub(crate) fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }

    /// WeChat is stopped and started again while `away` runs. A new process has no faults, so it gets
    /// the current ones.
    pub(crate) async fn outlast(&self, away: impl Future<Output = ()>) {
        let rules = self.rules.lock().await;
        self.count().await;
        away.await;
        self.send(&rules).await;
    }

    /// Counts the faults of the current set, which must end before it is counted again.
    async fn count(&self) {
        let (_, held) = control(&self.chaos, "GET", "faults", None).await;
        let hits = |rule: &Value| rule["hits"].as_u64().unwrap_or(0);
        let struck: u64 = held.as_array().unwrap().iter().map(hits).sum();
        self.struck.fetch_add(struck, Ordering::Relaxed);
    }

    async fn set(&self, rules: &Value) {
        let mut held = self.rules.lock().await;
        self.count().await;
        self.send(rules).await;
        held.clone_from(rules);
    }

    async fn send(&self, rules: &Value) {
        let (status, answer) = control(&self.chaos, "POST", "faults", Some(rules)).await;
        assert_eq!(status, 200, "{answer}");
    }
}

/// One call of the control interface, retried while WeChat is down. If a call took effect before
/// its answer was lost, the second answer reports that, or the call takes effect twice.
async fn control(chaos: &ChaosRun, method: &str, what: &str, body: Option<&Value>) -> (u16, Value) {
    let url = format!("{}/_simulator/{what}", chaos.wechat);
    for _ in 0..TRIES {
        let body = body.map_or(Body::None, Body::Json);
        if let Ok(answer) = chaos.call(method, &url, &[], body).await {
            return answer;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    panic!("WeChat does not come up again");
}
