//! What the page asks for, parsed once: a value of [`WidgetOptions`] is right by its making.

use crate::locale::Locale;
use js_sys::Reflect;
use merchant_api::Product;
use wasm_bindgen::JsValue;

/// The options of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidgetOptions {
    token: String,
    merchant_api: String,
    /// The product the page insists on.
    pub product: Option<Product>,
    /// The language of what the buyer reads; the page's when absent.
    pub locale: Option<Locale>,
    /// Open WeChat's cashier without a click.
    pub auto_start: bool,
    /// Where the buyer goes after a payment.
    pub success_url: Option<String>,
    /// Where the buyer comes back to; the page's own address when absent.
    pub return_url: Option<String>,
}

/// What is wrong with an option. The names are those of the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// `token` is missing or is no token.
    Token,
    /// `merchant-api` is neither an http(s) address nor a path.
    MerchantApi,
    /// `scene` is neither `auto` nor a product.
    Scene,
}

impl OptionError {
    /// The word in the `problem` event.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token => "TOKEN_INVALID",
            Self::MerchantApi => "MERCHANT_API_INVALID",
            Self::Scene => "SCENE_INVALID",
        }
    }
}

impl WidgetOptions {
    /// Options with the two that every element needs.
    pub fn new(token: &str, merchant_api: &str) -> Result<Self, OptionError> {
        let is_token = (8..=256).contains(&token.len())
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
        if !is_token {
            return Err(OptionError::Token);
        }
        let mut merchant_api = merchant_api;
        while let Some(shorter) = merchant_api.strip_suffix('/') {
            merchant_api = shorter;
        }
        let is_address = ["https://", "http://"].iter().any(|scheme| {
            merchant_api
                .strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty())
        });
        let is_path = merchant_api.is_empty()
            || (merchant_api.starts_with('/') && !merchant_api.starts_with("//"));
        if !(is_address || is_path) || merchant_api.bytes().any(|byte| b"\\?# ".contains(&byte)) {
            return Err(OptionError::MerchantApi);
        }
        Ok(Self {
            token: token.to_owned(),
            merchant_api: merchant_api.to_owned(),
            product: None,
            locale: None,
            auto_start: false,
            success_url: None,
            return_url: None,
        })
    }

    /// Reads the object that `element.js` makes of its attributes.
    pub(crate) fn from_js(options: &JsValue) -> Result<Self, OptionError> {
        let text = |name: &str| {
            Reflect::get(options, &JsValue::from_str(name))
                .ok()
                .and_then(|value| value.as_string())
        };
        let token = text("token").unwrap_or_default();
        let merchant_api = text("merchantApi").ok_or(OptionError::MerchantApi)?;
        let product = match text("scene").as_deref() {
            None | Some("" | "auto") => None,
            Some(word) => Some(Product::from_word(word).ok_or(OptionError::Scene)?),
        };
        Ok(Self {
            product,
            locale: text("locale").map(|tag| Locale::from_tag(&tag)),
            auto_start: text("autoStart").is_some(),
            success_url: text("successUrl"),
            return_url: text("returnUrl"),
            ..Self::new(&token, &merchant_api)?
        })
    }

    /// The order's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The merchant API's base, without a slash at its end.
    pub fn merchant_api(&self) -> &str {
        &self.merchant_api
    }
}

#[cfg(test)]
mod tests {
    use super::{OptionError, WidgetOptions};

    #[test]
    fn a_wrong_option_is_named() {
        let token = "0123456789abcdef";
        let cases = [
            ("", "/v1", Some(OptionError::Token)),
            ("../../orders", "/v1", Some(OptionError::Token)),
            (token, "javascript:alert(1)", Some(OptionError::MerchantApi)),
            (token, "//evil.example/v1", Some(OptionError::MerchantApi)),
            (token, "https://", Some(OptionError::MerchantApi)),
            (token, "shop.example/v1", Some(OptionError::MerchantApi)),
            (token, "/v1?x=", Some(OptionError::MerchantApi)),
            (token, "/v1/", None),
            (token, "http://127.0.0.1:8080/v1", None),
            (token, "https://pay.shop.example/v1", None),
        ];
        for (token, merchant_api, expected) in cases {
            let found = WidgetOptions::new(token, merchant_api).err();
            assert_eq!(found, expected, "{token} {merchant_api}");
        }
    }
}
