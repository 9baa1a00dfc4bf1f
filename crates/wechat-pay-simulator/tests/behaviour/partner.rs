//! Partners, who act only for their own sub-merchants.

use http::Method;
use serde_json::{Value, json};
use wechat_pay::bill::{
    BillAccount, BillTicket, FundFlowRow, FundFlowSummary, Packing, SealedBillTickets,
    SubMerchantFundFlowBillRequest, TradeBillRow, read_bill, read_sealed_bill,
};
use wechat_pay::{
    Account, AuthCode, CodePayOrder, CodePayScene, Description, Fen, Orderer, OutTradeNo, Reversed,
    TradeState, Transaction, reverse,
};

use crate::harness::{Harness, fetched, file_of, opened_refund};

const PARTNER: &str = "/v3/pay/partner/transactions";

fn order(harness: &Harness, product: &str) -> Value {
    let merchant = harness.merchant();
    let sub = harness.simulator.sub_merchant(&merchant.mchid);
    let mut body = json!({
        "sp_appid": merchant.appid, "sp_mchid": merchant.mchid,
        "sub_appid": sub.sub_appid, "sub_mchid": sub.sub_mchid,
        "description": "一壶茶", "out_trade_no": "T00001",
        "notify_url": crate::harness::NOTIFY_URL, "amount": { "total": 1990 },
    });
    if product == "jsapi" {
        body["payer"] = json!({ "sub_openid": harness.simulator.openid(&sub.sub_appid) });
    }
    body
}

async fn place(harness: &Harness, product: &str, body: &Value) -> (u16, String, Value) {
    harness
        .call(
            Method::POST,
            &format!("{PARTNER}/{product}"),
            &body.to_string(),
        )
        .await
}

#[tokio::test]
async fn a_partner_orders_queries_refunds_and_closes_for_another_merchant() {
    let harness = Harness::with_settings(&[]);
    let merchant = harness.merchant().clone();
    let sub = harness.simulator.sub_merchant(&merchant.mchid);
    let (status, _, answer) = place(&harness, "jsapi", &order(&harness, "jsapi")).await;
    assert_eq!(status, 200, "{answer}");
    let paying = json!({ "prepay_id": answer["prepay_id"], "outcome": "success" });
    let (status, answer) = harness.pay(paying).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    let query = format!(
        "{PARTNER}/out-trade-no/T00001?sp_mchid={}&sub_mchid={}",
        merchant.mchid, sub.sub_mchid
    );
    let (_, _, paid) = harness.call(Method::GET, &query, "").await;
    assert_eq!(paid["trade_state"], "SUCCESS");
    assert_eq!(paid["sub_mchid"], sub.sub_mchid.as_str());
    assert_eq!(
        paid["payer"]["sub_openid"],
        harness.simulator.openid(&sub.sub_appid)
    );
    assert_eq!(
        paid["payer"]["sp_openid"],
        harness.simulator.openid(&merchant.appid)
    );
    assert!(paid.get("mchid").is_none() && paid.get("appid").is_none());
    harness.simulator.run_due().await;
    assert_eq!(
        opened_refund(&harness, 0).1["sp_mchid"],
        merchant.mchid.as_str()
    );

    let refund = json!({
        "sub_mchid": sub.sub_mchid, "out_trade_no": "T00001", "out_refund_no": "R1",
        "amount": { "refund": 1, "total": 1990, "currency": "CNY" },
    });
    let (status, _, answer) = harness
        .call(
            Method::POST,
            "/v3/refund/domestic/refunds",
            &refund.to_string(),
        )
        .await;
    assert_eq!(status, 200, "{answer}");
    let path = "/v3/refund/domestic/refunds/R1";
    assert_eq!(
        harness.call(Method::GET, path, "").await.0,
        404,
        "not its own"
    );
    let path = format!("{path}?sub_mchid={}", sub.sub_mchid);
    assert_eq!(harness.call(Method::GET, &path, "").await.0, 200);

    let mut other = order(&harness, "native");
    other["out_trade_no"] = "T00002".into();
    assert_eq!(place(&harness, "native", &other).await.0, 200);
    let closing = json!({ "sp_mchid": merchant.mchid, "sub_mchid": sub.sub_mchid }).to_string();
    let path = format!("{PARTNER}/out-trade-no/T00002/close");
    assert_eq!(harness.call(Method::POST, &path, &closing).await.0, 204);
}

