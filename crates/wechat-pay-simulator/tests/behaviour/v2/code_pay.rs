//! Payments by the buyer's code in version 2.

use serde_json::json;
use wechat_pay::v2::{self, AnswerError, CodeOwner, CodePayStep, Reversed, SignType};
use wechat_pay::{
    AuthCode, CodePayOrder, CodePayScene, Fen, OutTradeNo, ProductFields, TradeState, TradeType,
    Transaction,
};

use super::{V2, code_of};

async fn shown_code(v2: &V2) -> String {
    let showing = json!({ "payer": 2 });
    let (_, answer) = v2
        .harness
        .post_json("/_simulator/auth_code", &showing)
        .await;
    answer["auth_code"].as_str().unwrap().to_owned()
}

fn order(v2: &V2, number: &str, code: &str, fen: i64) -> v2::Request {
    let template = v2.harness.order(number, ProductFields::Native);
    let order = CodePayOrder {
        orderer: template.orderer,
        out_trade_no: template.out_trade_no,
        description: template.description,
        total: Fen::new(fen).unwrap(),
        auth_code: AuthCode::parse(code).unwrap(),
        scene: CodePayScene::default(),
        attach: None,
        goods_tag: None,
        no_credit: false,
        support_fapiao: None,
        detail: None,
        settle_info: None,
    };
    v2::code_pay(&order, "203.0.113.7".parse().unwrap()).unwrap()
}

async fn reverse(v2: &V2, number: &str) -> Result<Reversed, AnswerError> {
    let number = OutTradeNo::parse(number).unwrap();
    v2.call(&v2::reverse(&v2.orderer, &number).unwrap()).await
}

#[tokio::test]
async fn a_scanned_code_pays_at_once_and_is_good_once() {
    let v2 = V2::new(SignType::Md5);
    let code = shown_code(&v2).await;
    let owner = v2::code_owner(&v2.orderer, &AuthCode::parse(code.as_str()).unwrap()).unwrap();
    let owner: CodeOwner = v2.call(&owner).await.unwrap();
    let buyer = v2.harness.simulator.openid_of(2, &v2.orderer.appid);
    assert_eq!(owner.openid, buyer);
    let request = order(&v2, "T00001", &code, 100);
    let paid: Transaction = v2.call(&request).await.unwrap();
    assert_eq!(paid.trade_type, Some(TradeType::Micropay));
    assert_eq!(paid.openid(), Some(&*buyer));
    assert_eq!(paid.total().map(Fen::get), Some(100));
    let again = order(&v2, "T00002", &code, 100);
    assert_eq!(
        code_of(v2.call::<Transaction>(&again).await),
        "AUTHCODEEXPIRE"
    );
    let nobodys = order(&v2, "T00002", "130000000000000000", 100);
    let refused = v2.call::<Transaction>(&nobodys).await;
    assert_eq!(code_of(refused), "AUTH_CODE_INVALID");
}

#[tokio::test]
async fn a_buyer_who_types_the_password_is_waited_for_and_then_the_order_is_reversed() {
    let v2 = V2::new(SignType::HmacSha256);
    let request = order(&v2, "T00001", &shown_code(&v2).await, 100_000);
    let answered = v2.call::<Transaction>(&request).await;
    let answered = answered.as_ref().map_err(Some);
    let mut step = CodePayStep::after_payment(answered);
    let mut waited_s = 0;
    while let CodePayStep::Query { after_s } = step {
        waited_s += after_s;
        v2.harness.advance(after_s);
        let found = v2.query("T00001").await;
        step = CodePayStep::after_query(found.as_ref().map_err(Some), waited_s);
    }
    assert_eq!((step, waited_s), (CodePayStep::Reverse { after_s: 0 }, 30));
    for _ in 0..2 {
        assert_eq!(reverse(&v2, "T00001").await, Ok(Reversed { recall: false }));
    }
    let found = v2.query("T00001").await.unwrap();
    assert_eq!(found.trade_state, TradeState::Revoked);
}

#[tokio::test]
async fn a_password_in_time_makes_the_order_paid() {
    let v2 = V2::new(SignType::Md5);
    let request = order(&v2, "T00001", &shown_code(&v2).await, 100_000);
    assert_eq!(
        code_of(v2.call::<Transaction>(&request).await),
        "USERPAYING"
    );
    let mchid = v2.harness.merchant().mchid.clone();
    let paying = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
    v2.harness.pay(paying).await;
    let found = v2.query("T00001").await;
    let step = CodePayStep::after_query(found.as_ref().map_err(Some), 5);
    assert_eq!(step, CodePayStep::Paid);
}

#[tokio::test]
async fn only_payments_by_code_are_reversed() {
    let v2 = V2::new(SignType::Md5);
    v2.paid("T00001").await;
    assert_eq!(code_of(reverse(&v2, "T00001").await), "TRADE_STATE_ERROR");
    assert_eq!(code_of(reverse(&v2, "T00009").await), "ORDERNOTEXIST");
    let request = order(&v2, "T00002", &shown_code(&v2).await, 100_000);
    assert!(v2.call::<Transaction>(&request).await.is_err());
    v2.harness.advance(300);
    assert_eq!(code_of(v2.close("T00002").await), "TRADE_STATE_ERROR");
}
