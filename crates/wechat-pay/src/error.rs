//! WeChat's error answers as they came, and what a caller may conclude from them.

use serde::Deserialize;

use crate::json::read_json;

/// An error answer of the gateway. `code` decides, `message` is for people and logs.
///
/// One code comes with several statuses and one status with several codes, so neither is
/// derived from the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WeChat answered {status} {code}: {message}")]
pub struct WechatError {
    /// The HTTP status.
    pub status: u16,
    /// WeChat's code, such as `PARAM_ERROR`; empty if the answer had none.
    pub code: String,
    /// WeChat's message, mostly Chinese; empty if the answer had none. WeChat repeats
    /// a refused value, so openids are cut to their first characters: the message goes into logs.
    pub message: String,
    /// WeChat's `detail`, in whatever shape it came.
    pub detail: Option<serde_json::Value>,
    /// The `Request-ID`, which WeChat's support asks for.
    pub request_id: Option<String>,
    /// Whether the answer was signed and the signature is valid. WeChat does not sign a refusal
    /// before it knows the merchant, so an unsigned error is not always a forgery; it proves
    /// nothing either.
    pub trusted: bool,
}

impl WechatError {
    pub(crate) fn read(
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        trusted: bool,
    ) -> Self {
        let Said {
            code,
            message,
            detail,
        } = read_json(body).map(|read| read.value).unwrap_or_default();
        Self {
            status,
            code,
            message: without_openids(&message),
            detail,
            request_id,
            trusted,
        }
    }

    /// Whether the same request, signed again, may succeed later. When, and whether
    /// a query comes first: see [`WechatError::retry_with`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_transient() || self.code == "STATEMENT_CREATING"
    }

    /// Whether WeChat may have carried the request out. Only a signed refusal rules it out; before
    /// a caller orders under another number, it must query.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        !self.trusted || self.is_transient()
    }

    /// Whether WeChat wrote this answer: it is signed, or has one of WeChat's codes.
    /// Anything else comes from a firewall, a proxy or a captive portal on the way, and says
    /// nothing about the request.
    #[must_use]
    pub fn is_wechats(&self) -> bool {
        self.trusted || !self.code.is_empty()
    }

    /// Whether the cause is temporary.
    pub(crate) fn is_transient(&self) -> bool {
        !self.is_wechats()
            || self.status == 429
            || self.status >= 500
            || matches!(
                self.code.as_str(),
                "SYSTEM_ERROR"
                    | "FREQUENCY_LIMITED"
                    | "RATELIMIT_EXCEEDED"
                    | "BANK_ERROR"
                    | "SERVICE_UNAVAILABLE"
            )
    }
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    detail: Option<serde_json::Value>,
}

/// The text, in which each part with the form of an openid (28 characters that begin with `o`) is
/// cut to its first six characters.
pub fn without_openids(message: &str) -> String {
    const OPENID_BYTES: usize = 28;
    const SHOWN: usize = 6;
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let mut text = String::with_capacity(message.len());
    for piece in message.split_inclusive(|letter| !is_part(letter)) {
        let word = piece.trim_end_matches(|letter| !is_part(letter));
        if word.len() == OPENID_BYTES && word.starts_with('o') {
            text.push_str(&word[..SHOWN]);
            text.push('…');
            text.push_str(&piece[OPENID_BYTES..]);
        } else {
            text.push_str(piece);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_whole_openid() {
        for (message, shown) in [
            (
                "输入源“/body/payer/openid”映射到值字段“oUpF8uMuAJO_M2pxb1Q9zNjWeS6o”字符串规则校验失败",
                "输入源“/body/payer/openid”映射到值字段“oUpF8u…”字符串规则校验失败",
            ),
            (
                "openid=oUpF8uMuAJO_M2pxb1Q9zNjWeS6o, appid wx8888888888888888",
                "openid=oUpF8u…, appid wx8888888888888888",
            ),
            ("oUpF8uMuAJO-M2pxb1Q9zNjWeS6o", "oUpF8u…"),
            (
                "订单 4200000000202611210000000001 不存在",
                "订单 4200000000202611210000000001 不存在",
            ),
            ("out of stock", "out of stock"),
            ("", ""),
        ] {
            let body = serde_json::json!({ "code": "PARAM_ERROR", "message": message });
            let error = WechatError::read(400, body.to_string().as_bytes(), None, true);
            assert_eq!(error.message, shown);
            assert!(error.to_string().ends_with(shown));
        }
    }

    #[test]
    fn verdicts_follow_status_code_and_trust() {
        let table = [
            // status, code, trusted => retryable, may have taken effect
            (400, "PARAM_ERROR", true, false, false),
            (400, "PARAM_ERROR", false, false, true),
            (401, "SIGN_ERROR", false, false, true),
            (404, "ORDER_NOT_EXIST", true, false, false),
            (403, "OUT_TRADE_NO_USED", true, false, false),
            (429, "FREQUENCY_LIMITED", true, true, true),
            (500, "SYSTEM_ERROR", true, true, true),
            (502, "", false, true, true),
            (200, "SYSTEM_ERROR", true, true, true),
            (400, "STATEMENT_CREATING", true, true, false),
            (503, "SERVICE_UNAVAILABLE", false, true, true),
            // A page of a firewall or a proxy, not an answer of WeChat.
            (403, "", false, true, true),
            (404, "", false, true, true),
            (407, "", false, true, true),
            (403, "", true, false, false),
        ];
        for (status, code, trusted, retryable, effect) in table {
            let body = format!("{{\"code\":\"{code}\",\"message\":\"m\"}}");
            let error = WechatError::read(status, body.as_bytes(), None, trusted);
            assert_eq!(error.is_retryable(), retryable, "{status} {code}");
            assert_eq!(error.may_have_taken_effect(), effect, "{status} {code}");
        }
    }

    #[test]
    fn an_answer_of_unknown_form_is_still_an_error() {
        for body in ["", "<html>", "[]", "{\"code\":1}", "null", "{}"] {
            let error = WechatError::read(502, body.as_bytes(), None, false);
            assert_eq!((error.status, error.code.as_str()), (502, ""), "{body}");
        }
    }

    #[test]
    fn the_readable_fields_of_a_malformed_error_are_read() {
        for (body, code, message) in [
            (
                "\u{feff}{\"code\":\"PARAM_ERROR\",\"message\":\"m\"}",
                "PARAM_ERROR",
                "m",
            ),
            (
                r#"{"code":"PARAM_ERROR","message":null}"#,
                "PARAM_ERROR",
                "",
            ),
            (
                r#"{"code":"PARAM_ERROR","message":["m"]}"#,
                "PARAM_ERROR",
                "",
            ),
            (r#"{"code":404,"message":"m"}"#, "", "m"),
        ] {
            let error = WechatError::read(400, body.as_bytes(), None, true);
            assert_eq!((&*error.code, &*error.message), (code, message), "{body}");
        }
    }

    #[test]
    fn detail_is_kept_unchanged() {
        let error = WechatError::read(
            400,
            r#"{"code":"PARAM_ERROR","detail":{"location":null,"value":["/body/x"]},"message":"参数"}"#
                .as_bytes(),
            Some("08F5".into()),
            true,
        );
        assert_eq!(error.detail.unwrap()["value"][0], "/body/x");
        assert_eq!(error.message, "参数");
    }
}
