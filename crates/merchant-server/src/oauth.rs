//! The hop for the openid: out to WeChat with a state, back with a code, on to the page with a
//! handle.
//!
//! What binds what:
//! - The *state* is single-use, lives ten minutes, and belongs to one order and one return
//!   address, both fixed before the buyer leaves. The return address was checked then, so the
//!   callback never follows an address that came in from outside.
//! - The *handle* is single-use, lives ten minutes, and is good for that one order only. It goes
//!   to the browser that brought the code, in the address of the page it came from, and is worth
//!   nothing without the order's token.
//! - The *browser* is bound by that delivery, not by a cookie. The element asks across origins
//!   without credentials and goes straight to WeChat's host, so there is no answer of ours that
//!   could set one before the callback. What a cookie would stop is harmless here: a stranger's
//!   callback gives a page the stranger's openid, and WeChat's cashier refuses to let anybody pay
//!   an order that was made for another openid.
//!
//! The openid itself never reaches a page, an address or a log.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use merchant_api::{ErrorCode, PAYER_PARAMETER, PAYER_UNAVAILABLE_HANDLE};
use url::{Url, form_urlencoded};

use crate::config::Merchant;
use crate::error::Failure;
use crate::hosted_page;
use crate::language::Language;
use crate::ledger::{Order, StateUse};
use crate::randomness::unguessable;
use crate::return_address;
use crate::server::MerchantServer;
use crate::wechat_openid::Application;

/// Where WeChat sends the buyer back to; its host is registered in the official account.
pub(crate) const CALLBACK_PATH: &str = "/wechat/oauth/callback";
/// How long a state and a handle are good for.
const LIFE_MS: i64 = 10 * 60_000;

/// The address that the buyer goes to, once. This is no attempt and changes nothing of the order.
pub(crate) async fn authorize_url(
    server: &MerchantServer,
    order: &Order,
    return_url: &Url,
) -> Result<String, Failure> {
    let application = application(&server.config.merchant, order).ok_or_else(|| {
        Failure::new(
            ErrorCode::PayerUnavailable,
            "the payer is not known, and without merchant.app_secret WeChat cannot be asked",
        )
    })?;
    let state = unguessable(server.randomness.bytes()?);
    let now_ms = server.clock.now_ms();
    server
        .ledger
        .keep_oauth_state(
            &state,
            order.id,
            return_url.as_str(),
            now_ms,
            now_ms + LIFE_MS,
        )
        .await?;
    let mut callback = server.config.public_base_url.clone();
    callback.set_path(CALLBACK_PATH);
    let mut url = server.config.gateway.authorize_url.clone();
    // In the order of WeChat's documents: it is said to refuse others.
    url.query_pairs_mut()
        .append_pair("appid", application.appid)
        .append_pair("redirect_uri", callback.as_str())
        .append_pair("response_type", "code")
        .append_pair("scope", "snsapi_base")
        .append_pair("state", &state);
    url.set_fragment(Some("wechat_redirect"));
    Ok(url.into())
}

/// `GET /wechat/oauth/callback?code&state`
pub(crate) async fn callback(
    State(server): State<MerchantServer>,
    language: Language,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let state = value("state").unwrap_or_default();
    let used = server
        .ledger
        .use_oauth_state(&state, server.clock.now_ms())
        .await?;
    let StateUse::Good {
        order_id,
        return_url,
    } = used
    else {
        tracing::info!(
            event = "oauth.refused",
            "a state that is unknown, used or too old"
        );
        let words = hosted_page::STEP_OVER;
        return Ok(hosted_page::plain(StatusCode::BAD_REQUEST, language, words));
    };
    let return_url =
        Url::parse(&return_url).map_err(|error| Failure::Internal(error.to_string()))?;
    let handle = match value("code").filter(|code| !code.is_empty()) {
        Some(code) => handle_of_code(&server, order_id, &code).await?,
        None => None,
    };
    let handle = handle.as_deref().unwrap_or(PAYER_UNAVAILABLE_HANDLE);
    let back = return_address::with_parameter(return_url, PAYER_PARAMETER, handle);
    redirect(&back)
}

/// Whether a buyer of this order is asked at the sub-merchant's own account, and so has a
/// `sub_openid`: where the configuration has that account's secret.
pub(crate) fn asks_sub_merchants_account(merchant: &Merchant, order: &Order) -> bool {
    sub_merchants_application(merchant, order).is_some()
}

/// Where a buyer of this order is asked; `None` where no secret is configured.
fn application<'a>(merchant: &'a Merchant, order: &Order) -> Option<Application<'a>> {
    let own = || {
        Some(Application {
            appid: &merchant.appid,
            secret: merchant.app_secret.as_ref()?,
        })
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

/// A fresh handle for the openid behind a code; `None` where WeChat gives none.
async fn handle_of_code(
    server: &MerchantServer,
    order_id: i64,
    code: &str,
) -> Result<Option<String>, Failure> {
    let Some(checkout) = server.ledger.checkout(order_id).await? else {
        return Ok(None);
    };
    let Some(application) = application(&server.config.merchant, &checkout.order) else {
        return Ok(None);
    };
    let openid = match server.wechat.openid_of_code(application, code).await {
        Ok(openid) => openid,
        Err(error) => {
            tracing::warn!(event = "oauth.no_openid", %error, "WeChat gave no openid");
            return Ok(None);
        }
    };
    let handle = unguessable(server.randomness.bytes()?);
    let now_ms = server.clock.now_ms();
    server
        .ledger
        .keep_payer(&handle, order_id, openid.as_str(), now_ms, now_ms + LIFE_MS)
        .await?;
    Ok(Some(handle))
}

fn redirect(to: &Url) -> Result<Response, Failure> {
    let to =
        HeaderValue::from_str(to.as_str()).map_err(|error| Failure::Internal(error.to_string()))?;
    let headers = [
        (header::LOCATION, to),
        // The code and the state in our own address are nobody's business.
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}
