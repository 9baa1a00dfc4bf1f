//! Profit sharing (分账) as the shop does it: it adds the receivers once, shares payments, takes shared money
//! back and releases the rest. It repeats each call that got no clear answer, with the same number.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos_run::ChaosRun;
use crate::merchant::Merchant;
use crate::plan::sharing::{Part, Receivers, Sending, ShareAction, ShareStep, SharingPlan};
use crate::plan::{Mode, OrderPlan};
use crate::shop;

/// A merchant that receives and has no server in the run.
const SUPPLIER: &str = "86693852";
/// How often a call is tried; a killed server is down for a second or two.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(150);
/// How often a call is made again that WeChat refused: the reason may be gone.
const REFUSALS: u32 = 2;
/// How often the shop looks whether a share is finished: this takes ten minutes.
const LOOKS: u32 = 40;
const LOOK: Duration = Duration::from_secs(15);

/// A share, a release or a return that the shop requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedShare {
    pub(crate) order_no: String,
    /// Whether the server accepted it.
    pub(crate) is_accepted: bool,
}

/// Plays an order's profit sharing.
pub(crate) async fn play(chaos: &ChaosRun, plan: &OrderPlan, sharing: &SharingPlan) {
    if sharing.steps.is_empty() {
        return;
    }
    add_receivers(chaos, plan).await;
    let mut newest_share = None;
    for (place, step) in sharing.steps.iter().enumerate() {
        let wait = Duration::from_secs(u64::from(step.after_s));
        chaos.clock.sleep(wait).await;
        let number = format!("{}@s{place}", plan.order_no);
        let call = match step.action {
            ShareAction::Share {
                part,
                to,
                unfreezes_rest,
            } => {
                let call = share(chaos, plan, &number, part, to, unfreezes_rest).await;
                newest_share = Some(number.clone());
                call
            }
            ShareAction::Unfreeze => unfreeze(plan, &number),
            ShareAction::Return(part) => match &newest_share {
                Some(of) => match give_back(chaos, plan, of, &number, part).await {
                    Some(call) => call,
                    None => continue,
                },
                None => continue,
            },
        };
        call.make(chaos, plan, *step).await;
    }
}

/// Adds both receivers of a merchant, once in a run. Other orders wait until it is done.
async fn add_receivers(chaos: &ChaosRun, plan: &OrderPlan) {
    let mut ready = chaos.receivers.lock().await;
    if !ready.insert(plan.mode) {
        return;
    }
    let merchant = chaos.merchant(plan.mode);
    let (kind, person) = person_of(merchant);
    let receivers = [
        json!({
            "type": "MERCHANT_ID", "account": supplier_of(chaos, plan.mode), "name": "某某茶行",
            "relation_type": "SUPPLIER",
        }),
        json!({ "type": kind, "account": person, "relation_type": "STAFF" }),
    ];
    for mut receiver in receivers {
        if let Some(sub) = &merchant.sub {
            receiver["sub_mchid"] = sub.mchid.as_str().into();
        }
        let (status, answer) =
            shop::call(chaos, plan, "POST", "/v1/receivers", Some(&receiver)).await;
        if status != 200 {
            let what = format!("no receiver: {status} {answer}");
            chaos.report_wrong(&plan.order_no, what);
        }
    }
}

/// The merchant that receives. What the partner's sub-merchant shares goes to the merchant of the direct
/// server, which WeChat notifies.
fn supplier_of(chaos: &ChaosRun, mode: Mode) -> &str {
    match mode {
        Mode::Partner => told_receiver(chaos),
        Mode::Direct | Mode::Older => SUPPLIER,
    }
}

/// The merchant that WeChat notifies about each share that arrives at it, and about each return from it.
pub(crate) fn told_receiver(chaos: &ChaosRun) -> &str {
    &chaos.merchant(Mode::Direct).mchid
}

