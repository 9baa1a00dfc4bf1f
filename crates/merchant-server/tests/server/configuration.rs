//! What a configuration must keep to, and what is said where it does not.

use std::path::Path;

use merchant_server::{Config, Environment};

use crate::house::{KEYS, configuration};

/// The good configuration with one text in place of another; gives the refusal.
fn refusal(from: &str, to: &str) -> String {
    let good = configuration("");
    assert!(good.contains(from), "{from}");
    Config::parse(&good.replacen(from, to, 1), Path::new("."))
        .err()
        .map_or_else(String::new, |error| error.to_string())
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_configuration_that_breaks_a_rule_is_refused_with_field_and_reason() {
    const PUBLIC: &str = r#"public_base_url = "http://127.0.0.1:8080""#;
    const ALLOWED: &str = r#"allowed_origins = ["http://127.0.0.1:8000"]"#;
    const RETURN: &str = r#"return_origins = ["http://127.0.0.1:8000"]"#;
    const SIMULATOR: &str = r#"environment = "simulator""#;
    const FROM_FILE: &str = "from_file =";
    let cases = [
        // Any gateway but WeChat's own needs the simulator's word, and the other way round.
        (SIMULATOR, r#"environment = "wechat""#, "gateway.base_url"),
        (SIMULATOR, "", "gateway.base_url"),
        (
            SIMULATOR,
            "environment = \"simulator\"\nbase_url = \"https://api.mch.weixin.qq.com\"",
            "gateway.environment",
        ),
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com.evil.example\"",
            "gateway.base_url",
        ),
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com:8443\"",
            "gateway.base_url",
        ),
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"\noauth_authorize_url = \"https://evil.example/\"",
            "gateway.oauth_authorize_url",
        ),
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"\noauth_base_url = \"https://evil.example\"",
            "gateway.oauth_base_url",
        ),
        // WeChat notifies no address of this machine.
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"",
            "merchant.notify_base_url",
        ),
        // Plain http only where both ends are loopback.
        (
            SIMULATOR,
            "environment = \"simulator\"\nbase_url = \"http://simulator.example\"",
            "gateway.base_url",
        ),
        (
            PUBLIC,
            r#"public_base_url = "http://pay.example""#,
            "public_base_url",
        ),
        (
            PUBLIC,
            "listen = \"0.0.0.0:8080\"\npublic_base_url = \"http://127.0.0.1:8080\"",
            "public_base_url",
        ),
        (
            PUBLIC,
            r#"public_base_url = "https://pay.example""#,
            "gateway.base_url",
        ),
        (
            ALLOWED,
            r#"allowed_origins = ["http://shop.example"]"#,
            "allowed_origins",
        ),
        (
            RETURN,
            r#"return_origins = ["http://shop.example"]"#,
            "return_origins",
        ),
        (
            FROM_FILE,
            "notify_base_url = \"http://shop.example\"\nfrom_file =",
            "merchant.notify_base_url",
        ),
        // WeChat refuses a notify_url with a query.
        (
            FROM_FILE,
            "notify_base_url = \"https://shop.example/?x=1\"\nfrom_file =",
            "merchant.notify_base_url",
        ),
        (
            FROM_FILE,
            "notify_base_url = \"https://shop.example/#x\"\nfrom_file =",
            "merchant.notify_base_url",
        ),
        // Origins are origins.
        (
            ALLOWED,
            r#"allowed_origins = ["https://shop.example/path"]"#,
            "allowed_origins",
        ),
        (ALLOWED, r#"allowed_origins = ["*"]"#, "allowed_origins"),
        (
            PUBLIC,
            r#"public_base_url = "http://user:word@127.0.0.1:8080""#,
            "public_base_url",
        ),
        (
            PUBLIC,
            r#"public_base_url = "http://127.0.0.1:8080/pay""#,
            "public_base_url",
        ),
        // The rest.
        (PUBLIC, "", "public_base_url"),
        (
            PUBLIC,
            "publik_base_url = \"x\"\npublic_base_url = \"http://127.0.0.1:8080\"",
            "publik_base_url",
        ),
        (
            PUBLIC,
            "products = [\"mini_program\"]\npublic_base_url = \"http://127.0.0.1:8080\"",
            "products",
        ),
        (
            PUBLIC,
            "products = []\npublic_base_url = \"http://127.0.0.1:8080\"",
            "products",
        ),
        (
            PUBLIC,
            "order_expires_in_ms = 1000\npublic_base_url = \"http://127.0.0.1:8080\"",
            "order_expires_in_ms",
        ),
        (
            PUBLIC,
            "trusted_proxies = [\"somewhere\"]\npublic_base_url = \"http://127.0.0.1:8080\"",
            "trusted_proxies",
        ),
        ("sha256 = \"", "sha256 = \"zz", "api_keys.sha256"),
        (
            FROM_FILE,
            "api_v3_key = \"too short\"\nfrom_file =",
            "merchant.api_v3_key",
        ),
        (
            FROM_FILE,
            "private_key_file = \"nowhere.pem\"\nfrom_file =",
            "merchant.private_key_file",
        ),
        (
            FROM_FILE,
            "app_secret = \"a\"\napp_secret_file = \"b\"\nfrom_file =",
            "merchant.app_secret_file",
        ),
    ];
    for (from, to, field) in cases {
        let refusal = refusal(from, to);
        assert!(refusal.contains(field), "{field} in {refusal:?} for {to}");
    }
}

