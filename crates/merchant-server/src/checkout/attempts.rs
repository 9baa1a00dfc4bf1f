//! Starting and cancelling attempts. The rules: an attempt is written down before WeChat hears of
//! it; one number, one body, for ever; before a new number the old one is queried and closed; and
//! where that is in doubt, nothing new begins.

use merchant_api::{
    Action, AttemptForm, CheckoutAnswer, ErrorCode, OrderState, PAYER_UNAVAILABLE_HANDLE,
    PayParameters, Product, RETURN_PARAMETER,
};
use url::{Url, form_urlencoded};
use wechat_pay::{H5Type, OpenId, ProductFields};

use super::answer::{answer, is_fresh};
use super::decision::{Decision, decide};
use super::order_body::order_body;
use super::reread;
use crate::client_address::Caller;
use crate::due_work;
use crate::error::{DOUBT_RETRY_MS, Failure};
use crate::ledger::{Attempt, AttemptState, Begun, Checkout, NewAttempt};
use crate::oauth;
use crate::question;
use crate::randomness::{hex, unguessable};
use crate::return_address;
use crate::server::MerchantServer;

/// How often a start looks again after the order moved under it: take over, then begin, then one
/// number that WeChat calls closed. More means that something is wrong.
const ROUNDS: u32 = 4;

/// What a page wants, with everything that the order's body needs.
struct Wish {
    fields: ProductFields,
    /// Used up by the attempt that it starts.
    payer_handle: Option<String>,
    /// Where the buyer comes back to (H5).
    return_url: Option<Url>,
}

enum Wanted {
    Attempt(Wish),
    /// The payer must be asked for first.
    Authorize(String),
}

/// Starts an attempt, or gives the current one again.
pub(super) async fn start(
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

async fn read_wish(
    server: &MerchantServer,
    caller: Caller,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Wanted, Failure> {
    let wish = |fields| Wish {
        fields,
        payer_handle: None,
        return_url: None,
    };
    match form.product {
        Product::Native => Ok(Wanted::Attempt(wish(ProductFields::Native))),
        Product::H5 => {
            let return_url = return_url(server, checkout, form)?;
            let payer_client_ip = caller.address.ok_or_else(|| {
                Failure::new(
                    ErrorCode::ProductUnavailable,
                    "h5 needs the buyer's address, which is not known: check trusted_proxies",
                )
            })?;
            Ok(Wanted::Attempt(Wish {
                return_url: Some(return_url),
                ..wish(ProductFields::H5 {
                    payer_client_ip,
                    h5_type: H5Type::Wap,
                })
            }))
        }
        Product::Jsapi => read_jsapi_wish(server, checkout, form).await,
        Product::MiniProgram => Err(Failure::field(
            ErrorCode::ProductUnavailable,
            "product",
            "is not offered for this order",
        )),
    }
}

async fn read_jsapi_wish(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Wanted, Failure> {
    let order = &checkout.order;
    let invalid = || {
        Failure::field(
            ErrorCode::PayerInvalid,
            "payer",
            "is unknown, used or too old",
        )
    };
    let (openid, payer_handle) = match (&form.payer, &order.openid) {
        // The shop knows its buyer; what the page says is not asked for then.
        (_, Some(openid)) => (openid.clone(), None),
        (Some(handle), None) if handle == PAYER_UNAVAILABLE_HANDLE => {
            return Err(Failure::new(
                ErrorCode::PayerUnavailable,
                "WeChat gave no openid for this buyer",
            ));
        }
        (Some(handle), None) => {
            let payer = server
                .ledger
                .payer_of_handle(handle, order.id, server.clock.now_ms())
                .await?
                .ok_or_else(invalid)?;
            (payer.openid, Some(payer.handle))
        }
        (None, None) => {
            refuse_silent_take_over(server, checkout, form)?;
            let back = return_url(server, checkout, form)?;
            return oauth::authorize_url(server, order, &back)
                .await
                .map(Wanted::Authorize);
        }
    };
    let openid = OpenId::parse(openid).map_err(|_| invalid())?;
    Ok(Wanted::Attempt(Wish {
        fields: ProductFields::Jsapi { openid },
        payer_handle,
        return_url: None,
    }))
}

/// Nobody is sent for an openid to take over what they have not seen.
fn refuse_silent_take_over(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<(), Failure> {
    let is_other = checkout
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.state.is_alive() && attempt.product != form.product);
    if is_other && form.after.unwrap_or(0) != checkout.order.current_attempt {
        return Err(Failure::Superseded(Box::new(answer(
            server, checkout, None,
        ))));
    }
    Ok(())
}

fn return_url(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Url, Failure> {
    let text = form
        .return_url
        .as_ref()
        .or(checkout.order.return_url.as_ref());
    let text = text.ok_or_else(|| {
        Failure::field(
            ErrorCode::ReturnUrlRefused,
            "return_url",
            "is missing, and neither does the order carry one",
        )
    })?;
    return_address::check(&server.config, "return_url", text)
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
        Begun::Current(attempt) => Ok(Some(attempt)),
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

fn with_action(
    server: &MerchantServer,
    checkout: &Checkout,
    attempt: &Attempt,
    wish: &Wish,
) -> Result<CheckoutAnswer, Failure> {
    let link = attempt.link.as_ref().map_or("", |link| &*link.text);
    let action = match attempt.product {
        Product::Native => Action::CodeUrl(link.to_owned()),
        Product::H5 => Action::H5Url(h5_url(link, attempt, wish)),
        Product::Jsapi => Action::Jsapi(pay_parameters(server, attempt, link)?),
        Product::MiniProgram => Action::MiniProgram(pay_parameters(server, attempt, link)?),
    };
    Ok(answer(server, checkout, Some(action)))
}

/// WeChat's address with the way back, the one thing that may be added to it.
fn h5_url(link: &str, attempt: &Attempt, wish: &Wish) -> String {
    let Some(return_url) = &wish.return_url else {
        return link.to_owned();
    };
    let back = return_address::with_parameter(
        return_url.clone(),
        RETURN_PARAMETER,
        &attempt.return_handle,
    );
    let back: String = form_urlencoded::byte_serialize(back.as_str().as_bytes()).collect();
    let joint = if link.contains('?') { '&' } else { '?' };
    format!("{link}{joint}redirect_url={back}")
}

fn pay_parameters(
    server: &MerchantServer,
    attempt: &Attempt,
    prepay_id: &str,
) -> Result<PayParameters, Failure> {
    let signed = server
        .wechat
        .pay_parameters(&attempt.appid, prepay_id)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(PayParameters {
        app_id: signed.app_id,
        time_stamp: signed.time_stamp,
        nonce_str: signed.nonce_str,
        package: signed.package,
        sign_type: signed.sign_type,
        pay_sign: signed.pay_sign,
    })
}

fn retry_ms() -> i64 {
    i64::try_from(DOUBT_RETRY_MS).unwrap_or(0)
}