#[tokio::test]
async fn a_partner_can_act_only_for_its_own_merchants_and_buyers() {
    let harness = Harness::with_settings(&[]);
    let mchid = &harness.merchant().mchid;
    let own = harness.simulator.openid(&harness.merchant().appid);
    let neighbour = harness.simulator.sub_merchant_of(2, mchid);
    for (pointer, value, expected) in [
        ("/sub_mchid", json!("1600000000"), (403, "NO_AUTH")),
        (
            "/sub_mchid",
            json!(neighbour.sub_mchid),
            (400, "APPID_MCHID_NOT_MATCH"),
        ),
        (
            "/sub_appid",
            json!("wx0000000000000000"),
            (400, "APPID_MCHID_NOT_MATCH"),
        ),
        ("/sp_mchid", json!("1900000000"), (400, "PARAM_ERROR")),
        ("/payer", json!({}), (400, "PARAM_ERROR")),
        ("/payer", json!({ "sub_openid": own }), (400, "PARAM_ERROR")),
        ("/payer", json!({ "openid": own }), (400, "PARAM_ERROR")),
    ] {
        let mut body = order(&harness, "jsapi");
        *body.pointer_mut(pointer).unwrap() = value;
        let (status, code, answer) = place(&harness, "jsapi", &body).await;
        assert_eq!((status, code.as_str()), expected, "{pointer} {answer}");
    }
}

#[tokio::test]
async fn a_buyer_of_another_application_is_refused_as_an_invalid_openid() {
    let harness = Harness::with_settings(&[]);
    let mut own = harness.order("T00001", harness.jsapi());
    let foreign = harness
        .simulator
        .openid(&harness.merchant().mini_program_appid);
    own.product = wechat_pay::ProductFields::Jsapi {
        openid: wechat_pay::OpenId::parse(foreign).unwrap(),
    };
    let error = harness.send(own.request().unwrap()).await.unwrap_err();
    let said = error.wechat().unwrap();
    assert_eq!(
        (said.code.as_str(), said.message.as_str()),
        ("PARAM_ERROR", "无效的openid")
    );
}

#[tokio::test]
async fn a_code_belongs_to_the_buyer_who_opened_it_first() {
    let harness = Harness::new();
    let code_url = harness.native("T00001").await;
    let visit = |payer: u8, outcome: &str| json!({ "code_url": code_url, "payer": payer, "outcome": outcome });
    assert_eq!(harness.pay(visit(2, "cancel")).await.0.as_u16(), 200);
    let (status, answer) = harness.pay(visit(1, "success")).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code"]),
        (409, &json!("PAYER_MISMATCH"))
    );
    assert_eq!(harness.pay(visit(2, "success")).await.0.as_u16(), 200);
}

#[tokio::test]
async fn a_closed_order_can_be_paid_late() {
    let harness = Harness::new();
    harness.native("T00001").await;
    let mchid = harness.merchant().mchid.clone();
    let number = wechat_pay::OutTradeNo::parse("T00001").unwrap();
    harness
        .send(wechat_pay::close(&Account::new(&mchid, None), &number))
        .await
        .unwrap();
    let mut late = json!({ "mchid": mchid, "out_trade_no": "T00001", "outcome": "success" });
    assert_eq!(harness.pay(late.clone()).await.0.as_u16(), 409);
    late["late"] = true.into();
    let (status, answer) = harness.pay(late).await;
    assert_eq!(
        (status.as_u16(), &answer["trade_state"]),
        (200, &json!("SUCCESS"))
    );
}

/// The simulator's own partner, who orders for the first sub-merchant.
fn orderer(harness: &Harness) -> Orderer {
    let merchant = harness.merchant();
    let sub = harness.simulator.sub_merchant(&merchant.mchid);
    Orderer {
        account: Account::new(&merchant.mchid, Some(&sub.sub_mchid)),
        appid: merchant.appid.clone(),
        sub_appid: Some(sub.sub_appid),
    }
}