/// A courier, by an openid under the sub-merchant's application or the merchant's own.
fn person_of(merchant: &Merchant) -> (&'static str, &str) {
    match &merchant.sub {
        Some(sub) if merchant.mode == Mode::Partner => ("PERSONAL_SUB_OPENID", &sub.openids[0]),
        _ => ("PERSONAL_OPENID", &merchant.openids[0]),
    }
}

/// A call that moves shared money, which may be repeated.
struct Call {
    number: String,
    path: String,
    body: Value,
    /// Where the body has a value that a repeated call must not change.
    value_at: &'static str,
    /// The amount is more than there can be.
    is_too_much: bool,
}

async fn share(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    number: &str,
    part: Part,
    to: Receivers,
    unfreezes_rest: bool,
) -> Call {
    let amount_fen = match part {
        Part::TooMuch => plan.total_fen + 1,
        Part::Percent(percent) => {
            let (_, list) = look(chaos, plan).await;
            percent_of(list["shareable_fen"].as_u64().unwrap_or(0), percent)
        }
    };
    let (kind, person) = person_of(chaos.merchant(plan.mode));
    let supplier = supplier_of(chaos, plan.mode);
    let merchant_gets = |fen: u64| json!({ "type": "MERCHANT_ID", "account": supplier, "amount_fen": fen, "reason": "茶叶货款" });
    let person_gets = |fen: u64| json!({ "type": kind, "account": person, "amount_fen": fen, "reason": "配送费" });
    let persons_fen = amount_fen / 3;
    let receivers = match to {
        Receivers::Person => vec![person_gets(amount_fen)],
        Receivers::Both if persons_fen > 0 => vec![
            merchant_gets(amount_fen - persons_fen),
            person_gets(persons_fen),
        ],
        Receivers::Merchant | Receivers::Both => vec![merchant_gets(amount_fen)],
    };
    Call {
        number: number.to_owned(),
        path: format!("/v1/orders/{}/shares", plan.order_no),
        body: json!({
            "share_no": number, "receivers": receivers, "unfreeze_rest": unfreezes_rest,
        }),
        value_at: "/receivers/0/amount_fen",
        is_too_much: part == Part::TooMuch,
    }
}

fn unfreeze(plan: &OrderPlan, number: &str) -> Call {
    Call {
        number: number.to_owned(),
        path: format!("/v1/orders/{}/unfreeze", plan.order_no),
        body: json!({ "share_no": number, "reason": "订单完成" }),
        value_at: "/reason",
        is_too_much: false,
    }
}

/// A return from a share, once it is finished; `None`: it gave the merchant nothing.
async fn give_back(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    share_no: &str,
    number: &str,
    part: Part,
) -> Option<Call> {
    let share = finished(chaos, plan, share_no).await?;
    let supplier = supplier_of(chaos, plan.mode);
    let mut receivers = share["receivers"].as_array()?.iter();
    let got = receivers.find(|receiver| receiver["account"] == supplier)?;
    let got_fen = got["amount_fen"].as_u64()?;
    let amount_fen = match part {
        Part::Percent(percent) => percent_of(got_fen, percent),
        Part::TooMuch => got_fen + 1,
    };
    Some(Call {
        number: number.to_owned(),
        path: format!("/v1/shares/{share_no}/returns"),
        body: json!({
            "return_no": number, "account": supplier, "amount_fen": amount_fen,
            "reason": "顾客退货",
        }),
        value_at: "/amount_fen",
        // What a merchant did not get, it cannot return at all.
        is_too_much: part == Part::TooMuch || got["result"] != "succeeded",
    })
}

/// Waits until WeChat is done with a share, and returns it.
async fn finished(chaos: &ChaosRun, plan: &OrderPlan, share_no: &str) -> Option<Value> {
    for _ in 0..LOOKS {
        let (_, list) = look(chaos, plan).await;
        let mut shares = list["shares"].as_array()?.iter();
        let share = shares.find(|share| share["share_no"] == share_no)?;
        match share["state"].as_str() {
            Some("finished") => return Some(share.clone()),
            Some("refused") => return None,
            _ => chaos.clock.sleep(LOOK).await,
        }
    }
    let what = format!("shop: {share_no} is not finished, so nothing comes back of it");
    chaos.note(&plan.order_no, what);
    None
}

