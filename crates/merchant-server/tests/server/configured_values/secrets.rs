//! Ids and secrets: which characters around a value are dropped, and which values are refused.

use super::{HEX, parse, private_file, with_merchant};
use crate::test_server::{configuration, merchant};

#[test]
fn white_space_and_marks_around_a_secret_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (before, after)) in [
        ("", "\n"),
        ("", "\r\n\r\n"),
        ("\u{feff}", "\r\n"),
        ("  ", " \t\n"),
        ("\t", "\u{a0}"),
        ("\u{200b}", "\u{3000}"),
    ]
    .into_iter()
    .enumerate()
    {
        let content = format!("{before}{HEX}{after}");
        let file = private_file(&folder, &format!("s{number}"), content.as_bytes());
        let lines = format!("app_secret_file = \"{file}\"\napi_v3_key_file = \"{file}\"");
        let config = with_merchant(&lines).unwrap();
        let secret = config.merchant.app_secret.unwrap();
        assert_eq!(secret.reveal(), HEX, "{content:?}");
        let key = wechat_pay::ApiV3Key::new(HEX.as_bytes()).unwrap();
        assert!(config.merchant.api_v3_key == Some(key), "{content:?}");

        let config = with_merchant(&format!("app_secret = \"\"\"{content}\"\"\"")).unwrap();
        let secret = config.merchant.app_secret.unwrap();
        assert_eq!(secret.reveal(), HEX, "{content:?}");
    }
}

#[test]
fn a_malformed_wechat_id_is_refused_with_its_field() {
    let cases = [
        ("appid = \"\"", "merchant.appid: is empty"),
        (
            "appid = \"gh_0123456789ab\"",
            "merchant.appid: is the account's original id",
        ),
        (
            "appid = \"微信公众号\"",
            "merchant.appid: has a character in it that is not ASCII",
        ),
        ("mchid = \"19 0000 0001\"", "merchant.mchid: has a blank"),
        (
            "mchid = \"wx0000000000000001\"",
            "merchant.mchid: is an appid",
        ),
        (
            "serial_no = \"my serial\"",
            "merchant.serial_no: has a blank",
        ),
        ("app_secret = \"\"", "merchant.app_secret: is empty"),
        (
            "app_secret = \"the secret\"",
            "merchant.app_secret: has a blank",
        ),
        (
            "api_v3_key = \"0123456789abcdef 123456789abcdef\"",
            "merchant.api_v3_key: has a blank",
        ),
        (
            "api_v3_key = \"密钥密钥密钥密钥密钥00\"",
            "merchant.api_v3_key: has a character",
        ),
        ("app_appid = \"wx1\"", "merchant.app_appid: must be wx"),
        (
            "mini_program_appid = \"gh_0123456789ab\"",
            "merchant.mini_program_appid: is the account's original id",
        ),
        (
            "mini_program_appid = \"wx0000000000000001\"\nmini_program_secret = \"short\"",
            "merchant.mini_program_secret: must be",
        ),
        (
            "public_key_id = \"0123ABCD\"",
            "merchant.public_key_id: is the serial number",
        ),
        (
            "sub_merchants = [{ sub_mchid = \"1\" }]",
            "merchant.sub_merchants.sub_mchid: must be",
        ),
        (
            "sub_merchants = [{ sub_mchid = \"1900000109\", sub_appid = \"shop\" }]",
            "merchant.sub_merchants.sub_appid: must be",
        ),
    ];
    for (lines, words) in cases {
        let refusal = with_merchant(lines).unwrap_err();
        assert!(refusal.starts_with(words), "{words} in {refusal}");
    }
    let own = merchant()["mchid"].as_str().unwrap().to_owned();
    let refusal = with_merchant(&format!("sub_merchants = [{{ sub_mchid = \"{own}\" }}]"));
    let refusal = refusal.unwrap_err();
    assert!(refusal.contains("the provider's own number"), "{refusal}");
}

#[test]
fn webhook_secrets_have_the_required_form_and_differ() {
    const OTHER: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
    let first = crate::webhooks::SECRET;
    let target = |lines: &str| {
        parse(&format!(
            "{}[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\n{lines}\n",
            configuration("")
        ))
    };
    let keys = |lines: &str| target(lines).unwrap().webhooks[0].keys.len();
    assert_eq!(keys(&format!("secret = \" {first}\\n\"")), 1);
    let unpadded = first.trim_end_matches('=');
    assert_eq!(keys(&format!("secret = \"{unpadded}\"")), 1);
    assert_eq!(
        keys(&format!("secret = \"{first}\"\nother_secret = \"{OTHER}\"")),
        2
    );
    for (lines, words) in [
        (String::new(), "webhooks.secret: is missing"),
        (
            format!("other_secret = \"{OTHER}\""),
            "webhooks.secret: is missing",
        ),
        (
            format!("secret = \"{}\"", &first["whsec_".len()..]),
            "webhooks.secret: must begin with whsec_",
        ),
        (
            "secret = \"whsec_YWJj\"".to_owned(),
            "webhooks.secret: must be the base64 of 24 to 64",
        ),
        (
            "secret = \"whsec_____________________________________________\"".to_owned(),
            "webhooks.secret: must be base64 after whsec_",
        ),
        (
            format!("secret = \"{first}\"\nother_secret = \"{first}\""),
            "webhooks.other_secret: is the same",
        ),
        (
            format!("secret = \"{first}\"\nother_secret = \"new\""),
            "webhooks.other_secret: must begin with whsec_",
        ),
        (
            format!(
                "secret = \"{first}\"\n[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"{OTHER}\""
            ),
            "webhooks.url: must not come twice",
        ),
    ] {
        let refusal = target(&lines).unwrap_err();
        assert!(refusal.starts_with(words), "{words} in {refusal}");
    }
}
