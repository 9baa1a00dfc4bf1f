//! The OAuth redirect for the openid: to WeChat with a state, back with a code, and on to the page
//! with a handle.
//!
//! How the state, the handle and the browser are bound:
//! - The *state* is valid for ten minutes. It belongs to one order and one return address, and both
//!   are fixed before the buyer leaves. The return address is checked at that time, so the callback
//!   never redirects to an address that came in from outside. A state is answered for one code
//!   only. WeChat's browser calls the callback twice: sometimes both calls come at once, and
//!   sometimes the browser drops the first one. So the same code gets the same answer while the
//!   state is valid. A call with another code, or a later call, sends the buyer back to the page,
//!   which starts again.
//! - The *handle* can be used once, for ten minutes, and only for that one order. The server sends
//!   it to the browser that brought the code, in the address of the page that the buyer came from.
//!   The handle is useless without the order's token.
//! - The *browser* is bound by that delivery, not by a cookie. The element calls this server across
//!   origins without credentials and then goes straight to WeChat's host. So no answer of this
//!   server could set a cookie before the callback. The attack that a cookie would stop is harmless
//!   here: a stranger's callback gives a page the stranger's openid, and WeChat's cashier refuses
//!   every other payer of an order that was created for that openid.
//!
//! The openid itself never reaches a page, an address or a log.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use merchant_api::{ErrorCode, PAYER_PARAMETER, PAYER_UNAVAILABLE_HANDLE};
use url::Url;
use wechat_pay::lower_hex;

use super::return_address;
use crate::config::Merchant;
use crate::ledger::{Order, StateFound};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::unguessable;
use crate::wechat::{Application, NoOpenId};

/// The callback's path. Its host is registered in the official account.
pub const CALLBACK_PATH: &str = "/wechat/oauth/callback";
/// How long another server waits for the answer of the one that asks WeChat, in milliseconds, before it
/// asks itself: that one may have ended.
const CLAIM_MS: i64 = 4_000;
/// The pause between two looks for that answer, in milliseconds.
const LOOK_MS: i64 = 100;
/// How long a state and a handle are valid.
const LIFE_MS: i64 = 10 * 60_000;

/// The address that the buyer is redirected to. It is valid for one login. This call starts no
/// attempt and does not change the order.
pub(crate) async fn authorize_url(
    payments: &Payments,
    order: &Order,
    return_url: &Url,
) -> Result<String, Refusal> {
    let appids = order.appids();
    let application = application(&payments.config.merchant, order, &appids).ok_or_else(|| {
        Refusal::new(
            ErrorCode::PayerUnavailable,
            "the payer is not known, and without merchant.app_secret WeChat cannot be asked",
        )
    })?;
    let state = unguessable(payments.randomness.bytes()?);
    let now_ms = payments.clock.now_ms();
    payments
        .ledger
        .keep_oauth_state(
            &state,
            order.id,
            return_url.as_str(),
            now_ms,
            now_ms + LIFE_MS,
        )
        .await?;
    let mut callback = payments.config.public_base_url.clone();
    callback.set_path(CALLBACK_PATH);
    let mut url = payments.config.gateway.authorize_url.clone();
    // In the order of WeChat's documents, because WeChat is said to refuse any other.
    url.query_pairs_mut()
        .append_pair("appid", application.appid)
        .append_pair("redirect_uri", callback.as_str())
        .append_pair("response_type", "code")
        .append_pair("scope", "snsapi_base")
        .append_pair("state", &state);
    url.set_fragment(Some("wechat_redirect"));
    Ok(url.into())
}

/// The address for a buyer who returns with a state, with or without a code. It is the page's
/// address, either with a handle or without any parameter, so that the page starts again. `None` if
/// the state is unknown.
pub async fn after_redirect(
    payments: &Payments,
    state: String,
    code: Option<String>,
) -> Result<Option<Url>, Refusal> {
    // In a task of its own: the code is used up even if the browser drops the call, and its second
    // call needs the answer.
    let answering = tokio::spawn({
        let payments = payments.clone();
        async move { answer(&payments, &state, code.as_deref()).await }
    });
    let answered = answering
        .await
        .map_err(|error| Refusal::Internal(error.to_string()))??;
    let Some(Back { return_url, handle }) = answered else {
        tracing::info!(event = "oauth.refused", "a state that is not known");
        return Ok(None);
    };
    let return_url =
        Url::parse(&return_url).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(Some(match handle {
        Some(handle) => return_address::with_parameter(return_url, PAYER_PARAMETER, &handle),
        None => return_address::without_parameters(return_url),
    }))
}

/// A return address with its parameter.
struct Back {
    return_url: String,
    /// `None`: the page starts again.
    handle: Option<String>,
}

