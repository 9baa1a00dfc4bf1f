//! Orders of version 2: place, query, close.

use std::net::IpAddr;

use serde_json::{Value, json};
use wechat_pay::v2::{Fields, MIN_AGE_TO_CLOSE_S, transaction_fields};
use wechat_pay::{Fen, TradeState, Transaction};

use super::answer::Answer;
use super::caller::Caller;
use super::fields::{check, fen, invalid, moment, out_trade_no};
use super::refusal::{Refusal, system_error};
use crate::clock::after;
use crate::gateway::orders::{h5_url, new_link};
use crate::ledger::order::{
    Combination, Order, OrderKey, OrderRequest, Product, Protocol, ReplyKey,
};
use crate::ledger::{CloseRefusal, OrderRefusal};
use crate::simulator::Simulator;

/// Places an order, or makes a new link for the same order.
pub(super) fn order(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    let required = [
        "body",
        "out_trade_no",
        "total_fee",
        "spbill_create_ip",
        "notify_url",
        "trade_type",
    ];
    check(caller, &required)?;
    let (product, trade_type) = product(caller)?;
    let request = read_request(simulator, product, caller)?;
    let settings = simulator.settings();
    let now = simulator.clock().now();
    let link = new_link(simulator, product, now);
    let mut answer = caller.parties();
    answer.set_optional("device_info", caller.field("device_info"));
    answer.set("trade_type", trade_type);
    answer.set("prepay_id", link.prepay_id.clone());
    answer.set_optional("code_url", link.code_url.clone());
    let page = (product == Product::H5).then(|| h5_url(simulator, &link));
    answer.set_optional("mweb_url", page);
    simulator
        .ledger()
        .order(request, link, settings.deadline_cap_days, now)
        .map_err(refuse_order)?;
    Ok(Answer::Fields(answer))
}

/// Queries an order by either number; WeChat's is preferred.
pub(super) fn query(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &[])?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = match caller.field("transaction_id") {
        Some(id) => {
            let sub_mchid = caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid);
            ledger
                .find_alone_by_transaction_id(id)
                .filter(|order| order.request.key.mchid == caller.mchid)
                .filter(|order| order.request.key.sub_mchid == sub_mchid)
        }
        None => ledger.find_alone(&key(simulator, caller)?),
    };
    let order = order.ok_or_else(not_found)?;
    let transaction = transaction(order, now)?;
    let mut fields = transaction_fields(&transaction, true);
    add_device(&mut fields, order);
    Ok(Answer::Fields(fields))
}

/// Closes an order. It must be five minutes old, and unlike in APIv3 it must exist.
pub(super) fn close(simulator: &Simulator, caller: &Caller) -> Result<Answer, Refusal> {
    check(caller, &["out_trade_no"])?;
    let key = key(simulator, caller)?;
    let now = simulator.clock().now();
    let mut ledger = simulator.ledger();
    let order = ledger.find_alone(&key).ok_or_else(not_found)?;
    match order.trade_state(now) {
        TradeState::Closed | TradeState::Revoked => {
            return Err(Refusal::business("ORDERCLOSED", "订单已关闭，无法重复关闭"));
        }
        TradeState::NotPay if now < after(order.created_at, MIN_AGE_TO_CLOSE_S) => {
            return Err(Refusal::business(
                "TRADE_STATE_ERROR",
                "订单生成后5分钟内不能关闭",
            ));
        }
        _ => {}
    }
    match ledger.close(key) {
        Ok(()) => Ok(Answer::Fields(caller.parties())),
        Err(CloseRefusal::Paid) => Err(Refusal::business("ORDERPAID", "订单已支付，不能发起关单")),
        Err(CloseRefusal::SubOrder) => Err(not_found()),
        Err(CloseRefusal::CodePay) => Err(Refusal::business(
            "TRADE_STATE_ERROR",
            "付款码支付订单不允许关单，请使用撤销接口",
        )),
    }
}

/// The key of the order that a request names by the merchant's number.
pub(super) fn key(simulator: &Simulator, caller: &Caller) -> Result<OrderKey, Refusal> {
    if caller.field("out_trade_no").is_none() {
        return Err(Refusal::protocol("缺少参数"));
    }
    Ok(OrderKey {
        mchid: caller.mchid.clone(),
        sub_mchid: caller.sub_merchant(simulator)?.map(|sub| sub.sub_mchid),
        out_trade_no: out_trade_no(caller)?,
        is_combined: false,
    })
}

