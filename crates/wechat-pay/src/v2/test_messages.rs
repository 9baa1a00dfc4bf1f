//! Keys and signed messages for the tests of version 2.

use bytes::Bytes;

use super::fields::Fields;
use super::key::ApiV2Key;
use super::signature::{SignType, sign};
use crate::orders::account::{Account, Orderer};
use crate::signing::stamp::Stamp;

pub(super) fn key() -> ApiV2Key {
    ApiV2Key::parse("192006250b4c09247ec02edce69f6a2d").unwrap()
}

pub(super) fn other_key() -> ApiV2Key {
    ApiV2Key::parse("0123456789abcdef0123456789abcdef").unwrap()
}

pub(super) fn stamp() -> Stamp {
    Stamp::with_nonce(1_414_561_699, "5K8264ILTKCH16CQ2502SI8ZNMTM67VS").unwrap()
}

pub(super) fn merchant() -> Orderer {
    Orderer::merchant("wx2421b1c4370ec43b", "10000100")
}

pub(super) fn provider() -> Orderer {
    Orderer {
        account: Account::new("10000100", Some("124")),
        appid: "wx2421b1c4370ec43b".into(),
        sub_appid: Some("wxsub".into()),
    }
}

/// A message with these fields and a valid signature.
pub(super) fn signed(fields: &[(&str, &str)], kind: SignType) -> Bytes {
    let mut all: Fields = fields.iter().copied().collect();
    let signature = sign(all.iter(), &key(), kind);
    all.set("sign", signature);
    all.to_xml()
}
