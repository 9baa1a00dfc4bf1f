//! What a backend answers when it refuses a call: one envelope, stable codes, and whether a retry
//! helps. The message is for people; programs branch on the code.

use crate::fields::{Fields, Malformed, Reader};

macro_rules! error_codes {
    ($(
        $(#[$doc:meta])* $(@[$gate:meta])?
        $name:ident = $word:literal, $status:literal, $retryable:literal;
    )*) => {
        /// The codes of the contract. Each has one HTTP status and one answer to "does it help
        /// to try again".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $(
                $(#[$doc])* $(#[$gate])?
                #[cfg_attr(feature = "openapi", schema(rename = $word))]
                $name,
            )*
        }

        impl ErrorCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(#[$gate])? Self::$name),*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $($(#[$gate])? Self::$name => $word,)* }
            }

            /// The HTTP status of this code.
            pub const fn status(self) -> u16 {
                match self { $($(#[$gate])? Self::$name => $status,)* }
            }

            /// Whether the same call may succeed later, unchanged.
            pub const fn is_retryable(self) -> bool {
                match self { $($(#[$gate])? Self::$name => $retryable,)* }
            }
        }
    };
}

error_codes! {
    /// A field is missing or breaks its rule; `field` names it.
    InvalidRequest = "INVALID_REQUEST", 400, false;
    /// An amount (`total_fen`, `amount_fen`, `min_fen`, `max_fen`) is not a whole number of fen within its
    /// bounds (private side).
    AmountInvalid = "AMOUNT_INVALID", 400, false;
    /// `description` is empty or over 127 bytes (private side).
    DescriptionInvalid = "DESCRIPTION_INVALID", 400, false;
    /// `order_no` is not 6 to 32 of `[0-9a-zA-Z_\-|*]` (private side).
    OrderNoInvalid = "ORDER_NO_INVALID", 400, false;
    /// The API key is missing or wrong (private side).
    Unauthorized = "UNAUTHORIZED", 401, false;
    /// The API key may not do this (private side).
    Forbidden = "FORBIDDEN", 403, false;
    /// The page's origin may not read checkouts, because it is not one of the shop's configured
    /// origins.
    OriginNotAllowed = "ORIGIN_NOT_ALLOWED", 403, false;
    /// No route has this address.
    RouteUnknown = "ROUTE_UNKNOWN", 404, false;
    /// The route does not take this method; `Allow` names those that it takes.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, false;
    /// No checkout has this token.
    CheckoutUnknown = "CHECKOUT_UNKNOWN", 404, false;
    /// No order has this number (private side).
    OrderUnknown = "ORDER_UNKNOWN", 404, false;
    /// No refund has this number (private side).
    RefundUnknown = "REFUND_UNKNOWN", 404, false;
    /// No webhook message has this id (private side).
    WebhookUnknown = "WEBHOOK_UNKNOWN", 404, false;
    /// No mismatch has this number. Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    MismatchUnknown = "MISMATCH_UNKNOWN", 404, false;
    /// No payment link has this id. The codes of links are not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    LinkUnknown = "LINK_UNKNOWN", 404, false;
    /// The merchant disabled the payment link. The link's page answers so (private side).
    @[cfg(feature = "serde")]
    LinkDisabled = "LINK_DISABLED", 410, false;
    /// The time of the payment link is over. The link's page answers so (private side).
    @[cfg(feature = "serde")]
    LinkExpired = "LINK_EXPIRED", 410, false;
    /// The payment link was paid as often as it may be. The link's page answers so (private side).
    @[cfg(feature = "serde")]
    LinkUsedUp = "LINK_USED_UP", 410, false;
    /// Orders that are not paid yet hold all uses that the payment link has left. The link's page answers
    /// so (private side).
    @[cfg(feature = "serde")]
    LinkInUse = "LINK_IN_USE", 409, true;
    /// The link's number is in use with other values (private side).
    @[cfg(feature = "serde")]
    LinkNoUsed = "LINK_NO_USED", 409, false;
    /// No share has this number. Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    ShareUnknown = "SHARE_UNKNOWN", 404, false;
    /// The order has expired; a new attempt cannot be started.
    CheckoutExpired = "CHECKOUT_EXPIRED", 410, false;
    /// Another page or device has taken over. The answer's fields are included.
    AttemptSuperseded = "ATTEMPT_SUPERSEDED", 409, false;
    /// This merchant does not offer that product.
    ProductUnavailable = "PRODUCT_UNAVAILABLE", 409, false;
    /// WeChat gave no openid for this buyer, after one OAuth redirect.
    PayerUnavailable = "PAYER_UNAVAILABLE", 409, false;
    /// The order number is in use with other values (private side).
    OrderNoUsed = "ORDER_NO_USED", 409, false;
    /// The order was paid, so it cannot be closed (private side).
    OrderPaid = "ORDER_PAID", 409, false;
    /// The order is not paid, so nothing can be refunded (private side).
    OrderNotPaid = "ORDER_NOT_PAID", 409, false;
    /// The refund's number is in use with other values (private side).
    RefundNoUsed = "REFUND_NO_USED", 409, false;
    /// The amount is more than what is left of the payment (private side).
    RefundTooMuch = "REFUND_TOO_MUCH", 409, false;
    /// The payment has had as many refunds as WeChat allows (private side).
    RefundTooMany = "REFUND_TOO_MANY", 409, false;
    /// The refund is not abnormal, so it cannot be redirected (private side).
    RefundNotAbnormal = "REFUND_NOT_ABNORMAL", 409, false;
    /// No money of the order is held for sharing: it was made without `settle_info.profit_sharing`, or
    /// the rest is released. Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    OrderNotFrozen = "ORDER_NOT_FROZEN", 409, false;
    /// The number of the share, the release or the return is in use with other values.
    /// Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    ShareNoUsed = "SHARE_NO_USED", 409, false;
    /// The amount is more than what is left to share, or to return.
    /// Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    ShareTooMuch = "SHARE_TOO_MUCH", 409, false;
    /// The payment has had as many shares as WeChat allows.
    /// Not in the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    ShareTooMany = "SHARE_TOO_MANY", 409, false;
    /// The payer handle or code is unknown, used or too old.
    PayerInvalid = "PAYER_INVALID", 422, false;
    /// `return_url` is missing although it is required, or is not on an allowed origin.
    ReturnUrlRefused = "RETURN_URL_REFUSED", 422, false;
    /// The body is larger than the contract allows.
    TooLarge = "TOO_LARGE", 413, false;
    /// Too many calls; `retry_after_ms` says when.
    RateLimited = "RATE_LIMITED", 429, true;
    /// WeChat refused the order; `wechat_code` says why.
    WechatRefused = "WECHAT_REFUSED", 502, false;
    /// WeChat's bill cannot be read, at this try or a later one; `message` names the line. Not in
    /// the widget, to save bytes (private side).
    @[cfg(feature = "serde")]
    BillUnreadable = "BILL_UNREADABLE", 502, false;
    /// Whether the last attempt took effect is not known yet, so no new one is started.
    AttemptInDoubt = "ATTEMPT_IN_DOUBT", 503, true;
    /// Whether WeChat redirected an abnormal refund is not known yet (private side).
    RefundInDoubt = "REFUND_IN_DOUBT", 503, true;
    /// WeChat could not be reached.
    WechatUnavailable = "WECHAT_UNAVAILABLE", 503, true;
    /// The backend's database cannot be used at the moment. The same call may be repeated.
    DatabaseUnavailable = "DATABASE_UNAVAILABLE", 503, true;
    /// An error of the backend.
    Internal = "INTERNAL", 500, true;
}

impl ErrorCode {
    /// The code with this name; `None` for a code of a later contract.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

/// One refused call, as the caller reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code; `None` for a code that this version does not know.
    pub code: Option<ErrorCode>,
    /// The backend's message, for logs and for the merchant; never shown as markup.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// When to try again at the earliest, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The field that broke a rule.
    pub field: Option<String>,
    /// WeChat's own code, if WeChat refused.
    pub wechat_code: Option<String>,
}

impl ApiError {
    /// Reads the envelope `{"error":{…}}`.
    pub fn read<F: Fields>(fields: &F) -> Result<Self, Malformed> {
        let mut read = Reader::of(fields);
        let error = read.object("error", Self::read_inside);
        match error {
            None => read
                .finish(())
                .and(Err(Malformed::not("error", "is missing"))),
            Some(error) => read.finish(error),
        }
    }

    fn read_inside<F: Fields>(fields: &F) -> Result<Self, Malformed> {
        let mut read = Reader::of(fields);
        let code = ErrorCode::from_word(&read.required_text("code"));
        let error = Self {
            code,
            message: read.text("message").unwrap_or_default(),
            retryable: read
                .flag("retryable")
                .unwrap_or_else(|| code.is_some_and(ErrorCode::is_retryable)),
            retry_after_ms: read.unsigned("retry_after_ms"),
            field: read.text("field"),
            wechat_code: read.text("wechat_code"),
        };
        read.finish(error)
    }

    /// A refusal to be written, with the code's own value of `retryable`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            message: message.into(),
            retryable: code.is_retryable(),
            retry_after_ms: None,
            field: None,
            wechat_code: None,
        }
    }

    /// The same refusal with the name of the field that broke the rule.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

#[cfg(feature = "serde")]
pub(crate) mod wire {
    //! Writing the envelope.

    use serde::ser::{Error as _, SerializeStruct};
    use serde::{Serialize, Serializer};

    use super::ApiError;

    impl Serialize for ApiError {
        /// Writes the whole envelope. An error without a code of ours is only ever read, and never
        /// written.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let code = self
                .code
                .ok_or_else(|| S::Error::custom("an error without a code cannot be written"))?;
            let mut envelope = serializer.serialize_struct("ApiError", 1)?;
            envelope.serialize_field(
                "error",
                &ErrorObject {
                    code: code.as_str(),
                    message: &self.message,
                    retryable: self.retryable,
                    retry_after_ms: self.retry_after_ms,
                    field: self.field.as_deref(),
                    wechat_code: self.wechat_code.as_deref(),
                },
            )?;
            envelope.end()
        }
    }

    /// The content of the envelope.
    #[derive(Serialize)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    #[cfg_attr(feature = "openapi", schema(as = Error))]
    pub(crate) struct ErrorObject<'a> {
        #[cfg_attr(feature = "openapi", schema(value_type = super::ErrorCode))]
        code: &'static str,
        message: &'a str,
        retryable: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        wechat_code: Option<&'a str>,
    }

    /// The envelope, for the OpenAPI document. A 409 `ATTEMPT_SUPERSEDED` carries the fields of
    /// the answer beside `error`.
    #[cfg(feature = "openapi")]
    #[derive(Serialize, utoipa::ToSchema)]
    #[schema(as = ErrorEnvelope)]
    pub(crate) struct ErrorEnvelope {
        #[schema(inline)]
        error: ErrorObject<'static>,
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn every_code_is_found_again_by_its_word_and_has_an_error_status() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_word(code.as_str()), Some(*code));
            assert!((400..600).contains(&code.status()), "{}", code.as_str());
        }
        assert_eq!(ErrorCode::from_word("LATER_WORD"), None);
    }
}
