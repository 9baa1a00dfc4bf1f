//! The buyer's openid: from the code of the OAuth redirect or of a mini-program's `wx.login`. These
//! answers are not signed by WeChat Pay. Only an openid is taken from them, and only the owner of
//! that openid can pay the order, even if the openid is wrong.

use bytes::Bytes;
use serde::Deserialize;
use wechat_pay::{OpenId, Unreadable, read_json};

use super::{CallError, WechatClient};
use crate::config::Secret;

/// Why WeChat gave no openid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoOpenId {
    /// The network failed, or the address is not valid.
    #[error(transparent)]
    Call(#[from] CallError),
    /// WeChat refused the code.
    #[error("WeChat refused the code with errcode {0}")]
    Refused(i64),
    /// The answer is not JSON.
    #[error("WeChat's answer cannot be read: {0}")]
    Malformed(Unreadable),
    /// The answer has neither an openid nor an errcode.
    #[error("WeChat's answer has neither openid nor errcode")]
    Empty,
    /// What the answer calls an openid cannot be one.
    #[error("WeChat's answer has an openid that cannot be one")]
    NoSuchOpenId,
}

/// `errcode`s that say that the code is wrong, used or too old: invalid code, code been used,
/// code expired.
const BAD_CODES: [i64; 3] = [40_029, 40_163, 42_003];

impl NoOpenId {
    /// Whether another code of the same buyer may work.
    pub(crate) fn is_bad_code(&self) -> bool {
        matches!(self, Self::Refused(errcode) if BAD_CODES.contains(errcode))
    }
}

/// An application, with the secret for its codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Application<'a> {
    pub(crate) appid: &'a str,
    pub(crate) secret: &'a Secret,
}

impl WechatClient {
    /// Exchanges the code of the OAuth redirect for the buyer's openid.
    pub(crate) async fn openid_of_code(
        &self,
        application: Application<'_>,
        code: &str,
    ) -> Result<OpenId, NoOpenId> {
        self.ask_for_openid("/sns/oauth2/access_token", "code", application, code)
            .await
    }

    /// Exchanges the code of a mini-program's `wx.login` for the buyer's openid. The session key in
    /// the answer is dropped: no data of a mini-program is decrypted here.
    pub(crate) async fn openid_of_login(
        &self,
        application: Application<'_>,
        code: &str,
    ) -> Result<OpenId, NoOpenId> {
        self.ask_for_openid("/sns/jscode2session", "js_code", application, code)
            .await
    }

    async fn ask_for_openid(
        &self,
        path: &str,
        code_name: &str,
        application: Application<'_>,
        code: &str,
    ) -> Result<OpenId, NoOpenId> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("appid", application.appid)
            .append_pair("secret", application.secret.reveal())
            .append_pair(code_name, code)
            .append_pair("grant_type", "authorization_code")
            .finish();
        let address = format!("{}{path}?{query}", self.gateway.sns_origin);
        let request = http::Request::get(address)
            .header(http::header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(CallError::Request)?;
        let reply = self.call_accounts(request).await?;
        let answer: OpenIdAnswer = read_json(reply.body()).map_err(NoOpenId::Malformed)?.value;
        match (answer.openid, answer.errcode) {
            (Some(openid), None | Some(0)) => {
                OpenId::parse(openid).map_err(|_| NoOpenId::NoSuchOpenId)
            }
            (_, Some(errcode)) => Err(NoOpenId::Refused(errcode)),
            (None, None) => Err(NoOpenId::Empty),
        }
    }
}

/// The used fields of both answers.
#[derive(Deserialize)]
struct OpenIdAnswer {
    openid: Option<String>,
    errcode: Option<i64>,
}
