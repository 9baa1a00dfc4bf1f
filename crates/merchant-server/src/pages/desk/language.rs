//! The choice of a language, which the browser keeps.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, header};

use super::address::{DESK, way_back};
use super::form::FormOfAnyone;
use super::view::LANGUAGE_COOKIE;

/// A year, in seconds.
const LANGUAGE_AGE_S: u32 = 31_536_000;

/// `POST /desk/language`: keeps the language in the browser, and goes back to the page.
pub(super) async fn choose_language(FormOfAnyone(form): FormOfAnyone) -> Response {
    let language = match form.get("language") {
        "en" => "en",
        _ => "zh-CN",
    };
    let mut response = Redirect::to(&way_back(form.get("to"))).into_response();
    let text = format!(
        "{LANGUAGE_COOKIE}={language}; Path={DESK}; Max-Age={LANGUAGE_AGE_S}; HttpOnly; SameSite=Strict"
    );
    if let Ok(cookie) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
