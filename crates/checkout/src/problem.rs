//! What can go wrong, as the page and the buyer are told: a stable code, who has to act, and
//! whether trying again helps. Words for people are the widget's (`src/locale`).

use merchant_api::{ApiError, ErrorCode, Malformed};

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The buyer: try again, use another way.
    Buyer,
    /// The merchant's engineer: a setting or the backend is wrong.
    Merchant,
    /// The network between the buyer and the merchant.
    Network,
    /// WeChat.
    WeChat,
    /// Whoever maintains the software: a fault of the backend's or of ours.
    Internal,
}

impl Actor {
    /// The word in the `problem` event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Merchant => "merchant",
            Self::Network => "network",
            Self::WeChat => "wechat",
            Self::Internal => "internal",
        }
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The backend said so, in the contract's words.
    Refused(ErrorCode),
    /// The backend refused with a word or a body that the contract does not have.
    RefusedUnknown,
    /// The backend could not be reached.
    Unreachable,
    /// The answer breaks the contract; the problem's field says where.
    AnswerMalformed,
    /// The answer holds an action that the product does not have.
    ActionUnexpected,
    /// `code_url` is not `weixin://`.
    CodeUrlRefused,
    /// `h5_url` does not lead to WeChat.
    H5UrlRefused,
    /// `authorize_url` does not lead to WeChat.
    AuthorizeUrlRefused,
    /// `success_url` is not an address that may be followed.
    SuccessUrlRefused,
    /// WeChat's bridge did not come in time.
    BridgeMissing,
    /// `mini_program_path` does not begin with `/`.
    MiniProgramPathRefused,
    /// The mini-program's page could not be opened from here.
    MiniProgramUnreachable,
    /// The cashier failed, and WeChat does not say why.
    CashierFailed,
    /// The page may not call the cashier: directory, domain or appid are not registered.
    CashierDenied,
    /// The same on iOS, where WeChat looks at the address on which the buyer *landed* and not at
    /// the one that a single-page application has moved to since (client-realities §2.5).
    LandingUrlDenied,
    /// WeChat does not accept `paySign`.
    SignatureRefused,
    /// WeChat does not know the `prepay_id`: it is too old, of another appid, or `package` lacks
    /// its prefix. A new attempt has a new one.
    PrepayIdRefused,
    /// WeChat misses one of the six parameters, or one is no text.
    CashierParameterMissing,
    /// This client has no cashier.
    CashierUnsupported,
}

impl ProblemCode {
    /// The word in the `problem` event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused(code) => code.as_str(),
            Self::RefusedUnknown => "REFUSED",
            Self::Unreachable => "UNREACHABLE",
            Self::AnswerMalformed => "ANSWER_MALFORMED",
            Self::ActionUnexpected => "ACTION_UNEXPECTED",
            Self::CodeUrlRefused => "CODE_URL_REFUSED",
            Self::H5UrlRefused => "H5_URL_REFUSED",
            Self::AuthorizeUrlRefused => "AUTHORIZE_URL_REFUSED",
            Self::SuccessUrlRefused => "SUCCESS_URL_REFUSED",
            Self::BridgeMissing => "BRIDGE_MISSING",
            Self::MiniProgramPathRefused => "MINI_PROGRAM_PATH_REFUSED",
            Self::MiniProgramUnreachable => "MINI_PROGRAM_UNREACHABLE",
            Self::CashierFailed => "CASHIER_FAILED",
            Self::CashierDenied => "CASHIER_DENIED",
            Self::LandingUrlDenied => "LANDING_URL_DENIED",
            Self::SignatureRefused => "SIGNATURE_REFUSED",
            Self::PrepayIdRefused => "PREPAY_ID_REFUSED",
            Self::CashierParameterMissing => "CASHIER_PARAMETER_MISSING",
            Self::CashierUnsupported => "CASHIER_UNSUPPORTED",
        }
    }

    /// Who can do something about it.
    pub const fn actor(self) -> Actor {
        match self {
            Self::Unreachable => Actor::Network,
            Self::Refused(ErrorCode::WechatUnavailable | ErrorCode::AttemptInDoubt)
            | Self::BridgeMissing
            | Self::CashierFailed => Actor::WeChat,
            Self::Refused(
                ErrorCode::CheckoutExpired | ErrorCode::PayerInvalid | ErrorCode::RateLimited,
            )
            | Self::CashierUnsupported => Actor::Buyer,
            Self::Refused(ErrorCode::Internal) => Actor::Internal,
            _ => Actor::Merchant,
        }
    }

    /// The page may not call the cashier.
    pub(crate) const fn is_denied(self) -> bool {
        matches!(self, Self::CashierDenied | Self::LandingUrlDenied)
    }

    /// Whether the buyer may be offered another try.
    pub const fn is_recoverable(self) -> bool {
        match self {
            Self::Refused(code) => code.is_retryable() || matches!(code, ErrorCode::PayerInvalid),
            Self::Unreachable
            | Self::BridgeMissing
            | Self::CashierFailed
            | Self::CashierDenied
            | Self::LandingUrlDenied
            | Self::PrepayIdRefused
            | Self::MiniProgramUnreachable
            | Self::RefusedUnknown => true,
            _ => false,
        }
    }
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub code: ProblemCode,
    /// Who can do something about it.
    pub actor: Actor,
    /// Whether the buyer may be offered another try.
    pub is_recoverable: bool,
    /// The field of the contract or of the form that it is about.
    pub field: Option<String>,
    /// The other side's own words: for the merchant's log, never for the buyer.
    pub raw: Option<String>,
}

impl Problem {
    /// A problem that needs no more than its code.
    pub const fn new(code: ProblemCode) -> Self {
        Self {
            code,
            actor: code.actor(),
            is_recoverable: code.is_recoverable(),
            field: None,
            raw: None,
        }
    }

    /// The same, with the other side's words.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Into<String>) -> Self {
        self.raw = Some(raw.into());
        self
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let code = error
            .code
            .map_or(ProblemCode::RefusedUnknown, ProblemCode::Refused);
        Self {
            // What a backend says of its own refusal is worth more than the code's usual verdict.
            is_recoverable: error.retryable || code.is_recoverable() && error.code.is_some(),
            field: error.field,
            raw: error.wechat_code.or(Some(error.message)),
            ..Self::new(code)
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self {
            field: Some(malformed.field.to_owned()),
            raw: Some(malformed.rule.to_owned()),
            ..Self::new(ProblemCode::AnswerMalformed)
        }
    }
}
