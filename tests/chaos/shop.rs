//! The shop's backend as a client of the private API. It tries again what had no answer, as any
//! backend does: every call here can be made twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::plan::{AnotherWay, OrderPlan, Story};
use crate::programs::API_KEY;
use crate::world::{Answer, AskedRefund, Body, World};

/// How often a call is tried; the server is down for a second or two at a time.
const TRIES: u32 = 300;
const REFUND_TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(150);

/// Where buyers come back to: an origin of the configuration.
pub(crate) const RETURN_URL: &str = "http://127.0.0.1:1/back";

/// How long the shop looks after a refund that is to become abnormal, in looks of half a minute.
const ABNORMAL_LOOKS: u32 = 60;
const LOOK: Duration = Duration::from_secs(30);

/// Makes the order; gives its token. Now and then it is asked for twice at once.
pub(crate) async fn order(world: &World, plan: &OrderPlan, buyer: usize) -> String {
    let mut order = json!({
        "order_no": plan.order_no,
        "total_fen": plan.total_fen,
        "description": "一壶茶",
        "expires_in_ms": u64::from(plan.expires_in_s) * 1000,
        "attach": plan.order_no,
    });
    let merchant = world.merchant(plan.mode);
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
    if matches!(plan.story, Story::AtTheTill(_)) {
        order["scene_info"] = json!({
            "payer_client_ip": plan.address, "device_id": "till", "store_info": { "id": "0001" },
        });
    }
    let create = || call(world, plan, "POST", "/v1/orders", Some(&order));
    let (status, created) = if plan.seed.is_multiple_of(16) {
        let (first, second) = tokio::join!(create(), create());
        if first.1["token"] != second.1["token"] {
            world.accuse(
                &plan.order_no,
                format!("one order, two tokens: {first:?} {second:?}"),
            );
        }
        first
    } else {
        create().await
    };
    world.note(
        &plan.order_no,
        format!("shop: orders {} fen: {status}", plan.total_fen),
    );
    match created["token"].as_str() {
        Some(token) if status == 200 || status == 201 => token.to_owned(),
        _ => {
            world.accuse(&plan.order_no, format!("no order: {status} {created}"));
            String::new()
        }
    }
}

/// Closes an order. Where WeChat cannot say yet, the server goes on with it by itself.
pub(crate) async fn close(world: &World, plan: &OrderPlan) {
    let order_no = &plan.order_no;
    let path = format!("/v1/orders/{order_no}/close");
    let (status, answer) = call(world, plan, "POST", &path, None).await;
    let code = answer["error"]["code"].as_str().unwrap_or("closed");
    world.note(order_no, format!("shop: closes: {status} {code}"));
}

/// Asks for a refund, all that is left where no amount is named; says whether it was accepted.
/// Asking again is the same refund, so it is asked for until the server is sure, or for a while.
pub(crate) async fn refund(
    world: &World,
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
        world
            .refunds
            .lock()
            .unwrap()
            .insert(refund_no.to_owned(), asked);
    };
    note(false);
    let mut wish = json!({ "refund_no": refund_no, "reason": "storm" });
    if let Some(amount_fen) = amount_fen {
        wish["amount_fen"] = amount_fen.into();
    }
    let path = format!("/v1/orders/{order_no}/refunds");
    let ask = || call_for(world, plan, "POST", &path, Some(&wish), REFUND_TRIES);
    let (status, answer) = if plan.seed.is_multiple_of(8) {
        let (first, second) = tokio::join!(ask(), ask());
        world.note(
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
    world.note(
        order_no,
        format!("shop: refunds {amount_fen:?} as {refund_no}: {status} {shown:?}"),
    );
    let is_accepted = matches!(status, 200 | 201);
    note(is_accepted);
    is_accepted
}

/// Sends a refund another way once it is abnormal. Asking again does no harm.
pub(crate) async fn send_on(world: &World, plan: &OrderPlan, refund_no: &str, way: AnotherWay) {
    let wish = match way {
        AnotherWay::MerchantBankCard => json!({ "type": "MERCHANT_BANK_CARD" }),
        AnotherWay::UserBankCard => json!({
            "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
            "bank_account": "6222020000001234", "real_name": "张三丰",
        }),
    };
    let refund = format!("/v1/refunds/{refund_no}");
    for _ in 0..ABNORMAL_LOOKS {
        world.clock.sleep(LOOK).await;
        let (_, shown) = call(world, plan, "GET", &refund, None).await;
        match shown["state"].as_str() {
            Some("abnormal") => {}
            Some("succeeded" | "closed" | "refused") => {
                return world.note(
                    &plan.order_no,
                    format!("shop: {refund_no} has ended by itself"),
                );
            }
            _ => continue,
        }
        let path = format!("{refund}/apply-abnormal-refund");
        let (status, answer) =
            call_for(world, plan, "POST", &path, Some(&wish), REFUND_TRIES).await;
        let shown = answer["error"]["code"]
            .as_str()
            .or(answer["state"].as_str());
        return world.note(
            &plan.order_no,
            format!("shop: sends {refund_no} on, {way:?}: {status} {shown:?}"),
        );
    }
    world.note(
        &plan.order_no,
        format!("shop: {refund_no} does not become abnormal"),
    );
}

/// The order as the private API shows it.
pub(crate) async fn look(world: &World, plan: &OrderPlan) -> (u16, Value) {
    let path = format!("/v1/orders/{}", plan.order_no);
    call(world, plan, "GET", &path, None).await
}

/// One call of the private API, until there is an answer that is not "later".
pub(crate) async fn call(
    world: &World,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let (status, answer) = call_for(world, plan, method, path, body, TRIES).await;
    let is_in_doubt = path.ends_with("/close") && status == 503;
    if !matches!(status, 200..500) && !is_in_doubt {
        world.accuse(
            &plan.order_no,
            format!("{method} {path}: {status} after {TRIES} tries: {answer}"),
        );
    }
    (status, answer)
}

/// The same, tried so often; gives the last answer.
async fn call_for(
    world: &World,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
    tries: u32,
) -> (u16, Value) {
    let mut last = (0, Value::Null);
    for _ in 0..tries {
        match call_once(world, plan, method, path, body).await {
            Ok((500, answer)) => last = (500, answer),
            Ok((status @ (502..), answer)) => {
                last = (status, answer);
                // Known to be in doubt; a closing goes on by itself.
                if path.ends_with("/close") {
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

/// One call of the private API. The server may be away; it may be in doubt, and it may never break.
pub(crate) async fn call_once(
    world: &World,
    plan: &OrderPlan,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let url = format!("{}{path}", world.merchant(plan.mode).server);
    let bearer = format!("Bearer {API_KEY}");
    let sent = body.map_or(Body::None, Body::Json);
    let answer = world
        .call(method, &url, &[("authorization", &bearer)], sent)
        .await;
    if let Ok((500, answer)) = &answer {
        world.accuse(&plan.order_no, format!("{method} {path}: 500 {answer}"));
    }
    answer
}
