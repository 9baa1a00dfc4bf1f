//! What a backend answers about a checkout: one flat object (contract, `CheckoutAnswer`).
//!
//! [`CheckoutAnswer::read`] reads the object field by field through [`Fields`]; the code that
//! writes it is derived, behind the `serde` feature. This module judges no URL and no state: the
//! machine does that.

use crate::fields::{Fields, Malformed, Reader};

/// The state of an order. Only the backend changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OrderState {
    /// It can still be paid. A state of a later contract counts as open, because an element that
    /// does not know a state must not show a buyer that the order ended.
    #[default]
    Open,
    /// It is paid. After a refund, in part or whole, it stays paid.
    Paid,
    /// WeChat or the merchant closed it. Only a payment that is already under way can still follow.
    Closed,
}

/// A way of paying that WeChat Pay sells, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Product {
    /// A page inside WeChat calls the cashier (`getBrandWCPayRequest`).
    Jsapi,
    /// A phone's browser goes to WeChat's middle page (`h5_url`).
    H5,
    /// A QR code that WeChat scans (`code_url`).
    Native,
    /// A mini-program page calls `wx.requestPayment`.
    MiniProgram,
}

impl Product {
    /// Every product, in the order in which the contract lists them.
    pub const ALL: [Self; 4] = [Self::Jsapi, Self::H5, Self::Native, Self::MiniProgram];

    /// The product's name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "jsapi",
            Self::H5 => "h5",
            Self::Native => "native",
            Self::MiniProgram => "mini_program",
        }
    }

    /// The product with this name; `None` for a name that this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|product| product.as_str() == word)
    }
}

/// The six strings that WeChat's cashier requires, in WeChat's own spelling and order. All are
/// strings: a number in `timeStamp` works on Android and fails on iOS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PayParameters {
    /// `appId`: the appid of the payer's openid.
    pub app_id: String,
    /// `timeStamp`: seconds since 1970, as a string.
    pub time_stamp: String,
    /// `nonceStr`: random, at most 32 characters.
    pub nonce_str: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: `RSA` under APIv3.
    pub sign_type: String,
    /// `paySign`: base64 of the merchant's signature.
    pub pay_sign: String,
}

/// What the page does next for the current attempt: exactly one action, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Action {
    /// Show this as a QR code. The only action that a GET repeats.
    CodeUrl(String),
    /// Navigate the whole page to this address, after the buyer's gesture.
    H5Url(String),
    /// Call the cashier of the WeChat client that shows this page.
    Jsapi(PayParameters),
    /// Open this page of the mini-program that shows this web-view.
    MiniProgramPath(String),
    /// Call `wx.requestPayment` (only a mini-program's own page gets this).
    MiniProgram(PayParameters),
    /// The payer is not known yet: navigate here once, and return with a `payer` handle.
    AuthorizeUrl(String),
}

/// The attempt that the answer describes; number 0 (no attempt yet) is `None` in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentAttempt {
    /// Grows by one with each attempt of the order.
    pub number: u64,
    /// The product of the attempt; `None` for a product that no page can start: a till's, an app's,
    /// or a product of a later contract. Written as `other`.
    pub product: Option<Product>,
    /// The attempt's number at WeChat.
    pub out_trade_no: Option<String>,
    /// How long its link can still be used, in milliseconds at the time of the answer.
    pub remaining_ms: Option<u64>,
}