/// The answer to a call of the callback; `None` for an unknown state.
async fn answer(
    payments: &Payments,
    state: &str,
    code: Option<&str>,
) -> Result<Option<Back>, Refusal> {
    let code_sha256 = code.map(|code| lower_hex(digest(&SHA256, code.as_bytes()).as_ref()));
    let look = async || {
        let now_ms = payments.clock.now_ms();
        let found = payments
            .ledger
            .oauth_state(state, code_sha256.as_deref(), now_ms);
        found.await.map(|found| match found {
            StateFound::Answered { return_url, handle } => Looked::Ended(Some(Back {
                return_url,
                handle: Some(handle),
            })),
            StateFound::Over { return_url } => {
                tracing::info!(event = "oauth.over", "a state that is too old or was used");
                Looked::Ended(Some(Back {
                    return_url,
                    handle: None,
                }))
            }
            StateFound::Unknown => Looked::Ended(None),
            StateFound::Open {
                order_id,
                return_url,
                was_begun,
            } => Looked::Open {
                order_id,
                return_url,
                was_begun,
            },
        })
    };
    // Unknown states take no lock, so that strangers cannot fill the list of locks.
    if let Looked::Ended(back) = look().await? {
        return Ok(back);
    }
    let _lock = payments.callbacks.lock(state).await;
    let (order_id, return_url, was_begun) = match look().await? {
        Looked::Open {
            order_id,
            return_url,
            was_begun,
        } => (order_id, return_url, was_begun),
        Looked::Ended(back) => return Ok(back),
    };
    let unavailable = Some(PAYER_UNAVAILABLE_HANDLE.to_owned());
    let (Some(code), Some(code_sha256)) = (code, &code_sha256) else {
        // The buyer declined. That uses up neither state nor code.
        return Ok(Some(Back {
            return_url,
            handle: unavailable,
        }));
    };
    let now_ms = payments.clock.now_ms();
    let claimed = payments.ledger.claim_oauth_state(state, now_ms, CLAIM_MS);
    let is_claimed = claimed.await?;
    if !is_claimed {
        // Another server has the same call, and a code works once: its answer is everybody's.
        for _ in 0..CLAIM_MS / LOOK_MS {
            tokio::time::sleep(Duration::from_millis(LOOK_MS.unsigned_abs())).await;
            if let Looked::Ended(back) = look().await? {
                return Ok(back);
            }
        }
    }
    let was_begun = was_begun || !is_claimed;
    let handle = match handle_of_code(payments, order_id, code).await? {
        Ok(handle) => handle.or(unavailable),
        // Another process has used the code, or a process that ended before it stored the answer.
        // The page starts again.
        Err(NoOpenId::Refused(CODE_USED)) if was_begun => {
            return Ok(Some(Back {
                return_url,
                handle: None,
            }));
        }
        // The code may still be valid: the same call may succeed later.
        Err(NoOpenId::Call(_)) => {
            payments.ledger.release_oauth_state(state).await?;
            return Ok(Some(Back {
                return_url,
                handle: unavailable,
            }));
        }
        Err(_) => unavailable,
    };
    if let Some(handle) = &handle {
        payments
            .ledger
            .answer_oauth_state(state, code_sha256, handle)
            .await?;
    }
    Ok(Some(Back { return_url, handle }))
}

/// The result of looking up a state.
enum Looked {
    Open {
        order_id: i64,
        return_url: String,
        was_begun: bool,
    },
    /// WeChat need not be called.
    Ended(Option<Back>),
}

/// WeChat's errcode for a code that was used before.
const CODE_USED: i64 = 40_163;

/// Whether the openid comes from the sub-merchant's own account (`sub_openid`): if the
/// configuration has that account's secret.
pub(crate) fn asks_sub_merchants_account(merchant: &Merchant, order: &Order) -> bool {
    sub_merchants_application(merchant, order).is_some()
}

/// The application for the openid of this order's buyer; `None` if no secret is configured.
fn application<'a>(
    merchant: &'a Merchant,
    order: &Order,
    appids: &[String],
) -> Option<Application<'a>> {
    let own = || {
        let (appid, secret) = merchant.official_account(appids);
        let secret = secret?;
        Some(Application { appid, secret })
    };
    sub_merchants_application(merchant, order).or_else(own)
}

fn sub_merchants_application<'a>(merchant: &'a Merchant, order: &Order) -> Option<Application<'a>> {
    let sub = merchant.sub_merchant(order.sub_mchid.as_deref()?)?;
    Some(Application {
        appid: sub.sub_appid.as_deref()?,
        secret: sub.sub_app_secret.as_ref()?,
    })
}

/// A new handle for the openid of a code, or why WeChat gives none; `None` if WeChat cannot be
/// called.
async fn handle_of_code(
    payments: &Payments,
    order_id: i64,
    code: &str,
) -> Result<Result<Option<String>, NoOpenId>, Refusal> {
    let Some(checkout) = payments.ledger.checkout(order_id).await? else {
        return Ok(Ok(None));
    };
    let appids = checkout.order.appids();
    let application = application(&payments.config.merchant, &checkout.order, &appids);
    let Some(application) = application else {
        return Ok(Ok(None));
    };
    let openid = match payments.wechat.openid_of_code(application, code).await {
        Ok(openid) => openid,
        Err(error) => {
            tracing::warn!(event = "oauth.no_openid", %error, "WeChat gave no openid");
            return Ok(Err(error));
        }
    };
    let handle = unguessable(payments.randomness.bytes()?);
    let now_ms = payments.clock.now_ms();
    payments
        .ledger
        .keep_payer(&handle, order_id, &openid, now_ms, now_ms + LIFE_MS)
        .await?;
    Ok(Ok(Some(handle)))
}
