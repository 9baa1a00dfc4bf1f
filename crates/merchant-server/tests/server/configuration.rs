//! The rules of a configuration, and the messages for a configuration that breaks them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use merchant_server::{Config, Environment};

use crate::cluster;
use crate::test_server::{KEYS, TestServer, configuration};

/// Replaces one text of the good configuration with another; returns the refusal.
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
        // Any gateway but WeChat's own needs `environment = "simulator"`, and the reverse.
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
        // Its amounts may be in other currencies.
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://apihk.mch.weixin.qq.com\"",
            "gateway.base_url",
        ),
        (
            SIMULATOR,
            "environment = \"simulator\"\nbase_url = \"https://api.wechatpay.cn\"",
            "gateway.environment",
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
        // WeChat cannot send notifications to a loopback address.
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"",
            "merchant.notify_base_url",
        ),
        (
            SIMULATOR,
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"\nsecond_base_url = \"https://evil.example\"",
            "gateway.second_base_url",
        ),
        (
            SIMULATOR,
            "environment = \"simulator\"\nsecond_base_url = \"https://api2.mch.weixin.qq.com\"",
            "gateway.second_base_url",
        ),
        (
            SIMULATOR,
            "environment = \"simulator\"\nsecond_base_url = \"http://127.0.0.1:9410\"",
            "gateway.second_base_url",
        ),
        (
            SIMULATOR,
            "environment = \"simulator\"\nsecond_base_url = \"http://simulator.example\"",
            "gateway.second_base_url",
        ),
        ("tries = 1", "tries = 0", "gateway.tries"),
        // Plain http is allowed only where both ends are loopback.
        (
            SIMULATOR,
            "environment = \"simulator\"\nbase_url = \"http://simulator.example\"",
            "gateway.base_url",
        ),
        // A name below .localhost is resolved, and not everywhere to this machine.
        (
            SIMULATOR,
            "environment = \"simulator\"\nbase_url = \"http://simulator.localhost\"",
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
            "gateway.oauth_authorize_url",
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
        // An origin has no path and no wildcard.
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
        // All other rules.
        (PUBLIC, "", "public_base_url"),
        (
            PUBLIC,
            "publik_base_url = \"x\"\npublic_base_url = \"http://127.0.0.1:8080\"",
            "publik_base_url",
        ),
        (
            PUBLIC,
            "products = [\"app\"]\npublic_base_url = \"http://127.0.0.1:8080\"",
            "products: app needs merchant.app_appid",
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
            "trusted_proxies = [\"127.0.0.1/32\"]",
            "trusted_proxies = [\"somewhere\"]",
            "trusted_proxies.0: ",
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
            "mini_program_path = \"pages/pay\"\nfrom_file =",
            "merchant.mini_program_path",
        ),
        (
            FROM_FILE,
            "app_appid = \"wx 1\"\nfrom_file =",
            "merchant.app_appid",
        ),
        (
            FROM_FILE,
            "receipt_url = \"https://pay.shop.example/elsewhere\"\nfrom_file =",
            "merchant.receipt_url",
        ),
        (
            FROM_FILE,
            "sub_merchants = [{ sub_mchid = \"1900000109\" }, { sub_mchid = \"1900000109\" }]\nfrom_file =",
            "merchant.sub_merchants.sub_mchid: must not come twice",
        ),
        (
            FROM_FILE,
            "sub_merchants = [{ sub_mchid = \"1900000109\", sub_app_secret = \"0123456789abcdef0123456789abcdef\" }]\nfrom_file =",
            "merchant.sub_merchants.sub_appid",
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
fn live_notifications_require_a_public_host_name() {
    let live = configuration("")
        .replace("http://127.0.0.1:8080", "https://pay.shop.example")
        .replace("http://127.0.0.1:8000", "https://www.shop.example")
        .replace(
            "environment = \"simulator\"",
            "environment = \"wechat\"\nbase_url = \"https://api.mch.weixin.qq.com\"",
        );
    for (first, second) in [
        ("api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"),
        ("api2.mch.weixin.qq.com", "api.mch.weixin.qq.com"),
        ("api.wechatpay.cn", "api2.wechatpay.cn"),
        ("api2.wechatpay.cn", "api.wechatpay.cn"),
    ] {
        let text = live.replace("api.mch.weixin.qq.com", first);
        let config = Config::parse(&text, Path::new(".")).unwrap();
        assert_eq!(config.gateway.origin, format!("https://{first}"));
        let partner = format!("https://{second}");
        assert_eq!(config.gateway.second_origin, Some(partner));
    }
    for base in [
        "https://203.0.113.5",
        "https://[2001:db8::1]",
        "https://localhost",
        "http://pay.shop.example",
        "https://pay.shop.example?x=1",
        "https://user:word@pay.shop.example",
    ] {
        let named = format!("notify_base_url = \"{base}\"\nfrom_file =");
        let text = live.replace("from_file =", &named);
        let refusal = Config::parse(&text, Path::new("."))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with("merchant.notify_base_url"),
            "{base}: {refusal}"
        );
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
fn a_configuration_without_a_usable_key_of_wechat_is_refused() {
    let merchant = format!(
        "mchid = \"1900000001\"\nappid = \"wx0000000000000001\"\nserial_no = \"AB\"\n\
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
fn the_simulators_file_is_enough_and_no_secret_is_shown() {
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
    let merchant = crate::test_server::merchant();
    for secret in ["app_secret", "api_v3_key"] {
        let secret = merchant[secret].as_str().unwrap();
        assert!(!shown.contains(secret));
    }
}

/// Runs the program with variables, on a good file that cannot be served: its database would be
/// in a folder that is a file. Returns the exit code and the output.
fn run_with(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let database = format!("database = \"{}/inside\"", file.display());
    write_with_mode(&file, &configuration(&database), 0o600);
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
fn variables_override_the_file_and_the_exit_code_reports_the_kind_of_error() {
    type Variables = &'static [(&'static str, &'static str)];
    let cases: [(Variables, i32, &str); 4] = [
        (&[], 1, "cannot be written"),
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
fn the_address_of_a_database_server_is_checked_and_its_password_is_not_shown() {
    let address = "postgres://u:secret-word@db.example/orders?sslmode=verify-full";
    let text = configuration(&format!("database = \"{address}\""));
    let config = Config::parse(&text, Path::new(".")).unwrap();
    let shown = format!("{} {config:?}", config.database);
    assert!(
        shown.starts_with("PostgreSQL database orders at db.example:5432"),
        "{shown}"
    );
    assert!(!shown.contains("secret-word"), "{shown}");
    for address in [
        "postgres://u:secret-word@db.example",
        "postgresql://u:secret-word@db.example:no/orders",
        "postgres://u@db.example/orders?pass=secret-word",
    ] {
        let text = configuration(&format!("database = \"{address}\""));
        let refusal = Config::parse(&text, Path::new("."));
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.starts_with("database: m"), "{refusal}");
        assert!(!refusal.contains("secret-word"), "{refusal}");
    }
}

/// `PathBuf` takes every text: an earlier version made a folder from an address, and printed the
/// address with its password.
#[test]
fn a_database_url_that_names_no_file_is_refused_and_its_password_is_not_shown() {
    for address in [
        "mysql://u:secret-word@db.example/orders",
        "sqlite:secret-word.sqlite3",
        "sqlite://secret-word.sqlite3",
        "",
    ] {
        let text = configuration(&format!("database = \"{address}\""));
        let refusal = Config::parse(&text, Path::new("."))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with("database: must be the path of a file"),
            "{refusal}"
        );
        assert!(!refusal.contains("secret-word"), "{refusal}");
    }
}

#[test]
fn live_payments_without_a_trusted_proxy_cause_a_warning() {
    let warnings = |text: &str| Config::parse(text, Path::new(".")).unwrap().warnings(0);
    let proxies = "trusted_proxies = [\"127.0.0.1/32\"]";
    let live = crate::security::live_configuration();
    let is_about_proxies = |warning: &String| warning.starts_with("trusted_proxies is empty");
    assert!(!warnings(&live).iter().any(is_about_proxies));
    let bare = live.replace(proxies, "");
    assert!(warnings(&bare).iter().any(is_about_proxies));
    let simulated = configuration("").replace(proxies, "");
    assert!(!warnings(&simulated).iter().any(is_about_proxies));
}

/// A value in the wrong place can be a key. So the refusal does not repeat the value: it says where
/// the value is and what belongs there.
#[test]
fn a_malformed_value_is_never_repeated() {
    const SECRET: &str = "9876543210";
    const FROM_FILE: &str = "from_file =";
    let before = |line: &str| format!("{line}\n{FROM_FILE}");
    let place = {
        let good = configuration("");
        let above = &good[..good.find(FROM_FILE).unwrap()];
        above.matches('\n').count() + 1
    };
    let syntax = format!("line {place}, column ");
    let cases = [
        // These lines are not TOML.
        (before("api_v3_key = \"s9876543210"), &*syntax),
        (before("api_v3_key = s9876543210"), &*syntax),
        (before("api_v3_key = 's9876543210\""), &*syntax),
        (before("s9876543210"), &*syntax),
        // These values have a wrong type.
        (
            before("api_v3_key = 9876543210"),
            "merchant.api_v3_key: must be a text in quotes",
        ),
        (
            before("api_v3_key = 98765.43210"),
            "merchant.api_v3_key: must be a text in quotes",
        ),
        (
            before("api_v3_key = -9876543210"),
            "merchant.api_v3_key: must be a text in quotes",
        ),
        (
            before("api_v3_key = [\"9876543210\"]"),
            "merchant.api_v3_key: must be a text in quotes, and is a list",
        ),
        (
            before("download_certificates = \"s9876543210\""),
            "merchant.download_certificates: must be a boolean, and is a text",
        ),
        (
            before("mchid = 9876543210"),
            "merchant.mchid: must be a string, and is a number",
        ),
        (
            before("sub_merchants = [{ sub_mchid = \"1\", sub_app_secret = 9876543210 }]"),
            "merchant.sub_merchants.0.sub_app_secret: must be a text in quotes",
        ),
        (
            before("api_v3_kee = \"s9876543210\""),
            "merchant.api_v3_kee: is not known",
        ),
    ];
    for (to, said) in cases {
        let refusal = refusal(FROM_FILE, &to);
        assert!(refusal.contains(said), "{said} in {refusal:?} for {to}");
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
    for (from, to, said) in [
        (
            "environment = \"simulator\"",
            "environment = \"s9876543210\"",
            "gateway.environment: must be",
        ),
        (
            "trusted_proxies = [\"127.0.0.1/32\"]",
            "trusted_proxies = [\"s9876543210\"]",
            "trusted_proxies.0: ",
        ),
        (
            "tries = 1",
            "tries = \"s9876543210\"",
            "gateway.tries: must be u32, and is a text",
        ),
        (
            "sha256 =",
            "scopes = [\"s9876543210\"]\nsha256 =",
            "api_keys.0.scopes.0: must be",
        ),
    ] {
        let refusal = refusal(from, to);
        assert!(refusal.contains(said), "{said} in {refusal:?} for {to}");
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
    // A parser that prints the lines of an error would print both lines of a repeated name.
    let twice = before("api_v3_key = \"s9876543210\"\napi_v3_key = \"s9876543210\"");
    let refusal = refusal(FROM_FILE, &twice);
    assert!(
        refusal.starts_with(&format!("line {}, ", place + 1)),
        "{refusal}"
    );
    assert!(!refusal.contains(SECRET), "{refusal}");
}

#[test]
fn a_value_of_the_simulators_file_is_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("merchant.json");
    let toml = configuration("");
    let text = toml.replace(
        &KEYS.path().display().to_string(),
        &folder.path().display().to_string(),
    );
    let whole = crate::test_server::merchant();
    for (field, value, said) in [
        ("api_v3_key", "9876543210", "a value is not of its type"),
        ("mchid", "9876543210", "a value is not of its type"),
        ("api_v3_key", "s9876543210", "this is not JSON"),
    ] {
        let mut json = whole.clone();
        json[field] = "put here".into();
        let json = json.to_string().replace("\"put here\"", value);
        write_with_mode(&file, &json, 0o600);
        let refusal = Config::parse(&text, Path::new("."))
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with("merchant.from_file: line 1, column "),
            "{refusal}"
        );
        assert!(refusal.contains(said), "{refusal}");
        assert!(!refusal.contains("9876543210"), "{refusal}");
    }
    let mut lacks = whole;
    lacks.as_object_mut().unwrap().remove("api_v3_key");
    write_with_mode(&file, &lacks.to_string(), 0o600);
    let refusal = Config::parse(&text, Path::new("."))
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("`api_v3_key` is missing"), "{refusal}");
}

/// An operator may paste the program's output into a chat.
#[test]
fn the_value_of_a_variable_is_never_written_to_the_log() {
    for (name, value) in [
        ("MERCHANT__API_V3_KEY", "9876543210"),
        ("MERCHANT__API_V3_KEY", "[9876543210]"),
        ("MERCHANT__API_V3_KEE", "9876543210"),
        ("MERCHANT__DOWNLOAD_CERTIFICATES", "9876543210"),
        ("MERCHANT", "9876543210"),
        ("LISTEN", "9876543210"),
        ("GATEWAY__ENVIRONMENT", "9876543210"),
    ] {
        let (code, log) = run_with(&[(&format!("MERCHANT_SERVER__{name}"), value)]);
        assert_eq!(code, Some(2), "{name}: {log}");
        assert!(
            log.contains(&name.to_lowercase().replace("__", ".")),
            "{name}: {log}"
        );
        assert!(!log.contains("9876543210"), "{name}: {log}");
    }
}

/// Merchants' numbers, serial numbers and keys are texts that can be all digits.
#[test]
fn a_variable_of_digits_is_a_string_where_the_file_has_a_string() {
    let variable = |name: &str| format!("MERCHANT_SERVER__{name}");
    let (code, log) = run_with(&[
        (&variable("MERCHANT__APPID"), "wx0000000000000001"),
        (&variable("MERCHANT__MCHID"), "0019000001"),
        (&variable("MERCHANT__SERIAL_NO"), "1234567890"),
        (
            &variable("MERCHANT__API_V3_KEY"),
            "01234567890123456789012345678901",
        ),
        (&variable("GATEWAY__TRIES"), "2"),
        (&variable("MERCHANT__DOWNLOAD_CERTIFICATES"), "true"),
        (&variable("PRODUCTS"), "[\"native\"]"),
        (&variable("ALLOWED_ORIGINS"), "[]"),
        (&variable("MERCHANT__PUBLIC_KEY_ID"), "\"PUB_KEY_ID_1\""),
    ]);
    // The variables are accepted as the file is; only the database cannot be created.
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("cannot be written"), "{log}");
}

fn write_with_mode(file: &Path, text: &str, mode: u32) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_with_secrets_that_others_can_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let good = configuration("");
    write_with_mode(&place("server.toml"), &good, 0o640);
    let refusal = Config::load(&place("server.toml")).unwrap_err().to_string();
    assert!(refusal.starts_with("--config"), "{refusal}");
    assert!(refusal.contains("mode 640"), "{refusal}");
    write_with_mode(&place("server.toml"), &good, 0o600);
    assert!(Config::load(&place("server.toml")).is_ok());

    for (field, name) in [
        ("merchant.private_key_file", "apiclient_key.pem"),
        ("merchant.from_file", "merchant.json"),
    ] {
        for entry in std::fs::read_dir(KEYS.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, place(path.file_name().unwrap().to_str().unwrap())).unwrap();
            }
        }
        std::fs::set_permissions(place(name), Permissions::from_mode(0o604)).unwrap();
        let ours = folder.path().display().to_string();
        let text = good.replace(&KEYS.path().display().to_string(), &ours);
        let refusal = Config::parse(&text, folder.path()).unwrap_err().to_string();
        assert!(refusal.starts_with(field), "{field}: {refusal}");
    }
    for field in ["app_secret_file", "api_v3_key_file"] {
        write_with_mode(&place("secret"), "0123456789abcdef0123456789abcdef", 0o644);
        let line = format!("{field} = \"secret\"\nfrom_file =");
        let text = good.replacen("from_file =", &line, 1);
        let refusal = Config::parse(&text, folder.path()).unwrap_err().to_string();
        assert!(refusal.contains(field), "{field}: {refusal}");
        write_with_mode(&place("secret"), "0123456789abcdef0123456789abcdef", 0o400);
        assert!(Config::parse(&text, folder.path()).is_ok(), "{field}");
    }
}

#[tokio::test]
async fn only_its_owner_can_read_the_database() {
    if cluster::is_used() {
        return;
    }
    let server = TestServer::open().await;
    let file = server.folder.path().join("merchant-server.sqlite3");
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Runs a command in a folder with a good file; returns the exit code, the output and the log.
fn run_in(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_merchant-server"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn the_command_line_checks_migrates_and_lists() {
    let server = TestServer::open().await;
    server.default_order().await;
    let folder = server.folder.path();
    let text = cluster::configured(&configuration(""), folder).await;
    write_with_mode(&folder.join("s.toml"), &text, 0o600);
    let with_file = ["--config", "s.toml"];
    let run = |words: &[&str]| run_in(folder, &[words, &with_file].concat());

    let (code, said, _) = run(&["check-config"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("a simulator, no real money"), "{said}");
    let merchant = crate::test_server::merchant();
    assert!(!said.contains(merchant["api_v3_key"].as_str().unwrap()));
    // No server listens at the gateway's address.
    let (code, _, log) = run(&["check-config", "--live"]);
    assert_eq!(code, Some(1), "{log}");
    let (code, said, _) = run(&["migrate"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("the database is at version "), "{said}");
    let (code, said, _) = run(&["orders", "show", "tea-0001"]);
    assert_eq!(code, Some(0));
    let order: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(order["total_fen"], 1990);
    assert_eq!(order.get("token"), None);
    assert_eq!(run(&["orders", "show", "tea-0002"]).0, Some(1));

    let payment = crate::test_server::transaction("unmatched-0001", 1);
    let notification =
        crate::test_server::payment_notification("N1", &payment, crate::test_server::START_MS);
    server.deliver(&notification).await;
    let (code, said, _) = run(&["mismatches", "list"]);
    assert_eq!(code, Some(0));
    assert!(
        said.starts_with(
            "1 payment 2026-11-21T09:20:00Z reason=number out_trade_no=unmatched-0001"
        ),
        "{said}"
    );
    assert!(said.ends_with("1 unresolved mismatches\n"), "{said}");
    assert!(!said.contains("oSecretOpenId"), "{said}");
    let (code, said, _) = run(&["mismatches", "done", "1", "--note", "given back"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("note=given back"), "{said}");
    let (_, said, _) = run(&["mismatches", "list"]);
    assert_eq!(said, "0 unresolved mismatches\n");
    assert!(
        run(&["mismatches", "list", "--all"])
            .1
            .starts_with("1 payment")
    );
    assert_eq!(run(&["pour"]).0, Some(2));
}

#[test]
fn the_sample_configuration_is_valid_except_for_its_missing_keys() {
    let text = include_str!("../../config.example.toml");
    let refusal = Config::parse(text, Path::new("/nonexistent")).unwrap_err();
    assert!(
        refusal
            .to_string()
            .starts_with("merchant.public_key_file: cannot read"),
        "{refusal}"
    );
}
