//! Products, and the fields that each needs. Code pay is not among them: its answer is a payment
//! and not a link, see [`crate::CodePayOrder`].

use std::net::IpAddr;

use payment_values::OpenId;
use serde_json::{Map, Value};

/// A product; each has its own route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// In WeChat's own browser.
    Jsapi,
    /// From a phone's other browsers.
    H5,
    /// By scanning a code.
    Native,
    /// From a native app, which calls WeChat through its SDK.
    App,
}

impl Product {
    /// The last part of the path that its orders are posted to. Mini-programs have no route of
    /// their own: they order by jsapi, with the mini-program's appid.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Jsapi => "jsapi",
            Self::H5 => "h5",
            Self::Native => "native",
            Self::App => "app",
        }
    }
}

/// A product with the fields that only it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductFields {
    /// In WeChat's own browser, or in a mini-program: the buyer must be known.
    Jsapi {
        /// The buyer under the ordering appid; for a mini-program this is its own appid.
        openid: OpenId,
    },
    /// From a phone's other browsers: WeChat compares the address with the payer's.
    H5 {
        /// The buyer's address as the merchant's server saw it.
        payer_client_ip: IpAddr,
        /// The kind of page.
        h5_type: H5Type,
    },
    /// By scanning a code.
    Native,
    /// From a native app.
    App,
}

impl ProductFields {
    /// The product alone.
    pub fn product(&self) -> Product {
        match self {
            Self::Jsapi { .. } => Product::Jsapi,
            Self::H5 { .. } => Product::H5,
            Self::Native => Product::Native,
            Self::App => Product::App,
        }
    }

    /// The place of payment with the fields that H5 needs.
    pub(crate) fn scene_info(
        &self,
        given: Option<&Map<String, Value>>,
    ) -> Option<Map<String, Value>> {
        let mut scene = given.cloned();
        if let Self::H5 {
            payer_client_ip,
            h5_type,
        } = self
        {
            let scene = scene.get_or_insert_default();
            scene.insert("payer_client_ip".into(), payer_client_ip.to_string().into());
            let h5_info = scene
                .entry("h5_info")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(h5_info) = h5_info.as_object_mut() {
                h5_info.insert("type".into(), h5_type.as_str().into());
            }
        }
        scene
    }
}

/// `scene_info.h5_info.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum H5Type {
    /// A web page.
    Wap,
    /// In an app on iOS.
    Ios,
    /// In an app on Android.
    Android,
}

impl H5Type {
    /// WeChat's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wap => "Wap",
            Self::Ios => "iOS",
            Self::Android => "Android",
        }
    }
}
