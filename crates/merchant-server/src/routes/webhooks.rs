//! `/v1/webhooks`: the merchant's backend lists the webhook messages to it, and has them sent
//! again.

use axum::Json;
use axum::extract::RawQuery;
use merchant_api::{WebhookDetails, WebhookEvent, WebhookList, WebhooksResent};
use merchant_core::config::Scope;
use merchant_core::webhooks::{self, Delivery, NOTICE_TYPE};

use crate::error::Failure;
use crate::extract::{Backend, PathText, query};

/// `GET /v1/webhooks?state&type&limit&before`
pub(crate) async fn list_webhooks(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<WebhookList>, Failure> {
    let payments = backend.may(Scope::Webhooks)?;
    let (mut state, mut event_type, mut before) = (None, None, None);
    let mut limit = query::LIMIT_DEFAULT;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => state = Some(read_state(&value)?),
            "type" => event_type = Some(read_type(&value)?),
            "limit" => limit = query::limit(&value)?,
            "before" => before = Some(value.into_owned()),
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    let list = webhooks::list(payments, state, event_type, before.as_deref(), limit).await?;
    Ok(Json(list))
}

/// `POST /v1/webhooks/resend?state&type`: sends failed or unaddressed messages again.
pub(crate) async fn resend_webhooks(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<WebhooksResent>, Failure> {
    let payments = backend.may(Scope::Webhooks)?;
    let mut state = None;
    let mut event_type = None;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => state = Some(read_state(&value)?),
            "type" => event_type = Some(read_type(&value)?),
            _ => return Err(Failure::invalid(&name, "is not a parameter of this call")),
        }
    }
    let state = state
        .filter(|state| matches!(state, Delivery::Failed | Delivery::Unaddressed))
        .ok_or_else(|| Failure::invalid("state", "must be failed or unaddressed"))?;
    let resent = webhooks::resend_all(payments, state, event_type.as_deref()).await?;
    Ok(Json(resent))
}

/// `POST /v1/webhooks/{id}/resend`
pub(crate) async fn resend_webhook(
    backend: Backend,
    PathText(id): PathText,
) -> Result<Json<WebhookDetails>, Failure> {
    let payments = backend.may(Scope::Webhooks)?;
    Ok(Json(webhooks::resend(payments, &id).await?))
}

fn read_state(word: &str) -> Result<Delivery, Failure> {
    word.parse()
        .map_err(|_| Failure::invalid("state", "must be pending, delivered, failed or unaddressed"))
}

fn read_type(word: &str) -> Result<String, Failure> {
    if WebhookEvent::TYPES.contains(&word) || word == NOTICE_TYPE {
        return Ok(word.to_owned());
    }
    let rule = format!("must be one of {}", WebhookEvent::TYPES.join(", "));
    Err(Failure::invalid("type", &rule))
}
