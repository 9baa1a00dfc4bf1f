//! Addresses that a backend returns, checked before they are used.
//!
//! A value of each type can only be created by its check (parse, don't validate), so an effect that
//! holds one cannot hold an unchecked address. The checks compare the text itself by exact prefix;
//! a URL parser could read an address differently from the browser.

/// `weixin://…`: only encoded as a QR code, never navigated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeUrl(String);

/// `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?…`: WeChat's middle page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H5Url(String);

/// `https://open.weixin.qq.com/connect/oauth2/authorize?…`: WeChat's OAuth page, for the openid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizeUrl(String);

/// The address that the buyer continues to after a payment: an address of the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessUrl(String);

/// The address that WeChat sends the buyer back to. The backend checks its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnUrl(String);

/// `/pages/…`: a page of the mini-program that shows this web-view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiniProgramPath(String);

impl MiniProgramPath {
    /// Accepts a path from the mini-program's root. WeChat would read any other path relative to
    /// the current page, or as a plugin's.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let path = rest.split('?').next().unwrap_or_default();
        let is_path = path.starts_with(|c: char| c.is_ascii_alphanumeric())
            && path.bytes().all(|byte| byte != b':' && byte != b'#');
        (is_path && is_followable(text)).then(|| Self(text.to_owned()))
    }

    /// The path to navigate to.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CodeUrl {
    /// Accepts `weixin://` and nothing else. The payload is kept byte for byte.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("weixin://")?;
        let is_plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then(|| Self(text.to_owned()))
    }

    /// The text to encode.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl H5Url {
    /// Accepts WeChat's host and path and nothing else; a loopback address only on a loopback page.
    pub fn parse(text: &str, page_is_loopback: bool) -> Option<Self> {
        const PATH: &str = "/cgi-bin/mmpayweb-bin/checkmweb";
        is_wechats(text, "https://wx.tenpay.com", PATH, page_is_loopback)
            .then(|| Self(text.to_owned()))
    }

    /// The address to navigate to.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuthorizeUrl {
    /// Accepts WeChat's host and path and nothing else; a loopback address only on a loopback page.
    pub fn parse(text: &str, page_is_loopback: bool) -> Option<Self> {
        const PATH: &str = "/connect/oauth2/authorize";
        is_wechats(text, "https://open.weixin.qq.com", PATH, page_is_loopback)
            .then(|| Self(text.to_owned()))
    }

    /// The address to navigate to.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SuccessUrl {
    /// Accepts an absolute https address, or plain http that does not leave the buyer's machine: on
    /// a network, an attacker in between could replace the success page. Non-ASCII must be
    /// percent-encoded, as browsers write it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_safe = text.starts_with("https://") || after_loopback_origin(text).is_some();
        (is_safe && is_web_address(text)).then(|| Self(text.to_owned()))
    }

    /// The address to navigate to.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ReturnUrl {
    /// Accepts an absolute http(s) address. Non-ASCII must be percent-encoded, as browsers write
    /// it.
    pub fn parse(text: &str) -> Option<Self> {
        is_web_address(text).then(|| Self(text.to_owned()))
    }

    /// The address to send along.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_web_address(text: &str) -> bool {
    let host_on = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    is_followable(text)
        && host_on
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
}

/// Exactly this origin and path, followed by a query; or the same path on loopback.
fn is_wechats(text: &str, origin: &str, path: &str, page_is_loopback: bool) -> bool {
    let after_origin = match text.strip_prefix(origin) {
        Some(rest) => Some(rest),
        None if page_is_loopback => after_loopback_origin(text),
        None => None,
    };
    let query = after_origin.and_then(|rest| rest.strip_prefix(path));
    is_followable(text) && query.is_some_and(|query| query.starts_with('?'))
}

/// The text after `http://127.0.0.1:PORT` and the other loopback origins.
fn after_loopback_origin(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("http://")?;
    let rest = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .find_map(|host| rest.strip_prefix(host))?;
    let Some(port) = rest.strip_prefix(':') else {
        return rest.starts_with('/').then_some(rest);
    };
    let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port = (1..=5).contains(&(port.len() - path.len()));
    (is_port && path.starts_with('/')).then_some(path)
}

