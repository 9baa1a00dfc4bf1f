//! Starting and cancelling attempts. The rules: an attempt is written down before WeChat hears of
//! it; one number, one body, for ever; before a new number the old one is queried and closed; and
//! where that is in doubt, nothing new begins.

mod decision;
mod next_step;
pub(crate) mod oauth;
mod order_body;
mod page_allowance;
mod preparation;
mod request;
pub(crate) mod return_address;

use decision::{Decision, decide};
use merchant_api::{AttemptProduct, CheckoutAnswer, ErrorCode, OrderState};
pub(crate) use next_step::NextStep;
use next_step::next_step;
pub(crate) use order_body::check_terms;
use order_body::order_body;
pub(crate) use page_allowance::ATTEMPT_ALLOWANCE;
use page_allowance::Effort;
use preparation::{Wanted, Wish, read_wish};
pub(crate) use request::AttemptRequest;
use request::PayerClaim;
use wechat_pay::{Operation, RetryWith};

use crate::checkouts::{answer, is_fresh, reread};
use crate::error::{DOUBT_RETRY_MS, Failure};
use crate::ledger::{Attempt, AttemptState, Begun, Checkout, NewAttempt};
use crate::payments::{MerchantServer, Queue};
use crate::query::Finding;
use crate::surroundings::{hex, unguessable};
use crate::wechat::{CallError, Placed};
use crate::{due_work, query};

/// How often a start looks again after the order moved under it: take over, then begin, then one
/// number that WeChat calls closed. More means that something is wrong.
const ROUNDS: u32 = 4;

/// What starting came to.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// How things stand now.
    pub(crate) checkout: Checkout,
    /// What to do next; `None` where the order is paid or closed.
    pub(crate) next: Option<NextStep>,
}

impl Started {
    /// The same as a page reads it.
    pub(crate) fn into_answer(self, server: &MerchantServer) -> CheckoutAnswer {
        let action = match self.next {
            Some(NextStep::Page(action)) => Some(action),
            Some(NextStep::App(_) | NextStep::Wait) | None => None,
        };
        answer(server, &self.checkout, action)
    }
}

/// Starts an attempt, or gives the current one again.
pub(crate) async fn start(
    server: &MerchantServer,
    order_id: i64,
    request: &AttemptRequest,
    queue: Queue,
) -> Result<Started, Failure> {
    let _lock = server.lock_order(order_id, queue).await?;
    // A login code is good once, so a wish is read once: what happens between the rounds changes
    // neither the payer nor the applications.
    let mut wish: Option<Box<Wish>> = None;
    let mut effort = Effort::of(server, order_id);
    if matches!(request.payer, PayerClaim::LoginCode(_)) {
        // WeChat is asked whose code it is.
        effort.count()?;
    }
    for _ in 0..ROUNDS {
        let checkout = reread(server, order_id).await?;
        if checkout.order.state != OrderState::Open {
            return Ok(Started {
                checkout,
                next: None,
            });
        }
        refuse_what_cannot_begin(server, &checkout, request)?;
        let wish = match wish.take() {
            Some(read) => wish.insert(read),
            None => match read_wish(server, &checkout, request).await? {
                Wanted::Attempt(read) => wish.insert(read),
                Wanted::Elsewhere(action) => {
                    let next = Some(NextStep::Page(action));
                    return Ok(Started { checkout, next });
                }
            },
        };
        let next = next_attempt(server, &checkout, request, wish, &mut effort).await?;
        let Some(next) = next else {
            continue;
        };
        let attempt = &next.attempt;
        if is_fresh(attempt, server.clock.now_ms()) && attempt.state == AttemptState::Open {
            let next = Some(next_step(server, attempt, wish)?);
            return Ok(Started { checkout, next });
        }
        if let Some(started) = send(server, &next, wish).await? {
            return Ok(started);
        }
    }
    let now_ms = server.clock.now_ms();
    server
        .ledger
        .schedule_query(order_id, now_ms, now_ms + retry_ms())
        .await?;
    Err(Failure::in_doubt("the order keeps changing", None))
}

