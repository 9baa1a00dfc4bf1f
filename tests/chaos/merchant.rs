//! The merchants of the chaos run as WeChat knows them: a merchant of its own, a partner (服务商), and a
//! merchant of version 2. Each has a server and a database of its own.

use serde_json::Value;

use crate::plan::Mode;

/// A merchant at WeChat, and the address of its server.
#[derive(Clone, Debug)]
pub(crate) struct Merchant {
    pub(crate) mode: Mode,
    /// The address of its server.
    pub(crate) server: String,
    pub(crate) mchid: String,
    pub(crate) appid: String,
    pub(crate) mini_program_appid: String,
    /// Openids of buyers under `appid`.
    pub(crate) openids: Vec<String>,
    /// The sub-merchant that a partner orders for.
    pub(crate) sub: Option<SubMerchant>,
}

/// A sub-merchant of the partner's.
#[derive(Clone, Debug)]
pub(crate) struct SubMerchant {
    pub(crate) mchid: String,
    pub(crate) appid: String,
    /// Openids of the same buyers under its own application.
    pub(crate) openids: Vec<String>,
}

impl Merchant {
    /// Reads a merchant from the list of WeChat's control interface.
    pub(crate) fn read(mode: Mode, identity: &Value, server: String) -> Self {
        let text = |field: &str| identity[field].as_str().unwrap().to_owned();
        let texts = |field: &str| {
            let texts = identity[field].as_array().unwrap().iter();
            texts.map(|text| text.as_str().unwrap().to_owned())
        };
        Self {
            mode,
            server,
            mchid: text("mchid"),
            appid: text("appid"),
            mini_program_appid: text("mini_program_appid"),
            openids: texts("openids").collect(),
            sub: (mode == Mode::Partner).then(|| SubMerchant {
                mchid: text("sub_mchid"),
                appid: text("sub_appid"),
                openids: texts("sub_openids").collect(),
            }),
        }
    }

    /// Adds `mchid`, and `sub_mchid` if there is one: the control interface names an order or a
    /// refund of the merchant by these fields.
    pub(crate) fn names(&self, mut fields: Value) -> Value {
        fields["mchid"] = self.mchid.as_str().into();
        if let Some(sub) = &self.sub {
            fields["sub_mchid"] = sub.mchid.as_str().into();
        }
        fields
    }
}