/// The backend's answer about a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckoutAnswer {
    /// The order's state.
    pub state: OrderState,
    /// Grows with every change; an answer with a lower one is stale. Backends may leave it out.
    pub version: Option<u64>,
    /// The merchant's own order number.
    pub order_no: String,
    /// What is bought, in the merchant's words.
    pub description: Option<String>,
    /// Who is paid, as the buyer knows the shop: text, never markup.
    pub payee: Option<String>,
    /// The price, in fen.
    pub total_fen: u64,
    /// ISO 4217; absent means CNY.
    pub currency: Option<String>,
    /// What the payer paid after WeChat's coupons, in fen.
    pub payer_total_fen: Option<u64>,
    /// When the order was paid, RFC 3339, for display only.
    pub success_time: Option<String>,
    /// The amount refunded so far, in fen.
    pub refunded_fen: Option<u64>,
    /// How long the order stays open, in milliseconds. It is a duration, because the browser's
    /// clock is never trusted.
    pub remaining_ms: Option<u64>,
    /// How long ago WeChat was last queried, in milliseconds.
    pub checked_ms_ago: Option<u64>,
    /// When to poll again at the earliest, in milliseconds.
    pub poll_after_ms: Option<u64>,
    /// The products that this merchant offers; if absent, the element may try what the scene needs.
    pub products: Option<Vec<Product>>,
    /// `false` if the gateway is a simulator: the pages then show TEST.
    pub live: bool,
    /// The current attempt, if there is one.
    pub attempt: Option<CurrentAttempt>,
    /// The next action of the page.
    pub action: Option<Action>,
    /// The address to which the merchant sends the buyer after a payment.
    pub success_url: Option<String>,
}

impl CheckoutAnswer {
    /// Reads an answer. Unknown fields are ignored; `state`, `order_no`, `total_fen` and `attempt` are
    /// required.
    pub fn read<F: Fields>(fields: &F) -> Result<Self, Malformed> {
        let mut read = Reader::of(fields);
        let answer = Self {
            state: OrderState::from_word(&read.required_text("state")),
            version: read.unsigned("version"),
            order_no: read.required_text("order_no"),
            description: read.text("description"),
            payee: read.text("payee"),
            total_fen: read.required_unsigned("total_fen"),
            currency: read.text("currency"),
            payer_total_fen: read.unsigned("payer_total_fen"),
            success_time: read.text("success_time"),
            refunded_fen: read.unsigned("refunded_fen"),
            remaining_ms: read.unsigned("remaining_ms"),
            checked_ms_ago: read.unsigned("checked_ms_ago"),
            poll_after_ms: read.unsigned("poll_after_ms"),
            products: read_products(&mut read),
            live: read.flag("live").unwrap_or(true),
            attempt: read_attempt(&mut read),
            action: read_action(&mut read),
            success_url: read.url("success_url"),
        };
        read.finish(answer)
    }
}

impl OrderState {
    fn from_word(word: &str) -> Self {
        match word {
            "paid" => Self::Paid,
            "closed" => Self::Closed,
            _ => Self::Open,
        }
    }
}

fn read_products<F: Fields>(read: &mut Reader<'_, F>) -> Option<Vec<Product>> {
    let mut products = Vec::new();
    for word in read.texts("products")? {
        products.extend(Product::from_word(&word));
    }
    Some(products)
}

fn read_attempt<F: Fields>(read: &mut Reader<'_, F>) -> Option<CurrentAttempt> {
    let number = read.required_unsigned("attempt");
    (number > 0).then(|| CurrentAttempt {
        number,
        product: Product::from_word(&read.required_text("product")),
        out_trade_no: read.text("out_trade_no"),
        remaining_ms: read.unsigned("attempt_remaining_ms"),
    })
}

fn read_action<F: Fields>(read: &mut Reader<'_, F>) -> Option<Action> {
    let mut found = Vec::new();
    found.extend(read.url("code_url").map(Action::CodeUrl));
    found.extend(read.url("h5_url").map(Action::H5Url));
    let jsapi = read.object("jsapi", read_pay_parameters);
    found.extend(jsapi.map(Action::Jsapi));
    let path = read.url("mini_program_path");
    found.extend(path.map(Action::MiniProgramPath));
    let mini_program = read.object("mini_program", read_pay_parameters);
    found.extend(mini_program.map(Action::MiniProgram));
    found.extend(read.url("authorize_url").map(Action::AuthorizeUrl));
    if found.len() > 1 {
        read.fault(Malformed::not("action", "must be one and no more"));
    }
    found.pop()
}