fn sub_mchid(harness: &Harness) -> String {
    let sub = harness.simulator.sub_merchant(&harness.merchant().mchid);
    sub.sub_mchid
}

/// A payment by the code of the first buyer, as the protocol crate asks for it.
async fn pay_by_code(harness: &Harness, number: &str, total: i64) -> Transaction {
    let (_, shown) = harness.post_json("/_simulator/auth_code", &json!({})).await;
    let order = CodePayOrder {
        orderer: orderer(harness),
        out_trade_no: OutTradeNo::parse(number).unwrap(),
        description: Description::parse("一壶茶").unwrap(),
        total: Fen::new(total).unwrap(),
        auth_code: AuthCode::parse(shown["auth_code"].as_str().unwrap()).unwrap(),
        scene: CodePayScene {
            store_id: Some("1".into()),
            ..CodePayScene::default()
        },
        attach: None,
        goods_tag: None,
        no_credit: false,
        support_fapiao: None,
        detail: None,
        settle_info: None,
    };
    let reply = harness.send(order.request().unwrap()).await.unwrap();
    reply.parse().unwrap()
}

#[tokio::test]
async fn a_partner_takes_a_code_payment_and_reverses_it() {
    let harness = Harness::with_settings(&[]);
    let paid = pay_by_code(&harness, "T00001", 100).await;
    assert_eq!(paid.trade_state, TradeState::Success);
    assert_eq!(paid.sub_mchid, Some(sub_mchid(&harness)));
    assert!(paid.payer.unwrap().sub_openid.is_some());
    let number = OutTradeNo::parse("T00001").unwrap();
    let own = orderer(&harness);
    for _ in 0..2 {
        let reply = harness.send(reverse(&own, &number).unwrap()).await.unwrap();
        let reversed: Reversed = reply.parse().unwrap();
        assert_eq!(reversed.out_trade_no.as_deref(), Some("T00001"));
    }
    let view = harness.simulator.ledger_view(None);
    assert_eq!(view.orders[0].trade_state, TradeState::Revoked);
    let stranger = Orderer {
        account: Account::new(&harness.merchant().mchid, Some("1600000000")),
        sub_appid: None,
        ..own
    };
    let request = reverse(&stranger, &number).unwrap();
    let error = harness.send(request).await.unwrap_err();
    assert_eq!(error.wechat().unwrap().code, "NO_AUTH");
}

#[tokio::test]
async fn a_partner_can_omit_its_own_appid_only_in_code_pay() {
    let harness = Harness::with_settings(&[]);
    let (_, shown) = harness.post_json("/_simulator/auth_code", &json!({})).await;
    let mut body = order(&harness, "codepay");
    body["payer"] = json!({ "auth_code": shown["auth_code"] });
    body["scene_info"] = json!({ "store_info": { "id": "1" } });
    for name in ["sp_appid", "notify_url"] {
        body.as_object_mut().unwrap().remove(name);
    }
    let (status, _, answer) = place(&harness, "codepay", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["sp_appid"], harness.merchant().appid.as_str());
    let mut native = order(&harness, "native");
    native.as_object_mut().unwrap().remove("sp_appid");
    assert_eq!(place(&harness, "native", &native).await.1, "PARAM_ERROR");
}

