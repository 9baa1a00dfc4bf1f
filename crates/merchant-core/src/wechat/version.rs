//! Which version of the API answers for an order or a refund: the one that made it, for as long as
//! the configuration has its key. Both versions work on the same orders at WeChat, so the other one
//! can query and close what the first one made.

use super::v2::V2;
use super::v3::V3;
use super::{CallError, WechatClient};
use crate::config::Api;

/// The client, speaking one version.
pub(super) enum Version<'a> {
    /// Version 3.
    V3(V3<'a>),
    /// Version 2.
    V2(V2<'a>),
}

impl WechatClient {
    /// Whether the configuration has the key of this version.
    pub(crate) fn has_key_of(&self, api: Api) -> bool {
        match api {
            Api::V3 => self.merchant.api_v3_key.is_some(),
            Api::V2(_) => self.merchant.api_v2_key.is_some(),
        }
    }

    /// The version that made something, or the other one if the first one's key is gone.
    pub(super) fn version(&self, made_by: Api) -> Version<'_> {
        let kind = match made_by {
            Api::V2(kind) => kind,
            Api::V3 if self.has_key_of(Api::V3) => return Version::V3(V3(self)),
            Api::V3 => self.merchant.v2_sign_type,
        };
        match &self.merchant.api_v2_key {
            Some(key) => Version::V2(V2 {
                client: self,
                key,
                kind,
            }),
            None => Version::V3(V3(self)),
        }
    }

    /// The version that a recorded body was made for: no other one can send it.
    pub(super) fn recorded_by(&self, api: Api) -> Result<Version<'_>, CallError> {
        if self.has_key_of(api) {
            Ok(self.version(api))
        } else {
            Err(CallError::NoKey)
        }
    }
}
