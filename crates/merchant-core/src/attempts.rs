//! Starting and cancelling attempts. The rules: an attempt is recorded before it is sent to WeChat.
//! One number always has the same body. Before a new number is used, the old one is queried and
//! closed. While that result is uncertain, no new attempt starts.

mod combined_body;
mod decision;
mod next_step;
mod oauth;
mod order_body;
mod page_allowance;
mod preparation;
mod request;
mod return_address;

use std::net::IpAddr;

use combined_body::sub_numbers;
pub(crate) use combined_body::wechat_sub_order;
use decision::{Decision, decide};
use merchant_api::{
    Action, AttemptForm, AttemptProduct, CheckoutAnswer, ErrorCode, OrderState, StartAttempt,
    StartedAttempt,
};
use next_step::{NextStep, next_step};
pub use oauth::{CALLBACK_PATH, after_redirect};
pub(crate) use order_body::check_terms;
use order_body::order_body;
use page_allowance::Effort;
use payment_values::OutTradeNo;
use preparation::{Preparation, PreparedAttempt, prepare};
use request::{AttemptRequest, PayerClaim};
pub(crate) use return_address::check as check_return_address;
use wechat_pay::{Operation, RetryWith, lower_hex};

use crate::checkouts::{POLL_AFTER_MS, answer, attempt_details, is_fresh, reread};
use crate::ledger::{Attempt, AttemptState, Begun, Checkout, Link, NewAttempt, Order};
use crate::payments::{Payments, Queue};
use crate::query::{QueryError, QueryOutcome};
use crate::refusal::{DOUBT_RETRY_MS, Refusal};
use crate::surroundings::unguessable;
use crate::wechat::{CallError, Placed, Reason};
use crate::{checkouts, due_work, query};

/// How often a start reads the order at most. The order changes after a take-over, after a new
/// attempt, and after a number that WeChat reports as closed. More changes mean a fault.
const ROUNDS: u32 = 4;

/// A page starts an attempt, or gets the current one again. `buyer_address` is the buyer's network
/// address, if it is known.
pub async fn start_by_page(
    payments: &Payments,
    token: &str,
    form: AttemptForm,
    buyer_address: Option<IpAddr>,
) -> Result<CheckoutAnswer, Refusal> {
    let checkout = checkouts::find(payments, token).await?;
    let request = AttemptRequest::of_page(form, buyer_address);
    start_of_page(payments, checkout.order.id, &request).await
}

/// A page that is being sent starts the order's first attempt, for a code that it then shows. If the
/// order has had any attempt, nothing is started or ended: the answer says what there is.
pub async fn start_first_code(payments: &Payments, token: &str) -> Result<CheckoutAnswer, Refusal> {
    let checkout = checkouts::find(payments, token).await?;
    let request = AttemptRequest::of_first_code();
    start_of_page(payments, checkout.order.id, &request).await
}

/// A refusal is counted for the desk, unless another page of the buyer has taken over.
async fn start_of_page(
    payments: &Payments,
    order_id: i64,
    request: &AttemptRequest,
) -> Result<CheckoutAnswer, Refusal> {
    let started = start(payments, order_id, request, Queue::Pages).await;
    started
        .map(|started| started.into_answer(payments))
        .inspect_err(|refusal| {
            if !matches!(refusal, Refusal::Superseded(_)) {
                let now_ms = payments.clock.now_ms();
                payments.buyer_figures.problem(refusal.code(), now_ms);
            }
        })
}

/// The merchant's backend starts an attempt, for its app, its mini-program or its till. The rules
/// are the same as for pages: one number has one body, and no new number is used while the old one
/// is in doubt.
pub async fn start_by_backend(
    payments: &Payments,
    order_no: &str,
    form: StartAttempt,
) -> Result<StartedAttempt, Refusal> {
    let order = checkouts::find_by_order_no(payments, order_no).await?.order;
    let request = AttemptRequest::of_backend(form, &order)?;
    let started = start(payments, order.id, &request, Queue::Backend).await?;
    Ok(started.into_started_attempt())
}

