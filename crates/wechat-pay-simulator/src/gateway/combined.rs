//! Combined orders at the gateway: place, query, close, with WeChat's rules and messages.
//!
//! Sources: those of `wechat_pay::CombinedOrder`, and the sentences of WeChat's 常见问题 where it has one. A sub-order
//! without `sub_mchid` is a merchant's, with it a service provider's. Every other merchant of the simulator counts
//! as bound to the combining application, because its merchants have no list of such applications.

use std::collections::BTreeSet;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use wechat_pay::{Fen, SUB_ORDER_TOTAL_MAX, sub_orders_allowed};

use super::answer::{Answer, BAD_PARAMETER, Refusal};
use super::caller::Caller;
use super::combined_fields::{CLOSE, COMBINE_OUT_TRADE_NO, order_fields};
use super::orders::{
    check_mchid, check_openid, check_sub_mchid, find_sub_merchant, is_own_appid, link_json,
    new_link, not_found, optional_text, refuse_order, text, wrong_appid,
};
use super::schema;
use crate::ledger::order::{Combination, OrderKey, OrderRequest, Product, Protocol};
use crate::ledger::{CombinedCloseRefusal, OrderRefusal};
use crate::simulator::Simulator;

/// Places a combined order, or makes a new link for the same order.
pub(super) fn order(
    simulator: &Simulator,
    product: Product,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    let body = schema::read(order_fields(product), settings.description_limit, body)?;
    check_mchid(text(&body, "/combine_mchid"), caller)?;
    if !is_own_appid(text(&body, "/combine_appid"), caller) {
        return Err(wrong_appid("appid和mch_id不匹配，请检查后再试"));
    }
    check_sub_orders(simulator, &body, caller)?;
    let (whole, sub_orders) = read_requests(product, body, caller);
    if product == Product::Jsapi && whole.openid.is_none() {
        let path = "/body/combine_payer_info/openid";
        return Err(schema::missing(path, "用户标识", "body"));
    }
    check_openid(simulator, &whole)?;
    let now = simulator.clock().now();
    let link = new_link(simulator, product, now);
    let answer = link_json(simulator, product, &link);
    simulator
        .ledger()
        .order_combined(whole, sub_orders, link, settings.deadline_cap_days, now)
        .map_err(|refusal| refuse_order(&settings, refusal))?;
    Ok(Answer::Json(answer))
}

/// Queries a combined order. The signature names the merchant.
pub(super) fn query(
    simulator: &Simulator,
    number: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_in_path(&COMBINE_OUT_TRADE_NO, number)?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger.find(&combined_key(number, caller));
    let order = order.ok_or_else(not_found)?;
    Ok(Answer::Json(ledger.queried_json(order, now)))
}

/// Closes a combined order, also repeatedly. The body must name every sub-order.
pub(super) fn close(
    simulator: &Simulator,
    number: &str,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_in_path(&COMBINE_OUT_TRADE_NO, number)?;
    let settings = simulator.settings();
    let body = schema::read(CLOSE, settings.description_limit, body)?;
    let combine_appid = text(&body, "/combine_appid");
    let named: Vec<OrderKey> = sub_orders_of(&body).iter().map(sub_order_key).collect();
    let key = combined_key(number, caller);
    let closed = simulator
        .ledger()
        .close_combined(&key, combine_appid, &named);
    match closed {
        Ok(()) => Ok(Answer::Nothing),
        Err(CombinedCloseRefusal::Unknown) => Err(not_found()),
        Err(CombinedCloseRefusal::Paid) => Err(refuse_order(&settings, OrderRefusal::Paid)),
        Err(CombinedCloseRefusal::OtherSubOrders) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "请求关单的子单信息与下单时的子单信息不一致",
            BAD_PARAMETER,
        )),
    }
}

fn combined_key(number: &str, caller: &Caller) -> OrderKey {
    OrderKey {
        mchid: caller.mchid.clone(),
        sub_mchid: None,
        out_trade_no: number.to_owned(),
        is_combined: true,
    }
}

fn sub_order_key(sub_order: &Value) -> OrderKey {
    OrderKey {
        mchid: text(sub_order, "/mchid").to_owned(),
        sub_mchid: optional_text(sub_order, "/sub_mchid").map(str::to_owned),
        out_trade_no: text(sub_order, "/out_trade_no").to_owned(),
        is_combined: false,
    }
}

fn sub_orders_of(body: &Value) -> &[Value] {
    body["sub_orders"].as_array().map_or(&[], Vec::as_slice)
}

fn check_sub_orders(simulator: &Simulator, body: &Value, caller: &Caller) -> Result<(), Refusal> {
    let sub_orders = sub_orders_of(body);
    let has = |pointer: &'static str| {
        let given = move |sub_order: &&Value| optional_text(sub_order, pointer).is_some();
        sub_orders.iter().filter(given).count()
    };
    let is_partner = has("/sub_mchid") > 0;
    if !sub_orders_allowed(is_partner).contains(&sub_orders.len()) {
        return Err(parameter("子单数量不符合要求", sub_orders.len().into()));
    }
    if is_partner && has("/sub_mchid") < sub_orders.len() {
        // Observed, in the developers' community.
        return Err(parameter("受理机构必须传入sub_mch_id", Value::Null));
    }
    if has("/sub_appid") > 1 {
        return Err(parameter("只允许一笔子单传入sub_appid", Value::Null));
    }
    let numbers: BTreeSet<&str> = sub_orders
        .iter()
        .map(|sub_order| text(sub_order, "/out_trade_no"))
        .collect();
    if numbers.len() < sub_orders.len() {
        return Err(parameter("子单商户订单号重复", Value::Null));
    }
    for sub_order in sub_orders {
        check_amount(sub_order)?;
        if is_partner {
            check_sub_merchant(simulator, sub_order, caller)?;
        } else {
            check_merchant(simulator, sub_order)?;
        }
    }
    Ok(())
}