/// Reads the fields that all orders have, for any product.
pub(super) fn read_request(
    simulator: &Simulator,
    product: Product,
    caller: &Caller,
) -> Result<OrderRequest, Refusal> {
    let text = |name| caller.field(name).unwrap_or_default().to_owned();
    let optional = |name| caller.field(name).map(str::to_owned);
    if text("spbill_create_ip").parse::<IpAddr>().is_err() {
        return Err(invalid("spbill_create_ip"));
    }
    let total = fen(caller, "total_fee")?;
    let sub = caller.sub_merchant(simulator)?;
    check_applications(caller, sub.as_ref().map(|sub| sub.sub_appid.as_str()))?;
    let time_expire = moment(caller, "time_expire")?;
    moment(caller, "time_start")?;
    let openid_is_sub = caller.field("sub_openid").is_some();
    let request = OrderRequest {
        key: key(simulator, caller)?,
        appid: text("appid"),
        sub_appid: optional("sub_appid"),
        product,
        description: text("body"),
        attach: optional("attach"),
        total,
        notify_url: text("notify_url"),
        openid: optional("sub_openid").or_else(|| optional("openid")),
        openid_is_sub,
        time_expire,
        reply_key: ReplyKey::PlatformCertificate,
        protocol: Protocol::v2(caller.sign_type),
        combination: Combination::None,
        body: compared_fields(caller),
    };
    if product == Product::Jsapi {
        check_openid(simulator, &request)?;
    }
    Ok(request)
}

/// An order as APIv3 describes it: both protocols read the same ledger.
pub(super) fn transaction(order: &Order, now: jiff::Timestamp) -> Result<Transaction, Refusal> {
    serde_json::from_value(order.transaction_json(now)).map_err(|error| {
        tracing::error!(%error, "an order of the ledger is not a transaction");
        system_error()
    })
}

/// The till, where the order named one: version 2 repeats it.
pub(super) fn add_device(fields: &mut Fields, order: &Order) {
    let device = order
        .request
        .body
        .get("device_info")
        .and_then(Value::as_str);
    fields.set_optional("device_info", device);
}

/// The order does not exist.
pub(super) fn not_found() -> Refusal {
    Refusal::business("ORDERNOTEXIST", "订单不存在")
}

/// The code and the message of version 2 for a refused order.
pub(super) fn refuse_order(refusal: OrderRefusal) -> Refusal {
    match refusal {
        OrderRefusal::Paid => Refusal::business("ORDERPAID", "该订单已支付"),
        OrderRefusal::Closed => Refusal::business("ORDERCLOSED", "该订单已关闭"),
        OrderRefusal::Changed | OrderRefusal::Used => {
            Refusal::business("OUT_TRADE_NO_USED", "商户订单号重复")
        }
        OrderRefusal::Expired => Refusal::business("ORDERCLOSED", "订单已过期，请重新下单"),
    }
}

fn product(caller: &Caller) -> Result<(Product, &'static str), Refusal> {
    let must_have = |name: &str, trade_type: &str| match caller.field(name) {
        Some(_) => Ok(()),
        None => Err(Refusal::protocol(format!("{trade_type}支付必须传{name}"))),
    };
    match caller.field("trade_type").unwrap_or_default() {
        "JSAPI" => {
            if caller.field("sub_openid").is_none() {
                must_have("openid", "JSAPI")?;
            }
            Ok((Product::Jsapi, "JSAPI"))
        }
        "NATIVE" => must_have("product_id", "NATIVE").map(|()| (Product::Native, "NATIVE")),
        "MWEB" => {
            must_have("scene_info", "MWEB")?;
            let scene: Value = caller
                .field("scene_info")
                .and_then(|scene| serde_json::from_str(scene).ok())
                .unwrap_or_default();
            if scene
                .pointer("/h5_info/type")
                .is_none_or(|kind| !kind.is_string())
            {
                return Err(invalid("scene_info"));
            }
            Ok((Product::H5, "MWEB"))
        }
        "APP" => Ok((Product::App, "APP")),
        _ => Err(invalid("trade_type")),
    }
}

fn check_applications(caller: &Caller, known_sub_appid: Option<&str>) -> Result<(), Refusal> {
    let merchant = caller.keyring.merchant();
    let appid = caller.field("appid").unwrap_or_default();
    let is_own = appid == merchant.appid || appid == merchant.mini_program_appid;
    let sub_appid = caller.field("sub_appid");
    let is_theirs = sub_appid.is_none() || sub_appid == known_sub_appid;
    if is_own && is_theirs {
        return Ok(());
    }
    Err(Refusal::business(
        "APPID_MCHID_NOT_MATCH",
        "appid和mch_id不匹配",
    ))
}

fn check_openid(simulator: &Simulator, request: &OrderRequest) -> Result<(), Refusal> {
    let appid = match (&request.sub_appid, request.openid_is_sub) {
        (Some(sub_appid), true) => sub_appid,
        (None, true) => return Err(Refusal::protocol("传入sub_openid时必须传sub_appid")),
        (_, false) => &request.appid,
    };
    let openid = request.openid.as_deref().unwrap_or_default();
    if simulator.takes_openid(appid, openid) {
        return Ok(());
    }
    Err(Refusal::protocol("appid and openid not match"))
}

/// The fields that a repeated order must have with the same values: all but the signature's own.
pub(super) fn compared_fields(caller: &Caller) -> Value {
    const OF_THE_SIGNATURE: [&str; 3] = ["nonce_str", "sign", "sign_type"];
    caller
        .fields
        .iter()
        .filter(|(name, value)| !OF_THE_SIGNATURE.contains(name) && !value.is_empty())
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// An amount as version 2 writes it.
pub(super) fn digits(amount: Fen) -> String {
    amount.get().to_string()
}
