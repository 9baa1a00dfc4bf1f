//! The page's options, parsed once: a value of [`WidgetOptions`] is valid by construction.

use checkout::{ReturnUrl, SuccessUrl};
use js_sys::Function;
use merchant_api::Product;
use wasm_bindgen::{JsCast, JsValue};

use crate::locale::{Locale, Messages};
use crate::object::{field, text};
use crate::transport::Transport;

/// The options of one element.
#[derive(Clone, Debug)]
pub struct WidgetOptions {
    token: String,
    merchant_api: String,
    /// The product that the page requires.
    pub product: Option<Product>,
    /// Open WeChat's cashier without a click. Ignored for H5, and ignored after a return.
    pub auto_start: bool,
    /// Where the buyer goes after a payment.
    pub(crate) success_url: Option<SuccessUrl>,
    /// The address to which the buyer returns; the page's own address when absent.
    pub(crate) return_url: Option<ReturnUrl>,
    /// The widget's look and language.
    pub appearance: Appearance,
    /// A backend of the page's own.
    pub transport: Option<Transport>,
    /// Called in place of `fetch`: a function of the element. It calls a JavaScript `transport` if
    /// there is one, and remembers the last request for the console.
    pub(crate) fetch: Option<Function>,
}

/// The widget's look and language. Both may change while a payment is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// The language of the buyer's sentences; the page's language when absent. The element leaves it
    /// out, and has the sentences of another language than Chinese in `messages`.
    pub locale: Option<Locale>,
    /// The page's own sentences.
    pub messages: Messages,
    /// Light or dark.
    pub theme: Theme,
    /// Where the buyer finds help; shown if a payment does not continue.
    pub(crate) support_url: Option<String>,
    /// The hosted page, for a merchant API that cannot be reached from this page.
    pub(crate) checkout_url: Option<String>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Follows the buyer's system.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The value of the `data-theme` attribute.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What is wrong with an option. The names are those of the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// `token` is missing or invalid: nothing can be paid.
    Token,
    /// `merchant-api` is neither an http(s) address nor a path: no backend can be called.
    MerchantApi,
    /// `scene` is neither `auto` nor a product.
    Scene,
    /// `auto-start` is neither true nor false.
    AutoStart,
    /// `success-url` is neither an https address nor an http address of the buyer's own machine.
    SuccessUrl,
    /// `return-url` is no http(s) address.
    ReturnUrl,
    /// `support-url` is not an address of http(s), mailto or tel.
    SupportUrl,
    /// `checkout-url` is not an http(s) address.
    CheckoutUrl,
}

impl OptionError {
    /// The code in the `problem` event.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token => "TOKEN_INVALID",
            Self::MerchantApi => "MERCHANT_API_INVALID",
            Self::Scene => "SCENE_INVALID",
            Self::AutoStart => "AUTO_START_INVALID",
            Self::SuccessUrl => "SUCCESS_URL_INVALID",
            Self::ReturnUrl => "RETURN_URL_INVALID",
            Self::SupportUrl => "SUPPORT_URL_INVALID",
            Self::CheckoutUrl => "CHECKOUT_URL_INVALID",
        }
    }
}

