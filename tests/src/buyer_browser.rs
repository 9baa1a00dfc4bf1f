//! The browsers that a buyer may use, as far as a page can see them when no browser runs: the
//! User-Agent of each, and what the element's machine reads from it.

use checkout::{Facts, Injected};

/// The User-Agent of a desktop browser.
pub const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
/// The User-Agent of a phone's own browser.
pub const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36";
const WECHAT: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC Build/UKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F50) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64";
const MINI_PROGRAM: &str = "Mozilla/5.0 (Linux; Android 14; 22041211AC Build/UKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F50) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64 miniProgram/wx71a6af1f91734f18";

/// The browser in which the page is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuyerBrowser {
    /// At a desk: a code is shown for the phone to scan.
    Desktop,
    /// In a phone's own browser: WeChat is reached through its middle page (H5).
    Phone,
    /// Inside WeChat on a phone: its cashier opens over the page (JSAPI).
    Wechat,
    /// In a mini-program's web-view: the mini-program's own page takes the payment.
    MiniProgram,
}

impl BuyerBrowser {
    /// `navigator.userAgent`, and the header of the same name.
    pub const fn user_agent(self) -> &'static str {
        match self {
            Self::Desktop => DESKTOP,
            Self::Phone => PHONE,
            Self::Wechat => WECHAT,
            Self::MiniProgram => MINI_PROGRAM,
        }
    }

    /// What WeChat has injected into the window once it is ready, which is after the page has
    /// loaded.
    pub(crate) fn injected(self) -> Injected {
        Injected {
            bridge: matches!(self, Self::Wechat | Self::MiniProgram),
            mini_program: self == Self::MiniProgram,
            ..Injected::default()
        }
    }

    /// What the machine receives when the page has loaded, for a page of this machine.
    pub(crate) fn facts(self) -> Facts {
        Facts {
            user_agent: self.user_agent().to_owned(),
            touch_points: if self == Self::Desktop { 0 } else { 5 },
            page_is_loopback: true,
            ..Facts::default()
        }
    }
}
