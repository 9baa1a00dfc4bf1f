//! Calls about a mini-program, on the host of WeChat's accounts. Its answers are not signed by WeChat Pay;
//! nothing in them is about whether money moved.
//!
//! The token is WeChat's stable one in its normal mode: a call gives the valid token again and makes no
//! other token void, whoever else asks for one.

use bytes::Bytes;
use http::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use wechat_pay::{Unreadable, read_json};

use super::access_tokens::AccessToken;
use super::{Application, CallError, WechatClient};

/// A token is renewed this long before its end: WeChat gives a new one in the last five minutes, and both
/// are valid meanwhile.
const RENEWED_BEFORE_MS: i64 = 5 * 60_000;

/// `errcode`s that say that the token is not valid: it was renewed elsewhere, or is too old.
const BAD_TOKENS: [i64; 3] = [40_001, 40_014, 42_001];

/// Why WeChat gave no answer that can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The network failed, or the address is not valid.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer is not JSON, or lacks what it must have.
    #[error("WeChat's answer cannot be read: {0}")]
    Malformed(Unreadable),
    /// The answer has neither a token nor an errcode.
    #[error("WeChat's answer has neither access_token nor errcode")]
    NoToken,
}

/// WeChat's answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Answered {
    /// 0 if it was done.
    pub(crate) errcode: i64,
    /// A text for people.
    #[serde(default)]
    pub(crate) errmsg: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    expires_in: Option<i64>,
    errcode: Option<i64>,
    errmsg: Option<String>,
}

impl WechatClient {
    /// Sends a shipping. A token that WeChat no longer takes is renewed once.
    pub(crate) async fn upload_shipping(
        &self,
        application: Application<'_>,
        body: &[u8],
    ) -> Result<Answered, NoAnswer> {
        const PATH: &str = "/wxa/sec/order/upload_shipping_info";
        let mut is_renewed = false;
        loop {
            let token = match self.access_token(application).await? {
                Ok(token) => token,
                Err(refused) => return Ok(refused),
            };
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("access_token", &token)
                .finish();
            let path = format!("{PATH}?{query}");
            let answered: Answered = self.post(&path, Bytes::copy_from_slice(body)).await?;
            if !BAD_TOKENS.contains(&answered.errcode) {
                return Ok(answered);
            }
            self.tokens.forget(application.appid);
            if std::mem::replace(&mut is_renewed, true) {
                return Ok(answered);
            }
        }
    }

    /// The valid token of an application, or WeChat's refusal to give one.
    async fn access_token(
        &self,
        application: Application<'_>,
    ) -> Result<Result<String, Answered>, NoAnswer> {
        let now_ms = self.clock.monotonic_ms();
        if let Some(token) = self.tokens.valid(application.appid, now_ms) {
            return Ok(Ok(token));
        }
        let body = json!({
            "grant_type": "client_credential", "appid": application.appid,
            "secret": application.secret.reveal(), "force_refresh": false,
        });
        let answer: TokenAnswer = self
            .post("/cgi-bin/stable_token", body.to_string().into())
            .await?;
        let Some(text) = answer.access_token.filter(|text| !text.is_empty()) else {
            let Some(errcode) = answer.errcode.filter(|errcode| *errcode != 0) else {
                return Err(NoAnswer::NoToken);
            };
            let errmsg = answer.errmsg.unwrap_or_default();
            return Ok(Err(Answered { errcode, errmsg }));
        };
        let lifetime_ms = answer.expires_in.unwrap_or(0).saturating_mul(1000);
        let token = AccessToken {
            text: text.clone(),
            until_ms: now_ms.saturating_add(lifetime_ms - RENEWED_BEFORE_MS),
        };
        self.tokens.keep(application.appid, token);
        Ok(Ok(text))
    }

    async fn post<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, NoAnswer> {
        let request = http::Request::post(format!("{}{path}", self.gateway.sns_origin))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(CallError::Request)?;
        let reply = self.call_accounts(request).await?;
        Ok(read_json(reply.body()).map_err(NoAnswer::Malformed)?.value)
    }
}
