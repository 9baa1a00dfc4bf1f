//! Starting and cancelling attempts. The rules: an attempt is written down before WeChat hears of
//! it; one number, one body, for ever; before a new number the old one is queried and closed; and
//! where that is in doubt, nothing new begins.

use merchant_api::{Action, AttemptForm, CheckoutAnswer, ErrorCode, OrderState};

use super::action::with_action;
use super::answer::{answer, is_fresh};
use super::decision::{Decision, decide};
use super::order_body::order_body;
use super::reread;
use super::wish::{Wanted, Wish, read_wish};
use crate::client_address::Caller;
use crate::due_work;
use crate::error::{DOUBT_RETRY_MS, Failure};
use crate::ledger::{Attempt, AttemptState, Begun, Checkout, NewAttempt};
use crate::question;
use crate::randomness::{hex, unguessable};
use crate::server::MerchantServer;

/// How often a start looks again after the order moved under it: take over, then begin, then one
/// number that WeChat calls closed. More means that something is wrong.
const ROUNDS: u32 = 4;

/// Starts an attempt, or gives the current one again.
pub(crate) async fn start(
    server: &MerchantServer,
    caller: Caller,
    order_id: i64,
    form: &AttemptForm,
) -> Result<CheckoutAnswer, Failure> {
    let _lock = server.lock_order(order_id).await;
    for _ in 0..ROUNDS {
        let checkout = reread(server, order_id).await?;
        if checkout.order.state != OrderState::Open {
            return Ok(answer(server, &checkout, None));
        }
        refuse_what_cannot_begin(server, &checkout, form)?;
        let wish = match read_wish(server, caller, &checkout, form).await? {
            Wanted::Attempt(wish) => wish,
            Wanted::Authorize(url) => {
                return Ok(answer(server, &checkout, Some(Action::AuthorizeUrl(url))));
            }
        };
        let Some(attempt) = next_attempt(server, &checkout, form, &wish).await? else {
            continue;
        };
        if is_fresh(&attempt, server.clock.now_ms()) && attempt.state == AttemptState::Open {
            return with_action(server, &checkout, &attempt, &wish);
        }
        if let Some(answer) = send(server, &attempt, &wish).await? {
            return Ok(answer);
        }
    }
    server
        .ledger
        .schedule_query(order_id, server.clock.now_ms() + retry_ms())
        .await?;
    Err(Failure::in_doubt("the order keeps changing", None))
}

/// Ends the current attempt, never the order.
pub(super) async fn cancel(
    server: &MerchantServer,
    order_id: i64,
    after: u64,
) -> Result<CheckoutAnswer, Failure> {
    let _lock = server.lock_order(order_id).await;
    let checkout = reread(server, order_id).await?;
    if checkout.order.state != OrderState::Open {
        return Ok(answer(server, &checkout, None));
    }
    if checkout.order.current_attempt != after {
        return Err(Failure::Superseded(Box::new(answer(
            server, &checkout, None,
        ))));
    }
    if let Some(attempt) = checkout.attempt.filter(|attempt| attempt.state.is_alive()) {
        end(server, &attempt).await?;
    }
    Ok(answer(server, &reread(server, order_id).await?, None))
}