fn read_pay_parameters<F: Fields>(fields: &F) -> Result<PayParameters, Malformed> {
    let mut read = Reader::of(fields);
    let parameters = PayParameters {
        app_id: read.required_text("appId"),
        time_stamp: read.required_text("timeStamp"),
        nonce_str: read.required_text("nonceStr"),
        package: read.required_text("package"),
        sign_type: read.required_text("signType"),
        pay_sign: read.required_text("paySign"),
    };
    read.finish(parameters)
}

#[cfg(feature = "serde")]
mod wire {
    //! Writing an answer: the only place where the grouped type becomes the flat object.

    use serde::{Serialize, Serializer};

    use super::{Action, CheckoutAnswer, OrderState, Product};

    /// The flat object. Its field order is the contract's, so that goldens read like it.
    #[derive(Serialize)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    #[cfg_attr(feature = "openapi", schema(as = CheckoutAnswer))]
    pub(crate) struct CheckoutAnswerObject<'a> {
        state: OrderState,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        order_no: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        /// Who is paid, as the buyer knows the shop: text, never markup.
        #[serde(skip_serializing_if = "Option::is_none")]
        payee: Option<&'a str>,
        /// In fen.
        total_fen: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        payer_total_fen: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        success_time: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        refunded_fen: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        remaining_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        checked_ms_ago: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        poll_after_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        products: Option<&'a [Product]>,
        live: bool,
        /// 0: no attempt yet.
        attempt: u64,
        /// jsapi, h5, native, mini_program; `other` for a product that no page can start.
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        out_trade_no: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt_remaining_ms: Option<u64>,
        #[serde(flatten)]
        #[cfg_attr(feature = "openapi", schema(inline, value_type = ActionObject))]
        action: Option<&'a Action>,
        #[serde(skip_serializing_if = "Option::is_none")]
        success_url: Option<&'a str>,
    }

    /// The action as the flat object shows it: one of these fields, or none. A `oneOf` of the
    /// variants would say that an answer without an action is none.
    #[cfg(feature = "openapi")]
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "a schema, and never a value")]
    struct ActionObject {
        /// Show this as a QR code. The only action that a GET repeats.
        code_url: Option<String>,
        /// Navigate the whole page here, after the buyer's gesture.
        h5_url: Option<String>,
        /// Call the cashier of the WeChat client that shows this page.
        jsapi: Option<super::PayParameters>,
        /// Open this page of the mini-program that shows this web-view.
        mini_program_path: Option<String>,
        /// Call `wx.requestPayment` (only a mini-program's own page gets this).
        mini_program: Option<super::PayParameters>,
        /// The payer is not known yet: navigate here once, and return with a `payer` handle.
        authorize_url: Option<String>,
    }

    impl<'a> From<&'a CheckoutAnswer> for CheckoutAnswerObject<'a> {
        fn from(answer: &'a CheckoutAnswer) -> Self {
            let attempt = answer.attempt.as_ref();
            Self {
                state: answer.state,
                version: answer.version,
                order_no: &answer.order_no,
                description: answer.description.as_deref(),
                payee: answer.payee.as_deref(),
                total_fen: answer.total_fen,
                currency: answer.currency.as_deref(),
                payer_total_fen: answer.payer_total_fen,
                success_time: answer.success_time.as_deref(),
                refunded_fen: answer.refunded_fen,
                remaining_ms: answer.remaining_ms,
                checked_ms_ago: answer.checked_ms_ago,
                poll_after_ms: answer.poll_after_ms,
                products: answer.products.as_deref(),
                live: answer.live,
                attempt: attempt.map_or(0, |attempt| attempt.number),
                product: attempt.map(|attempt| attempt.product.map_or("other", Product::as_str)),
                out_trade_no: attempt.and_then(|attempt| attempt.out_trade_no.as_deref()),
                attempt_remaining_ms: attempt.and_then(|attempt| attempt.remaining_ms),
                action: answer.action.as_ref(),
                success_url: answer.success_url.as_deref(),
            }
        }
    }

    impl Serialize for CheckoutAnswer {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            CheckoutAnswerObject::from(self).serialize(serializer)
        }
    }
}

#[cfg(feature = "openapi")]
pub(crate) use wire::CheckoutAnswerObject;
