//! The decisions: what an environment needs, whatever the merchant has.

/// What an environment needs. The values are those of the `scene` column in `tests/ua-corpus.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// A page inside WeChat: call the cashier.
    Jsapi,
    /// WeCom: try the cashier, with a QR code beside it.
    JsapiGuarded,
    /// A mini-program's web-view: only the mini-program's own page can pay.
    MiniProgram,
    /// A phone's browser: navigate to `h5_url`.
    H5,
    /// Another app's web-view: try `h5_url`, with "open in the browser" beside it.
    H5Guarded,
    /// A tablet: offer H5 and a QR code.
    H5OrNative,
    /// A desktop: show the QR code.
    Native,
    /// A WeChat version without payments: ask the buyer to upgrade.
    Upgrade,
    /// A bot: start nothing.
    None,
}

impl Decision {
    /// The value in the corpus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "jsapi",
            Self::JsapiGuarded => "jsapi_guarded",
            Self::MiniProgram => "miniprogram",
            Self::H5 => "h5",
            Self::H5Guarded => "h5_guarded",
            Self::H5OrNative => "h5_or_native",
            Self::Native => "native",
            Self::Upgrade => "upgrade",
            Self::None => "none",
        }
    }

    /// Whether the first method may fail, so that the second is offered beside it.
    pub(super) const fn is_uncertain(self) -> bool {
        matches!(
            self,
            Self::JsapiGuarded | Self::H5Guarded | Self::H5OrNative | Self::MiniProgram
        )
    }

    /// The decision for a framed page: the bridge belongs to the top window, and `h5_url` must
    /// navigate the whole page, which a frame may be forbidden to do. So both are tried with the
    /// other method beside them.
    pub(super) const fn in_frame(self, is_framed: bool) -> Self {
        match self {
            Self::Jsapi if is_framed => Self::JsapiGuarded,
            Self::H5 if is_framed => Self::H5Guarded,
            decision => decision,
        }
    }
}
