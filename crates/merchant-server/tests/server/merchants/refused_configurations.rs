//! Mistakes in `[[merchants]]`: each refusal names the merchant's place and the field.

use std::path::Path;

use merchant_server::Config;

use super::{OTHER_SHA256, SHA256, first_table, second_table, top};
use crate::test_server::configuration;

fn refusal(text: &str) -> String {
    Config::parse(text, Path::new(".")).unwrap_err().to_string()
}

#[test]
fn a_refusal_names_the_merchant_and_the_field() {
    let with = |lines: &str| top("") + &first_table("") + &second_table(lines);
    for (lines, field) in [
        ("appid = \"gh_0123456789ab\"", "merchants[1].appid: "),
        ("mchid = \"wx\"", "merchants[1].mchid: "),
        ("appid = 7", "merchants[1].appid: "),
        ("api = \"v4\"", "merchants[1].api: "),
        ("misspelt = 1", "merchants[1].misspelt: "),
        ("api_v3_key = \"short\"", "merchants[1].api_v3_key: "),
        (
            "order_expires_in_ms = 1",
            "merchants[1].order_expires_in_ms: ",
        ),
        (
            "products = [\"app\"]",
            "merchants[1].products: app needs merchants[1].app_appid",
        ),
        (
            "wxpay_server = { notify_urls = [] }",
            "merchants[1].wxpay_server.notify_urls: ",
        ),
        (
            "applications = [{ kind = \"app\", appid = \"wx00000000000000aa\" }]",
            "merchants[1].applications.kind: is a second app",
        ),
        (
            "applications = [{ kind = \"official_account\", appid = \"1\" }]",
            "merchants[1].applications.appid: ",
        ),
    ] {
        let found = refusal(&with(lines));
        assert!(found.starts_with(field), "{lines}: {found}");
    }
    let bad_target = with("").replace("http://127.0.0.1:7001/hooks", "http://shop.example/hooks");
    assert!(refusal(&bad_target).starts_with("merchants[1].webhooks.url: "));
    let bad_origin = first_table("").replace("http://127.0.0.1:8000", "*");
    let found = refusal(&(top("") + &bad_origin));
    assert!(
        found.starts_with("merchants[0].return_origins: "),
        "{found}"
    );
    let no_key = second_table("").replace(OTHER_SHA256, "00");
    let found = refusal(&(top("") + &first_table("") + &no_key));
    assert!(
        found.starts_with("merchants[1].api_keys.sha256: "),
        "{found}"
    );
}

#[test]
fn what_is_one_merchants_is_refused_to_another() {
    let twice = top("") + &first_table("") + &first_table("").replace(SHA256, OTHER_SHA256);
    let found = refusal(&twice);
    assert!(
        found.starts_with("merchants[1].mchid: must not come twice"),
        "{found}"
    );
    let one_key = top("") + &first_table("") + &second_table("").replace(OTHER_SHA256, SHA256);
    let found = refusal(&one_key);
    assert!(
        found.starts_with("merchants[1].api_keys.sha256: is a key of another merchant"),
        "{found}"
    );
    let beside_one = configuration("") + &second_table("").replace(OTHER_SHA256, SHA256);
    assert!(refusal(&beside_one).starts_with("merchants[0].api_keys.sha256: "));
    assert!(Config::parse(&(configuration("") + &second_table("")), Path::new(".")).is_ok());
}

#[test]
fn what_belongs_to_a_merchant_is_not_at_the_top_of_a_list_and_the_other_way_round() {
    let list = first_table("") + &second_table("");
    for (lines, field) in [
        (
            "return_origins = [\"http://127.0.0.1:8000\"]",
            "return_origins: ",
        ),
        ("wxpay_server = { notify_urls = [] }", "wxpay_server: "),
        (
            "api_keys = [{ name = \"shop\", sha256 = \"11\" }]",
            "api_keys: belongs to a merchant",
        ),
        ("retired_merchants = [\"shop\"]", "retired_merchants: "),
    ] {
        let found = refusal(&(top(lines) + &list));
        assert!(found.starts_with(field), "{lines}: {found}");
    }
    for lines in [
        "api_keys = []",
        "webhooks = []",
        "return_origins = []",
        "products = [\"native\"]",
        "order_expires_in_ms = 60000",
    ] {
        let field = lines.split(' ').next().unwrap();
        let found = refusal(&(configuration("") + lines + "\n"));
        let expected = format!("merchant.{field}: belongs to [[merchants]]");
        assert!(found.starts_with(&expected), "{found}");
    }
    let nobody = top("");
    assert!(refusal(&nobody).starts_with("merchant: is missing"));
    let configured = crate::test_server::merchant()["mchid"].clone();
    let found = refusal(&(top(&format!("retired_merchants = [{configured}]")) + &list));
    assert!(
        found.starts_with("retired_merchants: must not name"),
        "{found}"
    );
}
