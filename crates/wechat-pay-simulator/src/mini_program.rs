//! The mini-program's side of WeChat: its stable token, and 发货信息管理, with WeChat's rules and codes.
//! Errors come with 200, as they do from WeChat.
//!
//! WeChat's documents contradict each other on how a split delivery grows. Here each call has the parcels
//! that it adds or changes, and only their last one ends the delivery.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::ledger::order::OrderKey;
use crate::ledger::shipping::{ShippingRefusal, Upload};
use crate::simulator::Simulator;

/// How many parcels a payment may have.
const PARCELS_MAX: usize = 15;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/cgi-bin/stable_token", post(stable_token))
        .route(
            "/wxa/sec/order/upload_shipping_info",
            post(upload_shipping_info),
        )
}

/// WeChat's code and text.
type Problem = (i64, &'static str);

const NOT_JSON: Problem = (47_001, "data format error");

#[derive(Deserialize)]
struct TokenRequest {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    force_refresh: bool,
}

/// The valid token again, unless a new one is forced.
async fn stable_token(State(simulator): State<Simulator>, body: Bytes) -> Response {
    let token = serde_json::from_slice(&body)
        .map_err(|_| NOT_JSON)
        .and_then(|request| token_of(&simulator, &request));
    match token {
        Ok((token, expires_in)) => {
            answer(&json!({ "access_token": token, "expires_in": expires_in }))
        }
        Err(problem) => refuse(&simulator, problem),
    }
}

fn token_of(simulator: &Simulator, request: &TokenRequest) -> Result<(String, i64), Problem> {
    if request.grant_type != "client_credential" {
        return Err((40_002, "invalid grant_type"));
    }
    if request.appid.is_empty() {
        return Err((41_002, "appid missing"));
    }
    if request.secret.is_empty() {
        return Err((41_004, "appsecret missing"));
    }
    let mut merchants = simulator
        .keyrings()
        .iter()
        .map(|keyring| keyring.merchant());
    let merchant = merchants
        .find(|merchant| merchant.mini_program_appid == request.appid)
        .ok_or((40_013, "invalid appid"))?;
    if merchant.mini_program_secret != request.secret {
        return Err((40_125, "invalid appsecret"));
    }
    let new = simulator.random().alphanumeric(136);
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let tokens = ledger.stable_tokens();
    Ok(tokens.give(&request.appid, new, request.force_refresh, now))
}

/// Takes the shipping of a payment.
async fn upload_shipping_info(
    State(simulator): State<Simulator>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    match upload(&simulator, &query.unwrap_or_default(), &body) {
        Ok(()) => answer(&json!({ "errcode": 0, "errmsg": "ok" })),
        Err(problem) => refuse(&simulator, problem),
    }
}

#[derive(Deserialize)]
struct ShippingRequest {
    order_key: KeyOfOrder,
    logistics_type: u8,
    delivery_mode: u8,
    is_all_delivered: Option<bool>,
    shipping_list: Vec<Parcel>,
    upload_time: String,
    payer: Payer,
}

#[derive(Deserialize)]
struct KeyOfOrder {
    order_number_type: u8,
    #[serde(default)]
    transaction_id: String,
    #[serde(default)]
    mchid: String,
    #[serde(default)]
    out_trade_no: String,
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(default)]
    tracking_no: String,
    #[serde(default)]
    express_company: String,
    #[serde(default)]
    item_desc: String,
    #[serde(default)]
    contact: Contact,
}

#[derive(Default, Deserialize)]
struct Contact {
    #[serde(default)]
    receiver_contact: String,
    #[serde(default)]
    consignor_contact: String,
}

#[derive(Deserialize)]
struct Payer {
    openid: String,
}

fn upload(simulator: &Simulator, query: &str, body: &[u8]) -> Result<(), Problem> {
    let token = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "access_token")
        .map(|(_, value)| value.into_owned())
        .filter(|token| !token.is_empty())
        .ok_or((41_001, "access_token missing"))?;
    let now = simulator.clock().now();
    let appid = simulator.ledger().stable_tokens().appid_of(&token, now);
    let appid = appid.ok_or((
        40_001,
        "invalid credential, access_token is invalid or not latest",
    ))?;
    let json: Value = serde_json::from_slice(body).map_err(|_| NOT_JSON)?;
    let request: ShippingRequest = serde_json::from_value(json.clone()).map_err(|_| NOT_JSON)?;
    check(&request)?;
    let uploaded_at: Timestamp = request
        .upload_time
        .parse()
        .map_err(|_| (268_485_216, "上传时间非法，请按照 RFC 3339 格式填写"))?;
    let mut ledger = simulator.ledger();
    let key = &request.order_key;
    let order = if key.order_number_type == 2 {
        ledger.find_by_transaction_id(&key.transaction_id)
    } else {
        ledger.find(&OrderKey {
            mchid: key.mchid.clone(),
            sub_mchid: None,
            out_trade_no: key.out_trade_no.clone(),
            is_combined: false,
        })
    };
    let unknown = (10_060_001, "支付单不存在");
    let order = order.filter(|order| order.payer_appid() == appid);
    let order = order.ok_or(unknown)?;
    let payment = order.payment.as_ref().ok_or(unknown)?;
    let openid = match &payment.sub_openid {
        Some(sub_openid) if order.request.openid_is_sub => sub_openid,
        _ => &payment.openid,
    };
    if *openid != request.payer.openid {
        return Err((10_060_031, "该笔支付单不属于 openid 所指定的用户"));
    }
    if order.refunded > wechat_pay::Fen::ZERO {
        return Err((10_060_004, "支付单处于不可发货的状态"));
    }
    let order_key = order.request.key.clone();
    let upload = Upload {
        logistics_type: request.logistics_type,
        delivery_mode: request.delivery_mode,
        is_all_delivered: request.is_all_delivered.unwrap_or(true),
        parcels: json["shipping_list"].clone(),
        uploaded_at,
    };
    ledger
        .take_shipping(&order_key, upload)
        .map_err(|refusal| match refusal {
            ShippingRefusal::Unchanged => (10_060_023, "发货信息未更新"),
            ShippingRefusal::ChangedBefore => (10_060_003, "支付单已使用重新发货机会"),
            ShippingRefusal::Older => (10_060_014, "上传时间必须比之前的请求更新"),
        })
}

