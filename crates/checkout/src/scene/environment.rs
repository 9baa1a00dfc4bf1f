//! What the browser is, from its User-Agent and a few facts beside it.
//!
//! The order of tests matters more than the tests (research: client-realities §1.1): robots and
//! devtools first, HarmonyOS before Android and Windows, WeCom before WeChat, WeChat before QQ,
//! the Mac before Windows. The corpus in `tests/` holds real strings for each.

use super::Decision;
use crate::facts::Facts;
use crate::substring::{after, has};

/// The kind of browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvironmentKind {
    /// WeChat's page on a phone or tablet.
    WeChat,
    /// A web-view in a mini-program.
    WeChatMiniProgram,
    /// WeChat for Windows, Mac or Linux, whose pages have no cashier.
    WeChatDesktop,
    /// WeChat's developer tools.
    WeChatDevtools,
    /// WeCom on a phone.
    WeCom,
    /// WeCom for Windows or Mac.
    WeComDesktop,
    /// Another app's own browser, by the word of the corpus.
    InApp(&'static str),
    /// A bare web-view of an unknown app.
    WebView,
    /// A phone's browser.
    BrowserMobile,
    /// A tablet's browser.
    BrowserTablet,
    /// A desk's browser.
    BrowserDesktop,
    /// A robot.
    Bot,
}

impl EnvironmentKind {
    /// The word of the corpus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::WeChatMiniProgram => "wechat_miniprogram",
            Self::WeChatDesktop => "wechat_desktop",
            Self::WeChatDevtools => "wechat_devtools",
            Self::WeCom => "wecom",
            Self::WeComDesktop => "wecom_desktop",
            Self::InApp(word) => word,
            Self::WebView => "webview",
            Self::BrowserMobile => "browser_mobile",
            Self::BrowserTablet => "browser_tablet",
            Self::BrowserDesktop => "browser_desktop",
            Self::Bot => "bot",
        }
    }

    /// Whether the page is on the device that would have to scan a code shown on it.
    pub const fn is_handheld(self) -> bool {
        !matches!(
            self,
            Self::WeChatDesktop | Self::WeComDesktop | Self::BrowserDesktop | Self::Bot
        )
    }
}

/// The operating system, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Os {
    /// Android, HarmonyOS up to 4 included: it says Android.
    Android,
    /// iPhone.
    Ios,
    /// iPad, also where it says Macintosh.
    IpadOs,
    /// HarmonyOS from 5.
    Harmony,
    /// Windows.
    Windows,
    /// A Mac.
    MacOs,
    /// Linux.
    Linux,
    /// None of these.
    Unknown,
}

impl Os {
    /// The word of the corpus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Ios => "ios",
            Self::IpadOs => "ipados",
            Self::Harmony => "harmony",
            Self::Windows => "windows",
            Self::MacOs => "macos",
            Self::Linux => "linux",
            Self::Unknown => "unknown",
        }
    }
}

/// What the browser is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its kind.
    pub kind: EnvironmentKind,
    /// What it runs on.
    pub os: Os,
    /// The version WeChat states, digits and dots; frozen on desktops, so for showing only.
    pub wechat_version: Option<String>,
}

/// Tells the environment, and what it calls for.
pub fn decide(facts: &Facts) -> (Environment, Decision) {
    let ua = facts.user_agent.to_ascii_lowercase();
    let os = operating_system(&ua, facts.touch_points);
    let kind = kind(&ua, os, facts);
    let wechat_version = wechat_version(&ua);
    let decision = match kind {
        // Harmony's WeChat counts from 1.0 and could always pay, so it has no version gate.
        EnvironmentKind::WeChat
            if os != Os::Harmony && is_before_payments(wechat_version.as_deref()) =>
        {
            Decision::Upgrade
        }
        EnvironmentKind::WeChat => Decision::Jsapi,
        EnvironmentKind::WeChatDevtools if facts.mini_program || has(&ua, "miniprogram") => {
            Decision::MiniProgram
        }
        EnvironmentKind::WeChatDevtools => Decision::Jsapi,
        EnvironmentKind::WeChatMiniProgram => Decision::MiniProgram,
        EnvironmentKind::WeCom => Decision::JsapiGuarded,
        EnvironmentKind::InApp("quark") | EnvironmentKind::BrowserMobile => Decision::H5,
        EnvironmentKind::InApp(_) | EnvironmentKind::WebView => Decision::H5Guarded,
        EnvironmentKind::BrowserTablet => Decision::H5OrNative,
        EnvironmentKind::WeChatDesktop
        | EnvironmentKind::WeComDesktop
        | EnvironmentKind::BrowserDesktop => Decision::Native,
        EnvironmentKind::Bot => Decision::None,
    };
    let environment = Environment {
        kind,
        os,
        wechat_version,
    };
    (environment, decision)
}

