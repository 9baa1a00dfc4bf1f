//! The mini-program's own page (`www/miniprogram`) in Node, with WeChat around it played over HTTP:
//! our merchant server, the simulator behind it, the simulator's cashier. The page's logic alone is
//! tested beside the page; here the page runs against the real servers.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is test code: a panic is the report"
)]

use payment_tests::servers::Servers;
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn a_buyer_of_a_web_view_pays_in_the_mini_programs_page_and_is_brought_back() {
    let shop = MiniProgram::open().await;
    let visit = shop.visit(&["success"]).await;
    assert_eq!(
        visit["states"],
        json!(["starting", "paying", "confirming", "paid"])
    );
    assert_eq!(visit["backs"], 1);
    assert_eq!(visit["sheets"][0]["amount"], "69.10");
    assert_eq!(shop.servers.wechat.trade_states(), ["SUCCESS"]);
    let checkout = shop.servers.checkout(&shop.token).await;
    assert_eq!(
        (&checkout["state"], &checkout["product"]),
        (&json!("paid"), &json!("mini_program"))
    );
}

#[tokio::test]
async fn a_buyer_who_closes_the_cashier_pays_the_same_order_at_the_second_try() {
    let shop = MiniProgram::open().await;
    let visit = shop.visit(&["cancel", "success"]).await;
    let states = ["starting", "paying", "confirming"];
    let expected = [&states[..], &["unpaid"], &states, &["paid"]].concat();
    assert_eq!(visit["states"], json!(expected));
    // Each try logs in again, because a code is valid once.
    assert_eq!(visit["logins"], 2);
    assert_eq!(shop.servers.wechat.trade_states(), ["SUCCESS"]);
}

#[tokio::test]
async fn the_cashier_opens_for_nothing_that_the_server_did_not_sign() {
    let shop = MiniProgram::open().await;
    let visit = shop.visit(&["forge"]).await;
    assert_eq!(visit["refusals"], json!(["支付验证签名失败"]));
    let states = visit["states"].as_array().unwrap();
    assert_eq!(states.last().unwrap(), "unpaid");
    assert_eq!(shop.servers.wechat.trade_states(), ["NOTPAY"]);
}

/// The mini-program with one order, at the path that the web-view's element navigates to.
struct MiniProgram {
    servers: Servers,
    token: String,
    path: String,
}

impl MiniProgram {
    async fn open() -> Self {
        let servers = Servers::start_without_bundle().await;
        let order = json!({"total_fen": 6_910, "description": "云南小粒咖啡"});
        let token = servers.order(order).await;
        let answer = servers.attempt(&token, "mini_program").await;
        let path = answer["mini_program_path"].as_str().unwrap().to_owned();
        Self {
            servers,
            token,
            path,
        }
    }

    /// Opens the page and lets the buyer do this in the cashier, one step after another. Returns
    /// what WeChat saw.
    async fn visit(&self, buyer: &[&str]) -> Value {
        let wechat = concat!(env!("CARGO_MANIFEST_DIR"), "/mini_program/wechat.js");
        let simulator = &self.servers.wechat.simulator;
        let given = json!({
            "merchantApi": format!("{}/v1", self.servers.merchant),
            "simulator": self.servers.wechat.address,
            "cashier": format!("{}/_wechat/mini-program", self.servers.stage_in_wechat),
            "appId": simulator.keyring().merchant().mini_program_appid,
            "path": self.path,
            "buyer": buyer,
        });
        let mut node = Command::new("node");
        node.args([wechat, &given.to_string()]).kill_on_drop(true);
        let output = node.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{complaint}");
        serde_json::from_str(&said).expect(&said)
    }
}
