//! Orders at the gateway: place, query, close, with WeChat's rules and messages.
//!
//! Where the documentation and the observed live gateway differ, the simulator answers as the live
//! one: changed parameters are 400 `INVALID_REQUEST`. Another product under a known number
//! is the documented 403 `OUT_TRADE_NO_USED`.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;
use wechat_pay::Fen;

use super::answer::{Answer, BAD_PARAMETER, Refusal};
use super::caller::Caller;
use super::order_fields::{close_fields, order_fields};
use super::route::Role;
use super::schema;
use crate::ledger::order::{Combination, Link, Order, OrderKey, OrderRequest, Product, Protocol};
use crate::ledger::{CloseRefusal, OrderRefusal};
use crate::settings::{ChangedOrder, Settings};
use crate::simulator::{H5_PATH, Simulator, SubMerchant};

/// Places an order, or makes a new link for the same order.
pub(super) fn order(
    simulator: &Simulator,
    product: Product,
    role: Role,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let settings = simulator.settings();
    let fields = order_fields(product, role == Role::Partner);
    let body = schema::read(fields, settings.description_limit, body)?;
    let request = read_request(simulator, product, role, body, caller)?;
    let now = simulator.clock().now();
    let link = new_link(simulator, product, now);
    let answer = link_json(simulator, product, &link);
    simulator
        .ledger()
        .order(request, link, settings.deadline_cap_days, now)
        .map_err(|refusal| refuse_order(&settings, refusal))?;
    Ok(Answer::Json(answer))
}

/// Queries an order by the merchant's number.
pub(super) fn query_by_number(
    simulator: &Simulator,
    number: &str,
    role: Role,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_number_in_path(number)?;
    let key = OrderKey {
        mchid: caller.mchid.clone(),
        sub_mchid: parties_of_query(simulator, role, query, caller)?,
        out_trade_no: number.to_owned(),
        is_combined: false,
    };
    let now = simulator.clock().now();
    answer_with(simulator.ledger().find_alone(&key), now)
}

/// Queries a paid order by WeChat's number.
pub(super) fn query_by_id(
    simulator: &Simulator,
    transaction_id: &str,
    role: Role,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let sub_mchid = parties_of_query(simulator, role, query, caller)?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger
        .find_alone_by_transaction_id(transaction_id)
        .filter(|order| order.request.key.mchid == caller.mchid)
        .filter(|order| order.request.key.sub_mchid == sub_mchid);
    answer_with(order, now)
}

/// Closes a number, also repeatedly, and also one without an order.
pub(super) fn close(
    simulator: &Simulator,
    number: &str,
    role: Role,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_number_in_path(number)?;
    let settings = simulator.settings();
    let fields = close_fields(role == Role::Partner);
    let body = schema::read(fields, settings.description_limit, body)?;
    let key = OrderKey {
        mchid: caller.mchid.clone(),
        sub_mchid: parties_of_body(simulator, role, &body, caller)?,
        out_trade_no: number.to_owned(),
        is_combined: false,
    };
    match simulator.ledger().close(key) {
        Ok(()) => Ok(Answer::Nothing),
        Err(CloseRefusal::Paid) => Err(refuse_order(&settings, OrderRefusal::Paid)),
        Err(CloseRefusal::CodePay) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "付款码支付订单不允许关单，请使用撤销接口",
            268_449_641,
        )),
        Err(CloseRefusal::SubOrder) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "合单支付订单只能使用合单关单接口关单",
            268_449_641,
        )),
    }
}

/// The sub-merchant of a partner's request, after the numbers were compared with the signature's.
pub(super) fn parties_of_body(
    simulator: &Simulator,
    role: Role,
    body: &Value,
    caller: &Caller,
) -> Result<Option<String>, Refusal> {
    match role {
        Role::Merchant => check_mchid(text(body, "/mchid"), caller).map(|()| None),
        Role::Partner => {
            check_mchid(text(body, "/sp_mchid"), caller)?;
            check_sub_mchid(simulator, text(body, "/sub_mchid"), caller).map(Some)
        }
    }
}

/// A merchant that this partner may act for.
pub(super) fn check_sub_mchid(
    simulator: &Simulator,
    sub_mchid: &str,
    caller: &Caller,
) -> Result<String, Refusal> {
    if find_sub_merchant(simulator, sub_mchid, caller).is_some() {
        return Ok(sub_mchid.to_owned());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "NO_AUTH",
        "特约商户与服务商没有授权关系，请核实后再试",
        268_447_843,
    ))
}

