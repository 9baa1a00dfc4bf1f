//! A buyer scans a link of Native mode 1 (version 2): the simulator calls the merchant back, and the
//! merchant answers with the `prepay_id` of an order.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{Request, header};
use serde::Deserialize;
use serde_json::json;
use wechat_pay::OpenId;
use wechat_pay::v2::{
    ApiV2Key, MAX_XML_BYTES, NativeAnswer, NativeCallback, SignType, read_native_link,
};

use super::buyers::payer;
use super::problem::{Problem, read};
use crate::ledger::Target;
use crate::ledger::order::{OrderRequest, Product};
use crate::simulator::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new().route("/_simulator/native_link", post(scan))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    link: String,
    payer: Option<u8>,
}

/// Answers with the `prepay_id`, which `/_simulator/pay` takes.
async fn scan(State(simulator): State<Simulator>, body: Bytes) -> Result<Response, Problem> {
    let scan: Scan = read(&body)?;
    let payer = payer(&simulator, scan.payer)?;
    let prepay_id = prepay_id_of(&simulator, &scan.link, payer).await?;
    Ok(Json(json!({ "prepay_id": prepay_id })).into_response())
}

/// Calls the merchant back about a scanned link, and returns the `prepay_id` of its answer.
pub(crate) async fn prepay_id_of(
    simulator: &Simulator,
    link: &str,
    payer: u8,
) -> Result<String, Problem> {
    let (callback, key) = callback(simulator, link, payer)?;
    let message = callback.message(&key, SignType::Md5, &stamp(simulator));
    let answer = ask(simulator, &callback.appid, message).await?;
    match NativeAnswer::open(&answer, &key, SignType::Md5) {
        Ok(NativeAnswer::Prepared { prepay_id }) => {
            check_order(simulator, &callback.mch_id, &prepay_id)?;
            Ok(prepay_id)
        }
        // What WeChat shows to the buyer.
        Ok(NativeAnswer::Refused { message }) => {
            Err(Problem::refused(409, "MERCHANT_REFUSED", &message))
        }
        Err(error) => Err(Problem::refused(502, "CALLBACK_FAILED", &error.to_string())),
    }
}

/// The callback for a link that its merchant signed.
fn callback(
    simulator: &Simulator,
    link: &str,
    payer: u8,
) -> Result<(NativeCallback, ApiV2Key), Problem> {
    let wrong = |rule| Problem::invalid(Some("link"), rule);
    let link = read_native_link(link).ok_or_else(|| wrong("must be a link of Native mode 1"))?;
    let mch_id = link.claimed("mch_id").unwrap_or_default().to_owned();
    let unknown = || wrong("must name a merchant of the simulator");
    let keyring = simulator.keyring_of(&mch_id).ok_or_else(unknown)?;
    let merchant = keyring.merchant();
    let key = ApiV2Key::parse(merchant.api_v2_key.clone()).map_err(|_| unknown())?;
    let unsigned = |_| wrong("must be signed with the merchant's APIv2 key");
    let verified = link.verify(&key).map_err(unsigned)?;
    let fields = verified.fields.fields();
    let appid = fields.get("appid").unwrap_or_default().to_owned();
    if appid != merchant.appid {
        return Err(wrong("must name the merchant's own application"));
    }
    let openid = OpenId::parse(simulator.openid_of(payer, &appid));
    let callback = NativeCallback {
        appid,
        mch_id,
        openid: openid.map_err(|error| Problem::invalid(None, error.to_string()))?,
        is_subscribe: Some(true),
        product_id: fields.get("product_id").unwrap_or_default().to_owned(),
    };
    Ok((callback, key))
}

/// Posts the callback to the address that the merchant has set.
async fn ask(simulator: &Simulator, appid: &str, message: Bytes) -> Result<Bytes, Problem> {
    let url = simulator
        .settings()
        .native_callback_url_of(appid)
        .to_owned();
    if url.is_empty() {
        let message = "set native_callback_url first";
        return Err(Problem::refused(409, "NO_CALLBACK_URL", message));
    }
    let failed = |error: String| Problem::refused(502, "CALLBACK_FAILED", &error);
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "text/xml")
        .header(header::USER_AGENT, "Mozilla/4.0")
        .body(message)
        .map_err(|error| failed(error.to_string()))?;
    let answer = simulator.notifications().send(request).await;
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    axum::body::to_bytes(answer.into_body(), MAX_XML_BYTES)
        .await
        .map_err(|error| failed(error.to_string()))
}

/// WeChat opens the cashier only for a Native order of the same merchant.
fn check_order(simulator: &Simulator, mch_id: &str, prepay_id: &str) -> Result<(), Problem> {
    let target = Target::PrepayId(prepay_id.to_owned());
    let ledger = simulator.ledger();
    let request = ledger.find_by_target(&target).map(|order| &order.request);
    let is_own =
        |request: &OrderRequest| request.key.mchid == mch_id && request.product == Product::Native;
    if request.is_some_and(is_own) {
        return Ok(());
    }
    let message = "the merchant's prepay_id is not that of a Native order of its own";
    Err(Problem::refused(409, "ORDER_UNKNOWN", message))
}

fn stamp(simulator: &Simulator) -> wechat_pay::Stamp {
    simulator.random().stamp(simulator.clock().wall())
}
