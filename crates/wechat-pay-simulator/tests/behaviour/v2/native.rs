//! Native mode 1: a buyer scans a printed link, and the merchant is called back.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use wechat_pay::v2::{NativeAnswer, NativeCallback, NativeLink, NativePrepared, SignType};
use wechat_pay::{ProductFields, Stamp, TradeState};
use wechat_pay_simulator::{Outgoing, Settings, Simulator, SimulatorOptions};

use super::V2;
use crate::harness::{Harness, NOTIFY_URL, send, start, text};

/// A merchant whose callback places an order for tea, and sells nothing else.
fn merchant_of_tea() -> Arc<V2> {
    let harness = Harness::new();
    let merchant: Arc<OnceLock<Arc<V2>>> = Arc::default();
    let calling = Arc::clone(&merchant);
    let mut parts = harness.parts();
    parts.notifications = Outgoing::from_fn(move |request: Request<Bytes>| {
        let merchant = Arc::clone(calling.get().unwrap());
        async move { Ok(Response::new(Body::from(merchant.answer(&request).await))) }
    });
    let setting = format!("native_callback_url={NOTIFY_URL}");
    let options = SimulatorOptions {
        settings: Settings::default().with(&setting).unwrap(),
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::with_options(parts, options);
    let v2 = Arc::new(V2::of(
        Harness {
            simulator,
            ..harness
        },
        SignType::Md5,
    ));
    let _ = merchant.set(Arc::clone(&v2));
    v2
}

impl V2 {
    async fn answer(&self, request: &Request<Bytes>) -> Bytes {
        let callback = NativeCallback::open(request.body(), &self.key, SignType::Md5).unwrap();
        assert_eq!(
            callback.openid.as_str(),
            self.harness.simulator.openid_of(2, &callback.appid)
        );
        let answer = if callback.product_id == "tea" {
            let order = self.order("T00001", ProductFields::Native);
            let NativePrepared { prepay_id, .. } = self.call(&order).await.unwrap();
            NativeAnswer::Prepared { prepay_id }
        } else {
            let message = "已售完".to_owned();
            NativeAnswer::Refused { message }
        };
        callback.answer(&answer, &self.key, SignType::Md5, &stamp())
    }

    async fn scan(&self, link: &str) -> (u16, Value) {
        let scan = json!({ "link": link, "payer": 2 });
        let (status, answer) = self
            .harness
            .post_json("/_simulator/native_link", &scan)
            .await;
        (status.as_u16(), answer)
    }

    fn link(&self, product_id: &str) -> String {
        let link = NativeLink {
            appid: self.harness.merchant().appid.clone(),
            mch_id: self.harness.merchant().mchid.clone(),
            product_id: product_id.to_owned(),
        };
        link.url(&self.key, &stamp()).unwrap()
    }
}

fn stamp() -> Stamp {
    Stamp::new(start().as_second(), [4; 16])
}

#[tokio::test]
async fn a_scanned_link_becomes_an_order_that_the_buyer_pays() {
    let v2 = merchant_of_tea();
    let (status, answer) = v2.scan(&v2.link("tea")).await;
    assert_eq!(status, 200, "{answer}");
    let paying = json!({ "prepay_id": answer["prepay_id"], "payer": 2, "outcome": "success" });
    assert_eq!(v2.harness.pay(paying).await.1["trade_state"], "SUCCESS");
    let paid = v2.query("T00001").await.unwrap();
    assert_eq!(paid.trade_state, TradeState::Success);
}

/// The phone's page: an address with the scanned link, and the form that the cashier has there.
#[tokio::test]
async fn the_phone_scans_a_link_of_goods_and_pays_the_order_that_the_merchant_made() {
    let v2 = merchant_of_tea();
    let scanned = async |link: &str| {
        let link: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
        let request = Request::get(format!("/phone/scan?code_url={link}"))
            .header("cookie", "simulator_payer=2")
            .body(Body::empty());
        send(v2.harness.simulator.app(), request.unwrap()).await
    };
    let cashier = scanned(&v2.link("tea")).await;
    let page = text(&cashier);
    assert!(page.contains("¥19.90") && page.contains("T00001"), "{page}");
    let (_, rest) = page.split_once("name=\"prepay_id\" value=\"").unwrap();
    let (prepay_id, _) = rest.split_once('"').unwrap();
    let request = Request::post("/phone/pay")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", "simulator_payer=2")
        .body(Body::from(format!("prepay_id={prepay_id}&outcome=success")));
    let paid = send(v2.harness.simulator.app(), request.unwrap()).await;
    assert_eq!(paid.status(), 200, "{}", text(&paid));
    let found = v2.query("T00001").await.unwrap();
    assert_eq!(found.trade_state, TradeState::Success);

    let refused = scanned(&v2.link("pot")).await;
    assert_eq!(refused.status(), 409);
    assert!(text(&refused).contains("已售完"), "{}", text(&refused));
    let forged = v2.link("pot").replace("product_id=pot", "product_id=tea");
    assert_eq!(scanned(&forged).await.status(), 400);
}

#[tokio::test]
async fn a_merchants_refusal_is_shown_and_a_forged_link_calls_nobody() {
    let v2 = merchant_of_tea();
    let (status, answer) = v2.scan(&v2.link("pot")).await;
    assert_eq!(
        (status, &answer["error"]["message"]),
        (409, &json!("已售完"))
    );
    let forged = v2.link("pot").replace("product_id=pot", "product_id=tea");
    for link in [forged.as_str(), "weixin://wxpay/bizpayurl?pr=abc", ""] {
        let (status, answer) = v2.scan(link).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("link")));
    }
    let plain = V2::new(SignType::Md5);
    let (status, answer) = plain.scan(&plain.link("tea")).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("NO_CALLBACK_URL"))
    );
}