pub(super) fn find_sub_merchant(
    simulator: &Simulator,
    sub_mchid: &str,
    caller: &Caller,
) -> Option<SubMerchant> {
    simulator
        .sub_merchants(&caller.mchid)
        .find(|sub| sub.sub_mchid == sub_mchid)
}

/// Reads the body of an order of any product, and interprets it.
pub(super) fn read_request(
    simulator: &Simulator,
    product: Product,
    role: Role,
    body: Value,
    caller: &Caller,
) -> Result<OrderRequest, Refusal> {
    let sub_mchid = parties_of_body(simulator, role, &body, caller)?;
    let optional = |pointer| optional_text(&body, pointer);
    let merchant = caller.keyring.merchant();
    let (appid, sub_appid) = match role {
        Role::Merchant => (text(&body, "/appid"), None),
        Role::Partner => (
            optional("/sp_appid").unwrap_or(&merchant.appid),
            optional("/sub_appid"),
        ),
    };
    let is_own = is_own_appid(appid, caller);
    let sub = sub_mchid
        .as_deref()
        .and_then(|sub_mchid| find_sub_merchant(simulator, sub_mchid, caller));
    let is_theirs = |sub_appid| sub.is_some_and(|sub| sub.sub_appid == sub_appid);
    if !is_own || !sub_appid.is_none_or(is_theirs) {
        return Err(wrong_appid("appid和mch_id不匹配"));
    }
    check_currency(&body)?;
    check_detail(&body)?;
    let total = body.pointer("/amount/total").and_then(Value::as_i64);
    let sub_openid = optional("/payer/sub_openid");
    let openid = optional("/payer/openid")
        .or(sub_openid)
        .or_else(|| optional("/payer/sp_openid"));
    let request = OrderRequest {
        key: OrderKey {
            mchid: caller.mchid.clone(),
            sub_mchid,
            out_trade_no: text(&body, "/out_trade_no").to_owned(),
            is_combined: false,
        },
        appid: appid.to_owned(),
        sub_appid: sub_appid.map(str::to_owned),
        product,
        description: text(&body, "/description").to_owned(),
        attach: optional("/attach").map(str::to_owned),
        // The schema has refused values below 1.
        total: Fen::new(total.unwrap_or_default()).unwrap_or_default(),
        notify_url: text(&body, "/notify_url").to_owned(),
        openid: openid.map(str::to_owned),
        openid_is_sub: sub_openid.is_some(),
        time_expire: optional("/time_expire").and_then(|text| text.parse::<Timestamp>().ok()),
        reply_key: caller.reply_key,
        protocol: Protocol::V3,
        combination: Combination::None,
        body,
    };
    check_openid(simulator, &request)?;
    Ok(request)
}

/// Whether the caller's merchant number is bound to an application.
pub(super) fn is_own_appid(appid: &str, caller: &Caller) -> bool {
    let merchant = caller.keyring.merchant();
    appid == merchant.appid || appid == merchant.mini_program_appid
}

/// An application that is not bound to its merchant.
pub(super) fn wrong_appid(message: &str) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "APPID_MCHID_NOT_MATCH",
        message,
        268_445_527,
    )
}

/// WeChat refuses an unknown openid and one of another application.
pub(super) fn check_openid(simulator: &Simulator, request: &OrderRequest) -> Result<(), Refusal> {
    if request.product != Product::Jsapi {
        return Ok(());
    }
    let Some(openid) = &request.openid else {
        return Err(schema::missing(
            "/body/payer/sp_openid",
            "用户服务标识",
            "body",
        ));
    };
    let appid = match &request.sub_appid {
        Some(sub_appid) if request.openid_is_sub => sub_appid,
        None if request.openid_is_sub => {
            return Err(schema::missing("/body/sub_appid", "子商户应用ID", "body"));
        }
        _ => &request.appid,
    };
    if simulator.takes_openid(appid, openid) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "PARAM_ERROR",
        "无效的openid",
        BAD_PARAMETER,
    ))
}

/// The limit for `detail` as a whole.
fn check_detail(body: &Value) -> Result<(), Refusal> {
    const BYTES_MAX: usize = 6144;
    let bytes = body
        .get("detail")
        .map_or(0, |detail| detail.to_string().len());
    if bytes <= BYTES_MAX {
        return Ok(());
    }
    Err(Refusal::parameter(
        format!(
            "输入源“/body/detail”映射到值字段“优惠功能”规则校验失败，字节数 {bytes}，大于最大值 {BYTES_MAX}"
        ),
        Some("body"),
        bytes.into(),
    ))
}

