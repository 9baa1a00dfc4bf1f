//! What the browser is, from its User-Agent and a few facts beside it.
//!
//! The order of tests matters more than the tests (research: client-realities §1.1): robots and
//! devtools first, HarmonyOS before Android and Windows, WeCom before WeChat, WeChat before QQ,
//! the Mac before Windows. The corpus in `tests/` holds real strings for each.

use merchant_api::Product;

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
    /// The page is on the very device that would have to scan a code shown on it.
    pub is_handheld: bool,
}

impl Environment {
    /// Whether WeChat lets a product through here at all. In WeChat on a phone or tablet it
    /// refuses a native code that is pressed or read from the album, and `h5_url` (research:
    /// client-realities §1.3). Everything else a page may insist on, for it may know its web-view
    /// better than a User-Agent tells.
    pub const fn lets_through(&self, product: Product) -> bool {
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

/// Tells the environment, and what it calls for.
pub fn decide(facts: &Facts) -> (Environment, Decision) {
    let ua = facts.user_agent.to_ascii_lowercase();
    let os = operating_system(&ua, facts.touch_points);
    let is_desk = is_desk(&ua, os);
    let kind = kind(&ua, os, is_desk, facts);
    let environment = Environment {
        kind,
        os,
        wechat_version: wechat_version(&ua),
        is_handheld: !matches!(kind, EnvironmentKind::Bot | EnvironmentKind::BrowserDesktop)
            && (!is_desk || kind == EnvironmentKind::BrowserTablet),
    };
    let decision = decision(&environment, is_desk, is_mini_program(&ua, facts));
    (environment, decision.in_frame(facts.framed))
}

fn decision(environment: &Environment, is_desk: bool, is_mini_program: bool) -> Decision {
    match environment.kind {
        EnvironmentKind::Bot => Decision::None,
        // Neither the cashier nor `h5_url` is to be had there, in whichever WeChat it is.
        EnvironmentKind::WeChatMiniProgram
        | EnvironmentKind::WeChatDevtools
        | EnvironmentKind::WeCom
        | EnvironmentKind::WeComDesktop
            if is_mini_program =>
        {
            Decision::MiniProgram
        }
        // Harmony's WeChat counts from 1.0 and could always pay, so it has no version gate.
        EnvironmentKind::WeChat
            if environment.os != Os::Harmony
                && is_before_payments(environment.wechat_version.as_deref()) =>
        {
            Decision::Upgrade
        }
        EnvironmentKind::WeChat
        | EnvironmentKind::WeChatDevtools
        | EnvironmentKind::WeChatMiniProgram => Decision::Jsapi,
        _ if is_desk && environment.kind != EnvironmentKind::BrowserTablet => Decision::Native,
        EnvironmentKind::WeCom => Decision::JsapiGuarded,
        EnvironmentKind::InApp("quark") | EnvironmentKind::BrowserMobile => Decision::H5,
        EnvironmentKind::InApp(_) | EnvironmentKind::WebView => Decision::H5Guarded,
        EnvironmentKind::BrowserTablet => Decision::H5OrNative,
        EnvironmentKind::WeChatDesktop
        | EnvironmentKind::WeComDesktop
        | EnvironmentKind::BrowserDesktop => Decision::Native,
    }
}

fn kind(ua: &str, os: Os, is_desk: bool, facts: &Facts) -> EnvironmentKind {
    let has = |word| has(ua, word);
    if is_bot(ua) {
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
        if is_mini_program(ua, facts) {
            EnvironmentKind::WeChatMiniProgram
        } else if is_desk {
            EnvironmentKind::WeChatDesktop
        } else {
            EnvironmentKind::WeChat
        }
    } else if let Some(app) = in_app(ua, is_desk) {
        app
    } else if is_web_view(ua, os, is_desk) {
        EnvironmentKind::WebView
    } else {
        browser(ua, os, is_desk, facts.touch_points)
    }
}

fn is_bot(ua: &str) -> bool {
    let has = |word| has(ua, word);
    // A phone of the make Cubot is no robot.
    let is_named = ["bot/", "bot;", "bot)", "bot-", "bot "]
        .into_iter()
        .any(has)
        && !has("cubot");
    is_named
        || ["+http", "spider", "crawler", "inspectiontool", "lighthouse"]
            .into_iter()
            .any(has)
}

/// Alipay's web-views say it too, so it counts in WeChat alone.
fn is_mini_program(ua: &str, facts: &Facts) -> bool {
    facts.injected.mini_program || has(ua, "miniprogram")
}

/// Apps whose own browsers may or may not hand `weixin://` on. One that has no word of its own is
/// a web-view.
fn in_app(ua: &str, is_desk: bool) -> Option<EnvironmentKind> {
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
        // Browsers, at a desk.
        Some(WEB_VIEW | "quark" | "uc") if is_desk => None,
        Some(WEB_VIEW) => Some(EnvironmentKind::WebView),
        app => app.map(EnvironmentKind::InApp),
    }
}

fn is_web_view(ua: &str, os: Os, is_desk: bool) -> bool {
    match os {
        Os::Android => has(ua, "; wv)"),
        Os::Harmony => !is_desk && !has(ua, "browser"),
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

fn browser(ua: &str, os: Os, is_desk: bool, touch_points: u32) -> EnvironmentKind {
    match os {
        // A phone or tablet that was told to ask for the desktop's page.
        Os::Linux if touch_points > 1 && !has(ua, "cros") => EnvironmentKind::BrowserTablet,
        _ if is_desk => EnvironmentKind::BrowserDesktop,
        Os::IpadOs => EnvironmentKind::BrowserTablet,
        Os::Harmony if has(ua, "(tablet") => EnvironmentKind::BrowserTablet,
        // Chrome leaves `Mobile` out on tablets.
        Os::Android if !has(ua, "mobile") => EnvironmentKind::BrowserTablet,
        Os::Unknown if !has(ua, "mobile") => EnvironmentKind::BrowserDesktop,
        _ => EnvironmentKind::BrowserMobile,
    }
}

/// A desk's machine, whatever browser is on it.
fn is_desk(ua: &str, os: Os) -> bool {
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

/// WeChat takes payments from 5.0 on.
fn is_before_payments(version: Option<&str>) -> bool {
    matches!(
        version.unwrap_or_default().as_bytes(),
        [b'0'..=b'4'] | [b'0'..=b'4', b'.', ..]
    )
}
