//! Signing in by an API key, and out. The key is in one form's body and nowhere else: in no address, no
//! cookie and no log. Guesses are limited by address and process; a key has 256 random bits besides.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use buyer_words::Words;
use http::{HeaderValue, StatusCode, header};
use maud::html;
use merchant_core::Merchants;
use merchant_core::config::Scope;
use merchant_core::orders::desk::{self, SESSION_MAX_MS};
use serde::Deserialize;

use super::address::{SIGN_IN as PATH, way_back};
use super::document::{Frame, bare};
use super::form::{FormOfAnyone, Posted};
use super::guesses::SignIns;
use super::view::View;
use super::{problem, words};
use crate::extract::Caller;

/// Where the sign-in leads to, and why it is needed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Arrival {
    #[serde(default)]
    to: String,
    #[serde(default)]
    reason: String,
}

/// `GET /desk/sign-in?to&reason`
pub(super) async fn page(view: View, arrival: Result<Query<Arrival>, QueryRejection>) -> Response {
    // Both are decoration: a query that cannot be read is none.
    let Query(arrival) = arrival.unwrap_or_default();
    let reason = match arrival.reason.as_str() {
        "idle" => Some(words::ENDED_IDLE),
        "old" => Some(words::ENDED_OLD),
        "revoked" => Some(words::ENDED_REVOKED),
        "unknown" => Some(words::ENDED_UNKNOWN),
        "not_done" => Some(words::ENDED_NOT_DONE),
        "out" => Some(words::SIGNED_OUT),
        _ => None,
    };
    shown(&view, StatusCode::OK, reason, &arrival.to)
}

/// `POST /desk/sign-in`
pub(super) async fn sign_in(
    State(merchants): State<Merchants>,
    State(tries): State<Arc<SignIns>>,
    caller: Caller,
    view: View,
    FormOfAnyone(form): FormOfAnyone,
) -> Response {
    let to = way_back(form.get("to"));
    if let Err(wait_ms) = tries.take(caller.counted, &**merchants.first().clock()) {
        tracing::warn!(
            event = "desk.guesses",
            "too many tries to sign in at the desk"
        );
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = shown(&view, status, Some(words::TOO_MANY_TRIES), &to);
        let seconds = HeaderValue::from(wait_ms.div_ceil(1000));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        return response;
    }
    let Some(opener) = merchants.desk_key(form.get("key")) else {
        tracing::warn!(event = "desk.refused", "a wrong key at the desk");
        let status = StatusCode::UNAUTHORIZED;
        return shown(&view, status, Some(words::KEY_WRONG), &to);
    };
    if !opener.key.opens_desk() {
        let lacks_look = !opener.key.scopes.contains(&Scope::DeskLook);
        tracing::warn!(
            event = "desk.refused",
            api_key = opener.key.name,
            "a key that is not for the desk"
        );
        let reason = if lacks_look {
            words::KEY_LACKS_LOOK
        } else {
            words::KEY_TOO_STRONG
        };
        return shown(&view, StatusCode::FORBIDDEN, Some(reason), &to);
    }
    match desk::begin(&opener).await {
        Ok(token) => {
            let mut response = Redirect::to(&to).into_response();
            if let Some(cookie) = view.set_session(&token, SESSION_MAX_MS / 1000) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => problem::refused(&view, refusal),
    }
}

/// `POST /desk/sign-out`
pub(super) async fn sign_out(Posted { desk, .. }: Posted) -> Result<Response, Response> {
    let ended = desk::end(&desk.session).await;
    ended.map_err(|refusal| desk.refused(refusal))?;
    let mut response = Redirect::to(&format!("{PATH}?reason=out")).into_response();
    if let Some(cookie) = desk.view.set_session("", 0) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn shown(view: &View, status: StatusCode, reason: Option<Words>, to: &str) -> Response {
    let say = |sentence| view.language.say(sentence);
    let content = html! {
        div .card .narrow {
            h1 { (say(words::SIGN_IN)) }
            @if let Some(reason) = reason { p .notice role="alert" { (say(reason)) } }
            form method="post" action=(PATH) {
                input type="hidden" name="to" value=(to);
                label for="key" { (say(words::KEY)) }
                input #key name="key" type="password" required autocomplete="current-password"
                    spellcheck="false" autocapitalize="off" aria-describedby="key-help";
                p #key-help .help { (say(words::KEY_HELP)) }
                button type="submit" { (say(words::SIGN_IN)) }
            }
        }
    };
    let frame = Frame::new(say(words::SIGN_IN), "");
    (status, bare(view, &frame, &content)).into_response()
}
