//! What can go wrong, as reported to the page and the buyer: a stable code, who has to act, and
//! whether a retry helps. The texts for people are in the widget (`src/locale`).

use merchant_api::{ApiError, ErrorCode, Malformed};

/// Who can fix a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The buyer: try again, or use another method.
    Buyer,
    /// The merchant's engineer: a setting or the backend is wrong.
    Merchant,
    /// The network between the buyer and the merchant.
    Network,
    /// WeChat itself.
    WeChat,
    /// The maintainers of the software: a bug in the backend or in the element.
    Internal,
}

impl Actor {
    /// The value in the `problem` event.
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

/// The cause of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The backend refused with a code of the contract.
    Refused(ErrorCode),
    /// The backend refused with a code or a body that the contract does not have.
    RefusedUnknown,
    /// The backend could not be reached.
    Unreachable,
    /// The answer breaks the contract; the problem's `field` says where.
    AnswerMalformed,
    /// The answer holds an action that does not belong to the product.
    ActionUnexpected,
    /// `code_url` does not start with `weixin://`.
    CodeUrlRefused,
    /// `h5_url` does not lead to WeChat.
    H5UrlRefused,
    /// `authorize_url` does not lead to WeChat.
    AuthorizeUrlRefused,
    /// `success_url` is not an address that the page may follow.
    SuccessUrlRefused,
    /// WeChat's bridge did not appear in time.
    BridgeMissing,
    /// `mini_program_path` does not start with `/`.
    MiniProgramPathRefused,
    /// The mini-program's page could not be opened from here.
    MiniProgramUnreachable,
    /// The cashier failed, and WeChat does not report the cause.
    CashierFailed,
    /// The page may not call the cashier: its directory, domain or appid is not registered.
    CashierDenied,
    /// The same on iOS. There WeChat checks the address on which the buyer *landed*, and not the
    /// address to which a single-page application has moved since (field report:
    /// <https://kane.mx/posts/2016/single-page-app-meets-weixin-pay/>).
    LandingUrlDenied,
    /// WeChat refuses `paySign`.
    SignatureRefused,
    /// WeChat does not accept the `prepay_id`: it is too old, belongs to another appid, or
    /// `package` lacks its prefix. A new attempt has a new `prepay_id`.
    PrepayIdRefused,
    /// One of the six parameters is missing, or is not a string.
    CashierParameterMissing,
    /// This client has no cashier.
    CashierUnsupported,
    /// The page requires a product that nobody can pay here.
    SceneImpossible,
}

impl ProblemCode {
    /// The value in the `problem` event.
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
            Self::SceneImpossible => "SCENE_IMPOSSIBLE",
        }
    }

    /// Who can fix the problem.
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
            Self::Refused(ErrorCode::DatabaseUnavailable | ErrorCode::Internal) => Actor::Internal,
            _ => Actor::Merchant,
        }
    }

    /// Whether the page may not call the cashier.
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

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The cause.
    pub code: ProblemCode,
    /// Who can fix it.
    pub actor: Actor,
    /// Whether the buyer may be offered another try.
    pub is_recoverable: bool,
    /// The field of the contract or of the form that caused it.
    pub field: Option<String>,
    /// The other side's original text: for the merchant's log, never for the buyer.
    pub raw: Option<String>,
}

impl Problem {
    /// A problem without more detail than its code.
    pub const fn new(code: ProblemCode) -> Self {
        Self {
            code,
            actor: code.actor(),
            is_recoverable: code.is_recoverable(),
            field: None,
            raw: None,
        }
    }

    /// The same problem, with the other side's original text.
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
            // The backend's own statement about its refusal counts more than the code's default.
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
