//! The forms of WeChat's ids and secrets. A value that cannot be WeChat's is refused at the start.
//! Otherwise it would fail later for each buyer.
//!
//! Blanks, a BOM and invisible characters around a value are dropped. A refusal never repeats a
//! value.

use wechat_pay::ApiV3Key;

use super::{ConfigError, Secret};

/// The text without the blanks and invisible characters that editors, chats and web pages leave
/// around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{00ad}'
        )
}

/// A secret without blanks and invisible characters around it.
pub(super) fn trimmed_secret(secret: &Secret) -> Secret {
    Secret::new(trimmed(secret.reveal()))
}

/// Mistakes that are wrong in every form.
fn common_mistake(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.chars().any(is_invisible) {
        Some("has a blank, a line end or an invisible character in it")
    } else if !text.is_ascii() {
        Some("has a character in it that is not ASCII")
    } else {
        None
    }
}

fn refused(field: &'static str, text: &str, mistake: Option<&str>, form: &str) -> ConfigError {
    let rule = match common_mistake(text).or(mistake) {
        Some(mistake) => format!("{mistake}; it must be {form}"),
        None => format!(
            "must be {form}, and has {} characters",
            text.chars().count()
        ),
    };
    ConfigError::refused(field, rule)
}

/// `wx` and 16 characters; `ww` for an account of 企业微信, whose corpid WeChat Pay takes.
pub(super) fn appid(field: &'static str, text: &str) -> Result<String, ConfigError> {
    let text = trimmed(text);
    let rest = text.strip_prefix("wx").or_else(|| text.strip_prefix("ww"));
    let is_appid = rest.is_some_and(|rest| {
        rest.len() == 16
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    if is_appid {
        return Ok(text.to_owned());
    }
    let mistake = if text.starts_with("gh_") {
        Some("is the account's original id (原始 ID), not its appid")
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        Some("is a number, as a merchant number is")
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Some("has an upper-case letter in it")
    } else {
        None
    };
    let form = "wx and 16 lower-case letters or digits (mp.weixin.qq.com, 设置与开发 → 基本配置)";
    Err(refused(field, text, mistake, form))
}

/// Digits: ten today, eight in the first years.
pub(super) fn mchid(field: &'static str, text: &str) -> Result<String, ConfigError> {
    let text = trimmed(text);
    if (8..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    let mistake = text
        .starts_with("wx")
        .then_some("is an appid, not a merchant number");
    let form = "a merchant number: 8 to 12 digits (账户中心 → 商户信息 in the merchant portal)";
    Err(refused(field, text, mistake, form))
}

/// The serial number of a certificate as WeChat writes it: hex digits, upper-case. `openssl` puts
/// colons between them, or `serial=` or `0x` in front.
pub(super) fn serial_no(field: &'static str, text: &str) -> Result<String, ConfigError> {
    let text = trimmed(text);
    let digits = text.strip_prefix("serial=").unwrap_or(text);
    let digits = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
        .unwrap_or(digits)
        .replace(':', "");
    if (1..=40).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(digits.to_ascii_uppercase());
    }
    let mistake = text.starts_with("PUB_KEY_ID_").then_some(
        "is the id of WeChat Pay's public key, not the serial number of your certificate",
    );
    let form = "the serial number of the merchant certificate: up to 40 hex digits (openssl x509 -in apiclient_cert.pem -noout -serial)";
    Err(refused(field, text, mistake, form))
}

/// `PUB_KEY_ID_` and digits.
pub(super) fn public_key_id(field: &'static str, text: &str) -> Result<String, ConfigError> {
    let text = trimmed(text);
    let is_id = text.strip_prefix("PUB_KEY_ID_").is_some_and(|digits| {
        (1..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    });
    if is_id {
        return Ok(text.to_owned());
    }
    let is_serial = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mistake = is_serial.then_some(
        "is the serial number of a certificate, which needs no name here: see platform_certificate_files",
    );
    let form = "PUB_KEY_ID_ and digits, as the merchant portal shows it beside the public key";
    Err(refused(field, text, mistake, form))
}

/// The secret of an account: 32 hex digits.
pub(super) fn app_secret(field: &'static str, secret: &Secret) -> Result<Secret, ConfigError> {
    let secret = trimmed_secret(secret);
    let text = secret.reveal();
    if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(secret);
    }
    let mistake = text.starts_with("wx").then_some("is an appid");
    let form = "the account's AppSecret: 32 hex digits (mp.weixin.qq.com, 设置与开发 → 基本配置)";
    Err(refused(field, text, mistake, form))
}

/// 32 characters without blanks; the portal takes letters and digits.
pub(super) fn api_v3_key(field: &'static str, secret: &Secret) -> Result<ApiV3Key, ConfigError> {
    let secret = trimmed_secret(secret);
    let text = secret.reveal();
    let key = ApiV3Key::new(text.as_bytes()).ok();
    match key.filter(|_| common_mistake(text).is_none()) {
        Some(key) => Ok(key),
        None => {
            let form = "the APIv3 key: exactly 32 letters and digits (账户中心 → API 安全 in the merchant portal)";
            Err(refused(field, text, None, form))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Form = fn(&'static str, &str) -> Result<String, ConfigError>;

    /// The same check for a secret.
    fn of_app_secret(field: &'static str, text: &str) -> Result<String, ConfigError> {
        app_secret(field, &Secret::new(text)).map(|secret| secret.reveal().to_owned())
    }

    fn of_api_v3_key(field: &'static str, text: &str) -> Result<String, ConfigError> {
        api_v3_key(field, &Secret::new(text)).map(|_| trimmed(text).to_owned())
    }

    const GOOD: [(Form, &str); 8] = [
        (appid, "wx8888888888888888"),
        (appid, "wwd678efh567hg6787"),
        (mchid, "1900009191"),
        (mchid, "10000100"),
        (serial_no, "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"),
        (public_key_id, "PUB_KEY_ID_0114232134912410000000000000"),
        (of_app_secret, "0123456789abcdef0123456789ABCDEF"),
        (of_api_v3_key, "0123456789abcdefghijABCDEFGHIJ01"),
    ];

    #[test]
    fn white_space_around_a_value_is_dropped() {
        for (form, good) in GOOD {
            for (before, after) in [
                ("", ""),
                (" ", "\t"),
                ("\u{feff}", "\r\n"),
                ("\u{3000}", "\u{200b}"),
                ("\u{a0}\t", "\n\n"),
                ("\u{2060}", "\u{200e}"),
            ] {
                let text = format!("{before}{good}{after}");
                assert_eq!(form("f", &text).unwrap(), good, "{text:?}");
            }
        }
    }

    #[test]
    fn invalid_characters_inside_a_value_are_refused() {
        for (form, good) in GOOD {
            for inside in [" ", "\t", "\n", "\u{200b}", "中", "é", "\u{0}"] {
                let (first, rest) = good.split_at(good.len() / 2);
                let text = format!("{first}{inside}{rest}");
                let refusal = form("f", &text).unwrap_err().to_string();
                assert!(refusal.contains("; it must be "), "{refusal}");
                assert!(!refusal.contains(rest), "{refusal}");
            }
        }
    }

    #[test]
    fn another_kind_of_value_is_reported() {
        let cases: [(Form, &str, &str); 16] = [
            (appid, "", "is empty"),
            (appid, "gh_0123456789ab", "original id (原始 ID)"),
            (appid, "微信公众号", "not ASCII"),
            (appid, "1900009191", "is a number"),
            (appid, "WX8888888888888888", "upper-case"),
            (appid, "wx888888888888888", "and has 17 characters"),
            (mchid, "wx8888888888888888", "is an appid"),
            (mchid, "1", "and has 1 characters"),
            (mchid, "一九零零", "not ASCII"),
            (
                serial_no,
                "PUB_KEY_ID_01",
                "is the id of WeChat Pay's public key",
            ),
            (serial_no, "my-certificate.crt", "and has 18 characters"),
            (
                public_key_id,
                "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
                "is the serial number of a certificate",
            ),
            (public_key_id, "PUB_KEY_ID_X", "and has 12 characters"),
            (of_app_secret, "wx8888888888888888", "is an appid"),
            (
                of_app_secret,
                "0123456789abcdefghij0123456789ab",
                "32 hex digits",
            ),
            (
                of_api_v3_key,
                "0123456789abcdef",
                "exactly 32 letters and digits",
            ),
        ];
        for (form, text, words) in cases {
            let refusal = form("f", text).unwrap_err().to_string();
            assert!(refusal.starts_with("f: "), "{refusal}");
            assert!(refusal.contains(words), "{words} in {refusal}");
            assert!(text.len() < 4 || !refusal.contains(text), "{refusal}");
        }
    }

    #[test]
    fn a_serial_number_is_accepted_in_every_notation() {
        for text in [
            "408b07e79b8269fec3d5d3e6ab8ed163a6a380db",
            "40:8B:07:E7:9B:82:69:FE:C3:D5:D3:E6:AB:8E:D1:63:A6:A3:80:DB",
            "serial=408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
            "0x408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
        ] {
            let read = serial_no("f", text).unwrap();
            assert_eq!(read, "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB");
        }
    }
}