/// A scan of a product code (Native mode 1) starts its order's attempt, by version 2: only that version
/// gives a Native order's `prepay_id`. Returns it, or `None` if the order is paid or closed.
pub(crate) async fn start_for_scan(
    payments: &Payments,
    order_id: i64,
) -> Result<Option<String>, Refusal> {
    let request = AttemptRequest::of_scan();
    let Checkout { order, attempt } = start(payments, order_id, &request, Queue::Backend)
        .await?
        .checkout;
    if order.state != OrderState::Open {
        return Ok(None);
    }
    let link = attempt.and_then(|attempt| attempt.link);
    let prepay_id = link.and_then(|link| link.prepay_id);
    let missing = || Refusal::Internal("a scanned order has no prepay_id".to_owned());
    prepay_id.map(Some).ok_or_else(missing)
}

/// A page ends the current attempt, never the order. `after` is the attempt number that the page
/// has seen.
pub async fn cancel_by_page(
    payments: &Payments,
    token: &str,
    after: u64,
) -> Result<CheckoutAnswer, Refusal> {
    let checkout = checkouts::find(payments, token).await?;
    cancel(payments, checkout.order.id, after).await
}

/// The result of starting.
#[derive(Clone, Debug)]
struct Started {
    /// The checkout now.
    checkout: Checkout,
    /// The next step; `None` if the order is paid or closed.
    next: Option<NextStep>,
}

impl Started {
    /// The answer for a page.
    fn into_answer(self, payments: &Payments) -> CheckoutAnswer {
        let action = match self.next {
            Some(NextStep::Page(action)) => Some(action),
            Some(NextStep::App(_) | NextStep::Wait) | None => None,
        };
        answer(payments, &self.checkout, action)
    }

    /// The answer for the backend.
    fn into_started_attempt(self) -> StartedAttempt {
        let Self { checkout, next } = self;
        let order = checkout.order;
        let mut answer = StartedAttempt {
            order_no: order.order_no,
            state: order.state,
            version: order.version,
            attempt: checkout.attempt.map(attempt_details),
            poll_after_ms: (order.state == OrderState::Open).then_some(POLL_AFTER_MS),
            code_url: None,
            h5_url: None,
            jsapi: None,
            mini_program: None,
            app: None,
        };
        match next {
            Some(NextStep::Page(Action::CodeUrl(url))) => answer.code_url = Some(url),
            Some(NextStep::Page(Action::H5Url(url))) => answer.h5_url = Some(url),
            Some(NextStep::Page(Action::Jsapi(parameters))) => answer.jsapi = Some(parameters),
            Some(NextStep::Page(Action::MiniProgram(parameters))) => {
                answer.mini_program = Some(parameters);
            }
            Some(NextStep::App(parameters)) => answer.app = Some(parameters),
            // A backend names the payer and is never redirected: see `AttemptRequest::of_backend`.
            Some(
                NextStep::Page(Action::AuthorizeUrl(_) | Action::MiniProgramPath(_))
                | NextStep::Wait,
            )
            | None => {}
        }
        answer
    }
}

/// Starts an attempt, or returns the current one again.
async fn start(
    payments: &Payments,
    order_id: i64,
    request: &AttemptRequest,
    queue: Queue,
) -> Result<Started, Refusal> {
    let _lock = payments.lock_order(order_id, queue).await?;
    // A login code works once, so the request is prepared once: nothing between the rounds changes
    // the payer or the applications.
    let mut prepared: Option<Box<PreparedAttempt>> = None;
    let mut effort = Effort::of(payments, order_id);
    if matches!(request.payer, PayerClaim::LoginCode(_)) {
        // Preparing calls WeChat for the openid of the code, which works once.
        effort.count()?;
        payments.admission.check()?;
    }
    for _ in 0..ROUNDS {
        let checkout = reread(payments, order_id).await?;
        let has_nothing_to_start = request.is_only_first && checkout.order.current_attempt > 0;
        if checkout.order.state != OrderState::Open || has_nothing_to_start {
            return Ok(Started {
                checkout,
                next: None,
            });
        }
        refuse_what_cannot_begin(payments, &checkout, request)?;
        let prepared = match prepared.take() {
            Some(read) => prepared.insert(read),
            None => match prepare(payments, &checkout, request).await? {
                Preparation::Ready(read) => prepared.insert(read),
                Preparation::NeedsRedirect(action) => {
                    let next = Some(NextStep::Page(action));
                    return Ok(Started { checkout, next });
                }
            },
        };
        let next = next_attempt(payments, &checkout, request, prepared, &mut effort).await?;
        let Some(next) = next else {
            continue;
        };
        let attempt = &next.attempt;
        if is_fresh(attempt, payments.clock.now_ms()) && attempt.state == AttemptState::Open {
            let next = Some(next_step(payments, attempt, prepared)?);
            return Ok(Started { checkout, next });
        }
        if let Some(started) = send(payments, &next, prepared).await? {
            return Ok(started);
        }
    }
    let now_ms = payments.clock.now_ms();
    payments
        .ledger
        .schedule_query(order_id, now_ms, now_ms + retry_ms())
        .await?;
    Err(Refusal::in_doubt("the order keeps changing", None))
}

