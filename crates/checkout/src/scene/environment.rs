//! The buyer's browser, recognised from its User-Agent and a few other facts.
//!
//! The order of the tests is decisive, because real User-Agents contain the tokens of several
//! clients: bots and the developer tools come first, HarmonyOS before Android and Windows (Huawei's
//! browser adds other platforms' tokens for some sites:
//! developer.huawei.com, faqs-arkweb-183), WeCom before
//! WeChat, WeChat before QQ, and the Mac before Windows. The corpus in `tests/` holds real strings
//! for each rule, with their sources.

use merchant_api::Product;

use super::decision::Decision;
use crate::facts::Facts;
use crate::substring::{after, has};

/// The kind of browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvironmentKind {
    /// A page inside WeChat on a phone or tablet.
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
    /// Another app's own browser, with its name in the corpus.
    InApp(&'static str),
    /// A plain web-view of an unknown app.
    WebView,
    /// A phone's browser.
    BrowserMobile,
    /// A tablet's browser.
    BrowserTablet,
    /// A desktop browser.
    BrowserDesktop,
    /// A bot.
    Bot,
}

impl EnvironmentKind {
    /// Whether this is a browser of no app, which has no part of WeChat.
    pub(super) const fn is_plain_browser(self) -> bool {
        matches!(
            self,
            Self::BrowserMobile | Self::BrowserTablet | Self::BrowserDesktop
        )
    }

    /// The value in the corpus.
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
}

/// The operating system, as far as it matters for the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Os {
    /// Android, and HarmonyOS up to version 4, which reports Android.
    Android,
    /// The system of an iPhone.
    Ios,
    /// An iPad, including one that reports Macintosh.
    IpadOs,
    /// HarmonyOS from version 5.
    Harmony,
    /// Windows of Microsoft.
    Windows,
    /// A Mac.
    MacOs,
    /// Linux on a desktop.
    Linux,
    /// None of these.
    Unknown,
}

impl Os {
    /// The value in the corpus.
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

/// The buyer's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The kind of browser.
    pub kind: EnvironmentKind,
    /// The operating system.
    pub os: Os,
    /// The version that WeChat reports: digits and dots. It is frozen on desktops, so it is only
    /// for display.
    pub wechat_version: Option<String>,
    /// The page is on the device that would have to scan a code shown on it.
    pub is_handheld: bool,
}

impl Environment {
    /// Whether WeChat accepts a product here at all. On a phone or tablet, WeChat refuses a Native
    /// code that is long-pressed or read from the album
    /// (<https://pay.weixin.qq.com/doc/v3/merchant/4012791890>), and refuses `h5_url`
    /// (<https://pay.weixin.qq.com/doc/v2/partner/4011939757>). A page may require any other
    /// product, because it may know its web-view better than the User-Agent shows.
    pub const fn allows(&self, product: Product) -> bool {
        let is_handheld_wechat = self.is_handheld
            && matches!(
                self.kind,
                EnvironmentKind::WeChat
                    | EnvironmentKind::WeChatMiniProgram
                    | EnvironmentKind::WeChatDevtools
            );
        !is_handheld_wechat || matches!(product, Product::Jsapi | Product::MiniProgram)
    }
}

/// Recognises the environment, and decides what it needs.
pub fn decide(facts: &Facts) -> (Environment, Decision) {
    let ua = facts.user_agent.to_ascii_lowercase();
    let os = operating_system(&ua, facts.touch_points);
    let is_desktop = is_desktop(&ua, os);
    let kind = kind(&ua, os, is_desktop, facts);
    let environment = Environment {
        kind,
        os,
        wechat_version: wechat_version(&ua),
        is_handheld: !matches!(kind, EnvironmentKind::Bot | EnvironmentKind::BrowserDesktop)
            && (!is_desktop || kind == EnvironmentKind::BrowserTablet),
    };
    let decision = decision(&environment, is_desktop, is_mini_program(&ua, facts));
    (environment, decision.in_frame(facts.framed))
}

fn decision(environment: &Environment, is_desktop: bool, is_mini_program: bool) -> Decision {
    match environment.kind {
        EnvironmentKind::Bot => Decision::None,
        // A mini-program's web-view has neither the cashier nor `h5_url`, in every kind of WeChat.
        EnvironmentKind::WeChatMiniProgram
        | EnvironmentKind::WeChatDevtools
        | EnvironmentKind::WeCom
        | EnvironmentKind::WeComDesktop
            if is_mini_program =>
        {
            Decision::MiniProgram
        }
        // WeChat for HarmonyOS has its own version numbers from 1.0 and could always pay
        // (<https://developers.weixin.qq.com/doc/subscription/guide/h5/adapt_harmonyos>), so no
        // minimum version applies.
        EnvironmentKind::WeChat
            if environment.os != Os::Harmony
                && is_before_payments(environment.wechat_version.as_deref()) =>
        {
            Decision::Upgrade
        }
        EnvironmentKind::WeChat
        | EnvironmentKind::WeChatDevtools
        | EnvironmentKind::WeChatMiniProgram => Decision::Jsapi,
        _ if is_desktop && environment.kind != EnvironmentKind::BrowserTablet => Decision::Native,
        EnvironmentKind::WeCom => Decision::JsapiGuarded,
        EnvironmentKind::InApp("quark") | EnvironmentKind::BrowserMobile => Decision::H5,
        EnvironmentKind::InApp(_) | EnvironmentKind::WebView => Decision::H5Guarded,
        EnvironmentKind::BrowserTablet => Decision::H5OrNative,
        EnvironmentKind::WeChatDesktop
        | EnvironmentKind::WeComDesktop
        | EnvironmentKind::BrowserDesktop => Decision::Native,
    }
}