/// The currency must be CNY.
pub(super) fn check_currency(body: &Value) -> Result<(), Refusal> {
    let other = |currency: &&Value| **currency != "CNY";
    match body.pointer("/amount/currency").filter(other) {
        None => Ok(()),
        Some(currency) => Err(Refusal::parameter(
            "输入源“/body/amount/currency”映射到值字段“货币类型”枚举规则校验失败，不支持的货币类型",
            Some("body"),
            currency.clone(),
        )),
    }
}

/// A new link to the cashier.
pub(super) fn new_link(simulator: &Simulator, product: Product, now: Timestamp) -> Link {
    let random = simulator.random();
    Link {
        prepay_id: random.prepay_id(now),
        code_url: (product == Product::Native)
            .then(|| format!("weixin://wxpay/bizpayurl?pr={}", random.alphanumeric(9))),
        h5_package: (product == Product::H5).then(|| random.digits(10)),
        issued_at: now,
        opened_by: None,
    }
}

/// A link as the answer to an order has it.
pub(super) fn link_json(simulator: &Simulator, product: Product, link: &Link) -> Value {
    match product {
        Product::Native => json!({ "code_url": link.code_url }),
        Product::H5 => json!({ "h5_url": h5_url(simulator, link) }),
        _ => json!({ "prepay_id": link.prepay_id }),
    }
}

/// The address of the H5 page.
pub(super) fn h5_url(simulator: &Simulator, link: &Link) -> String {
    format!(
        "{}{}?prepay_id={}&package={}",
        simulator.keyring().merchant().base_url,
        H5_PATH,
        link.prepay_id,
        link.h5_package.as_deref().unwrap_or_default()
    )
}

fn answer_with(order: Option<&Order>, now: Timestamp) -> Result<Answer, Refusal> {
    let order = order.ok_or_else(not_found)?;
    Ok(Answer::Json(order.transaction_json(now)))
}

/// The order does not exist.
pub(super) fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "ORDER_NOT_EXIST",
        "订单不存在",
        268_512_771,
    )
}

fn parties_of_query(
    simulator: &Simulator,
    role: Role,
    query: &str,
    caller: &Caller,
) -> Result<Option<String>, Refusal> {
    match role {
        Role::Merchant => {
            let mchid = value_of_query(query, "mchid")
                .ok_or_else(|| schema::missing_in_query("mchid", "商户号"))?;
            check_mchid(&mchid, caller).map(|()| None)
        }
        Role::Partner => {
            let sp_mchid = value_of_query(query, "sp_mchid")
                .ok_or_else(|| schema::missing_in_query("sp_mchid", "服务商户号"))?;
            let sub_mchid = value_of_query(query, "sub_mchid")
                .ok_or_else(|| schema::missing_in_query("sub_mchid", "子商户号"))?;
            check_mchid(&sp_mchid, caller)?;
            check_sub_mchid(simulator, &sub_mchid, caller).map(Some)
        }
    }
}

/// A value of a query; an empty one counts as absent.
pub(super) fn value_of_query(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

pub(super) fn check_mchid(mchid: &str, caller: &Caller) -> Result<(), Refusal> {
    if mchid == caller.mchid {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "PARAM_ERROR",
        "http header中的mchid与post payload中的mchid不匹配",
        BAD_PARAMETER,
    ))
}

/// WeChat's code and message for a refused order.
pub(super) fn refuse_order(settings: &Settings, refusal: OrderRefusal) -> Refusal {
    let bad = StatusCode::BAD_REQUEST;
    let used = || {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "OUT_TRADE_NO_USED",
            "商户订单号重复",
            268_498_688,
        )
    };
    // The inner number of a closed order is not published; this is that of an expired one.
    match refusal {
        OrderRefusal::Paid => Refusal::new(
            bad,
            settings.paid_code.as_str(),
            "该订单已支付",
            268_449_538,
        ),
        OrderRefusal::Closed => Refusal::new(bad, "ORDER_CLOSED", "该订单已关闭", 268_447_914),
        OrderRefusal::Changed if settings.changed_order == ChangedOrder::OutTradeNoUsed => used(),
        OrderRefusal::Changed => Refusal::new(
            bad,
            "INVALID_REQUEST",
            "请求重入时，参数与首次请求时不一致",
            268_498_688,
        ),
        OrderRefusal::Used => used(),
        OrderRefusal::Expired => Refusal::new(
            bad,
            "INVALID_REQUEST",
            "订单已过期，请重新下单",
            268_447_914,
        ),
    }
}

/// Text that the schema has checked.
pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    optional_text(body, pointer).unwrap_or_default()
}

/// Text that may be absent.
pub(super) fn optional_text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str)
}