/// Ends the current attempt, never the order.
async fn cancel(payments: &Payments, order_id: i64, after: u64) -> Result<CheckoutAnswer, Refusal> {
    let _lock = payments.lock_order(order_id, Queue::Pages).await?;
    let checkout = reread(payments, order_id).await?;
    if checkout.order.state != OrderState::Open {
        return Ok(answer(payments, &checkout, None));
    }
    if checkout.order.current_attempt != after {
        return Err(Refusal::Superseded(Box::new(answer(
            payments, &checkout, None,
        ))));
    }
    if let Some(attempt) = checkout.attempt.filter(|attempt| attempt.state.is_alive()) {
        Effort::of(payments, order_id).count()?;
        end(payments, &attempt).await?;
    }
    Ok(answer(payments, &reread(payments, order_id).await?, None))
}

fn refuse_what_cannot_begin(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<(), Refusal> {
    let order = &checkout.order;
    if order.is_closing || payments.clock.now_ms() >= order.expires_ms {
        return Err(Refusal::new(
            ErrorCode::CheckoutExpired,
            "the time of this order is over",
        ));
    }
    let is_offered = order.products.contains(&request.product)
        && payments.config.products.contains(&request.product);
    if !is_offered {
        return Err(Refusal::field(
            ErrorCode::ProductUnavailable,
            "product",
            "is not offered for this order",
        ));
    }
    refuse_other_applications(payments, order, request)
}

/// Refuses an application that the attempt's product cannot use, and an order whose application is not
/// configured any more: its payer's openid belongs to that one.
fn refuse_other_applications(
    payments: &Payments,
    order: &Order,
    request: &AttemptRequest,
) -> Result<(), Refusal> {
    let [accounts, mini_programs, apps] = payments.config.merchant.appids();
    let usable = match request.product {
        AttemptProduct::MiniProgram => &mini_programs,
        AttemptProduct::App => &apps,
        _ => &accounts,
    };
    if let Some(appid) = &request.appid {
        if usable.contains(&&**appid) {
            return Ok(());
        }
        let rule = "is no application of this product that is configured";
        return Err(Refusal::invalid("appid", rule));
    }
    let known = [&accounts, &mini_programs, &apps];
    let is_known = |appid: &String| known.iter().any(|kind| kind.contains(&&**appid));
    if order.appids().iter().all(is_known) {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::ProductUnavailable,
        "an application of this order is not configured any more",
    ))
}

/// The attempt to continue with.
struct Next {
    attempt: Attempt,
    /// It was recorded just now and never sent.
    is_new: bool,
}

