//! The two versions of WeChat Pay's API. Which one makes a call is configured, and then remembered
//! with what the call made.

use wechat_pay::v2::SignType;

/// The version of WeChat Pay's API that makes an order or a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Version 3: JSON, signed with the merchant's private key.
    V3,
    /// Version 2: XML, signed with the APIv2 key. WeChat notifies in the same kind of signature,
    /// and the cashier's parameters must have it too, so an order keeps its kind.
    V2(SignType),
}

impl Api {
    /// All of them.
    const ALL: [Self; 3] = [
        Self::V3,
        Self::V2(SignType::Md5),
        Self::V2(SignType::HmacSha256),
    ];

    /// The word in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V3 => "v3",
            Self::V2(SignType::Md5) => "v2-md5",
            Self::V2(SignType::HmacSha256) => "v2-hmac-sha256",
        }
    }

    /// The version with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.as_str() == word)
    }
}

impl std::fmt::Display for Api {
    /// For people: with the kind of signature as WeChat writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::V3 => f.write_str("v3"),
            Self::V2(kind) => write!(f, "v2 ({kind})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_read_from_its_word() {
        for api in Api::ALL {
            assert_eq!(Api::from_word(api.as_str()), Some(api));
        }
        assert_eq!(Api::from_word("v2"), None);
    }
}