#[test]
fn no_key_for_orders_is_refused() {
    let text = configuration("");
    let begin = text.find("[[api_keys]]").unwrap();
    let end = text.find("[gateway]").unwrap();
    let without = format!("{}{}", &text[..begin], &text[end..]);
    let refusal = Config::parse(&without, Path::new("."))
        .unwrap_err()
        .to_string();
    assert!(refusal.starts_with("api_keys"), "{refusal}");
}

#[test]
fn what_does_not_make_us_trust_anybody_is_refused() {
    let merchant = format!(
        "mchid = \"1900000001\"\nappid = \"wx1\"\nserial_no = \"AB\"\n\
         private_key_file = \"{0}/apiclient_key.pem\"\n\
         api_v3_key = \"01234567890123456789012345678901\"\n",
        KEYS.path().display()
    );
    let text = configuration("");
    let place = text.find("from_file").unwrap();
    let own = format!("{}{merchant}", &text[..place]).replace(
        "[gateway]",
        "[gateway]\nbase_url = \"http://127.0.0.1:9410\"",
    );
    let refusal = Config::parse(&own, Path::new(".")).unwrap_err().to_string();
    assert!(refusal.starts_with("merchant.public_key_file"), "{refusal}");
    let trusting = format!(
        "{own}platform_certificate_files = [\"{}/wechatpay_cert.pem\"]\n",
        KEYS.path().display()
    );
    let config = Config::parse(&trusting, Path::new(".")).unwrap();
    assert_eq!(config.merchant.reply_key, None);
}

#[test]
fn the_simulators_file_is_enough_and_no_secret_shows() {
    let config = Config::parse(&configuration(""), Path::new(".")).unwrap();
    assert_eq!(config.gateway.environment, Environment::Simulator);
    assert_eq!(config.gateway.origin, "http://127.0.0.1:9410");
    assert_eq!(
        config.gateway.authorize_url.as_str(),
        "http://127.0.0.1:9410/connect/oauth2/authorize"
    );
    assert_eq!(
        config.return_origins,
        ["http://127.0.0.1:8000", "http://127.0.0.1:8080"]
    );
    let shown = format!("{config:?}");
    let merchant = crate::house::merchant();
    for secret in ["app_secret", "api_v3_key"] {
        let secret = merchant[secret].as_str().unwrap();
        assert!(!shown.contains(secret));
    }
}

/// Runs the program with variables, on a good file that cannot be served: its database would be
/// in a folder that is a file. Gives its exit code and what it said.
fn run_with(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let database = format!("database = \"{}/inside\"", file.display());
    std::fs::write(&file, configuration(&database)).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_merchant-server"))
        .args(["serve", "--config"])
        .arg(&file)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn variables_override_the_file_and_the_exit_code_tells_what_was_wrong() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, i32, &str); 4] = [
        (&[], 1, "folder"),
        (
            &[("MERCHANT_SERVER__PUBLIC_BASE_URL", "http://pay.example")],
            2,
            "public_base_url",
        ),
        (
            &[("MERCHANT_SERVER__MERCHANT__API_V3_KEY", "short")],
            2,
            "merchant.api_v3_key",
        ),
        (&[("MERCHANT_SERVER__LISTENN", "127.0.0.1:1")], 2, "listenn"),
    ];
    for (variables, code, said) in cases {
        let (found, text) = run_with(variables);
        assert_eq!(found, Some(code), "{variables:?}: {text}");
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn the_example_has_every_field_and_only_lacks_its_keys() {
    let text = include_str!("../../config.example.toml");
    let refusal = Config::parse(text, Path::new("/nonexistent")).unwrap_err();
    assert!(
        refusal.to_string().starts_with("merchant.private_key_file"),
        "{refusal}"
    );
}
