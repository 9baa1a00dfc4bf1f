//! The cashier of the WeChat browser: checks the six strings as WeChat does, returns the order to
//! show, and accepts the buyer's choice. The script in the page draws the cashier.
//!
//! The page's script is not trusted: everything is checked again with the buyer's choice.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wechat_pay::JsapiPayment;
use wechat_pay::v2::{ApiV2Key, jsapi_payment_verifies};

use super::browser::Browser;
use crate::keyring::{Keyring, MerchantFile};
use crate::ledger::order::Product;
use crate::ledger::{Outcome, PayRefusal, Target};
use crate::pages::payer;
use crate::simulator::Buyer;

const OK: &str = "get_brand_wcpay_request:ok";
const CANCEL: &str = "get_brand_wcpay_request:cancel";
const FAIL: &str = "get_brand_wcpay_request:fail";

/// The argument of the page's callback, in WeChat's spelling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct BridgeResult {
    #[serde(rename = "err_msg")]
    message: &'static str,
    #[serde(rename = "err_code", skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(rename = "err_desc", skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl BridgeResult {
    fn plain(message: &'static str) -> Self {
        Self {
            message,
            code: None,
            description: None,
        }
    }

    fn refused(message: &'static str, description: impl Into<String>) -> Self {
        Self {
            message,
            code: Some("-1"),
            description: Some(description.into()),
        }
    }
}

/// The content of the cashier's sheet.
#[derive(Debug, Serialize)]
struct Sheet {
    merchant: String,
    description: String,
    amount: String,
    /// What is paid with a combined order: each description and amount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sub_orders: Vec<String>,
}

#[derive(Deserialize)]
struct AnswerRequest {
    params: Value,
    outcome: Outcome,
}

/// The caller of the cashier: a buyer has another openid under each application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page, by `WeixinJSBridge`: the official account.
    Page,
    /// A mini-program, by `wx.requestPayment`. The mini-program adds the appid, which a page must
    /// pass itself.
    MiniProgram,
}

impl Caller {
    fn appid(self, merchant: &MerchantFile) -> &str {
        match self {
            Self::Page => &merchant.appid,
            Self::MiniProgram => &merchant.mini_program_appid,
        }
    }
}

pub(super) async fn open(
    Extension(caller): Extension<Caller>,
    State(browser): State<Browser>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(params) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match check(&browser, caller, holder(&browser, &headers), &params) {
        Ok((_, sheet)) => Json(serde_json::json!({ "sheet": sheet })).into_response(),
        Err(result) => Json(serde_json::json!({ "result": result })).into_response(),
    }
}

pub(super) async fn answer(
    Extension(caller): Extension<Caller>,
    State(browser): State<Browser>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(request) = serde_json::from_slice::<AnswerRequest>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let payer = holder(&browser, &headers);
    let result = match check(&browser, caller, payer, &request.params) {
        Err(result) => result,
        Ok((target, _)) => settle(&browser, &target, payer, request.outcome),
    };
    Json(serde_json::json!({ "result": result })).into_response()
}

/// The buyer who holds the phone of this browser.
fn holder(browser: &Browser, headers: &HeaderMap) -> u8 {
    payer::chosen(&browser.simulator, headers).unwrap_or(1)
}

fn settle(browser: &Browser, target: &Target, payer: u8, outcome: Outcome) -> BridgeResult {
    let buyer = Buyer::Payer(payer);
    if let Err(refusal) = browser.simulator.visit_cashier(target, outcome, &buyer) {
        return refuse(refusal);
    }
    match outcome {
        Outcome::Success => BridgeResult::plain(OK),
        Outcome::Cancel => BridgeResult::plain(CANCEL),
        Outcome::Fail => BridgeResult::refused(FAIL, "支付失败"),
    }
}

fn check(
    browser: &Browser,
    caller: Caller,
    payer: u8,
    params: &Value,
) -> Result<(Target, Sheet), BridgeResult> {
    let payment = read_strings(params)?;
    let simulator = &browser.simulator;
    let mut keyrings = simulator.keyrings().iter();
    let keyring = keyrings
        .find(|keyring| caller.appid(keyring.merchant()) == payment.app_id)
        .ok_or_else(|| BridgeResult::plain("get_brand_wcpay_request:fail_invalid appid"))?;
    // WeChat gives the same answer for a package without its prefix and for a prepay_id that is
    // unknown, expired, or of another application.
    let total_fee = || BridgeResult::refused(FAIL, "调用支付JSAPI缺少参数:total_fee");
    let prepay_id = payment.prepay_id().ok_or_else(total_fee)?;
    if !is_signed(&payment, keyring) {
        return Err(BridgeResult::refused(FAIL, "支付验证签名失败"));
    }
    let target = Target::PrepayId(prepay_id.to_owned());
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger.open_cashier(&target, None, now).map_err(refuse)?;
    let request = &order.request;
    if request.product != Product::Jsapi || request.appid != payment.app_id {
        return Err(total_fee());
    }
    let buyer = simulator.openid_of(payer, order.payer_appid());
    if request
        .openid
        .as_ref()
        .is_some_and(|ordering| *ordering != buyer)
    {
        return Err(refuse(PayRefusal::OtherPayer));
    }
    let sub_orders = order.sub_order_lines().into_iter();
    let sub_orders =
        sub_orders.map(|line| format!("{} ¥{}", line.description, line.amount.to_yuan_text()));
    let sheet = Sheet {
        merchant: request.key.mchid.clone(),
        description: request.description.clone(),
        amount: request.total.to_yuan_text(),
        sub_orders: sub_orders.collect(),
    };
    Ok((target, sheet))
}

/// Whether the merchant signed the parameters: with its private key, or in version 2 with its APIv2
/// key.
fn is_signed(payment: &JsapiPayment, keyring: &Keyring) -> bool {
    let by_v2 = || {
        let key = ApiV2Key::parse(keyring.merchant().api_v2_key.clone());
        key.is_ok_and(|key| jsapi_payment_verifies(payment, &key))
    };
    payment.verifies(&keyring.merchant_public_key) || by_v2()
}

/// All six must be texts. A number works on Android and fails on iOS, so it fails here.
fn read_strings(params: &Value) -> Result<JsapiPayment, BridgeResult> {
    let none = Map::new();
    let params = params.as_object().unwrap_or(&none);
    let text = |name: &str| {
        params
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| BridgeResult::refused(FAIL, format!("调用支付JSAPI缺少参数:{name}")))
    };
    Ok(JsapiPayment {
        app_id: text("appId")?,
        time_stamp: text("timeStamp")?,
        nonce_str: text("nonceStr")?,
        package: text("package")?,
        sign_type: text("signType")?,
        pay_sign: text("paySign")?,
    })
}

fn refuse(refusal: PayRefusal) -> BridgeResult {
    let text = match refusal {
        PayRefusal::Unknown | PayRefusal::LinkExpired => "调用支付JSAPI缺少参数:total_fee",
        PayRefusal::OrderExpired => "订单已过期",
        PayRefusal::Closed => "订单已关闭",
        PayRefusal::Paid => "该订单已支付",
        PayRefusal::OtherPayer => "下单账号与支付账号不一致",
    };
    BridgeResult::refused(FAIL, text)
}