impl WidgetOptions {
    /// Options with the two values that every element needs. With a [`Transport`], the merchant API
    /// is not called and its address may be empty; the token still identifies the order.
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
        let is_path = merchant_api.is_empty()
            || (merchant_api.starts_with('/') && !merchant_api.starts_with("//"));
        if !(is_path || is_address(merchant_api, &WEB_SCHEMES))
            || merchant_api.bytes().any(|byte| b"\\?# ".contains(&byte))
        {
            return Err(OptionError::MerchantApi);
        }
        Ok(Self {
            token: token.to_owned(),
            merchant_api: merchant_api.to_owned(),
            product: None,
            auto_start: false,
            success_url: None,
            return_url: None,
            appearance: Appearance::default(),
            transport: None,
            fetch: None,
        })
    }

    /// Where the buyer goes after a payment: an address that [`SuccessUrl::parse`] accepts.
    pub fn with_success_url(mut self, address: &str) -> Result<Self, OptionError> {
        self.success_url = Some(SuccessUrl::parse(address).ok_or(OptionError::SuccessUrl)?);
        Ok(self)
    }

    /// Where the buyer returns to: an address that [`ReturnUrl::parse`] accepts. The page's own
    /// address when not given.
    pub fn with_return_url(mut self, address: &str) -> Result<Self, OptionError> {
        self.return_url = Some(ReturnUrl::parse(address).ok_or(OptionError::ReturnUrl)?);
        Ok(self)
    }

    /// Reads the object that `element.js` makes of its attributes. A wrong option that is not
    /// needed is left out and reported: a payment is worth more than a link.
    pub(crate) fn from_js(options: &JsValue) -> Result<(Self, Vec<OptionError>), OptionError> {
        let token = text(options, "token").unwrap_or_default();
        let merchant_api = text(options, "merchantApi").ok_or(OptionError::MerchantApi)?;
        let mut read = Self::new(&token, &merchant_api)?;
        let mut wrong = Vec::new();
        if let Some(word) = text(options, "scene").filter(|word| word != "auto") {
            read.product = read_option(Product::from_word(&word), OptionError::Scene, &mut wrong);
        }
        if let Some(address) = text(options, "successUrl") {
            let address = SuccessUrl::parse(&address);
            read.success_url = read_option(address, OptionError::SuccessUrl, &mut wrong);
        }
        if let Some(address) = text(options, "returnUrl") {
            let address = ReturnUrl::parse(&address);
            read.return_url = read_option(address, OptionError::ReturnUrl, &mut wrong);
        }
        let auto_start = field(options, "autoStart");
        read.auto_start = auto_start == true;
        if auto_start.as_bool().is_none() && !auto_start.is_null() && !auto_start.is_undefined() {
            wrong.push(OptionError::AutoStart);
        }
        read.appearance = Appearance::from_js(options, &mut wrong);
        read.fetch = field(options, "fetch").dyn_into().ok();
        Ok((read, wrong))
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

impl Appearance {
    /// Sets the language, in place of the page's language.
    #[must_use]
    pub const fn with_locale(mut self, locale: Locale) -> Self {
        self.locale = Some(locale);
        self
    }

    /// Sets the light or dark theme.
    #[must_use]
    pub const fn with_theme(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// Sets the address of the hosted page, offered if the merchant API cannot be reached from this
    /// page: http(s).
    pub fn with_checkout_url(mut self, address: &str) -> Result<Self, OptionError> {
        if !is_address(address, &WEB_SCHEMES) {
            return Err(OptionError::CheckoutUrl);
        }
        self.checkout_url = Some(address.to_owned());
        Ok(self)
    }

    /// Sets the address where the buyer finds help: http(s), mailto or tel.
    pub fn with_support_url(mut self, address: &str) -> Result<Self, OptionError> {
        if !is_address(address, &SUPPORT_SCHEMES) {
            return Err(OptionError::SupportUrl);
        }
        self.support_url = Some(address.to_owned());
        Ok(self)
    }

    /// Reads the options that may change during a payment. `element.js` has checked the words; the
    /// address is checked here. Never inlined, so that the bundle holds the function once.
    #[inline(never)]
    pub(crate) fn from_js(options: &JsValue, wrong: &mut Vec<OptionError>) -> Self {
        let [messages, words] = ["messages", "words"].map(|source| field(options, source));
        Self {
            // Another language arrives as `words`.
            locale: None,
            messages: Messages::read(|name| text(&messages, name).or_else(|| text(&words, name))),
            theme: match text(options, "theme").as_deref() {
                Some("light") => Theme::Light,
                Some("dark") => Theme::Dark,
                _ => Theme::Auto,
            },
            checkout_url: text(options, "checkoutUrl")
                .filter(|address| is_address(address, &WEB_SCHEMES)),
            support_url: text(options, "supportUrl").and_then(|address| {
                let address = is_address(&address, &SUPPORT_SCHEMES).then_some(address);
                read_option(address, OptionError::SupportUrl, wrong)
            }),
        }
    }
}

/// Returns an option as it was read, and adds an option that could not be read to `wrong`.
fn read_option<T>(read: Option<T>, error: OptionError, wrong: &mut Vec<OptionError>) -> Option<T> {
    if read.is_none() {
        wrong.push(error);
    }
    read
}

/// The allowed beginnings of a merchant API's address.
const WEB_SCHEMES: [&str; 2] = ["https://", "http://"];
/// The allowed beginnings of an address for help.
const SUPPORT_SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];

/// Checks only the beginning, against a list: no disguise of `javascript:` begins like that.
fn is_address(text: &str, schemes: &[&str]) -> bool {
    schemes
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::{Appearance, OptionError, WidgetOptions};

    #[test]
    fn a_wrong_option_is_reported_by_name() {
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

    #[test]
    fn each_address_is_accepted_or_refused_by_its_own_rule() {
        // The address, and whether it is accepted after a payment, for a return, and for help.
        for (address, is_success, is_return, is_help) in [
            ("https://shop.example/thanks", true, true, true),
            ("http://127.0.0.1:8000/thanks", true, true, true),
            ("http://[::1]:8000/thanks", true, true, true),
            ("http://192.168.0.7:8000/thanks", false, true, true),
            ("http://shop.example/thanks", false, true, true),
            ("mailto:help@shop.example", false, false, true),
            ("tel:+864001234567", false, false, true),
            ("javascript:alert(1)", false, false, false),
            ("JavaScript:alert(1)", false, false, false),
            (" https://shop.example", false, false, false),
            ("data:text/html,x", false, false, false),
            ("//evil.example", false, false, false),
            ("https://", false, false, false),
            ("", false, false, false),
        ] {
            let options = WidgetOptions::new("0123456789abcdef", "/v1").unwrap();
            let success = options.clone().with_success_url(address);
            assert_eq!(success.is_ok(), is_success, "success: {address}");
            let returned = options.with_return_url(address);
            assert_eq!(returned.is_ok(), is_return, "return: {address}");
            let support = Appearance::default().with_support_url(address);
            assert_eq!(support.is_ok(), is_help, "help: {address}");
            let checkout = Appearance::default().with_checkout_url(address);
            assert_eq!(checkout.is_ok(), is_return, "hosted page: {address}");
        }
    }
}