/// Ends the current attempt, never the order.
pub(crate) async fn cancel(
    server: &MerchantServer,
    order_id: i64,
    after: u64,
) -> Result<CheckoutAnswer, Failure> {
    let _lock = server.lock_order(order_id, Queue::Pages).await?;
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
        Effort::of(server, order_id).count()?;
        end(server, &attempt).await?;
    }
    Ok(answer(server, &reread(server, order_id).await?, None))
}

fn refuse_what_cannot_begin(
    server: &MerchantServer,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<(), Failure> {
    let order = &checkout.order;
    if order.is_closing || server.clock.now_ms() >= order.expires_ms {
        return Err(Failure::new(
            ErrorCode::CheckoutExpired,
            "the time of this order is over",
        ));
    }
    let is_offered = order.products.contains(&request.product)
        && server.config.products.contains(&request.product);
    if !is_offered {
        return Err(Failure::field(
            ErrorCode::ProductUnavailable,
            "product",
            "is not offered for this order",
        ));
    }
    Ok(())
}

/// The attempt to go on with.
struct Next {
    attempt: Attempt,
    /// It was written down just now, so WeChat has never heard of it.
    is_new: bool,
}

/// The attempt to go on with: the current one, or a new one that is written down now. `None`
/// means that the order has moved on and is to be looked at again.
async fn next_attempt(
    server: &MerchantServer,
    checkout: &Checkout,
    request: &AttemptRequest,
    wish: &Wish,
    effort: &mut Effort<'_>,
) -> Result<Option<Next>, Failure> {
    let order = &checkout.order;
    let current = checkout.attempt.as_ref();
    let is_same = match current {
        Some(attempt) if attempt.product == request.product => {
            attempt.body == order_body(server, order, wish, &attempt.out_trade_no)?
        }
        _ => false,
    };
    let is_link_fresh = current.is_some_and(|attempt| is_fresh(attempt, server.clock.now_ms()));
    let decision = decide(
        request.after,
        order.current_attempt,
        current,
        is_same,
        is_link_fresh,
    );
    if !matches!(decision, Decision::Again | Decision::Superseded) {
        effort.count()?;
    }
    match (decision, current) {
        (Decision::Again | Decision::Renew, Some(attempt)) => Ok(Some(Next {
            attempt: attempt.clone(),
            is_new: false,
        })),
        (Decision::TakeOver, Some(attempt)) => {
            // What would be refused is refused before anything is ended for it.
            order_body(server, order, wish, &order.order_no)?;
            end(server, attempt).await?;
            // What begins next may only follow what was seen to end here.
            let after_end = reread(server, order.id).await?;
            if after_end.order.state == OrderState::Open {
                begin(server, &after_end, request, wish).await
            } else {
                Ok(None)
            }
        }
        (Decision::Superseded, _) => Err(Failure::Superseded(Box::new(answer(
            server, checkout, None,
        )))),
        (Decision::New | Decision::Again | Decision::Renew | Decision::TakeOver, _) => {
            begin(server, checkout, request, wish).await
        }
    }
}

async fn begin(
    server: &MerchantServer,
    checkout: &Checkout,
    request: &AttemptRequest,
    wish: &Wish,
) -> Result<Option<Next>, Failure> {
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
        product: request.product,
        parties: wish.parties.clone(),
        body: order_body(server, order, wish, &out_trade_no)?,
        out_trade_no,
        created_ms: now_ms,
        return_handle: unguessable(server.randomness.bytes()?),
        payer_handle: wish.payer_handle.clone(),
        first_query_ms: due_work::first_query_ms(now_ms),
        end_ms: due_work::end_ms(order.expires_ms, Some(now_ms)),
    };
    match server.ledger.begin_attempt(&new).await? {
        Begun::Current(attempt) => Ok(Some(Next {
            attempt: *attempt,
            is_new: true,
        })),
        Begun::MovedOn | Begun::NumberUsed => Ok(None),
    }
}