/// No blank, control character, backslash or non-ASCII: nothing that two parsers could read in two
/// ways.
fn is_followable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    const H5: &str = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=1";

    #[test]
    fn an_h5_url_is_wechats_or_is_refused() {
        let cases = [
            (H5, true),
            (
                "http://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=1",
                false,
            ),
            (
                "https://wx.tenpay.com.evil.example/cgi-bin/mmpayweb-bin/checkmweb?a",
                false,
            ),
            (
                "https://wx.tenpay.com@evil.example/cgi-bin/mmpayweb-bin/checkmweb?a",
                false,
            ),
            (
                "https://wx.tenpay.com:444/cgi-bin/mmpayweb-bin/checkmweb?a",
                false,
            ),
            (
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb/../x?a",
                false,
            ),
            (
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmwebx?a",
                false,
            ),
            (
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb",
                false,
            ),
            (
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?a b",
                false,
            ),
            (
                "https:\\\\wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?a",
                false,
            ),
            ("//wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?a", false),
            ("javascript:alert(1)", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(H5Url::parse(text, true).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn plain_http_is_accepted_only_if_both_ends_are_loopback() {
        let cases = [
            (
                "http://127.0.0.1:9410/cgi-bin/mmpayweb-bin/checkmweb?a=1",
                true,
            ),
            ("http://localhost/cgi-bin/mmpayweb-bin/checkmweb?a=1", true),
            ("http://[::1]:80/cgi-bin/mmpayweb-bin/checkmweb?a=1", true),
            (
                "http://127.0.0.1.evil.example/cgi-bin/mmpayweb-bin/checkmweb?a=1",
                false,
            ),
            (
                "http://127.0.0.1:9410@evil.example/cgi-bin/mmpayweb-bin/checkmweb?a",
                false,
            ),
            ("http://127.0.0.1:/cgi-bin/mmpayweb-bin/checkmweb?a", false),
            (
                "http://192.168.0.7/cgi-bin/mmpayweb-bin/checkmweb?a=1",
                false,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(H5Url::parse(text, true).is_some(), expected, "{text}");
            assert_eq!(H5Url::parse(text, false), None, "{text} on a public page");
        }
    }

    #[test]
    fn an_authorize_url_leads_to_wechat_only() {
        let path = "/connect/oauth2/authorize?appid=wx1#wechat_redirect";
        let cases = [
            (format!("https://open.weixin.qq.com{path}"), true),
            (format!("http://127.0.0.1:9410{path}"), true),
            (
                format!("https://open.weixin.qq.com.evil.example{path}"),
                false,
            ),
            (format!("https://evil.example{path}"), false),
        ];
        for (text, expected) in cases {
            assert_eq!(
                AuthorizeUrl::parse(&text, true).is_some(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_mini_program_path_starts_at_the_root() {
        let cases = [
            ("/pages/pay/index?token=a%20b", true),
            ("/pages/pay/index", true),
            ("pages/pay/index", false),
            ("//evil.example/x", false),
            ("/../x", false),
            ("/plugin-private://wx1/pages/x", false),
            ("plugin-private://wx1/pages/x", false),
            ("javascript:alert(1)", false),
            ("/pages/a b", false),
            ("/", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(MiniProgramPath::parse(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_return_address_is_http_and_absolute() {
        let cases = [
            ("https://shop.example/pay?x=1", true),
            ("http://192.168.0.7:8080/pay", true),
            ("http://[::1]/pay", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("/pay", false),
            ("https://", false),
            ("https:\\\\shop.example", false),
        ];
        for (text, expected) in cases {
            assert_eq!(ReturnUrl::parse(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_code_url_has_wechats_scheme_or_is_refused() {
        let cases = [
            ("weixin://wxpay/bizpayurl?pr=JyC91EIz1", true),
            ("weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00", true),
            ("WEIXIN://wxpay/bizpayurl?pr=1", false),
            ("https://evil.example/?weixin://", false),
            ("weixin://", false),
            ("weixin://a b", false),
        ];
        for (text, expected) in cases {
            assert_eq!(CodeUrl::parse(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_success_url_is_absolute_and_cannot_be_changed_in_transit() {
        let cases = [
            ("https://shop.example/thanks", true),
            ("https://[2001:db8::1]/thanks", true),
            ("http://127.0.0.1:8000/thanks", true),
            ("http://localhost/thanks", true),
            ("http://shop.example/thanks", false),
            ("http://192.168.0.7:8000/thanks", false),
            ("http://localhost.shop.example/thanks", false),
            ("https://shop.example/谢谢", false),
            ("https://shop.example/%E8%B0%A2%E8%B0%A2", true),
            ("javascript:alert(1)", false),
            ("https:///x", false),
            ("//shop.example", false),
            ("/thanks", false),
        ];
        for (text, expected) in cases {
            assert_eq!(SuccessUrl::parse(text).is_some(), expected, "{text}");
        }
    }
}