#[tokio::test]
async fn a_partners_bill_has_the_rows_of_all_its_merchants_and_each_merchants_bill_its_own() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    let mchid = harness.merchant().mchid.clone();
    let subs = [1, 2].map(|place| harness.simulator.sub_merchant_of(place, &mchid));
    for (sub, number) in subs.iter().zip(["T00001", "T00002"]) {
        let mut body = order(&harness, "native");
        body["sub_mchid"] = json!(sub.sub_mchid);
        body["sub_appid"] = json!(sub.sub_appid);
        body["out_trade_no"] = json!(number);
        let (status, _, answer) = place(&harness, "native", &body).await;
        assert_eq!(status, 200, "{answer}");
        let paying = json!({ "code_url": answer["code_url"], "outcome": "success" });
        assert_eq!(harness.pay(paying).await.0.as_u16(), 200);
    }
    let [first, second] = subs.map(|sub| sub.sub_mchid);
    let own = |sub: &str, number: &str| (sub.to_owned(), number.to_owned());
    for (query, expected) in [
        (
            String::new(),
            vec![own(&first, "T00001"), own(&second, "T00002")],
        ),
        (format!("&sub_mchid={first}"), vec![own(&first, "T00001")]),
        (format!("&sub_mchid={second}"), vec![own(&second, "T00002")]),
    ] {
        let path = format!("/v3/bill/tradebill?bill_date=2026-01-01{query}");
        let (status, _, answer) = harness.call(Method::GET, &path, "").await;
        assert_eq!(status, 200, "{answer}");
        let file = file_of(&harness, &answer).await;
        let ticket: BillTicket = serde_json::from_value(answer).unwrap();
        let bill = read_bill(&file, Packing::Plain, &ticket).unwrap();
        let mut found: Vec<_> = bill
            .rows
            .iter()
            .map(|row| {
                let row = TradeBillRow::read(row).unwrap();
                (row.sub_mchid.unwrap(), row.out_trade_no)
            })
            .collect();
        found.sort_by(|(_, a), (_, b)| a.cmp(b));
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_sub_merchants_flow_of_funds_is_encrypted_and_has_only_its_own_rows() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    harness.pay_native("T00001").await;
    pay_by_code(&harness, "T00002", 10_000).await;
    let sub_mchid = sub_mchid(&harness);
    for packing in [Packing::Plain, Packing::Gzip] {
        let request = SubMerchantFundFlowBillRequest {
            sub_mchid: sub_mchid.clone(),
            bill_date: "2026-01-01".parse().unwrap(),
            account: BillAccount::Basic,
            packing,
        };
        let reply = harness
            .send_with_agent(request.request().unwrap())
            .await
            .unwrap();
        let tickets: SealedBillTickets = reply.parse().unwrap();
        let ticket = &tickets.download_bill_list[0];
        let file = fetched(&harness, &ticket.ticket.download_url).await;
        let bill = read_sealed_bill(&tickets, &[(ticket, &file)], packing, &harness.key).unwrap();
        // The payment and its fee of 0.60 %; the partner's own payment is not among them.
        assert_eq!(bill.rows.len(), 2);
        let row = FundFlowRow::read(&bill.rows[0]).unwrap();
        assert_eq!(
            (row.voucher_no.as_str(), row.amount.get()),
            ("T00002", 10_000)
        );
        let sums = FundFlowSummary::read(&bill.summary).unwrap();
        assert_eq!((sums.in_total.get(), sums.out_total.get()), (10_000, 60));
    }
    let own = "/v3/bill/fundflowbill?bill_date=2026-01-01";
    let (_, _, answer) = harness.call(Method::GET, own, "").await;
    let csv = String::from_utf8(file_of(&harness, &answer).await).unwrap();
    assert!(csv.contains("T00001") && !csv.contains("T00002"));
}

#[tokio::test]
async fn a_request_for_a_sub_merchants_bill_needs_all_its_fields() {
    let harness = Harness::with_settings(&["bills_at_once=true"]);
    let sub_mchid = sub_mchid(&harness);
    let good = format!(
        "sub_mchid={sub_mchid}&bill_date=2026-01-01&account_type=BASIC&algorithm=AEAD_AES_256_GCM"
    );
    for (from, to, expected) in [
        ("", "", (400, "NO_STATEMENT_EXIST")),
        (sub_mchid.as_str(), "1600000000", (403, "NO_AUTH")),
        ("sub_mchid=", "mchid=", (400, "PARAM_ERROR")),
        ("account_type=BASIC&", "", (400, "PARAM_ERROR")),
        ("AEAD_AES_256_GCM", "SM4_GCM", (400, "PARAM_ERROR")),
        ("algorithm=", "a=", (400, "PARAM_ERROR")),
        ("2026-01-01", "yesterday", (400, "PARAM_ERROR")),
    ] {
        let query = good.replacen(from, to, 1);
        let path = format!("/v3/bill/sub-merchant-fundflowbill?{query}");
        let (status, code, _) = harness.call(Method::GET, &path, "").await;
        assert_eq!((status, code.as_str()), expected, "{query}");
    }
}
