//! The gateway of version 2, as a merchant of version 2 uses it.

mod bills;
mod code_pay;
mod hostile;
mod native;
mod notifications;
mod refunds;
mod sandbox;
mod tls;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use wechat_pay::v2::{
    self, Answer, AnswerError, ApiV2Key, Closed, ReadAnswer, SignType, UnifiedOrder,
};
use wechat_pay::{
    AppOrdered, Fen, H5Ordered, JsapiOrdered, NativeOrdered, Orderer, OutTradeNo, ProductFields,
    Stamp, TradeState, Transaction, TransactionId, query_by_out_trade_no,
};

use crate::harness::{Harness, h5_fields, send, start};

/// A merchant of version 2 beside the simulator.
pub(crate) struct V2 {
    pub(crate) harness: Harness,
    pub(crate) key: ApiV2Key,
    pub(crate) kind: SignType,
    pub(crate) orderer: Orderer,
}

impl V2 {
    pub(crate) fn new(kind: SignType) -> Self {
        Self::of(Harness::new(), kind)
    }

    pub(crate) fn of(harness: Harness, kind: SignType) -> Self {
        let merchant = harness.merchant();
        Self {
            key: ApiV2Key::parse(merchant.api_v2_key.clone()).unwrap(),
            orderer: Orderer::merchant(merchant.appid.clone(), &merchant.mchid),
            kind,
            harness,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Bytes) -> Answer {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        send(self.harness.simulator.app(), request).await.into()
    }

    /// Signs, sends, verifies and reads.
    pub(crate) async fn call<T: ReadAnswer>(
        &self,
        request: &v2::Request,
    ) -> Result<T, AnswerError> {
        self.send(request).await.parse(&self.key, self.kind)
    }

    pub(crate) async fn send(&self, request: &v2::Request) -> Answer {
        let stamp = Stamp::new(start().as_second(), [3; 16]);
        let signed = request.sign(&self.key, self.kind, &stamp);
        self.post(signed.route.path(), signed.body).await
    }

    pub(crate) fn order(&self, number: &str, product: ProductFields) -> v2::Request {
        let order = self.harness.order(number, product);
        let from = "203.0.113.7".parse().unwrap();
        UnifiedOrder::new(order, from).request().unwrap()
    }

    pub(crate) async fn query(&self, number: &str) -> Result<Transaction, AnswerError> {
        let number = OutTradeNo::parse(number).unwrap();
        let request = v2::query_by_out_trade_no(&self.orderer, &number).unwrap();
        self.call(&request).await
    }

    pub(crate) async fn close(&self, number: &str) -> Result<Closed, AnswerError> {
        let number = OutTradeNo::parse(number).unwrap();
        self.call(&v2::close(&self.orderer, &number).unwrap()).await
    }

    /// An order that a buyer has paid by scanning its code.
    pub(crate) async fn paid(&self, number: &str) -> String {
        let request = self.order(number, ProductFields::Native);
        let ordered: NativeOrdered = self.call(&request).await.unwrap();
        let paying = json!({ "code_url": ordered.code_url, "outcome": "success" });
        let (status, answer) = self.harness.pay(paying).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["transaction_id"].as_str().unwrap().to_owned()
    }
}

/// The code of a refusal whose signature is valid.
pub(crate) fn code_of<T: std::fmt::Debug>(answered: Result<T, AnswerError>) -> String {
    match answered {
        Err(AnswerError::Refused(refusal)) if refusal.trusted => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_product_is_ordered_and_has_its_link() {
    for kind in [SignType::Md5, SignType::HmacSha256] {
        let v2 = V2::new(kind);
        let jsapi = v2.order("T00001", v2.harness.jsapi());
        let jsapi: JsapiOrdered = v2.call(&jsapi).await.unwrap();
        assert!(jsapi.prepay_id.starts_with("wx20260101"));
        let native = v2.order("T00002", ProductFields::Native);
        let native: NativeOrdered = v2.call(&native).await.unwrap();
        assert!(native.code_url.starts_with("weixin://wxpay/bizpayurl?pr="));
        let h5: H5Ordered = v2.call(&v2.order("T00003", h5_fields())).await.unwrap();
        assert!(h5.h5_url.contains("/checkmweb?prepay_id="));
        let app = v2.order("T00004", ProductFields::App);
        let app: AppOrdered = v2.call(&app).await.unwrap();
        assert!(!app.prepay_id.is_empty());
    }
}

#[tokio::test]
async fn an_order_of_one_protocol_is_known_to_the_other() {
    let v2 = V2::new(SignType::Md5);
    let unpaid = v2.order("T00001", ProductFields::Native);
    let _: NativeOrdered = v2.call(&unpaid).await.unwrap();
    let state = |transaction: &Transaction| transaction.trade_state.clone();
    assert_eq!(
        state(&v2.query("T00001").await.unwrap()),
        TradeState::NotPay
    );
    let id = v2.paid("T00002").await;
    let by_v2 = v2.query("T00002").await.unwrap();
    assert_eq!(by_v2.trade_state, TradeState::Success);
    assert_eq!(by_v2.transaction_id.as_deref(), Some(&*id));
    assert_eq!(by_v2.total(), Some(Fen::new(1990).unwrap()));
    let number = OutTradeNo::parse("T00002").unwrap();
    let request = query_by_out_trade_no(&v2.harness.account(), &number);
    let by_v3: Transaction = v2.harness.send(request).await.unwrap().parse().unwrap();
    assert_eq!(by_v3.transaction_id.as_deref(), Some(&*id));
    assert_eq!(by_v3.payer, by_v2.payer);
    let of_v3 = v2.harness.pay_native("T00003").await;
    let id = TransactionId::parse(of_v3).unwrap();
    let request = v2::query_by_transaction_id(&v2.orderer, &id).unwrap();
    let by_v2: Transaction = v2.call(&request).await.unwrap();
    assert_eq!(by_v2.out_trade_no, "T00003");
    assert_eq!(code_of(v2.query("T00009").await), "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_repeated_order_has_a_new_link_and_a_changed_one_is_refused() {
    let v2 = V2::new(SignType::Md5);
    let request = v2.order("T00001", ProductFields::Native);
    let first: NativeOrdered = v2.call(&request).await.unwrap();
    let again: NativeOrdered = v2.call(&request).await.unwrap();
    assert_ne!(first, again);
    let mut order = v2.harness.order("T00001", ProductFields::Native);
    order.total = Fen::new(1991).unwrap();
    let changed = UnifiedOrder::new(order, "203.0.113.7".parse().unwrap());
    let changed = changed.request().unwrap();
    let refused = v2.call::<NativeOrdered>(&changed).await;
    assert_eq!(code_of(refused), "OUT_TRADE_NO_USED");
    let other_product = v2.order("T00001", ProductFields::App);
    let refused = v2.call::<AppOrdered>(&other_product).await;
    assert_eq!(code_of(refused), "OUT_TRADE_NO_USED");
    v2.paid("T00002").await;
    let paid = v2.order("T00002", ProductFields::Native);
    assert_eq!(code_of(v2.call::<NativeOrdered>(&paid).await), "ORDERPAID");
}

#[tokio::test]
async fn an_order_is_closed_once_and_only_when_it_is_five_minutes_old() {
    let v2 = V2::new(SignType::Md5);
    assert_eq!(code_of(v2.close("T00001").await), "ORDERNOTEXIST");
    let request = v2.order("T00001", ProductFields::Native);
    let _: NativeOrdered = v2.call(&request).await.unwrap();
    v2.harness.advance(299);
    assert_eq!(code_of(v2.close("T00001").await), "TRADE_STATE_ERROR");
    v2.harness.advance(1);
    assert_eq!(v2.close("T00001").await, Ok(Closed));
    assert_eq!(code_of(v2.close("T00001").await), "ORDERCLOSED");
    assert_eq!(
        code_of(v2.call::<NativeOrdered>(&request).await),
        "ORDERCLOSED"
    );
    v2.paid("T00002").await;
    assert_eq!(code_of(v2.close("T00002").await), "ORDERPAID");
}

#[tokio::test]
async fn a_partner_orders_for_its_own_sub_merchants_alone() {
    let mut v2 = V2::new(SignType::HmacSha256);
    let merchant = v2.harness.merchant().clone();
    let sub = v2.harness.simulator.sub_merchant(&merchant.mchid);
    for (sub_mchid, known) in [(sub.sub_mchid.as_str(), true), ("1600000000", false)] {
        v2.orderer.account = wechat_pay::Account::new(&merchant.mchid, Some(sub_mchid));
        let mut order = v2.harness.order("T00001", ProductFields::Native);
        order.orderer = v2.orderer.clone();
        let order = UnifiedOrder::new(order, "203.0.113.7".parse().unwrap());
        let ordered = v2.call::<NativeOrdered>(&order.request().unwrap()).await;
        if known {
            ordered.unwrap();
            let read = v2.query("T00001").await.unwrap();
            assert_eq!(read.sub_mchid.as_deref(), Some(sub_mchid));
        } else {
            assert_eq!(code_of(ordered), "NOAUTH");
        }
    }
}

#[tokio::test]
async fn a_page_pays_with_parameters_of_version_2() {
    let v2 = V2::new(SignType::Md5);
    let request = v2.order("T00001", v2.harness.jsapi());
    let ordered: JsapiOrdered = v2.call(&request).await.unwrap();
    let stamp = Stamp::new(start().as_second(), [9; 16]);
    let appid = &v2.harness.merchant().appid;
    let good = v2::jsapi_payment(appid, &ordered.prepay_id, &v2.key, v2.kind, &stamp);
    let other = ApiV2Key::parse("0".repeat(32)).unwrap();
    let forged = v2::jsapi_payment(appid, &ordered.prepay_id, &other, v2.kind, &stamp);
    for (payment, message) in [
        (forged, "get_brand_wcpay_request:fail"),
        (good, "get_brand_wcpay_request:ok"),
    ] {
        let params: Value = serde_json::to_value(payment).unwrap();
        let answer = json!({ "params": params, "outcome": "success" });
        let answered = crate::browser::ask(&v2.harness, "/_wechat/outcome", &answer).await;
        assert_eq!(answered["result"]["err_msg"], message);
    }
    let paid = v2.query("T00001").await.unwrap();
    assert_eq!(paid.trade_state, TradeState::Success);
}

#[tokio::test]
async fn a_link_of_native_mode_1_is_shortened_for_the_merchant_that_signed_it() {
    let v2 = V2::new(SignType::HmacSha256);
    let link = v2::NativeLink {
        appid: v2.harness.merchant().appid.clone(),
        mch_id: v2.harness.merchant().mchid.clone(),
        product_id: "tea".into(),
    };
    let stamp = Stamp::new(start().as_second(), [9; 16]);
    let url = link.url(&v2.key, &stamp).unwrap();
    let request = v2::short_url(&v2.orderer, &url).unwrap();
    let short: v2::ShortUrl = v2.call(&request).await.unwrap();
    assert!(short.short_url.starts_with("weixin://wxpay/s/"));
    let forged = url.replace("product_id=tea", "product_id=pot");
    let request = v2::short_url(&v2.orderer, &forged).unwrap();
    let refused = v2.call::<v2::ShortUrl>(&request).await;
    assert_eq!(code_of(refused), "URLFORMATERROR");
}

#[tokio::test]
async fn faults_are_answered_in_the_codes_of_version_2() {
    let v2 = V2::new(SignType::Md5);
    let request = v2.order("T00001", ProductFields::Native);
    for (rule, code) in [
        (
            json!({ "route": "order", "kind": "error_before", "rate": 1.0 }),
            "SYSTEMERROR",
        ),
        (
            json!({ "route": "order", "kind": "too_many_requests", "rate": 1.0 }),
            "FREQUENCY_LIMITED",
        ),
        (
            json!({ "route": "order", "kind": "refused", "rate": 1.0, "code": "NO_AUTH" }),
            "NOAUTH",
        ),
        (
            json!({ "route": "order", "kind": "error_after", "rate": 1.0 }),
            "SYSTEMERROR",
        ),
    ] {
        set_faults(&v2, json!([rule])).await;
        assert_eq!(code_of(v2.call::<NativeOrdered>(&request).await), code);
    }
    set_faults(
        &v2,
        json!([{ "route": "query", "kind": "wrong_signature", "rate": 1.0 }]),
    )
    .await;
    assert_eq!(
        v2.query("T00001").await,
        Err(AnswerError::Signature(v2::SignatureError::Mismatch))
    );
    set_faults(&v2, json!([])).await;
    // `error_after` has placed the order.
    assert_eq!(
        v2.query("T00001").await.unwrap().trade_state,
        TradeState::NotPay
    );
}

async fn set_faults(v2: &V2, rules: Value) {
    let (status, answer) = v2.harness.post_json("/_simulator/faults", &rules).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}