/// Reads what was shared of an order from the private API.
pub(crate) async fn look(chaos: &ChaosRun, plan: &OrderPlan) -> (u16, Value) {
    let path = format!("/v1/orders/{}/shares", plan.order_no);
    shop::call(chaos, plan, "GET", &path, None).await
}

/// Asks WeChat through the private API what it still holds of an order's payment.
pub(crate) async fn held(chaos: &ChaosRun, plan: &OrderPlan) -> (u16, Value) {
    let path = format!("/v1/orders/{}/frozen", plan.order_no);
    shop::call(chaos, plan, "GET", &path, None).await
}

impl Call {
    async fn make(&self, chaos: &ChaosRun, plan: &OrderPlan, step: ShareStep) {
        self.record(chaos, plan, false);
        let (status, answer) = if step.sending == Sending::TwiceAtOnce {
            let (first, second) = tokio::join!(self.send(chaos, plan), self.send(chaos, plan));
            if (first.0, second.0) == (201, 201) {
                let what = format!("{} is new twice: {} {}", self.number, first.1, second.1);
                chaos.report_wrong(&plan.order_no, what);
            }
            if first.0 < second.0 { first } else { second }
        } else {
            self.send(chaos, plan).await
        };
        let is_accepted = matches!(status, 200 | 201);
        self.record(chaos, plan, is_accepted);
        let shown = answer["error"]["code"].as_str();
        let shown = shown.or(answer["state"].as_str());
        let what = format!("shop: {} {}: {status} {shown:?}", self.number, self.body);
        chaos.note(&plan.order_no, what);
        if is_accepted && self.is_too_much {
            let what = format!(
                "{} is more than there can be, and was accepted",
                self.number
            );
            chaos.report_wrong(&plan.order_no, what);
        }
        if is_accepted && step.sending == Sending::AgainWithOtherValues {
            self.send_changed(chaos, plan).await;
        }
    }

    /// The same number with another value is another share, which must be refused.
    async fn send_changed(&self, chaos: &ChaosRun, plan: &OrderPlan) {
        let mut body = self.body.clone();
        if let Some(value) = body.pointer_mut(self.value_at) {
            *value = match value.as_u64() {
                Some(fen) => (fen + 1).into(),
                None => "另一个原因".into(),
            };
        }
        let (status, answer) = shop::call(chaos, plan, "POST", &self.path, Some(&body)).await;
        if answer["error"]["code"] != "SHARE_NO_USED" {
            let what = format!("{} with other values: {status} {answer}", self.number);
            chaos.report_wrong(&plan.order_no, what);
        }
    }

    /// Repeats the call until the answer is clear, or for a limited time. Returns the last one.
    async fn send(&self, chaos: &ChaosRun, plan: &OrderPlan) -> (u16, Value) {
        let (mut last, mut refusals) = ((0, Value::Null), 0);
        for _ in 0..TRIES {
            last = match shop::call_once(chaos, plan, "POST", &self.path, Some(&self.body)).await {
                Ok(answer) => answer,
                Err(no_answer) => (0, no_answer.0.into()),
            };
            let is_refused = last.1["error"]["code"] == "WECHAT_REFUSED";
            refusals += u32::from(is_refused);
            if matches!(last.0, 200..500) || refusals > REFUSALS {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        last
    }

    fn record(&self, chaos: &ChaosRun, plan: &OrderPlan, is_accepted: bool) {
        let order_no = plan.order_no.clone();
        let asked = AskedShare {
            order_no,
            is_accepted,
        };
        let mut shares = chaos.shares.lock().unwrap();
        shares.insert(self.number.clone(), asked);
    }
}

/// At least one fen, also of nothing.
fn percent_of(fen: u64, percent: u64) -> u64 {
    (fen * percent / 100).max(1)
}