/// The attempt to continue with: the current one, or a new one that is recorded now. `None` means
/// that the order has changed and must be read again.
async fn next_attempt(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
    prepared: &PreparedAttempt,
    effort: &mut Effort<'_>,
) -> Result<Option<Next>, Refusal> {
    let order = &checkout.order;
    let current = checkout.attempt.as_ref();
    let is_same = match current {
        // A version whose key is gone cannot send the attempt again.
        Some(attempt)
            if attempt.product == request.product
                && payments.wechat.has_key_of(attempt.api)
                && request.takes(attempt.api) =>
        {
            let (number, api) = (&attempt.out_trade_no, attempt.api);
            attempt.body == order_body(payments, order, prepared, number, api)?
        }
        _ => false,
    };
    let is_link_fresh = current.is_some_and(|attempt| is_fresh(attempt, payments.clock.now_ms()));
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
    if matches!(decision, Decision::TakeOver) {
        // The current attempt is not ended for one that would be refused.
        payments.admission.check()?;
    }
    match (decision, current) {
        (Decision::Again | Decision::Renew, Some(attempt)) => Ok(Some(Next {
            attempt: attempt.clone(),
            is_new: false,
        })),
        (Decision::TakeOver, Some(attempt)) => {
            // An invalid request must be refused before the current attempt is ended for it.
            let api = request.api(&payments.config, order);
            order_body(
                payments,
                order,
                prepared,
                &order.order_no.clone().into(),
                api,
            )?;
            end(payments, attempt).await?;
            // The next attempt may only follow the attempt that was ended here.
            let after_end = reread(payments, order.id).await?;
            if after_end.order.state == OrderState::Open {
                begin(payments, &after_end, request, prepared).await
            } else {
                Ok(None)
            }
        }
        (Decision::Superseded, _) => Err(Refusal::Superseded(Box::new(answer(
            payments, checkout, None,
        )))),
        (Decision::New | Decision::Again | Decision::Renew | Decision::TakeOver, _) => {
            begin(payments, checkout, request, prepared).await
        }
    }
}

async fn begin(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
    prepared: &PreparedAttempt,
) -> Result<Option<Next>, Refusal> {
    let order = &checkout.order;
    let number = order.current_attempt + 1;
    let out_trade_no = if number == 1 {
        order.order_no.clone().into()
    } else {
        OutTradeNo::parse(lower_hex(&payments.randomness.bytes()?))
            .map_err(|error| Refusal::Internal(error.to_string()))?
    };
    let now_ms = payments.clock.now_ms();
    let api = request.api(&payments.config, order);
    let new = NewAttempt {
        order_id: order.id,
        number,
        product: request.product,
        parties: prepared.parties.clone(),
        body: order_body(payments, order, prepared, &out_trade_no, api)?,
        api,
        sub_numbers: numbers_of_sub_orders(order, &out_trade_no)?,
        out_trade_no,
        created_ms: now_ms,
        return_handle: unguessable(payments.randomness.bytes()?),
        payer_handle: prepared.payer_handle.clone(),
        first_query_ms: due_work::first_query_ms(now_ms),
        end_ms: due_work::end_ms(order.expires_ms, Some(now_ms)),
    };
    let place = payments.admission.admit(&*payments.clock).await?;
    let begun = payments.ledger.begin_attempt(&new).await?;
    drop(place);
    match begun {
        Begun::Current(attempt) => Ok(Some(Next {
            attempt: *attempt,
            is_new: true,
        })),
        Begun::MovedOn | Begun::NumberUsed => Ok(None),
    }
}

fn numbers_of_sub_orders(
    order: &Order,
    out_trade_no: &OutTradeNo,
) -> Result<Vec<OutTradeNo>, Refusal> {
    let request = order.creation_request();
    let sub_orders = request.and_then(|request| request.sub_orders);
    let count = sub_orders.map_or(0, |sub_orders| sub_orders.len());
    sub_numbers(out_trade_no, count).map_err(|error| Refusal::Internal(error.to_string()))
}

/// Ends an attempt, or reports that it is in doubt and schedules due work for it.
async fn end(payments: &Payments, attempt: &Attempt) -> Result<(), Refusal> {
    let ended = query::end_attempt(payments, attempt).await;
    after_ending(payments, attempt, ended).await
}

async fn after_ending(
    payments: &Payments,
    attempt: &Attempt,
    ended: Result<QueryOutcome, QueryError>,
) -> Result<(), Refusal> {
    match ended {
        Ok(_) => Ok(()),
        // Nothing is unclear: the order is open, and its own schedule goes on.
        Err(error @ QueryError::TooEarly { .. }) => Err(error.into()),
        Err(error) => {
            let now_ms = payments.clock.now_ms();
            payments
                .ledger
                .schedule_query(attempt.order_id, now_ms, now_ms + retry_ms())
                .await?;
            Err(error.into())
        }
    }
}

