//! The fields of the configuration that the other modules here do not test.

use super::{FROM_FILE, parse, private_file, with};
use crate::security::live_configuration;
use crate::test_server::configuration;

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_remaining_field_is_checked() {
    const PUBLIC: &str = r#"public_base_url = "http://127.0.0.1:8080""#;
    const KEY: &str = "name = \"shop\"";
    let hash = "api_keys.sha256: is the ";
    let before = |line: &str| format!("{line}\n{PUBLIC}");
    let sha256 = configuration("");
    let sha256 = sha256.split("sha256 = \"").nth(1).unwrap();
    let sha256 = sha256.split('"').next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["a", "b"].map(|name| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        private_file(&folder, &format!("{name}/MP_verify_1.txt"), b"text")
    });
    let blank = private_file(&folder, "MP_verify_2.txt", b"\n");
    let svg = private_file(&folder, "logo.png", b"<svg><script/></svg>");
    let large = private_file(
        &folder,
        "large.png",
        &[b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; 65_536]].concat(),
    );
    let absent = folder.path().join("absent.png").display().to_string();
    let cases = [
        (
            PUBLIC,
            before("listen = \"8080\""),
            "listen: must be an address and a port",
        ),
        (
            PUBLIC,
            before("listen = \"localhost:8080\""),
            "listen: must be an address and a port",
        ),
        (
            PUBLIC,
            before("database = \":memory:\""),
            "database: must be the path of a file: orders",
        ),
        (
            PUBLIC,
            before("database = \"file:x?mode=memory\""),
            "database: must be the path of a file: orders",
        ),
        (
            PUBLIC,
            before("database = \"/tmp\""),
            "database: must be the path of a file, and is that of a folder",
        ),
        (
            PUBLIC,
            before("database = \"orders/\""),
            "database: must be the path of a file, and is that of a folder",
        ),
        (
            PUBLIC,
            before(&format!("verification_files = [\"{one}\", \"{two}\"]")),
            "verification_files: must not have two files of one name",
        ),
        (
            PUBLIC,
            before(&format!("verification_files = [\"{blank}\"]")),
            "verification_files: must be 1 to 1024 bytes",
        ),
        (
            PUBLIC,
            before("service_contact = { text = \"\u{200b} \" }"),
            "service_contact.text: must be 1 to 200 bytes",
        ),
        (
            KEY,
            "name = \" \"".to_owned(),
            "api_keys.name: must be 1 to 64 bytes",
        ),
        (
            KEY,
            "name = \"a\\nb\"".to_owned(),
            "api_keys.name: must be 1 to 64 bytes",
        ),
        (
            KEY,
            format!("scopes = []\n{KEY}"),
            "api_keys.scopes: is empty",
        ),
        (
            KEY,
            format!("name = \"other\"\nsha256 = \"{sha256}\"\n[[api_keys]]\n{KEY}"),
            "api_keys.sha256: must not come twice",
        ),
        (
            FROM_FILE,
            format!("payee = \"{}\"\n{FROM_FILE}", "茶".repeat(65)),
            "merchant.payee: must be 1 to 64 characters",
        ),
        (
            FROM_FILE,
            format!("payee = \"tea\\u202epot\"\n{FROM_FILE}"),
            "merchant.payee: must not have characters that turn",
        ),
        (
            FROM_FILE,
            format!("payee = \" \"\n{FROM_FILE}"),
            "merchant.payee: must be 1 to 64 characters",
        ),
        (
            FROM_FILE,
            format!("logo_file = \"{svg}\"\n{FROM_FILE}"),
            "merchant.logo_file: must be a picture in the form of PNG, JPEG or WebP",
        ),
        (
            FROM_FILE,
            format!("logo_file = \"{large}\"\n{FROM_FILE}"),
            "merchant.logo_file: must be a picture of at most 65536 bytes",
        ),
        (
            FROM_FILE,
            format!("logo_file = \"{absent}\"\n{FROM_FILE}"),
            "merchant.logo_file: ",
        ),
        (
            PUBLIC,
            before(&format!("wechat_pay_sign_file = \"{svg}\"")),
            "wechat_pay_sign_file: must be a picture in the form of PNG, JPEG or WebP",
        ),
        (
            FROM_FILE,
            format!("receipt_url = \"ftp://pay.shop.example/wechat/receipt\"\n{FROM_FILE}"),
            "merchant.receipt_url: must be https",
        ),
        (
            FROM_FILE,
            format!("receipt_url = \"pay.shop.example/wechat/receipt\"\n{FROM_FILE}"),
            "merchant.receipt_url: must begin with https://",
        ),
    ];
    for (from, to, words) in cases {
        let refusal = with(from, &to).unwrap_err();
        assert!(refusal.starts_with(words), "{words} in {refusal}");
    }
    for (other, words) in [
        ("0".repeat(64), "placeholder of the example"),
        (
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855".to_owned(),
            "hash of an empty text",
        ),
    ] {
        let refusal = with(&sha256, &other).unwrap_err();
        assert!(
            refusal.starts_with(hash) && refusal.contains(words),
            "{refusal}"
        );
    }
    let spaced = with(&sha256, &format!(" {}\\t", sha256.to_uppercase())).unwrap();
    assert_eq!(spaced.api_keys[0].name, "shop");
    let loopback = live_configuration().replacen(
        "public_base_url = \"https://pay.shop.example\"",
        "public_base_url = \"https://localhost\"\n",
        1,
    );
    let loopback = loopback.replace(
        FROM_FILE,
        "notify_base_url = \"https://pay.shop.example\"\nfrom_file =",
    );
    let refusal = parse(&loopback).unwrap_err();
    assert!(
        refusal.starts_with("public_base_url: is a loopback address"),
        "{refusal}"
    );
}

#[test]
fn a_folder_without_the_element_causes_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let text = configuration(&format!("bundle_dir = \"{}\"", folder.path().display()));
    let is_about_it =
        |warning: &String| warning.starts_with("bundle_dir: there is no wechat-pay.js");
    assert!(parse(&text).unwrap().warnings(0).iter().any(is_about_it));
    std::fs::write(folder.path().join("wechat-pay.js"), "").unwrap();
    assert!(!parse(&text).unwrap().warnings(0).iter().any(is_about_it));
}
