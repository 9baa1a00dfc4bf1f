//! The rules for every answer.

use http::StatusCode;
use merchant_api::ErrorCode;

use crate::test_server::Answer;

/// Routes that call WeChat, each with our code and WeChat's code for a refusal. They apply as long
/// as WeChat can be reached and has no fault.
const WECHAT_REFUSALS: [(&str, &str, &str); 5] = [
    // The day has not ended, or is too long ago.
    ("/v1/bills/", "WECHAT_REFUSED", "INVALID_REQUEST"),
    // No phone shows this code.
    ("/v1/orders/", "WECHAT_REFUSED", "AUTH_CODE_INVALID"),
    // Nobody added this receiver, or it was deleted.
    ("/v1/orders/", "WECHAT_REFUSED", "INVALID_REQUEST"),
    ("/v1/shares/", "WECHAT_REFUSED", "INVALID_REQUEST"),
    ("/v1/receivers", "WECHAT_REFUSED", "INVALID_REQUEST"),
];

/// Whether the answer reports a refusal that only WeChat can decide. Such answers are part of the
/// contract.
pub(super) fn is_wechat_refusal(path: &str, answer: &Answer) -> bool {
    WECHAT_REFUSALS.iter().any(|(route, code, wechat_code)| {
        path.starts_with(route)
            && answer.code() == *code
            && answer.json["error"]["wechat_code"] == *wechat_code
    })
}

/// A notification that WeChat signed and that cannot be read is refused, so that WeChat sends it
/// again. The server also keeps the whole notification for a person. It never refuses an unsigned
/// notification in this way.
pub(super) fn is_kept_for_a_person(path: &str, answer: &Answer) -> bool {
    let message = answer.json["message"].as_str().unwrap_or_default();
    let is_signed = ["cannot be read", "contradict each other"]
        .iter()
        .any(|said| message.contains(said));
    path.starts_with("/wechat/notify/") && is_signed
}

/// Every refusal is the contract's envelope with the code's own status, a sentence, and the field
/// that broke a rule. People get a page instead, and WeChat gets the form that WeChat reads.
pub(super) fn check_refusal(path: &str, answer: &Answer) -> Result<(), String> {
    let kind = answer.headers.get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap());
    if path.starts_with("/wechat/notify/") && answer.status != StatusCode::METHOD_NOT_ALLOWED {
        let is_failure = answer.json["code"] == "FAIL" || answer.text().contains("FAIL");
        return is_failure
            .then_some(())
            .ok_or("tells WeChat nothing".to_owned());
    }
    if kind.starts_with("text/html") {
        let places = ["/c/", "/p/", "/wechat/"];
        let is_for_people =
            matches!(path, "/c" | "/p") || places.iter().any(|place| path.starts_with(place));
        return is_for_people.then_some(()).ok_or("is a page".to_owned());
    }
    let error = &answer.json["error"];
    let Some(code) = error["code"].as_str().and_then(ErrorCode::from_word) else {
        return Err("is no envelope".to_owned());
    };
    if code.status() != answer.status.as_u16() {
        return Err(format!("is not the status of {code:?}"));
    }
    let message = error["message"].as_str().unwrap_or_default();
    if message.is_empty() {
        return Err("says no reason".to_owned());
    }
    let field = error["field"].as_str();
    let speaks_of_all = message.starts_with("the body ") || message.starts_with("the query ");
    let needs_field = code == ErrorCode::InvalidRequest && !speaks_of_all;
    if needs_field && field.is_none_or(str::is_empty) {
        return Err("names no field".to_owned());
    }
    Ok(())
}