fn kind(ua: &str, os: Os, is_desktop: bool, facts: &Facts) -> EnvironmentKind {
    let has = |word| has(ua, word);
    if is_bot(ua) {
        EnvironmentKind::Bot
    } else if has("wechatdevtools") {
        EnvironmentKind::WeChatDevtools
    } else if has("wxwork") {
        if is_desktop {
            EnvironmentKind::WeComDesktop
        } else {
            EnvironmentKind::WeCom
        }
    } else if has("micromessenger") {
        if is_mini_program(ua, facts) {
            EnvironmentKind::WeChatMiniProgram
        } else if is_desktop {
            EnvironmentKind::WeChatDesktop
        } else {
            EnvironmentKind::WeChat
        }
    } else if let Some(app) = in_app(ua, is_desktop) {
        app
    } else if is_web_view(ua, os, is_desktop) {
        EnvironmentKind::WebView
    } else {
        browser(ua, os, is_desktop, facts.touch_points)
    }
}

fn is_bot(ua: &str) -> bool {
    let has = |word| has(ua, word);
    // "Cubot" is a brand of phones, not a bot.
    let is_named = ["bot/", "bot;", "bot)", "bot-", "bot "]
        .into_iter()
        .any(has)
        && !has("cubot");
    is_named
        || ["+http", "spider", "crawler", "inspectiontool", "lighthouse"]
            .into_iter()
            .any(has)
}

/// Alipay's web-views contain the token too, so it counts only inside WeChat.
fn is_mini_program(ua: &str, facts: &Facts) -> bool {
    facts.injected.mini_program || has(ua, "miniprogram")
}

/// Apps whose own browsers may or may not pass `weixin://` on. An app without a name here counts as
/// a web-view.
fn in_app(ua: &str, is_desktop: bool) -> Option<EnvironmentKind> {
    const WEB_VIEW: &str = "";
    const APPS: [(&str, &str); 20] = [
        ("alipayclient", "alipay"),
        ("aliapp(ap/", "alipay"),
        ("aweme", "douyin"),
        ("weibo", "weibo"),
        ("baiduboxapp", "baidu"),
        ("dingtalk", "dingtalk"),
        ("feishu", "lark"),
        (" lark/", "lark"),
        ("quark/", "quark"),
        ("ucbrowser", "uc"),
        (" qq/", "qq"),
        ("aliapp(", WEB_VIEW),
        ("bytedancewebview", WEB_VIEW),
        ("newsarticle", WEB_VIEW),
        ("xiaohongshu", WEB_VIEW),
        ("kwai", WEB_VIEW),
        ("biliapp", WEB_VIEW),
        ("jdapp", WEB_VIEW),
        ("fban/", WEB_VIEW),
        ("instagram", WEB_VIEW),
    ];
    let found = APPS.iter().find(|(token, _)| has(ua, token));
    match found.map(|(_, app)| *app) {
        // These are plain browsers on a desktop.
        Some(WEB_VIEW | "quark" | "uc") if is_desktop => None,
        Some(WEB_VIEW) => Some(EnvironmentKind::WebView),
        app => app.map(EnvironmentKind::InApp),
    }
}

fn is_web_view(ua: &str, os: Os, is_desktop: bool) -> bool {
    match os {
        Os::Android => has(ua, "; wv)"),
        Os::Harmony => !is_desktop && !has(ua, "browser"),
        // Firefox for iOS is a browser although it lacks the token.
        Os::Ios | Os::IpadOs => {
            has(ua, "applewebkit")
                && !has(ua, "safari/")
                && !has(ua, "fxios")
                && !has(ua, "browser")
                && !has(ua, "macintosh")
        }
        _ => false,
    }
}

fn browser(ua: &str, os: Os, is_desktop: bool, touch_points: u32) -> EnvironmentKind {
    match os {
        // A phone or tablet that requests the desktop page.
        Os::Linux if touch_points > 1 && !has(ua, "cros") => EnvironmentKind::BrowserTablet,
        _ if is_desktop => EnvironmentKind::BrowserDesktop,
        Os::IpadOs => EnvironmentKind::BrowserTablet,
        Os::Harmony if has(ua, "(tablet") => EnvironmentKind::BrowserTablet,
        // Chrome omits `Mobile` on tablets.
        Os::Android if !has(ua, "mobile") => EnvironmentKind::BrowserTablet,
        Os::Unknown if !has(ua, "mobile") => EnvironmentKind::BrowserDesktop,
        _ => EnvironmentKind::BrowserMobile,
    }
}

/// Whether the machine is a desktop, whatever browser runs on it.
fn is_desktop(ua: &str, os: Os) -> bool {
    match os {
        Os::Windows | Os::MacOs | Os::Linux => true,
        Os::Harmony => ["(pc", "(2in1", "ohos"]
            .into_iter()
            .any(|word| has(ua, word)),
        _ => false,
    }
}

fn operating_system(ua: &str, touch_points: u32) -> Os {
    let has = |word| has(ua, word);
    if has("openharmony") || has("arkweb") || has("ohos") {
        Os::Harmony
    } else if has("unifiedpclinux") || has("x11;") {
        Os::Linux
    } else if has("macwechat") {
        Os::MacOs
    } else if has("windows phone") {
        Os::Unknown
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
    } else if has("linux") {
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

/// WeChat supports payments since version 5.0.
fn is_before_payments(version: Option<&str>) -> bool {
    matches!(
        version.unwrap_or_default().as_bytes(),
        [b'0'..=b'4'] | [b'0'..=b'4', b'.', ..]
    )
}