fn kind(ua: &str, os: Os, facts: &Facts) -> EnvironmentKind {
    let has = |word| has(ua, word);
    let is_desk = matches!(os, Os::Windows | Os::MacOs | Os::Linux);
    if ["googlebot", "bingbot", "+http", "spider", "crawler"]
        .into_iter()
        .any(has)
    {
        EnvironmentKind::Bot
    } else if has("wechatdevtools") {
        EnvironmentKind::WeChatDevtools
    } else if has("wxwork") {
        if is_desk {
            EnvironmentKind::WeComDesktop
        } else {
            EnvironmentKind::WeCom
        }
    } else if has("micromessenger") {
        if facts.mini_program || has("miniprogram") {
            EnvironmentKind::WeChatMiniProgram
        } else if is_desk {
            EnvironmentKind::WeChatDesktop
        } else {
            EnvironmentKind::WeChat
        }
    } else if let Some(app) = in_app(ua) {
        EnvironmentKind::InApp(app)
    } else if is_web_view(ua, os) {
        EnvironmentKind::WebView
    } else {
        browser(ua, os)
    }
}

/// Apps whose own browsers may or may not hand `weixin://` on.
fn in_app(ua: &str) -> Option<&'static str> {
    const APPS: [(&str, &str); 11] = [
        ("alipayclient", "alipay"),
        ("aweme", "douyin"),
        ("bytedancewebview", "douyin"),
        ("weibo", "weibo"),
        ("baiduboxapp", "baidu"),
        ("dingtalk", "dingtalk"),
        ("feishu", "lark"),
        (" lark/", "lark"),
        ("quark/", "quark"),
        ("ucbrowser", "uc"),
        (" qq/", "qq"),
    ];
    APPS.iter()
        .find(|(token, _)| has(ua, token))
        .map(|(_, app)| *app)
}

fn is_web_view(ua: &str, os: Os) -> bool {
    match os {
        Os::Android => has(ua, "; wv)"),
        Os::Harmony => !has(ua, "browser"),
        // Firefox for iOS is a browser although it lacks the token.
        Os::Ios | Os::IpadOs => {
            has(ua, "applewebkit")
                && !has(ua, "safari/")
                && !has(ua, "fxios")
                && !has(ua, "macintosh")
        }
        _ => false,
    }
}

fn browser(ua: &str, os: Os) -> EnvironmentKind {
    match os {
        Os::Ios => EnvironmentKind::BrowserMobile,
        Os::IpadOs => EnvironmentKind::BrowserTablet,
        Os::Harmony if has(ua, "(pc") => EnvironmentKind::BrowserDesktop,
        Os::Harmony if has(ua, "(tablet") => EnvironmentKind::BrowserTablet,
        Os::Harmony => EnvironmentKind::BrowserMobile,
        // Chrome leaves `Mobile` out on tablets.
        Os::Android if has(ua, "mobile") => EnvironmentKind::BrowserMobile,
        Os::Android => EnvironmentKind::BrowserTablet,
        _ => EnvironmentKind::BrowserDesktop,
    }
}

fn operating_system(ua: &str, touch_points: u32) -> Os {
    let has = |word| has(ua, word);
    if has("openharmony") || has("arkweb") {
        Os::Harmony
    } else if has("unifiedpclinux") {
        Os::Linux
    } else if has("macwechat") {
        Os::MacOs
    } else if has("iphone") || has("ipod") {
        Os::Ios
    } else if has("ipad") {
        Os::IpadOs
    } else if has("android") {
        Os::Android
    } else if has("windows") {
        Os::Windows
    } else if has("macintosh") {
        if touch_points > 1 {
            Os::IpadOs
        } else {
            Os::MacOs
        }
    } else if has("linux") || has("x11") || has("cros") {
        Os::Linux
    } else {
        Os::Unknown
    }
}

/// `micromessenger/8.0.61.2880(0x28003D5B)` -> `8.0.61.2880`, `6.3.5.50_r1573191.640` ->
/// `6.3.5.50`.
fn wechat_version(ua: &str) -> Option<String> {
    let version = after(ua, "micromessenger/")?;
    let end = version
        .bytes()
        .position(|byte| !byte.is_ascii_digit() && byte != b'.');
    let version = version.get(..end.unwrap_or(version.len()))?;
    let version = version.strip_suffix('.').unwrap_or(version);
    (!version.is_empty()).then(|| version.to_owned())
}

/// WeChat takes payments from 5.0 on.
fn is_before_payments(version: Option<&str>) -> bool {
    matches!(
        version.unwrap_or_default().as_bytes(),
        [b'0'..=b'4'] | [b'0'..=b'4', b'.', ..]
    )
}