fn refuse_what_cannot_begin(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<(), Failure> {
    let order = &checkout.order;
    if order.is_closing || server.clock.now_ms() >= order.expires_ms {
        return Err(Failure::new(
            ErrorCode::CheckoutExpired,
            "the time of this order is over",
        ));
    }
    let is_offered =
        order.products.contains(&form.product) && server.config.products.contains(&form.product);
    if !is_offered {
        return Err(Failure::field(
            ErrorCode::ProductUnavailable,
            "product",
            "is not offered for this order",
        ));
    }
    Ok(())
}

/// The attempt to go on with: the current one, or a new one that is written down now. `None`
/// means that the order has moved on and is to be looked at again.
async fn next_attempt(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
    wish: &Wish,
) -> Result<Option<Attempt>, Failure> {
    let order = &checkout.order;
    let current = checkout.attempt.as_ref();
    let is_same = match current {
        Some(attempt) => {
            let body = order_body(server, order, wish.fields.clone(), &attempt.out_trade_no)?;
            attempt.product == form.product && attempt.body == body
        }
        None => false,
    };
    let is_link_fresh = current.is_some_and(|attempt| is_fresh(attempt, server.clock.now_ms()));
    let after = form.after.unwrap_or(0);
    let decision = decide(
        after,
        order.current_attempt,
        current,
        is_same,
        is_link_fresh,
    );
    match (decision, current) {
        (Decision::Again | Decision::Renew, Some(attempt)) => Ok(Some(attempt.clone())),
        (Decision::TakeOver, Some(attempt)) => {
            end(server, attempt).await?;
            // What begins next may only follow what was seen to end here.
            let after_end = reread(server, order.id).await?;
            if after_end.order.state == OrderState::Open {
                begin(server, &after_end, form, wish).await
            } else {
                Ok(None)
            }
        }
        (Decision::Superseded, _) => Err(Failure::Superseded(Box::new(answer(
            server, checkout, None,
        )))),
        (Decision::New | Decision::Again | Decision::Renew | Decision::TakeOver, _) => {
            begin(server, checkout, form, wish).await
        }
    }
}

async fn begin(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
    wish: &Wish,
) -> Result<Option<Attempt>, Failure> {
    let order = &checkout.order;
    let number = order.current_attempt + 1;
    let out_trade_no = if number == 1 {
        order.order_no.clone()
    } else {
        hex(&server.randomness.bytes()?)
    };
    let now_ms = server.clock.now_ms();
    let new = NewAttempt {
        order_id: order.id,
        number,
        product: form.product,
        appid: server.config.merchant.appid.clone(),
        body: order_body(server, order, wish.fields.clone(), &out_trade_no)?,
        out_trade_no,
        created_ms: now_ms,
        return_handle: unguessable(server.randomness.bytes()?),
        payer_handle: wish.payer_handle.clone(),
        first_query_ms: due_work::first_query_ms(now_ms),
        end_ms: due_work::end_ms(order.expires_ms, Some(now_ms)),
    };
    match server.ledger.begin_attempt(&new).await? {
        Begun::Current(attempt) => Ok(Some(*attempt)),
        Begun::MovedOn | Begun::NumberUsed => Ok(None),
    }
}

/// Ends an attempt, or says that it is in doubt and has due work look at it soon.
async fn end(server: &MerchantServer, attempt: &Attempt) -> Result<(), Failure> {
    match question::end(server, attempt).await {
        Ok(_) => Ok(()),
        Err(error) => {
            server
                .ledger
                .schedule_query(attempt.order_id, server.clock.now_ms() + retry_ms())
                .await?;
            Err(error.into())
        }
    }
}

/// Sends the order as it was written down. `None`: WeChat's answer moved the order on, so it is
/// to be looked at again.
async fn send(
    server: &MerchantServer,
    attempt: &Attempt,
    wish: &Wish,
) -> Result<Option<CheckoutAnswer>, Failure> {
    let sent_ms = server.clock.now_ms();
    let placed = server
        .wechat
        .place_order(attempt.product, attempt.body.clone())
        .await;
    let error = match placed {
        Ok(link) => {
            // A link counts from when it was asked for: it may be older than it looks.
            server.ledger.note_link(attempt, &link, sent_ms).await?;
            let checkout = reread(server, attempt.order_id).await?;
            let Some(current) = checkout
                .attempt
                .clone()
                .filter(|current| current.number == attempt.number && current.state.is_alive())
            else {
                // Money that came meanwhile, or the like.
                return Ok(None);
            };
            return with_action(server, &checkout, &current, wish).map(Some);
        }
        Err(error) => error,
    };
    match error.wechat_code() {
        Some("ORDERPAID" | "ORDER_PAID") => {
            question::ask(server, attempt).await?;
            Ok(None)
        }
        Some("ORDER_CLOSED") => {
            server
                .ledger
                .end_attempt(attempt, AttemptState::Closed)
                .await?;
            Ok(None)
        }
        Some("OUT_TRADE_NO_USED") => {
            // Our own replay has the same bytes, so somebody else ordered under this number.
            server
                .ledger
                .end_attempt(attempt, AttemptState::Refused)
                .await?;
            Err(Failure::of_order(&error))
        }
        _ => Err(Failure::of_order(&error)),
    }
}

fn retry_ms() -> i64 {
    i64::try_from(DOUBT_RETRY_MS).unwrap_or(0)
}