/// Ends an attempt, or says that it is in doubt and has due work look at it soon.
async fn end(server: &MerchantServer, attempt: &Attempt) -> Result<(), Failure> {
    match query::end(server, attempt).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let now_ms = server.clock.now_ms();
            server
                .ledger
                .schedule_query(attempt.order_id, now_ms, now_ms + retry_ms())
                .await?;
            Err(error.into())
        }
    }
}

/// Sends the order as it was written down. `None`: WeChat's answer moved the order on, so it is
/// to be looked at again.
async fn send(
    server: &MerchantServer,
    next: &Next,
    wish: &Wish,
) -> Result<Option<Started>, Failure> {
    let attempt = &next.attempt;
    // A code payment takes money by itself: after silence it is asked about, not sent again.
    if attempt.product == AttemptProduct::CodePay
        && !next.is_new
        && query::ask(server, attempt).await? != Finding::Unheard
    {
        return code_payment_stands(server, attempt).await;
    }
    let sent_ms = server.clock.now_ms();
    let error = match server.wechat.place_order(attempt).await {
        Ok(Placed::Link(link)) => {
            // A link counts from when it was asked for: it may be older than it looks.
            server.ledger.note_link(attempt, &link, sent_ms).await?;
            let checkout = reread(server, attempt.order_id).await?;
            let Some(current) = checkout
                .attempt
                .as_ref()
                .filter(|current| current.number == attempt.number && current.state.is_alive())
            else {
                // Money that came meanwhile, or the like.
                return Ok(None);
            };
            let next = Some(next_step(server, current, wish)?);
            return Ok(Some(Started { checkout, next }));
        }
        Ok(Placed::Standing(standing)) => {
            query::conclude(server, attempt, standing).await?;
            return code_payment_stands(server, attempt).await;
        }
        Err(error) => error,
    };
    match error.wechat_code() {
        Some("ORDERPAID" | "ORDER_PAID") => {
            query::ask(server, attempt).await?;
            Ok(None)
        }
        // A code that is out may be paid yet: before the next number this one is queried and closed,
        // whoever said that it is over.
        Some("ORDER_CLOSED") => {
            end(server, attempt).await?;
            Ok(None)
        }
        Some("OUT_TRADE_NO_USED") if attempt.link.is_some() => {
            end(server, attempt).await?;
            Ok(None)
        }
        Some("OUT_TRADE_NO_USED") if error.is_signed() => {
            // Our own replay has the same bytes, so somebody else ordered under this number, and
            // closing it would be closing theirs.
            server
                .ledger
                .end_attempt(attempt, AttemptState::Refused)
                .await?;
            Err(Failure::of_order(&error))
        }
        _ if attempt.product == AttemptProduct::CodePay && error.is_refusal() => {
            code_payment_refused(server, attempt, &error).await
        }
        _ => Err(Failure::of_order(&error)),
    }
}

/// WeChat took nothing by this call. An earlier one with the same bytes may be on its way still, or
/// its buyer at the password: the attempt is over only once it was asked about and taken back.
async fn code_payment_refused(
    server: &MerchantServer,
    attempt: &Attempt,
    error: &CallError,
) -> Result<Option<Started>, Failure> {
    let next = error
        .wechat()
        .map(|said| said.retry_with(Operation::CodePay));
    if next == Some(RetryWith::QueryFirst) {
        query::ask(server, attempt).await?;
        return code_payment_stands(server, attempt).await;
    }
    end(server, attempt).await?;
    Err(Failure::of_order(error))
}

/// What the till is told once WeChat has answered about a code payment.
async fn code_payment_stands(
    server: &MerchantServer,
    attempt: &Attempt,
) -> Result<Option<Started>, Failure> {
    let checkout = reread(server, attempt.order_id).await?;
    let next = (checkout.order.state == OrderState::Open).then_some(NextStep::Wait);
    Ok(Some(Started { checkout, next }))
}

fn retry_ms() -> i64 {
    i64::try_from(DOUBT_RETRY_MS).unwrap_or(0)
}
