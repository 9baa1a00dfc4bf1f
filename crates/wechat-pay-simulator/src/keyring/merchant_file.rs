//! `merchant.json`: everything that an SDK needs to know about a merchant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The contents of `merchant.json`. Files are named relative to the folder that holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantFile {
    /// The simulator's address, in place of `https://api.mch.weixin.qq.com`.
    pub base_url: String,
    /// The merchant number.
    pub mchid: String,
    /// The official account.
    pub appid: String,
    /// The official account's secret, for OAuth.
    pub app_secret: String,
    /// The mini-program.
    pub mini_program_appid: String,
    /// The mini-program's secret.
    pub mini_program_secret: String,
    /// The serial of the merchant's API certificate.
    pub serial_no: String,
    /// The merchant's private key, PKCS#8 PEM.
    pub private_key_file: String,
    /// The merchant's API certificate, PEM.
    pub certificate_file: String,
    /// 32 characters; opens notifications.
    pub api_v3_key: String,
    /// 32 characters; the key of the older XML interface.
    pub api_v2_key: String,
    /// The id of WeChat Pay's public key, `PUB_KEY_ID_…`.
    pub public_key_id: String,
    /// WeChat Pay's public key, PEM.
    pub public_key_file: String,
    /// The serial of WeChat Pay's platform certificate.
    pub platform_serial_no: String,
    /// WeChat Pay's platform certificate, PEM.
    pub platform_certificate_file: String,
}

impl fmt::Debug for MerchantFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantFile")
            .field("base_url", &self.base_url)
            .field("mchid", &self.mchid)
            .field("appid", &self.appid)
            .finish_non_exhaustive()
    }
}
