//! The shop's backend as a client of the private API. It tries again what had no answer, as any
//! backend does: every call here can be made twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::plan::OrderPlan;
use crate::programs::API_KEY;
use crate::world::{AskedRefund, Body, World};

/// How often a call is tried; the server is down for a second or two at a time.
const TRIES: u32 = 300;
const REFUND_TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(150);

/// Where buyers come back to: an origin of the configuration.
pub(crate) const RETURN_URL: &str = "http://127.0.0.1:1/back";

/// Makes the order; gives its token. Now and then it is asked for twice at once.
pub(crate) async fn order(world: &World, plan: &OrderPlan, openid: Option<&str>) -> String {
    let mut order = json!({
        "order_no": plan.order_no,
        "total_fen": plan.total_fen,
        "description": "一壶茶",
        "expires_in_ms": u64::from(plan.expires_in_s) * 1000,
        "attach": plan.order_no,
    });
    if let Some(openid) = openid {
        order["payer"] = json!({ "openid": openid });
    }
    let create = || call(world, &plan.order_no, "POST", "/v1/orders", Some(&order));
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
pub(crate) async fn close(world: &World, order_no: &str) {
    let path = format!("/v1/orders/{order_no}/close");
    let (status, answer) = call(world, order_no, "POST", &path, None).await;
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
    let ask = || call_for(world, order_no, "POST", &path, Some(&wish), REFUND_TRIES);
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

/// The order as the private API shows it.
pub(crate) async fn look(world: &World, order_no: &str) -> (u16, Value) {
    call(
        world,
        order_no,
        "GET",
        &format!("/v1/orders/{order_no}"),
        None,
    )
    .await
}

/// One call of the private API, until there is an answer that is not "later".
pub(crate) async fn call(
    world: &World,
    order_no: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let (status, answer) = call_for(world, order_no, method, path, body, TRIES).await;
    let is_in_doubt = path.ends_with("/close") && status == 503;
    if !matches!(status, 200..500) && !is_in_doubt {
        world.accuse(
            order_no,
            format!("{method} {path}: {status} after {TRIES} tries: {answer}"),
        );
    }
    (status, answer)
}

/// The same, tried so often; gives the last answer.
async fn call_for(
    world: &World,
    order_no: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
    tries: u32,
) -> (u16, Value) {
    let url = format!("{}{path}", world.merchant);
    let bearer = format!("Bearer {API_KEY}");
    let mut last = (0, Value::Null);
    for _ in 0..tries {
        let sent = body.map_or(Body::None, Body::Json);
        match world
            .call(method, &url, &[("authorization", &bearer)], sent)
            .await
        {
            Ok((500, answer)) => {
                world.accuse(order_no, format!("{method} {path}: 500 {answer}"));
                last = (500, answer);
            }
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
