//! The shop's backend as a client of the private API. It retries each call that got no answer, as
//! any backend does: every call here can be made twice.

use std::time::Duration;

use payment_tests::merchant_config::API_KEY;
use serde_json::{Value, json};

use crate::chaos_run::{Answer, AskedRefund, Body, ChaosRun};
use crate::plan::{AnotherWay, OrderPlan, Story};

/// How often a call is tried; a killed server is down for a second or two.
const TRIES: u32 = 300;
const REFUND_TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(150);

/// The address to which buyers return: an origin of the configuration.
pub(crate) const RETURN_URL: &str = "http://127.0.0.1:1/back";

/// How often the shop checks a refund that is to become abnormal, every half a minute.
const ABNORMAL_LOOKS: u32 = 60;
const LOOK: Duration = Duration::from_secs(30);

/// Creates the order and returns its token. Some orders are created twice at the same moment.
pub(crate) async fn order(chaos: &ChaosRun, plan: &OrderPlan, buyer: usize) -> String {
    let mut order = json!({
        "order_no": plan.order_no,
        "total_fen": plan.total_fen,
        "description": "一壶茶",
        "expires_in_ms": u64::from(plan.expires_in_s) * 1000,
        "attach": plan.order_no,
    });
    let merchant = chaos.merchant(plan.mode);
    if let Some(sub) = &merchant.sub {
        order["sub_mchid"] = sub.mchid.as_str().into();
    }
    if plan.has_openid {
        order["payer"] = match &merchant.sub {
            // A sub-merchant's shop knows its buyer by its own application, or by the partner's.
            Some(sub) if plan.seed.is_multiple_of(2) => json!({ "sub_openid": sub.openids[buyer] }),
            _ => json!({ "openid": merchant.openids[buyer] }),
        };
    }
    if plan.sharing.is_some() {
        order["settle_info"] = json!({ "profit_sharing": true });
    }
    if matches!(plan.story, Story::AtTheTill(_)) {
        order["scene_info"] = json!({
            "payer_client_ip": plan.address, "device_id": "till", "store_info": { "id": "0001" },
        });
    }
    let create = || call(chaos, plan, "POST", "/v1/orders", Some(&order));
    let (status, created) = if plan.seed.is_multiple_of(16) {
        let (first, second) = tokio::join!(create(), create());
        if first.1["token"] != second.1["token"] {
            chaos.report_wrong(
                &plan.order_no,
                format!("one order, two tokens: {first:?} {second:?}"),
            );
        }
        first
    } else {
        create().await
    };
    chaos.note(
        &plan.order_no,
        format!("shop: orders {} fen: {status}", plan.total_fen),
    );
    match created["token"].as_str() {
        Some(token) if status == 200 || status == 201 => token.to_owned(),
        _ => {
            chaos.report_wrong(&plan.order_no, format!("no order: {status} {created}"));
            String::new()
        }
    }
}

/// Closes an order. If WeChat gives no clear answer, the server continues by itself.
pub(crate) async fn close(chaos: &ChaosRun, plan: &OrderPlan) {
    let order_no = &plan.order_no;
    let path = format!("/v1/orders/{order_no}/close");
    let (status, answer) = call(chaos, plan, "POST", &path, None).await;
    let code = answer["error"]["code"].as_str().unwrap_or("closed");
    chaos.note(order_no, format!("shop: closes: {status} {code}"));
}

/// Creates a refund, of all that is left if no amount is given. Returns whether it was accepted.
/// The call is idempotent, so the shop repeats it until the server is sure, or for a limited time.
pub(crate) async fn refund(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    refund_no: &str,
    amount_fen: Option<u64>,
) -> bool {
    let order_no = &plan.order_no;
    let note = |is_accepted| {
        let asked = AskedRefund {
            order_no: order_no.clone(),
            is_accepted,
        };
        chaos
            .refunds
            .lock()
            .unwrap()
            .insert(refund_no.to_owned(), asked);
    };
    note(false);
    let mut body = json!({ "refund_no": refund_no, "reason": "chaos" });
    if let Some(amount_fen) = amount_fen {
        body["amount_fen"] = amount_fen.into();
    }
    let path = format!("/v1/orders/{order_no}/refunds");
    let ask = || call_for(chaos, plan, "POST", &path, Some(&body), REFUND_TRIES);
    let (status, answer) = if plan.seed.is_multiple_of(8) {
        let (first, second) = tokio::join!(ask(), ask());
        chaos.note(
            order_no,
            format!("shop: asks twice at once, and hears {}", second.0),
        );
        first
    } else {
        ask().await
    };
    let shown = answer["error"]["code"]
        .as_str()
        .or(answer["state"].as_str());
    chaos.note(
        order_no,
        format!("shop: refunds {amount_fen:?} as {refund_no}: {status} {shown:?}"),
    );
    let is_accepted = matches!(status, 200 | 201);
    note(is_accepted);
    is_accepted
}