/// Sends the recorded order. `None`: WeChat's answer changed the order, so it must be read again.
async fn send(
    payments: &Payments,
    next: &Next,
    prepared: &PreparedAttempt,
) -> Result<Option<Started>, Refusal> {
    let attempt = &next.attempt;
    // A code payment charges by itself: without an answer it is queried, not sent again.
    if attempt.product == AttemptProduct::CodePay
        && !next.is_new
        && query::query_attempt(payments, attempt).await? != QueryOutcome::NotFound
    {
        return code_payment_in_progress(payments, attempt).await;
    }
    let sent_ms = payments.clock.now_ms();
    let error = match payments.wechat.place_order(attempt).await {
        Ok(Placed::Link { text, prepay_id }) => {
            let link = Link {
                text,
                // A link's age counts from the request, because it may be older than the answer.
                given_ms: sent_ms,
                prepay_id,
            };
            payments.ledger.note_link(attempt, &link).await?;
            let checkout = reread(payments, attempt.order_id).await?;
            let Some(current) = checkout
                .attempt
                .as_ref()
                .filter(|current| current.number == attempt.number && current.state.is_alive())
            else {
                // The order changed meanwhile: for example, a payment was recorded.
                return Ok(None);
            };
            let next = Some(next_step(payments, current, prepared)?);
            return Ok(Some(Started { checkout, next }));
        }
        Ok(Placed::Status(status)) => {
            query::record_status(payments, attempt, status).await?;
            return code_payment_in_progress(payments, attempt).await;
        }
        Err(error) => error,
    };
    match error.reason() {
        Some(Reason::Paid) => {
            query::query_attempt(payments, attempt).await?;
            Ok(None)
        }
        // A code that was shown may still be paid. So this number is queried and closed before the
        // next number is used, whatever source reported it as closed.
        Some(Reason::Closed) => {
            end(payments, attempt).await?;
            Ok(None)
        }
        Some(Reason::NumberUsed) if attempt.link.is_some() => {
            end(payments, attempt).await?;
            Ok(None)
        }
        Some(Reason::NumberUsed) if error.is_signed() => {
            // Our own retry has the same bytes, so another system ordered under this number, and
            // closing it would close that order.
            payments
                .ledger
                .end_attempt(attempt, AttemptState::Refused)
                .await?;
            Err(Refusal::of_order(&error))
        }
        _ if attempt.product == AttemptProduct::CodePay && error.is_refusal() => {
            code_payment_refused(payments, next, &error).await
        }
        _ => Err(Refusal::of_order(&error)),
    }
}

/// WeChat charged nothing by this call. An earlier call with the same bytes may still be in
/// progress, or the buyer may be typing the password: the attempt has ended only after a query and
/// a reversal.
async fn code_payment_refused(
    payments: &Payments,
    next: &Next,
    error: &CallError,
) -> Result<Option<Started>, Refusal> {
    let attempt = &next.attempt;
    if error.retry_with(Operation::CodePay) == Some(RetryWith::QueryFirst) {
        query::query_attempt(payments, attempt).await?;
        return code_payment_in_progress(payments, attempt).await;
    }
    match query::end_attempt(payments, attempt).await {
        // This was the only request for it, so none is on its way.
        Err(QueryError::TooEarly { .. }) if next.is_new && error.is_signed() => {
            payments
                .ledger
                .end_attempt(attempt, AttemptState::Closed)
                .await?;
        }
        ended => after_ending(payments, attempt, ended).await?,
    }
    Err(Refusal::of_order(error))
}

/// The answer to the till after WeChat's answer about a code payment.
async fn code_payment_in_progress(
    payments: &Payments,
    attempt: &Attempt,
) -> Result<Option<Started>, Refusal> {
    let checkout = reread(payments, attempt.order_id).await?;
    let next = (checkout.order.state == OrderState::Open).then_some(NextStep::Wait);
    Ok(Some(Started { checkout, next }))
}

fn retry_ms() -> i64 {
    i64::try_from(DOUBT_RETRY_MS).unwrap_or(0)
}
