//! The rules for every answer.

use http::StatusCode;
use merchant_api::ErrorCode;

use crate::test_server::Answer;

/// Where WeChat is asked, with our code and its own, as long as it is there and has no fault.
const WECHATS_TO_SAY: [(&str, &str, &str); 2] = [
    // A day that is not over, or too long ago.
    ("/v1/bills/", "WECHAT_REFUSED", "INVALID_REQUEST"),
    // A code that no phone shows.
    ("/v1/orders/", "WECHAT_REFUSED", "AUTH_CODE_INVALID"),
];

/// What only WeChat can know, and so is asked: these are answers of the contract, too.
pub(super) fn is_wechats_to_say(path: &str, answer: &Answer) -> bool {
    WECHATS_TO_SAY.iter().any(|(route, code, wechat_code)| {
        path.starts_with(route)
            && answer.code() == *code
            && answer.json["error"]["wechat_code"] == *wechat_code
    })
}

/// A notification that WeChat signed and that cannot be read is refused, so that WeChat sends it
/// again, and kept whole for a person besides. One that nobody signed is never so refused.
pub(super) fn is_kept_for_a_person(path: &str, answer: &Answer) -> bool {
    let message = answer.json["message"].as_str().unwrap_or_default();
    let is_signed = ["cannot be read", "contradict each other"]
        .iter()
        .any(|said| message.contains(said));
    path.starts_with("/wechat/notify/") && is_signed
}

/// Every refusal is the contract's envelope with the code's own status, a sentence, and the field
/// that broke a rule; but to people it is a page, and to WeChat what WeChat reads.
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
        let is_for_people = path == "/c" || path.starts_with("/c/") || path.starts_with("/wechat/");
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