/// Sends an abnormal refund another way. The call is idempotent.
pub(crate) async fn send_on(chaos: &ChaosRun, plan: &OrderPlan, refund_no: &str, way: AnotherWay) {
    let body = match way {
        AnotherWay::MerchantBankCard => json!({ "type": "MERCHANT_BANK_CARD" }),
        AnotherWay::UserBankCard => json!({
            "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
            "bank_account": "6222020000001234", "real_name": "张三丰",
        }),
    };
    let refund = format!("/v1/refunds/{refund_no}");
    for _ in 0..ABNORMAL_LOOKS {
        chaos.clock.sleep(LOOK).await;
        let (_, shown) = call(chaos, plan, "GET", &refund, None).await;
        match shown["state"].as_str() {
            Some("abnormal") => {}
            Some("succeeded" | "closed" | "refused") => {
                return chaos.note(
                    &plan.order_no,
                    format!("shop: {refund_no} has ended by itself"),
                );
            }
            _ => continue,
        }
        let path = format!("{refund}/apply-abnormal-refund");
        let (status, answer) =
            call_for(chaos, plan, "POST", &path, Some(&body), REFUND_TRIES).await;
        let shown = answer["error"]["code"]
            .as_str()
            .or(answer["state"].as_str());
        return chaos.note(
            &plan.order_no,
            format!("shop: sends {refund_no} on, {way:?}: {status} {shown:?}"),
        );
    }
    chaos.note(
        &plan.order_no,
        format!("shop: {refund_no} does not become abnormal"),
    );
}

/// Reads the order from the private API.
pub(crate) async fn look(chaos: &ChaosRun, plan: &OrderPlan) -> (u16, Value) {
    let path = format!("/v1/orders/{}", plan.order_no);
    call(chaos, plan, "GET", &path, None).await
}

/// One call of the private API, until there is an answer that is not "later".
pub(crate) async fn call(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let (status, answer) = call_for(chaos, plan, method, path, body, TRIES).await;
    let is_in_doubt = path.ends_with("/close") && status == 503;
    if !matches!(status, 200..500) && !is_in_doubt {
        chaos.report_wrong(
            &plan.order_no,
            format!("{method} {path}: {status} after {TRIES} tries: {answer}"),
        );
    }
    (status, answer)
}

/// The same with a limit of tries. Returns the last answer.
async fn call_for(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
    tries: u32,
) -> (u16, Value) {
    let mut last = (0, Value::Null);
    for _ in 0..tries {
        match call_once(chaos, plan, method, path, body).await {
            Ok((500, answer)) => last = (500, answer),
            Ok((status @ (502..), answer)) => {
                last = (status, answer);
                // The closing is in doubt, which the server knows; the server continues it by
                // itself. Without its database it knows nothing.
                let is_known = last.1["error"]["code"] != "DATABASE_UNAVAILABLE";
                if path.ends_with("/close") && is_known {
                    return last;
                }
            }
            Ok(answer) => return answer,
            Err(no_answer) => last = (0, no_answer.0.into()),
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    last
}

/// One call of the private API. The server may be down, and may be in doubt; a 500 is a fault.
pub(crate) async fn call_once(
    chaos: &ChaosRun,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let url = format!("{}{path}", chaos.merchant(plan.mode).server);
    let bearer = format!("Bearer {API_KEY}");
    let sent = body.map_or(Body::None, Body::Json);
    let answer = chaos
        .call(method, &url, &[("authorization", &bearer)], sent)
        .await;
    if let Ok((500, answer)) = &answer {
        chaos.report_wrong(&plan.order_no, format!("{method} {path}: 500 {answer}"));
    }
    answer
}