/// The rules of single fields, in the order of WeChat's table of codes.
fn check(request: &ShippingRequest) -> Result<(), Problem> {
    let key = &request.order_key;
    match key.order_number_type {
        1 if key.mchid.is_empty() => {
            return Err((268_485_196, "商户侧单号形式下 mchid 字段不能为空"));
        }
        1 if key.out_trade_no.is_empty() => {
            return Err((268_485_197, "商户侧单号形式下 out_trade_no 字段不能为空"));
        }
        2 if key.transaction_id.is_empty() => {
            return Err((
                268_485_195,
                "微信支付单号形式下 transaction_id 字段不能为空",
            ));
        }
        1 | 2 => {}
        _ => return Err((268_485_194, "订单单号类型非法")),
    }
    let parcels = &request.shipping_list;
    match (request.delivery_mode, request.logistics_type) {
        (_, 0 | 5..) => return Err((10_060_005, "物流类型有误")),
        (1, _) if parcels.len() != 1 => {
            return Err((268_485_228, "统一发货模式下物流信息列表长度必须为 1"));
        }
        (2, 2..=4) => return Err((10_060_006, "非快递发货时不允许分拆发货")),
        (2, _) if request.is_all_delivered.is_none() => {
            return Err((10_060_007, "分拆发货模式下必须填写 is_all_delivered 字段"));
        }
        (1 | 2, _) => {}
        _ => return Err((268_485_224, "发货模式非法")),
    }
    if parcels.is_empty() {
        return Err((10_060_014, "参数错误"));
    }
    if parcels.len() > PARCELS_MAX {
        return Err((10_060_024, "物流信息列表太长"));
    }
    let is_express = request.logistics_type == 1;
    parcels
        .iter()
        .try_for_each(|parcel| check_parcel(parcel, is_express))
}

fn check_parcel(parcel: &Parcel, is_express: bool) -> Result<(), Problem> {
    let contact = &parcel.contact;
    let contacts = [&contact.receiver_contact, &contact.consignor_contact];
    let rules = [
        (
            parcel.item_desc.is_empty(),
            10_060_008,
            "商品描述 item_desc 字段不能为空",
        ),
        (
            parcel.item_desc.chars().count() > 120,
            10_060_009,
            "商品描述 item_desc 字段太长",
        ),
        (
            is_express && parcel.tracking_no.is_empty(),
            268_485_226,
            "物流单号不能为空",
        ),
        (
            is_express && parcel.express_company.is_empty(),
            268_485_227,
            "物流公司编码不能为空",
        ),
        (
            parcel.express_company.len() > 128,
            10_060_025,
            "物流公司编码太长",
        ),
        (parcel.tracking_no.len() > 128, 10_060_026, "物流单号太长"),
        (
            parcel.express_company == "SF" && contacts.iter().all(|it| it.is_empty()),
            10_060_014,
            "参数错误：顺丰需要寄件人或收件人联系方式",
        ),
        (
            contacts.iter().any(|it| !is_masked(it)),
            10_060_014,
            "参数错误：联系方式须掩码",
        ),
    ];
    match rules.into_iter().find(|(is_broken, ..)| *is_broken) {
        Some((_, errcode, errmsg)) => Err((errcode, errmsg)),
        None => Ok(()),
    }
}

/// Absent, or masked with the last four digits left.
fn is_masked(contact: &str) -> bool {
    let last = contact.bytes().rev().take(4);
    contact.is_empty()
        || contact.contains('*') && contact.len() > 4 && last.clone().all(|it| it.is_ascii_digit())
}

fn answer(json: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json; encoding=utf-8")],
        json.to_string(),
    )
        .into_response()
}

fn refuse(simulator: &Simulator, (errcode, errmsg): Problem) -> Response {
    answer(&json!({
        "errcode": errcode,
        "errmsg": format!("{errmsg} rid: {}", simulator.random().notification_id()),
    }))
}
