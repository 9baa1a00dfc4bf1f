//! The keys that sign and verify at the moment: the merchant's and WeChat's. No key itself is
//! shown.

use jiff::Timestamp;

use super::{RefreshError, WechatClient};
use crate::config::Config;
use crate::surroundings::Surroundings;

/// One key or certificate in use, the merchant's or WeChat's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Whose and what: `merchant certificate`, `WeChat certificate`, `WeChat public key`.
    pub kind: &'static str,
    /// The serial, or the id of a public key.
    pub serial: String,
    /// When it expires, in RFC 3339; `None` if it does not expire, or if the time is not known.
    pub expires_at: Option<String>,
}

/// The merchant's certificates and WeChat's keys in the configuration. With `ask`, WeChat's
/// certificates are downloaded first.
pub async fn known_keys(
    config: &Config,
    surroundings: &Surroundings,
    ask: bool,
) -> Result<Vec<KnownKey>, RefreshError> {
    let time = |at_s: i64| Timestamp::from_second(at_s).ok().map(|at| at.to_string());
    let ours = config.merchant.certificates().map(|certificate| KnownKey {
        kind: "merchant certificate",
        serial: certificate.key.serial_no().to_owned(),
        expires_at: certificate
            .facts
            .as_ref()
            .and_then(|facts| time(facts.not_after_s)),
    });
    let wechat = WechatClient::new(config, surroundings);
    if ask {
        wechat.refresh_trust().await?;
    }
    let trusted = wechat.trust.keys();
    let theirs = trusted.serials().map(|serial| {
        let expires_s = trusted.expires_s(serial);
        KnownKey {
            kind: match expires_s {
                Some(_) => "WeChat certificate",
                None => "WeChat public key",
            },
            serial: serial.to_owned(),
            expires_at: expires_s.and_then(time),
        }
    });
    Ok(ours.chain(theirs).collect())
}