fn check_amount(sub_order: &Value) -> Result<(), Refusal> {
    let currency = &sub_order["amount"]["currency"];
    if currency != "CNY" {
        return Err(parameter("不支持的货币类型", currency.clone()));
    }
    let total = fen(sub_order);
    if total > SUB_ORDER_TOTAL_MAX {
        return Err(parameter("子单金额超过限制", total.get().into()));
    }
    Ok(())
}

fn check_merchant(simulator: &Simulator, sub_order: &Value) -> Result<(), Refusal> {
    if simulator.keyring_of(text(sub_order, "/mchid")).is_some() {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "MCH_NOT_EXISTS",
        "商户号不存在",
        BAD_PARAMETER,
    ))
}

fn check_sub_merchant(
    simulator: &Simulator,
    sub_order: &Value,
    caller: &Caller,
) -> Result<(), Refusal> {
    check_mchid(text(sub_order, "/mchid"), caller)?;
    let sub_mchid = check_sub_mchid(simulator, text(sub_order, "/sub_mchid"), caller)?;
    let sub = find_sub_merchant(simulator, &sub_mchid, caller);
    let is_theirs = |sub_appid| sub.as_ref().is_some_and(|sub| sub.sub_appid == sub_appid);
    if optional_text(sub_order, "/sub_appid").is_none_or(is_theirs) {
        return Ok(());
    }
    Err(wrong_appid("sub_appid和sub_mchid不匹配，请检查后再试"))
}

/// The combined order and its sub-orders, from a checked body.
fn read_requests(
    product: Product,
    body: Value,
    caller: &Caller,
) -> (OrderRequest, Vec<OrderRequest>) {
    let whole = read_whole(product, body, caller);
    let sub_orders = sub_orders_of(&whole.body).iter();
    let sub_orders = sub_orders.map(|sub_order| read_sub_order(&whole, sub_order));
    let sub_orders = sub_orders.collect();
    (whole, sub_orders)
}

fn read_whole(product: Product, body: Value, caller: &Caller) -> OrderRequest {
    let sub_orders = sub_orders_of(&body);
    let keys = sub_orders.iter().map(sub_order_key).collect();
    let mut sub_appids = sub_orders
        .iter()
        .filter_map(|sub_order| optional_text(sub_order, "/sub_appid"));
    let total = sub_orders.iter().map(fen);
    let first = sub_orders
        .first()
        .map_or("", |sub| text(sub, "/description"));
    let optional = |pointer| optional_text(&body, pointer);
    let sub_openid = optional("/combine_payer_info/sub_openid");
    let openid = optional("/combine_payer_info/openid").or(sub_openid);
    OrderRequest {
        key: combined_key(text(&body, "/combine_out_trade_no"), caller),
        appid: text(&body, "/combine_appid").to_owned(),
        sub_appid: sub_appids.next().map(str::to_owned),
        product,
        description: format!("{first} 等{}笔", sub_orders.len()),
        attach: None,
        total: total.fold(Fen::ZERO, Fen::saturating_add),
        notify_url: text(&body, "/notify_url").to_owned(),
        // Only JSAPI binds the buyer.
        openid: openid
            .filter(|_| product == Product::Jsapi)
            .map(str::to_owned),
        openid_is_sub: sub_openid.is_some(),
        time_expire: optional("/time_expire").and_then(|text| text.parse::<Timestamp>().ok()),
        reply_key: caller.reply_key,
        protocol: Protocol::V3,
        combination: Combination::Of(keys),
        body,
    }
}

fn read_sub_order(whole: &OrderRequest, sub_order: &Value) -> OrderRequest {
    let mut body = sub_order.clone();
    // The bill has the device.
    if let Some(scene_info) = whole.body.get("scene_info") {
        body["scene_info"] = scene_info.clone();
    }
    OrderRequest {
        key: sub_order_key(sub_order),
        sub_appid: optional_text(sub_order, "/sub_appid").map(str::to_owned),
        description: text(sub_order, "/description").to_owned(),
        attach: optional_text(sub_order, "/attach").map(str::to_owned),
        total: fen(sub_order),
        combination: Combination::PartOf(whole.key.clone()),
        body,
        ..whole.clone()
    }
}

/// The amount of a sub-order, which the schema has checked.
fn fen(sub_order: &Value) -> Fen {
    let total = sub_order.pointer("/amount/total_amount");
    Fen::new(total.and_then(Value::as_i64).unwrap_or_default()).unwrap_or_default()
}

fn parameter(message: &str, value: Value) -> Refusal {
    Refusal::parameter(message, Some("body"), value)
}
