//! The merchants that a database belongs to: a list that grows by configuration, and of which none
//! disappears unless the operator says so.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use merchant_server::{Config, MerchantServer, SeededRandomness, Surroundings, show_order};
use tokio::process::Command;

use super::{KEY, OTHER_KEY, first_table, ordered, second_table, top};
use crate::cluster;
use crate::inbox::Inbox;
use crate::test_server::{START_MS, TestServer, configuration};

/// Opens the pair's database again, as one program after another would.
async fn refusal(folder: &Path, configuration: &str) -> String {
    let configuration = cluster::configured(configuration, folder).await;
    let config = Config::parse(&configuration, folder).unwrap();
    let surroundings = Surroundings {
        clock: Arc::new(merchant_server::ManualClock::new(START_MS)),
        randomness: Arc::new(SeededRandomness::new(1)),
        wechat: Arc::new(Inbox::default()),
        webhooks: Arc::new(Inbox::default()),
    };
    match MerchantServer::open(config, surroundings).await {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_database_is_refused_to_a_configuration_that_lacks_one_of_its_merchants() {
    let both = top("") + &first_table("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    let folder = first.folder.path();
    assert_eq!(refusal(folder, &both).await, "", "the same ones again");
    let swapped = top("") + &second_table("") + &first_table("");
    assert_eq!(
        refusal(folder, &swapped).await,
        "",
        "their order does not matter"
    );
    let found = refusal(folder, &(top("") + &first_table(""))).await;
    let lacks = format!(
        "orders of merchant {}, which is not configured",
        second.mchid
    );
    assert!(found.contains(&lacks), "{found}");
    let found = refusal(folder, &configuration("")).await;
    assert!(found.contains(&lacks), "{found}");

    let retired = format!("retired_merchants = [\"{}\"]", second.mchid);
    let without = top(&retired) + &first_table("");
    assert_eq!(refusal(folder, &without).await, "", "the operator means it");
    assert_eq!(refusal(folder, &both).await, "", "it comes back");
}

#[tokio::test]
async fn a_retired_merchant_keeps_its_orders_and_nobody_sees_them() {
    let both = top("") + &first_table("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    ordered(&first, "tea-0001").await;
    let token = ordered(&second, "tea-0002").await;
    let retired = format!("retired_merchants = [\"{}\"]", second.mchid);
    let first = first
        .restart_with(&(top(&retired) + &first_table("")))
        .await;
    let unknown = first.checkout(&token).await;
    assert_eq!(unknown.code(), "CHECKOUT_UNKNOWN");
    assert_eq!(first.shown("/tea-0001").await.status, StatusCode::OK);
    assert_eq!(first.shown("/tea-0002").await.code(), "ORDER_UNKNOWN");
    first.later(3_600_000).await;
    let first = first.restart_with(&both).await;
    let known = first.checkout(&token).await;
    assert_eq!(known.string("state"), "open", "it is as it was left");
}

#[tokio::test]
async fn one_merchant_becomes_two_and_its_orders_stay() {
    let server = TestServer::open().await;
    let token = ordered(&server, "tea-0001").await;
    let notified = server
        .restart_with(&(top("") + &first_table("") + &second_table("")))
        .await;
    assert_eq!(notified.checkout(&token).await.string("state"), "open");
    notified.pay("tea-0001").await;
    // The order was made with the address of a single merchant.
    let answer = notified.deliver(&notified.take_notifications()[0]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(notified.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn a_single_merchant_and_a_list_can_stand_together() {
    let both = configuration("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    let token = ordered(&first, "tea-0001").await;
    super::paid(&second, "tea-0001").await;
    first.pay("tea-0001").await;
    let answer = first.deliver(&first.take_notifications()[0]).await;
    assert_eq!(
        answer.status,
        StatusCode::NO_CONTENT,
        "at its present address"
    );
    assert_eq!(first.checkout(&token).await.string("state"), "paid");
    let urls = [&first, &second].map(|server| {
        let order = server.order_at_wechat("tea-0001");
        order["notify_url"].as_str().unwrap_or_default().to_owned()
    });
    let theirs = format!("/wechat/notify/{}/payment", second.mchid);
    assert!(
        urls[0].is_empty() || urls[0].ends_with("/wechat/notify/payment"),
        "{urls:?}"
    );
    assert!(urls[1].is_empty() || urls[1].ends_with(&theirs), "{urls:?}");
}

#[tokio::test]
async fn a_command_acts_for_the_merchant_that_it_names() {
    let both = top("") + &first_table("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    ordered(&first, "tea-0001").await;
    ordered(&second, "tea-0002").await;
    let text = cluster::configured(&both, first.folder.path()).await;
    let config = Config::parse(&text, first.folder.path()).unwrap();
    for (server, own, other) in [
        (&first, "tea-0001", "tea-0002"),
        (&second, "tea-0002", "tea-0001"),
    ] {
        let theirs = config.for_merchant(&server.mchid).unwrap();
        let shown = show_order(&theirs, own).await.unwrap().unwrap();
        assert!(shown.contains(own));
        assert_eq!(show_order(&theirs, other).await.unwrap(), None);
    }
    assert!(config.for_merchant("1900000001").is_none());
}

#[tokio::test]
async fn the_command_line_asks_for_the_merchant_where_there_are_several() {
    let both = top("") + &first_table("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    ordered(&second, "tea-0002").await;
    let file = first.folder.path().join("server.toml");
    let text = cluster::configured(&both, first.folder.path()).await;
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let run = async |words: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_merchant-server"))
            .args(words)
            .arg("--config")
            .arg(&file)
            .output()
            .await
            .unwrap();
        let text = String::from_utf8(ended.stdout).unwrap();
        (
            ended.status.code(),
            text + &String::from_utf8(ended.stderr).unwrap(),
        )
    };
    let show = ["orders", "show", "tea-0002"];
    let (code, said) = run(&show).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--merchant") && said.contains(&second.mchid),
        "{said}"
    );
    for (mchid, code, words) in [
        (&*second.mchid, 0, "\"order_no\": \"tea-0002\""),
        (&*first.mchid, 1, "there is no order tea-0002"),
        ("1900000001", 2, "must be a configured merchant"),
    ] {
        let (ended, said) = run(&[&show[..], &["--merchant", mchid]].concat()).await;
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let (code, said) = run(&["check-config"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&first.mchid) && said.contains(&second.mchid),
        "{said}"
    );
}

#[tokio::test]
async fn a_reload_changes_what_belongs_to_each_merchant_and_not_which_there_are() {
    let both = top("") + &first_table("") + &second_table("");
    let [first, second] = TestServer::open_pair(&both, [KEY, OTHER_KEY]).await;
    let text = cluster::configured(&both, first.folder.path()).await;
    let parse = |text: &str| Config::parse(text, first.folder.path()).unwrap();
    let old = parse(&text);
    let alone = cluster::configured(&(top("") + &first_table("")), first.folder.path()).await;
    assert_eq!(old.needs_restart(&parse(&alone)), ["merchants"]);
    assert_eq!(old.needs_restart(&parse(&text)), Vec::<&str>::new());
    let moved = text.replace(super::OTHER_TARGET, "http://127.0.0.1:7002/hooks");
    assert_eq!(old.needs_restart(&parse(&moved)), Vec::<&str>::new());
    super::paid(&second, "tea-0001").await;
    let first = first.reloaded_as(&moved).await;
    first.later(0).await;
    assert_eq!(first.backend.count("http://127.0.0.1:7002/hooks"), 1);
}
